"""The look-ahead canary: a column that knows the next bar, and the check that must fall over it.

The play language cannot reach forward, so a leak can only come with the data: a column stamped one bar too early, as when a provider
writes a figure at the open of the bar it describes. The canary plants that in the volume. No search can tell it from an edge, and no
re-run with a scrambled future can either, because the leak is in the past of the file. What gives it away is its size: how well a column
foretells the sign of the next bar is limited on every real market.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from coinswarm import check
from coinswarm.market.bars import COLUMNS, Bars
from coinswarm.types import FloatArray
from coinswarm.validate.worlds import drawn
from coinswarm.validate.worlds.marking import marked

LARGEST_HONEST = 0.25
"""Rank correlation of anything known at a close with the next bar's move that no honest column reaches. The largest of 24 markets of
2024 at five minutes is 0.14 (PEPE, whose price has few digits and bounces between them), the next 0.09; the canary's is above 0.4."""
_SURE = 5.0


@dataclass(frozen=True, kw_only=True)
class Leak:
    """How well one column foretells the next bar.

    Attributes:
        column: its name.
        correlation: rank correlation with the next bar's simple return, in [-1, 1].
        z: the same in standard errors of independent bars.
        found: too good to be known at that time.
    """

    column: str
    correlation: float
    z: float
    found: bool


def leaking(like: Sequence[Bars], rng: np.random.Generator, exchange: str) -> tuple[Bars, ...]:
    """Markets of N1 whose volume is high before bars that rise and low before bars that fall.

    Args:
        like: markets whose times, first price, volatility, correlation and volumes are taken.
        rng: source of the returns.
        exchange: name of the world.
    """
    return tuple(_stamped_early(bars, exchange) for bars in drawn.clustered(like, rng, exchange))


def _stamped_early(bars: Bars, exchange: str) -> Bars:
    rising = np.concatenate([bars.close[1:] > bars.open[1:], np.zeros(1, dtype=np.bool_)])
    return marked(bars, exchange, volume=bars.volume * np.where(rising, 3.0, 1.0))


def leaks(bars: Bars, columns: dict[str, FloatArray] | None = None) -> tuple[Leak, ...]:
    """What any column says about the next bar, worst first.

    Prices enter as what they say within their bar: close, high and low against the open.

    Args:
        bars: (n_bars,) at least 30.
        columns: (n_bars,) more columns by name, each value known at its bar's close; NaN is left out.

    Raises:
        InvalidArgument: there are too few bars.
    """
    check.at_least(len(bars), "n_bars", 30)
    known = {name: getattr(bars, name) / bars.open for name in COLUMNS if name not in ("open", "volume")}
    known |= {"volume": bars.volume, **(columns or {})}
    future = bars.close[1:] / bars.close[:-1] - 1
    found = [_leak(name, np.asarray(values, dtype=np.float64)[:-1], future) for name, values in known.items()]
    return tuple(sorted(found, key=lambda leak: -abs(leak.correlation)))


def _leak(name: str, values: FloatArray, future: FloatArray) -> Leak:
    from scipy import stats

    kept = np.isfinite(values)
    if kept.sum() < 3 or np.ptp(values[kept]) == 0 or np.ptp(future[kept]) == 0:
        return Leak(column=name, correlation=0.0, z=0.0, found=False)
    correlation = float(stats.spearmanr(values[kept], future[kept]).statistic)
    z = correlation * math.sqrt(int(kept.sum()) - 1)
    return Leak(column=name, correlation=correlation, z=z, found=abs(correlation) > LARGEST_HONEST and abs(z) > _SURE)
