"""Small made-up markets for chaos trades."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from coinswarm.market import synthetic
from coinswarm.market.bars import Bars
from coinswarm.market.timeframe import DAY_MS, Timeframe

TF = Timeframe.parse("5m")


def market(n_bars: int = 1500, symbol: str = "AAA/USDT", *, late: int = 0, volatility: float = 0.6) -> Bars:
    """A market without gaps whose first bar is number `late` of the others."""
    start = synthetic.START_TS + late * TF.ms
    return synthetic.market(symbol, TF, n_bars, seed=3, start_ts=start, volatility=volatility)


def without(bars: Bars, *missing: int) -> Bars:
    """The same market with some bars missing."""
    there = np.setdiff1d(np.arange(len(bars)), missing)
    columns = {name: getattr(bars, name)[there] for name in ("ts", "open", "high", "low", "close", "volume")}
    return replace(bars, **columns)


def with_funding(bars: Bars, rate: float = 0.001) -> Bars:
    """The same market with funding every 8 hours, stamped some milliseconds late."""
    times = np.arange(bars.ts[0], bars.ts[-1] + bars.timeframe.ms, DAY_MS // 3) + 17
    return replace(bars, funding_ts=times, funding_rate=np.linspace(-rate, rate, times.size))
