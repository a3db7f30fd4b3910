"""Bars: one market's candles as columns of numbers, the only form in which prices travel through the project."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from coinswarm import display, errors
from coinswarm.market.timeframe import Timeframe
from coinswarm.types import BoolArray, FloatArray, IntArray

if TYPE_CHECKING:
    import polars as pl

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
        known_ts: (n_bars,) the time at which each bar is known, increasing, where that is later than its label says: a bar may be made of
            faster ones that reach beyond its end. Empty: every bar is known at `ts[i] + timeframe.ms`.

    Known when: bar `i` and all of its columns are known at `close_ts[i]`.
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
    known_ts: IntArray = field(default_factory=lambda: _NO_TIMES)

    def __post_init__(self) -> None:
        sizes = {self.ts.size, *(getattr(self, name).size for name in COLUMNS)}
        if len(sizes) != 1:
            raise errors.ShapeMismatch("all columns of bars must have the same length", found=sorted(sizes))
        if self.funding_ts.size != self.funding_rate.size:
            found = (self.funding_ts.size, self.funding_rate.size)
            raise errors.ShapeMismatch("funding times and rates must have the same length", found=found)
        if self.known_ts.size not in (0, self.ts.size):
            raise errors.ShapeMismatch("bars have a known time each, or none", found=(self.known_ts.size, self.ts.size))

    def __len__(self) -> int:
        return int(self.ts.size)

    def __repr__(self) -> str:
        span = f", {display.moment(int(self.ts[0]))} to {display.moment(int(self.close_ts[-1]))}" if len(self) else ""
        return f"Bars({self.key}, {len(self):,} bars{span}{', SYNTHETIC' if self.synthetic else ''})"

    def _repr_html_(self) -> str:
        ends = sorted({0, 1, len(self) - 2, len(self) - 1} & set(range(len(self))))
        rows = [[display.moment(int(self.ts[row])), *(f"{getattr(self, name)[row]:.8g}" for name in COLUMNS)] for row in ends]
        return display.table(repr(self), rows, ["opens, UTC", *COLUMNS])

    def __getitem__(self, index: slice) -> Bars:
        """Bars `start:stop` (no step), as views, with the funding that was paid up to the close of the last of them."""
        if not isinstance(index, slice) or index.step not in (None, 1):
            raise errors.InvalidArgument("bars are cut by a plain slice", found=repr(index))
        cut = {name: getattr(self, name)[index] for name in ("ts", *COLUMNS)}
        cut["known_ts"] = self.known_of(index)
        if cut["ts"].size:
            last = cut["known_ts"][-1] if cut["known_ts"].size else cut["ts"][-1] + self.timeframe.ms
            low, high = np.searchsorted(self.funding_ts, [cut["ts"][0] - 30_000, last - 30_000])
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
        return self.known_ts if self.known_ts.size else self.ts + self.timeframe.ms

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 over market, timeframe and every number: equal bars, equal hash."""
        digest = hashlib.sha256(f"{self.key}:{self.synthetic}".encode())
        for name in ("ts", *COLUMNS, "funding_ts", "funding_rate"):
            column = np.ascontiguousarray(getattr(self, name))
            digest.update(f"{name}:{column.size}:".encode())
            digest.update(column.astype("<i8" if name.endswith("ts") else "<f8", copy=False).tobytes())
        if self.known_ts.size:  # left out where labels say it all, so that bars keep the hash they always had
            digest.update(b"known_ts:" + np.ascontiguousarray(self.known_ts).astype("<i8", copy=False).tobytes())
        return digest.hexdigest()

    def to_polars(self) -> pl.DataFrame:
        """One row a bar: `ts`, when it opens, in UTC, and open, high, low, close, volume; `cs.bars_from` reads it back."""
        import polars as pl

        opens = pl.Series("ts", self.ts).cast(pl.Datetime("ms", "UTC"))
        return pl.DataFrame([opens, *(pl.Series(name, getattr(self, name)) for name in COLUMNS)])

    def to_pandas(self) -> Any:
        """The same as a pandas frame, with `ts` as its index.

        Raises:
            Unavailable: pandas is not installed.
        """
        try:
            return self.to_polars().to_pandas().set_index("ts")
        except ImportError as error:
            hint = "`pip install pandas`, or take to_polars()"
            raise errors.Unavailable("a pandas frame needs pandas", found=str(error), hint=hint) from error

    def index_at(self, ts: int) -> int:
        """The first bar that opens at or after `ts` (milliseconds)."""
        return int(np.searchsorted(self.ts, ts))

    def known_of(self, rows: slice | IntArray | BoolArray) -> IntArray:
        """`known_ts` of some of the bars."""
        return self.known_ts[rows] if self.known_ts.size else self.known_ts

    def closed_by(self, ts: int) -> int:
        """How many bars are known at `ts` (milliseconds): those that have closed by then."""
        return int(np.searchsorted(self.close_ts, ts, side="right"))

    @property
    def spacing_ms(self) -> float:
        """Time in ms from a bar to the next, on average: the length of a bar where none is missing; at least one bar."""
        return float((int(self.ts[-1]) + self.timeframe.ms - int(self.ts[0])) / len(self))

    @property
    def periods_per_year(self) -> float:
        """Bars in 365.25 days of the time they span, see `periods_per_year_from`; those of the timeframe where there are none."""
        return self.timeframe.periods_in(len(self), int(self.ts[0]), int(self.ts[-1])) if len(self) else self.timeframe.periods_per_year

    def periods_per_year_from(self, first: IntArray) -> FloatArray:
        """Bars in 365.25 days of the time from the open of a bar to the close of the last one, so that missing bars count as time.

        Args:
            first: (n,) indices in [0, n_bars).

        Returns:
            (n,) exactly `timeframe.periods_per_year` where no bar is missing.
        """
        spanned = self.ts[-1] + self.timeframe.ms - self.ts[first]
        return np.asarray(self.timeframe.periods_per_year * ((len(self) - first) * self.timeframe.ms / spanned))
