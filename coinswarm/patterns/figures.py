"""Figures of a pattern's trades on one segment of time, with intervals that count blocks of time and not trades."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from scipy import special

from coinswarm import stats
from coinswarm.ledger.chaos import ChaosTrades
from coinswarm.market.timeframe import YEAR_MS
from coinswarm.types import BoolArray, FloatArray, IntArray

CAPACITY_SHARE = 0.01
"""Part of a bar's turnover that an entry may take: a hint, as what an entry moves is not in the bars."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Figures:
    """Figures of the trades that fulfil a pattern; fractions of the notional unless stated otherwise, NaN where there are too few.

    Attributes:
        trades, active_blocks, blocks: trades, blocks of time that have some, blocks of time of the segment.
        support: share of the segment's trades.
        effect, effect_low, effect_high: mean net result beyond random trades of the same market, side and hold; 95 %, by blocks.
        expectancy, expectancy_low, expectancy_high: mean net result; 95 %, by blocks.
        win_rate, win_low, win_high: share of trades that made money; 95 % after Wilson as if the active blocks were the sample.
        sharpe_trade: mean over deviation of a trade's net result.
        sharpe_annual: of the net result of a block, over blocks without trades too, a year.
        drawdown: largest fall of the running sum of net results of trades that do not overlap, one at a time in each market.
        hold_bars: median hold.
        capacity: notional that would be 1 % of the turnover of the decision bar in three of four trades, quote currency; NaN unless known.
    """

    trades: int
    active_blocks: int
    blocks: int
    support: float
    effect: float
    effect_low: float
    effect_high: float
    expectancy: float
    expectancy_low: float
    expectancy_high: float
    win_rate: float
    win_low: float
    win_high: float
    sharpe_trade: float
    sharpe_annual: float
    drawdown: float
    hold_bars: float
    capacity: float


def measure(
    trades: ChaosTrades, member: BoolArray, excess: FloatArray, blocks: IntArray, n_blocks: int, block_ms: int, turnover: FloatArray | None
) -> Figures:
    """Figures of a pattern on a segment.

    Args:
        trades: n trades of the segment, in order of entry.
        member: (n,) which of them fulfil the pattern.
        excess: (n,) net results beyond expectation.
        blocks: (n,) block of time of each.
        n_blocks: blocks of the segment.
        block_ms: length of a block.
        turnover: (n,) quote turnover of the decision bar; None: not known.
    """
    n = int(member.sum())
    net, own = trades.net[member], blocks[member]
    active = int(np.unique(own).size)
    effect, effect_low, effect_high = mean_by_blocks(excess[member], own, n_blocks)
    mean, low, high = mean_by_blocks(net, own, n_blocks)
    won = float((net > 0).mean()) if n else math.nan
    win_low, win_high = stats.wilson_interval(round(won * active), active) if active else (math.nan, math.nan)
    spread = float(net.std(ddof=1)) if n > 1 else 0.0
    return Figures(
        trades=n, active_blocks=active, blocks=n_blocks, support=n / len(trades) if len(trades) else 0.0,
        effect=effect, effect_low=effect_low, effect_high=effect_high,
        expectancy=mean, expectancy_low=low, expectancy_high=high,
        win_rate=won, win_low=win_low, win_high=win_high,
        sharpe_trade=mean / spread if spread > 0 else math.nan,
        sharpe_annual=_annual(net, own, n_blocks, block_ms),
        drawdown=_drawdown(trades, np.flatnonzero(member)),
        hold_bars=float(np.median(trades.hold[member])) if n else math.nan,
        capacity=math.nan if turnover is None or not n else CAPACITY_SHARE * float(np.quantile(turnover[member], 0.25)),
    )  # fmt: skip


def mean_by_blocks(values: FloatArray, blocks: IntArray, n_blocks: int) -> tuple[float, float, float]:
    """Mean of (n,) values with its 95 % interval, as if each block of time were one observation.

    A ratio of block sums: its error is the root of sum (A - m N)^2 over the total, with t of the active blocks less one.

    Returns:
        (mean, low, high); NaN without values, an endless interval with a single block.
    """
    if values.size == 0:
        return math.nan, math.nan, math.nan
    counts = np.bincount(blocks, minlength=n_blocks)
    sums = np.bincount(blocks, weights=values, minlength=n_blocks)
    mean, active = float(values.mean()), int((counts > 0).sum())
    if active < 2:
        return mean, -math.inf, math.inf
    error = math.sqrt(float(((sums - mean * counts) ** 2).sum()) * active / (active - 1)) / values.size
    reach = float(special.stdtrit(active - 1, 0.975)) * error
    return mean, mean - reach, mean + reach


def shrunk(effect: float, t: float, threshold: float) -> float:
    """An effect without the part that it owes to having been selected for being large.

    The mean of a normal statistic, of which it is known only that it passed a threshold and what it was: the most likely value, not below
    0. Source: Zhong & Prentice 2008 ("Bias-reduced estimators and confidence intervals for odds ratios").

    Args:
        effect: what was observed.
        t: its statistic, about normal with deviation 1.
        threshold: what the statistic had to exceed.
    """
    if not t > threshold or t <= 0:
        return 0.0
    low, high = t - 40.0, t
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if middle + _inverse_mills(threshold - middle) > t else (middle, high)
    return effect * max(0.0, low) / t


def _inverse_mills(x: float) -> float:
    """Density over upper tail of the normal at x: how far the mean of what passes x lies above 0."""
    return float(np.exp(-0.5 * x * x - 0.5 * math.log(2 * math.pi) - special.log_ndtr(-x)))


def _annual(net: FloatArray, blocks: IntArray, n_blocks: int, block_ms: int) -> float:
    sums = np.bincount(blocks, weights=net, minlength=n_blocks)
    spread = float(sums.std(ddof=1)) if n_blocks > 1 else 0.0
    return float(sums.mean()) / spread * math.sqrt(YEAR_MS / block_ms) if spread > 0 else math.nan


def _drawdown(trades: ChaosTrades, places: IntArray) -> float:
    alone = apart(trades, places)
    order = np.argsort(trades.exit_ts[alone], kind="stable")
    equity = np.concatenate([[0.0], np.cumsum(trades.net[alone][order])])
    return float((np.maximum.accumulate(equity) - equity).max())


def apart(trades: ChaosTrades, rows: IntArray) -> IntArray:
    """Those of (n,) trades in order of entry that one would take who holds one position at a time in each market."""
    free: dict[int, int] = {}
    taken = []
    market, entry, leave = trades.market[rows].tolist(), trades.entry_ts[rows].tolist(), trades.exit_ts[rows].tolist()
    for place, where, begin, end in zip(rows.tolist(), market, entry, leave, strict=True):
        if begin >= free.get(where, begin):
            free[where] = end
            taken.append(place)
    return np.array(taken, dtype=np.int64)
