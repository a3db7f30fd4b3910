"""Bars for tests: read from the files of real candles, or made."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from coinswarm.market.bars import COLUMNS, Bars
from coinswarm.market.timeframe import Timeframe
from coinswarm.types import FloatArray

MIDNIGHT = 1_704_067_200_000
FIVE_MINUTES = Timeframe.parse("5m")


def read(path: Path) -> Bars:
    """Bars of one Parquet file of the shared candles."""
    import polars as pl

    frame = pl.read_parquet(path)
    columns = {name: frame[name].to_numpy().copy() for name in COLUMNS}
    return Bars(symbol="BTC/USDT", timeframe=FIVE_MINUTES, ts=frame["ts"].cast(pl.Int64).to_numpy().copy(), **columns)


def of(close: FloatArray, *, start: int = MIDNIGHT, spread: float = 0.0, volume: FloatArray | None = None) -> Bars:
    """Bars that open at the last close and reach `spread` beyond their body."""
    opening = np.concatenate([close[:1], close[:-1]])
    return Bars(
        symbol="BTC/USDT",
        timeframe=FIVE_MINUTES,
        ts=start + FIVE_MINUTES.ms * np.arange(close.size),
        open=opening,
        high=np.maximum(opening, close) * (1.0 + spread),
        low=np.minimum(opening, close) * (1.0 - spread),
        close=close,
        volume=np.ones(close.size) if volume is None else volume,
    )


def walk(rng: np.random.Generator, size: int, *, funding: bool = True) -> Bars:
    """A random walk with ragged wicks and volumes, some of them 0."""
    close = 100.0 * np.exp(np.cumsum(rng.normal(0.0, 0.003, size)))
    opening = np.concatenate([close[:1], close[:-1]])
    reach = np.abs(rng.normal(0.0, 0.002, (2, size)))
    ts = MIDNIGHT + 3 * FIVE_MINUTES.ms + FIVE_MINUTES.ms * np.arange(size)
    paid = np.arange(MIDNIGHT, ts[-1] + 1, 8 * 3_600_000) + rng.integers(0, 12, len(range(MIDNIGHT, ts[-1] + 1, 8 * 3_600_000)))
    return Bars(
        symbol="BTC/USDT:USDT",
        timeframe=FIVE_MINUTES,
        ts=ts,
        open=opening,
        high=np.maximum(opening, close) * (1.0 + reach[0]),
        low=np.minimum(opening, close) * (1.0 - reach[1]),
        close=close,
        volume=np.where(rng.random(size) < 0.1, 0.0, rng.lognormal(3.0, 1.0, size)),
        funding_ts=paid if funding else np.empty(0, dtype=np.int64),
        funding_rate=rng.normal(0.0, 1e-4, paid.size) if funding else np.empty(0),
    )
