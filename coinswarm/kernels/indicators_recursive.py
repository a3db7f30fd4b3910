"""Indicators that feed on their own last value."""

from __future__ import annotations

import numpy as np

from coinswarm.kernels.indicators_rolling import rolling_sum
from coinswarm.kernels.jit import kernel
from coinswarm.types import FloatArray


@kernel
def kama(values: FloatArray, length: int, fast: int, slow: int) -> FloatArray:
    """(n,) Kaufman's adaptive average, NaN before index `length`; the recursion starts from the value just before it.

    A window without any move counts as perfectly efficient, and so does one that only rises: as in TA-Lib, whose sum of moves is
    compared with the signed move.
    """
    out = np.full(values.size, np.nan)
    if values.size <= length:
        return out
    path = rolling_sum(np.abs(np.diff(values)), length)
    quick, lazy = 2.0 / (fast + 1.0), 2.0 / (slow + 1.0)
    last = values[length - 1]
    for i in range(length, values.size):
        moved = values[i] - values[i - length]
        efficiency = 1.0 if path[i - 1] <= moved or path[i - 1] == 0.0 else abs(moved) / path[i - 1]
        weight = (efficiency * (quick - lazy) + lazy) ** 2
        last += weight * (values[i] - last)
        out[i] = last
    return out


@kernel
def fisher(middle: FloatArray, low: FloatArray, high: FloatArray) -> FloatArray:
    """(n,) Fisher transform of `middle` in the range of `low` and `high`, which start with NaN; 0 at the first bar that has a range."""
    out = np.full(middle.size, np.nan)
    smooth = 0.0
    last = 0.0
    begun = False
    for i in range(middle.size):
        if np.isnan(low[i]):
            continue
        if begun:
            reach = high[i] - low[i]
            place = (middle[i] - low[i]) / reach - 0.5 if reach > 0.0 else 0.0
            smooth = min(max(0.66 * place + 0.67 * smooth, -0.999), 0.999)
            last = 0.5 * (np.log((1.0 + smooth) / (1.0 - smooth)) + last)
        begun = True
        out[i] = last
    return out


@kernel
def ratchet(basic: FloatArray, close: FloatArray, start: int, band: FloatArray) -> int:
    """Write the supertrend's upper band from `start` on into `band` and return the first index at which no earlier start could change it.

    The band takes the new level where that is lower or where the last close was above the band, and else stays. What it was before the
    data began is unknown but not above `basic[start]`, so the possible bands fill an interval: those from the last close to the new level
    stay, the others take the new level. Once the interval is a point the start is forgotten, for any past at all. The lower band is
    the upper band of the negated series.
    """
    size = basic.size
    if start >= size:
        return size
    band[start] = basic[start]
    least, most = -np.inf, basic[start]
    known = size
    for i in range(start + 1, size):
        level, last = basic[i], close[i - 1]
        band[i] = level if level < band[i - 1] or last > band[i - 1] else band[i - 1]
        if known < size:
            continue
        stay_least, stay_most = max(least, last), min(most, level)
        if stay_least > stay_most:
            least, most = level, level
        elif least < last or most > level:
            least, most = stay_least, level
        if least == most:
            known = i
    return known


@kernel
def supertrend(upper: FloatArray, lower: FloatArray, close: FloatArray, start: int, known: int, out: FloatArray) -> None:
    """Write trend, direction, long and short into the rows of `out` (4, n), NaN until the first close beyond one band from `known` on.

    Such a close sets the direction whatever it was before. Where narrow bands have crossed and the close is beyond both, it turns.
    """
    out[:] = np.nan
    up = True
    certain = False
    for i in range(start, close.size):
        over, under = close[i] > upper[i], close[i] < lower[i]
        up = not under if up else over
        certain = certain or (i >= known and over != under)
        if certain:
            out[0, i] = lower[i] if up else upper[i]
            out[1, i] = 1.0 if up else -1.0
            out[2 if up else 3, i] = out[0, i]


@kernel
def psar(high: FloatArray, low: FloatArray, first: float, step: float, most: float, out: FloatArray) -> None:
    """Write the parabolic stop below (long), above (short), its acceleration and whether it turned into the rows of `out` (4, n).

    The first side is short where the second bar moved down more than up; `first` is the acceleration after each turn.
    """
    out[:] = np.nan
    size = high.size
    if size < 2:
        return
    drop = low[0] - low[1]
    side = -1.0 if drop > 0.0 and high[1] - high[0] < drop else 1.0
    best = high[1] if side > 0.0 else low[1]
    stop = low[0] if side > 0.0 else high[0]
    speed = min(first, most)
    for i in range(1, size):
        turned = low[i] <= stop if side > 0.0 else high[i] >= stop
        before = max(i - 1, 1)
        if turned:
            side = -side
            stop = _outside(side, best, high, low, before, i)
            best = low[i] if side < 0.0 else high[i]
            speed = min(first, most)
        out[0 if side > 0.0 else 1, i] = stop
        if not turned and (high[i] > best if side > 0.0 else low[i] < best):
            best = high[i] if side > 0.0 else low[i]
            speed = min(speed + step, most)
        out[2, i] = speed
        out[3, i] = 1.0 if turned else 0.0
        stop = _outside(side, stop + speed * (best - stop), high, low, before, i)


@kernel
def _outside(side: float, stop: float, high: FloatArray, low: FloatArray, before: int, i: int) -> float:
    """A stop that does not reach into the ranges of the last two bars."""
    if side > 0.0:
        return min(stop, low[before], low[i])
    return max(stop, high[before], high[i])


@kernel
def anchored_mean(price: FloatArray, volume: FloatArray, anchors: FloatArray, out: FloatArray) -> None:
    """Write the volume-weighted mean price since the last anchor and the bars since it into the rows of `out` (2, n).

    `anchors` is not 0 where the mean begins anew, that bar included. NaN before the first; the mean is NaN until something is traded.
    """
    out[:] = np.nan
    begun = -1
    money = 0.0
    traded = 0.0
    for i in range(price.size):
        if anchors[i] != 0.0:
            begun = i
            money = 0.0
            traded = 0.0
        if begun < 0:
            continue
        money += price[i] * volume[i]
        traded += volume[i]
        out[0, i] = money / traded if traded > 0.0 else np.nan
        out[1, i] = i - begun
