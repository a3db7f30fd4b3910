"""Bars as the reference simulator walks over them: one plain record a bar, with what costs depend on looked up beforehand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from coinswarm.market import funding
from coinswarm.market.bars import Bars
from coinswarm.types import FloatArray

VOLATILITY_BARS = 20


class Bar(NamedTuple):
    """One candle."""

    open: float
    high: float
    low: float
    close: float
    volume: float

    def worst(self, side: int) -> float:
        """The extreme that hurts a position of that side."""
        return self.low if side > 0 else self.high

    def best(self, side: int) -> float:
        """The extreme that favours a position of that side."""
        return self.high if side > 0 else self.low


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class BarTape:
    """All bars of a run, in order.

    Attributes:
        bars: one record a bar.
        volatility: sample standard deviation of the 20 simple close returns before each bar, 0 while missing.
        funding: rates paid in a bar, summed, by the bar's index.
        gap_ms: time without bars before each bar.
    """

    bars: list[Bar]
    volatility: list[float]
    funding: dict[int, float]
    gap_ms: list[int]

    def __len__(self) -> int:
        return len(self.bars)


def of(bars: Bars) -> BarTape:
    """Lay out bars for the simulator."""
    columns = (bars.open, bars.high, bars.low, bars.close, bars.volume)
    gaps = np.diff(bars.ts, prepend=bars.ts[:1] - bars.timeframe.ms) - bars.timeframe.ms
    return BarTape(
        bars=[Bar(*values) for values in zip(*(column.tolist() for column in columns), strict=True)],
        volatility=volatility_before(bars.close).tolist(),
        funding=_funding(bars),
        gap_ms=gaps.tolist(),
    )


def volatility_before(close: FloatArray) -> FloatArray:
    """Sample standard deviation of the 20 simple close returns up to the bar before.

    Args:
        close: (n_bars,) prices above 0.

    Returns:
        (n_bars,) at least 0; 0 for the first 21 bars. Value `i` is known at the close of bar `i - 1`.
    """
    known = np.zeros(close.size)
    if close.size > VOLATILITY_BARS + 1:
        returns = close[1:-1] / close[:-2] - 1
        windows = np.lib.stride_tricks.sliding_window_view(returns, VOLATILITY_BARS)
        known[VOLATILITY_BARS + 1 :] = windows.std(axis=1, ddof=1)
    return known


def _funding(bars: Bars) -> dict[int, float]:
    """Rates by the bar they are booked in."""
    rates: dict[int, float] = {}
    for bar, rate in zip(funding.booked_in(bars).tolist(), bars.funding_rate.tolist(), strict=True):
        rates[bar] = rates.get(bar, 0.0) + rate
    return rates
