"""Which bar a funding payment belongs to, and what a position of one unit has paid by each bar."""

from __future__ import annotations

import numpy as np

from coinswarm.market.bars import Bars
from coinswarm.market.timeframe import MINUTE_MS
from coinswarm.types import FloatArray, IntArray


def booked_in(bars: Bars) -> IntArray:
    """(n_funding,) index of the bar that each payment is booked in: the first that opens at or after its time, to the nearest minute.

    Args:
        bars: n_bars candles with n_funding payments. n_bars stands for a payment after the last of them has opened.
    """
    times = (bars.funding_ts + MINUTE_MS // 2) // MINUTE_MS * MINUTE_MS
    return np.asarray(np.searchsorted(bars.ts, times))


def paid(bars: Bars) -> FloatArray:
    """(n_bars,) what a long of one unit, held since before the first bar, has paid by each bar's open, in quote currency.

    Args:
        bars: (n_bars,) candles; a payment is the rate times the open of the bar it is booked in, which is included there.
    """
    bar = booked_in(bars)
    inside = bar < len(bars)
    booked = np.zeros(len(bars))
    np.add.at(booked, bar[inside], bars.open[bar[inside]] * bars.funding_rate[inside])
    return np.cumsum(booked)
