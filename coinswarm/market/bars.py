"""Bars: one market's candles as columns of numbers, the only form in which prices travel through the project."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from coinswarm import errors
from coinswarm.market.timeframe import Timeframe
from coinswarm.types import FloatArray, IntArray

COLUMNS = ("open", "high", "low", "close", "volume")
_NO_TIMES: IntArray = np.empty(0, dtype=np.int64)
_NO_RATES: FloatArray = np.empty(0, dtype=np.float64)


@dataclass(frozen=True, kw_only=True, eq=False)
class Bars:
    """Candles of one market, oldest first.

    Attributes:
        symbol: canonical market, such as `BTC/USDT` or `BTC/USDT:USDT`.
        timeframe: length of a bar.
        ts: (n_bars,) open time of each bar, milliseconds since 1970 UTC, strictly increasing. Gaps are allowed.
        open, high, low, close: (n_bars,) prices in quote currency, finite and above 0.
        volume: (n_bars,) traded amount in base currency, finite, not negative.
        funding_ts: (n_funding,) times at which funding was paid, milliseconds since 1970 UTC; empty for spot.
        funding_rate: (n_funding,) what a long pays, as a fraction of notional.
        exchange: where the bars come from.
        synthetic: the bars were made, not traded; every result from them says so.

    Known when: bar `i` and all of its columns are known at `ts[i] + timeframe.ms`.
    """

    symbol: str
    timeframe: Timeframe
    ts: IntArray
    open: FloatArray
    high: FloatArray
    low: FloatArray
    close: FloatArray
    volume: FloatArray
    funding_ts: IntArray = field(default_factory=lambda: _NO_TIMES)
    funding_rate: FloatArray = field(default_factory=lambda: _NO_RATES)
    exchange: str = "unknown"
    synthetic: bool = False

    def __post_init__(self) -> None:
        sizes = {self.ts.size, *(getattr(self, name).size for name in COLUMNS)}
        if len(sizes) != 1:
            raise errors.ShapeMismatch("all columns of bars must have the same length", found=sorted(sizes))
        if self.funding_ts.size != self.funding_rate.size:
            found = (self.funding_ts.size, self.funding_rate.size)
            raise errors.ShapeMismatch("funding times and rates must have the same length", found=found)

    def __len__(self) -> int:
        return int(self.ts.size)

    def __getitem__(self, index: slice) -> Bars:
        """Bars `start:stop` (no step), as views, with the funding that was paid up to the close of the last of them."""
        if not isinstance(index, slice) or index.step not in (None, 1):
            raise errors.InvalidArgument("bars are cut by a plain slice", found=repr(index))
        cut = {name: getattr(self, name)[index] for name in ("ts", *COLUMNS)}
        if cut["ts"].size:
            low, high = np.searchsorted(self.funding_ts, [cut["ts"][0] - 30_000, cut["ts"][-1] + self.timeframe.ms - 30_000])
        else:
            low = high = 0
        return replace(self, **cut, funding_ts=self.funding_ts[low:high], funding_rate=self.funding_rate[low:high])

    @property
    def key(self) -> str:
        """`exchange:symbol:timeframe`, the name of the data set."""
        return f"{self.exchange}:{self.symbol}:{self.timeframe}"

    @property
    def close_ts(self) -> IntArray:
        """(n_bars,) the time at which each bar is known."""
        return self.ts + self.timeframe.ms

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 over market, timeframe and every number: equal bars, equal hash."""
        digest = hashlib.sha256(f"{self.key}:{self.synthetic}".encode())
        for name in ("ts", *COLUMNS, "funding_ts", "funding_rate"):
            column = np.ascontiguousarray(getattr(self, name))
            digest.update(f"{name}:{column.size}:".encode())
            digest.update(column.astype("<i8" if name.endswith("ts") else "<f8", copy=False).tobytes())
        return digest.hexdigest()

    def index_at(self, ts: int) -> int:
        """The first bar that opens at or after `ts` (milliseconds)."""
        return int(np.searchsorted(self.ts, ts))
