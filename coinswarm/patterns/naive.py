"""Uncorrected tests of the same patterns: shown beside the honest verdict, never used."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from coinswarm.kernels import subgroups
from coinswarm.patterns.mining import Conjunctions
from coinswarm.patterns.table import CodedTrades
from coinswarm.types import FloatArray


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class Naive:
    """One-sided p of each pattern as if trades were independent, and how many that would have promoted.

    Attributes:
        welch: (n,) p of a higher mean net result than that of the other trades.
        binomial: (n,) p of a higher win rate than that of all trades.
        mean_net, win_rate: (n,) of the pattern's trades.
        promoted: number of patterns by name of the test and its correction.
    """

    welch: FloatArray
    binomial: FloatArray
    mean_net: FloatArray
    win_rate: FloatArray
    promoted: dict[str, int]


def judge(mined: Conjunctions, table: CodedTrades, net: FloatArray, *, alpha: float) -> Naive:
    """The usual verdict on every conjunction.

    Args:
        mined: n conjunctions.
        table: the trades they were found on.
        net: (n_trades,) net results in the order of the table.
        alpha: level of the corrected tests.
    """
    sums = np.empty((len(mined), 4))
    subgroups.moments(np.ascontiguousarray(mined.picks), table.all_trades, table.coded.bits, net, sums)
    n = sums[:, 3]
    welch = _welch(n, sums[:, 0], sums[:, 1], net)
    # at least k of n: a beta integral (Abramowitz & Stegun 26.5.24)
    wins, base = sums[:, 2], float((net > 0).mean())
    binomial = np.where(wins == 0, 1.0, special.betainc(np.maximum(wins, 1), n - wins + 1, base))
    promoted = {
        f"{name} {method}": _count(p, method, alpha) for name, p in (("welch", welch), ("binomial", binomial)) for method in METHODS
    }
    return Naive(welch=welch, binomial=binomial, mean_net=sums[:, 0] / n, win_rate=sums[:, 2] / n, promoted=promoted)


METHODS = ("bonferroni", "bh")


def _count(p: FloatArray, method: str, alpha: float) -> int:
    """Not by `stats.correct_p_values`: its library collects garbage at each call, which took longer than the rest of a small search."""
    from scipy.stats import false_discovery_control

    if not p.size:
        return 0
    return int(((p * p.size if method == "bonferroni" else false_discovery_control(p)) <= alpha).sum())


def _welch(n: FloatArray, total: FloatArray, squares: FloatArray, net: FloatArray) -> FloatArray:
    rest = net.size - n
    with np.errstate(invalid="ignore", divide="ignore"):
        mean, other = total / n, (net.sum() - total) / rest
        spread = _variance(n, total, squares) / n
        spread_other = _variance(rest, net.sum() - total, float(net @ net) - squares) / rest
        t = (mean - other) / np.sqrt(spread + spread_other)
        df = (spread + spread_other) ** 2 / (spread**2 / (n - 1) + spread_other**2 / (rest - 1))
        p = special.stdtr(df, -t)
    return np.where(np.isfinite(p), p, 1.0)


def _variance(n: FloatArray, total: FloatArray, squares: FloatArray) -> FloatArray:
    return np.maximum(squares - total**2 / n, 0.0) / (n - 1)
