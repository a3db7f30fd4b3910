"""Which bar of another series is known at the close of each bar of this one, and whether it is recent enough to be shown."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coinswarm.types import FloatArray, IntArray

GREATEST_AGE = 3
"""Bars of its own length after which a value of a slower timeframe or another market is missing. Without a missing bar none is ever
older than one; two may be missing in a row before a decision goes without it (docs/decisions/0014)."""


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class Alignment:
    """What the bars of one series show of another.

    Attributes:
        index: (n_exec,) int64, not falling, in [-1, n_other): the last bar of the other series that has closed when each of ours closes,
            at the same time counts; -1 where none has.
        stale: (n_stale,) those of our bars on which that one is too old to be shown.
    """

    index: IntArray
    stale: IntArray


def align(close_ts: IntArray, other_close_ts: IntArray, other_ms: int) -> Alignment:
    """Find out what is shown when.

    Args:
        close_ts: (n_exec,) times at which our bars are known, milliseconds, increasing.
        other_close_ts: (n_other,) times at which the other bars are known, milliseconds, increasing.
        other_ms: length of the other bars.
    """
    index = last_closed(close_ts, other_close_ts)
    if not other_close_ts.size:
        return Alignment(index=index, stale=index[:0])
    age = close_ts - other_close_ts[np.maximum(index, 0)]
    return Alignment(index=index, stale=np.flatnonzero(age > GREATEST_AGE * other_ms))


def last_closed(close_ts: IntArray, other_close_ts: IntArray) -> IntArray:
    """Index of the last bar of the other series that has closed when each of our bars closes.

    Args:
        close_ts: (n_exec,) close times of our bars, milliseconds, increasing.
        other_close_ts: (n_other,) close times of the other bars, milliseconds, increasing.

    Returns:
        (n_exec,) int64 in [-1, n_other): -1 where no bar of the other series has closed yet. A bar that closes at the same
        time counts as closed.
    """
    return (np.searchsorted(other_close_ts, close_ts, side="right") - 1).astype(np.int64, copy=False)


def spread(values: FloatArray, shown: Alignment) -> FloatArray:
    """Values of the other series on our bars.

    Args:
        values: (n_other,) values, each known when its bar is.
        shown: from `align`.

    Returns:
        (n_exec,) float64, NaN before the first bar of the other series has closed and where the last one is too old.
    """
    if values.size == 0:
        return np.full(shown.index.size, np.nan)
    result = values[np.maximum(shown.index, 0)]
    result[: np.searchsorted(shown.index, 0)] = np.nan
    result[shown.stale] = np.nan
    return result
