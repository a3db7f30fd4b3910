"""The columns an indicator may be computed of."""

from __future__ import annotations

import numpy as np

from coinswarm import errors
from coinswarm.market.bars import COLUMNS, Bars
from coinswarm.types import FloatArray

SOURCES = (*COLUMNS, "hl2", "hlc3", "ohlc4")


def column(bars: Bars, name: str) -> FloatArray:
    """One column of bars.

    Args:
        bars: n_bars candles.
        name: open, high, low, close, volume, hl2 (mean of high and low), hlc3 or ohlc4.

    Returns:
        (n_bars,) float64, contiguous; known at the close of each bar. A stored column is returned itself, so it must not be written to.

    Raises:
        InvalidArgument: no column has that name.
    """
    if name == "hl2":
        return (bars.high + bars.low) / 2.0
    if name == "hlc3":
        return (bars.high + bars.low + bars.close) / 3.0
    if name == "ohlc4":
        return (bars.open + bars.high + bars.low + bars.close) / 4.0
    if name not in COLUMNS:
        raise errors.InvalidArgument(f"source must be one of {' '.join(SOURCES)}", found=repr(name))
    return np.ascontiguousarray(getattr(bars, name), dtype=np.float64)
