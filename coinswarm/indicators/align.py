"""Which bar of another series is known at the close of each bar of this one."""

from __future__ import annotations

import numpy as np

from coinswarm.types import FloatArray, IntArray


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


def spread(values: FloatArray, index: IntArray) -> FloatArray:
    """Values of the other series on our bars.

    Args:
        values: (n_other,) values, each known at the close of its bar.
        index: (n_exec,) from `last_closed`.

    Returns:
        (n_exec,) float64, NaN where `index` is -1.
    """
    if values.size == 0:
        return np.full(index.size, np.nan)
    result = values[np.maximum(index, 0)]
    result[: np.searchsorted(index, 0)] = np.nan
    return result
