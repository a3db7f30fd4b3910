"""Small tapes of bars for tests of the market."""

from __future__ import annotations

from typing import Any

import numpy as np

from coinswarm.market.bars import Bars
from coinswarm.market.timeframe import Timeframe

MINUTE = 60_000
START = 1_704_067_200_000  # 2024-01-01 00:00, a Monday


def tape(n: int = 20, timeframe: str = "5m", *, start: int = START, seed: int = 7, **changes: Any) -> Bars:
    length = Timeframe.parse(timeframe)
    rng = np.random.default_rng(seed)
    close = np.round(100 * np.exp(np.cumsum(rng.normal(0, 0.003, n))), 4)
    opened = np.r_[100.0, close[:-1]]
    columns = {
        "ts": start + length.ms * np.arange(n, dtype=np.int64),
        "open": opened,
        "high": np.maximum(opened, close) + 0.1,
        "low": np.minimum(opened, close) - 0.1,
        "close": close,
        "volume": np.round(rng.uniform(1, 5, n), 3),
    }
    return Bars(**{"symbol": "BTC/USDT", "timeframe": length, "exchange": "replay", **columns, **changes})


def changed(bars: Bars, column: str, row: int, value: float) -> Bars:
    values = getattr(bars, column).copy()
    values[row] = value
    return rebuilt(bars, **{column: values})


def rebuilt(bars: Bars, **changes: Any) -> Bars:
    names = ("symbol", "timeframe", "exchange", "synthetic", "ts", "open", "high", "low", "close", "volume", "funding_ts", "funding_rate")
    return Bars(**{**{name: getattr(bars, name) for name in names}, **changes})


def reordered(bars: Bars, rows: Any) -> Bars:
    return rebuilt(bars, **{name: getattr(bars, name)[rows] for name in ("ts", "open", "high", "low", "close", "volume")})
