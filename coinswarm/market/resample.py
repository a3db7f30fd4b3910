"""Slower bars out of faster ones, by flooring open times, so that nothing is known before it has happened."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from coinswarm import errors
from coinswarm.market.bars import Bars
from coinswarm.market.timeframe import DAY_MS, Timeframe
from coinswarm.types import IntArray

_WEEK_MS = 7 * DAY_MS
_MONDAY_MS = 4 * DAY_MS  # 1970-01-05: exchanges open weekly bars on Mondays, while the epoch was a Thursday


def bucket_starts(ts: IntArray, timeframe: Timeframe) -> IntArray:
    """Open time of the slow bar that each time falls into: UTC midnights for days, Mondays for weeks.

    Args:
        ts: (n,) milliseconds since 1970 UTC.
        timeframe: length of the slow bar.

    Returns:
        (n,) milliseconds, each at most `timeframe.ms - 1` before its time.
    """
    anchor = _MONDAY_MS if timeframe.ms % _WEEK_MS == 0 else 0
    return (ts - anchor) // timeframe.ms * timeframe.ms + anchor


def resample(bars: Bars, timeframe: Timeframe) -> Bars:
    """The same market in slower bars.

    A leading bucket that does not start with its own first bar is dropped, and so is a last bucket that is not over when the last
    bar closes: its values would still change. Empty buckets are not invented. Funding is kept.

    Args:
        bars: (n_bars,) of a timeframe that divides the slow one.
        timeframe: length of the slow bars.

    Returns:
        (n_slow,) bars, possibly none; the bars themselves when the timeframe is already theirs.

    Known when: slow bar `k` is known at `ts[k] + timeframe.ms`, never before its last fast bar.

    Raises:
        InvalidArgument: the slow timeframe is not a multiple of the bars' own.
    """
    if timeframe == bars.timeframe:
        return bars
    if timeframe.ms % bars.timeframe.ms:
        raise errors.InvalidArgument(
            f"bars of {bars.timeframe} can be resampled to a multiple of {bars.timeframe} only", found=str(timeframe)
        )
    starts = bucket_starts(bars.ts, timeframe)
    firsts = np.flatnonzero(np.r_[True, starts[1:] != starts[:-1]]) if len(bars) else np.empty(0, dtype=np.int64)
    ends = np.append(firsts[1:], len(bars))
    whole = _whole(bars, starts[firsts], firsts, timeframe)
    return _aggregate(bars, starts[firsts], firsts, ends, whole, timeframe)


def _whole(bars: Bars, opens: IntArray, firsts: IntArray, timeframe: Timeframe) -> slice:
    if not firsts.size:
        return slice(0, 0)
    first = int(bars.ts[0] != opens[0])
    last = firsts.size - int(opens[-1] + timeframe.ms > bars.ts[-1] + bars.timeframe.ms)
    return slice(first, max(first, last))


def _aggregate(bars: Bars, opens: IntArray, firsts: IntArray, ends: IntArray, whole: slice, timeframe: Timeframe) -> Bars:
    if not firsts.size:
        return replace(bars, timeframe=timeframe)
    return replace(
        bars,
        timeframe=timeframe,
        ts=opens[whole],
        open=bars.open[firsts[whole]],
        high=np.maximum.reduceat(bars.high, firsts)[whole],
        low=np.minimum.reduceat(bars.low, firsts)[whole],
        close=bars.close[ends[whole] - 1],
        volume=np.add.reduceat(bars.volume, firsts)[whole],
    )
