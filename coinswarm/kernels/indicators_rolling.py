"""Sums and spreads over a sliding window, without the drift of a running sum.

The data is cut into blocks as long as the window. A window is then the end of one block and the beginning of the next, so its sum is one
sum from the right and one from the left (van Herk 1992 did this for maxima): every bar costs a few additions whatever the window, nothing
is ever subtracted, and a window of zeros sums to exactly 0.
"""

from __future__ import annotations

import numpy as np

from coinswarm.kernels.jit import kernel
from coinswarm.types import FloatArray

_CANCELLED = 1e-6
"""Below this part of the sum of squares a difference of sums has lost too many digits, and the window is summed again."""


@kernel
def rolling_sum(values: FloatArray, length: int) -> FloatArray:
    """(n,) sum of the last `length` values; NaN before there are that many. `values` is finite, `length` at least 1."""
    size = values.size
    out = np.full(size, np.nan)
    ends = np.empty(length)
    for start in range(0, size, length):
        stop = min(start + length, size)
        head = 0.0
        for i in range(start, stop):
            head += values[i]
            place = i - start + 1
            if place == length:
                out[i] = head
            elif start > 0:
                out[i] = head + ends[place]
        if stop - start == length:
            _sum_from_the_right(values, start, ends)
    return out


@kernel
def _sum_from_the_right(values: FloatArray, start: int, ends: FloatArray) -> None:
    tail = 0.0
    for place in range(ends.size - 1, -1, -1):
        tail += values[start + place]
        ends[place] = tail


@kernel
def rolling_moments(values: FloatArray, length: int) -> FloatArray:
    """Distance of each value from the mean of the last `length`, and the sum of the squared distances of them all from it.

    Rows of (2, n), NaN before there are that many. Sums are taken of distances from the first value of a block, which keeps the digits
    that plain sums of squares would lose; the sum of squares is at least 0, and exactly 0 where all values are equal.
    """
    size = values.size
    out = np.full((2, size), np.nan)
    ends = np.zeros(length + 1)
    squares = np.zeros(length + 1)
    for start in range(0, size, length):
        stop = min(start + length, size)
        anchor = values[start - length] if start > 0 else values[0]
        head = 0.0
        square = 0.0
        for i in range(start, stop):
            distance = values[i] - anchor
            head += distance
            square += distance * distance
            place = i - start + 1
            if start > 0 or place == length:
                _moments(values, i, length, anchor, head + ends[place], square + squares[place], out)
        if stop - start == length:
            _squares_from_the_right(values, start, ends, squares)
    return out


@kernel
def _squares_from_the_right(values: FloatArray, start: int, ends: FloatArray, squares: FloatArray) -> None:
    tail = 0.0
    square = 0.0
    for place in range(ends.size - 2, -1, -1):
        distance = values[start + place] - values[start]
        tail += distance
        square += distance * distance
        ends[place] = tail
        squares[place] = square


@kernel
def _moments(values: FloatArray, i: int, length: int, anchor: float, total: float, square: float, out: FloatArray) -> None:
    share = 1.0 / length
    spread = square - total * total * share
    if spread <= _CANCELLED * square:
        anchor, total, square = values[i], 0.0, 0.0
        for j in range(i - length + 1, i):
            distance = values[j] - anchor
            total += distance
            square += distance * distance
        spread = max(square - total * total * share, 0.0)
    out[0, i] = values[i] - anchor - total * share
    out[1, i] = spread


@kernel
def bands(source: FloatArray, length: int, width: float, out: FloatArray) -> None:
    """Write Bollinger's lower, middle, upper, bandwidth (percent of the middle) and percent b into the rows of `out` (5, n)."""
    moments = rolling_moments(source, length)
    for i in range(source.size):
        mean = source[i] - moments[0, i]
        reach = width * np.sqrt(moments[1, i] / length)
        out[0, i] = mean - reach
        out[1, i] = mean
        out[2, i] = mean + reach
        out[3, i] = 200.0 * reach / mean if mean > 0.0 else np.nan
        out[4, i] = 0.5 + 0.5 * moments[0, i] / reach if reach > 0.0 else np.nan


@kernel
def ratio(above: FloatArray, below: FloatArray, scale: float) -> FloatArray:
    """(n,) `scale * above / below`, NaN where `below` is not above 0."""
    out = np.empty(above.size)
    for i in range(above.size):
        out[i] = scale * above[i] / below[i] if below[i] > 0.0 else np.nan
    return out
