"""Slower bars out of faster ones: a fast bar falls into a slow one by its open, and what went into a slow one decides when it is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from coinswarm import errors
from coinswarm.market import quality
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


def resample(bars: Bars, timeframe: Timeframe, *, unfinished: bool = False) -> Bars:
    """The same market in slower bars.

    A leading bucket that does not start with its own first bar is dropped, and so is a last bucket that is not over when the last
    bar closes: its values would still change. Empty buckets are not invented. Funding is kept.

    Args:
        bars: (n_bars,) of a timeframe that divides the slow one.
        timeframe: length of the slow bars.
        unfinished: keep a last bucket that is not over when the last bar closes. To those who know the time, it is over when the time
            has come, whether or not this market has a later bar.

    Returns:
        (n_slow,) bars, possibly none; the bars themselves when the timeframe is already theirs.

    Known when: slow bar `k` is known once no bar that opens in it can still be open: at `ts[k] + timeframe.ms` where fast bars begin on the
    grid of the slow ones, later where they do not, such as hours that begin at :30 or days that begin at 16:00: when the one that opens
    last has closed. That does not depend on whether that one is there, which is not known before it is over.

    Raises:
        InvalidArgument: the slow timeframe is not a multiple of the bars' own.
    """
    if timeframe == bars.timeframe:
        return bars
    if timeframe.ms % bars.timeframe.ms:
        raise errors.InvalidArgument(
            f"bars of {bars.timeframe} can be resampled to a multiple of {bars.timeframe} only", found=str(timeframe)
        )
    starts, late = _buckets(bars, timeframe)
    firsts = np.flatnonzero(np.r_[True, starts[1:] != starts[:-1]]) if len(bars) else np.empty(0, dtype=np.int64)
    ends = np.append(firsts[1:], len(bars))
    known = starts[firsts] + timeframe.ms
    if late.any():
        known += _lateness(bars, firsts, ends, known, late)
    whole = _whole(bars, starts[firsts], known, unfinished=unfinished)
    return _aggregate(bars, starts[firsts], firsts, ends, known, whole, timeframe)


def _buckets(bars: Bars, timeframe: Timeframe) -> tuple[IntArray, IntArray]:
    """(n_bars,) start of the slow bar each bar goes into, and how long after its end a bar of the same grid may still be open.

    A bar that reaches further beyond the end than the grid of the bar before it foretells goes into the next slow bar: when the first one
    was shown, this bar was not known to be there.
    """
    starts = bucket_starts(bars.ts, timeframe)
    ends = starts + timeframe.ms
    late = (bars.ts - ends) % bars.timeframe.ms
    if late.any():
        later = (bars.ts + bars.timeframe.ms > ends)[1:] & (late[1:] > late[:-1])
        for place in np.flatnonzero(later) + 1:  # one after the other: the bar before may have gone into the next slow bar itself
            if starts[place] == starts[place - 1]:
                starts[place] += timeframe.ms
    return starts, late


def _lateness(bars: Bars, firsts: IntArray, ends: IntArray, over: IntArray, late: IntArray) -> IntArray:
    """(n_slow,) how long after its end each slow bar is known: it follows from its last bar but one that is open at its end."""
    last = ends - 1
    crosses = bars.ts[last] + bars.timeframe.ms > over
    return late[np.where(crosses & (last > firsts), last - 1, last)]


def _whole(bars: Bars, opens: IntArray, known: IntArray, *, unfinished: bool) -> slice:
    if not opens.size:
        return slice(0, 0)
    first = int(bars.ts[0] != opens[0])
    last = opens.size - int(not unfinished and known[-1] > bars.close_ts[-1])
    return slice(first, max(first, last))


def _aggregate(bars: Bars, opens: IntArray, firsts: IntArray, ends: IntArray, known: IntArray, whole: slice, timeframe: Timeframe) -> Bars:
    if not firsts.size:
        return replace(bars, timeframe=timeframe)
    labels = opens[whole] + timeframe.ms
    return replace(
        bars,
        timeframe=timeframe,
        ts=opens[whole],
        open=bars.open[firsts[whole]],
        high=np.maximum.reduceat(bars.high, firsts)[whole],
        low=np.minimum.reduceat(bars.low, firsts)[whole],
        close=bars.close[ends[whole] - 1],
        volume=np.add.reduceat(bars.volume, firsts)[whole],
        known_ts=known[whole] if (known[whole] > labels).any() else labels[:0],
    )


def refuse_late(bars: Bars) -> None:
    """Refuse to store bars under labels that say less than they know: who reads them would see the end of a bar before it has come.

    Raises:
        InvalidArgument: a bar is known later than it ends.
    """
    late = np.flatnonzero(bars.close_ts > bars.ts + bars.timeframe.ms)
    if late.size:
        end, known = (quality.moment(int(times[late[0]])) for times in (bars.ts + bars.timeframe.ms, bars.close_ts))
        raise errors.InvalidArgument(
            f"{bars.key} must be made of bars that end when it ends", found=f"prices up to {known} in the bar that ends {end}",
            hint=f"a feature with `tf: {bars.timeframe}` on the faster bars shows each of these when it is known",
        )  # fmt: skip
