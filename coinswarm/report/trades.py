"""The trade list of a backtest as plain columns, whatever types its frame uses for times and words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from coinswarm.types import BoolArray, FloatArray, IntArray

if TYPE_CHECKING:
    import polars as pl

_NUMBERS = ("qty", "entry_price", "exit_price", "pnl", "return", "fees", "slippage", "funding", "bars_held", "mae", "mfe")
_OPEN = frozenset({"", "open", "none"})


@dataclass(frozen=True, kw_only=True, slots=True)
class TradeTable:
    """Trades in order of entry.

    Attributes:
        entry_ms, exit_ms: (n_trades,) milliseconds since 1970 UTC; the exit of an open trade is -1.
        side: (n_trades,) +1 long, -1 short.
        reason: why each was closed, in words.
        closed: (n_trades,) False for a position still open at the end.
        number: (n_trades,) columns by name: qty, prices, pnl, return, fees, slippage, funding, bars_held, mae, mfe; NaN where missing.
    """

    entry_ms: IntArray
    exit_ms: IntArray
    side: IntArray
    reason: tuple[str, ...]
    closed: BoolArray
    number: dict[str, FloatArray]

    def __len__(self) -> int:
        return int(self.side.size)


def read(frame: pl.DataFrame) -> TradeTable:
    """The columns of a backtest's trade frame; a column that is not there is missing throughout."""
    frame = frame.sort("entry_time", maintain_order=True)
    reason = tuple(_words(value) for value in frame["exit_reason"].to_list())
    exit_ms = _milliseconds(frame["exit_time"])
    named = np.array([word not in _OPEN for word in reason], dtype=np.bool_)
    return TradeTable(
        entry_ms=_milliseconds(frame["entry_time"]),
        exit_ms=exit_ms,
        side=np.array([_side(value) for value in frame["side"].to_list()], dtype=np.int64),
        reason=reason,
        closed=named & (exit_ms >= 0),
        number={name: _floats(frame, name) for name in _NUMBERS},
    )


def _milliseconds(column: pl.Series) -> IntArray:
    if column.dtype.is_temporal():
        column = column.dt.epoch("ms")
    return column.cast(int).fill_null(-1).to_numpy().astype(np.int64)


def _floats(frame: pl.DataFrame, name: str) -> FloatArray:
    if name not in frame.columns:
        return np.full(frame.height, np.nan)
    return frame[name].cast(float).fill_null(np.nan).to_numpy().astype(np.float64)


def _side(value: object) -> int:
    if isinstance(value, str):
        return -1 if value.lower() == "short" else 1
    return -1 if float(str(value)) < 0 else 1


def _words(value: object) -> str:
    return "" if value is None else str(value).replace("_", " ").lower()
