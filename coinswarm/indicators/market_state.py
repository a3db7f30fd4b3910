"""Market-state features: what chaos trades are described by, and plays may use like any other feature."""

from __future__ import annotations

import numpy as np

from coinswarm.indicators import compiled
from coinswarm.indicators.catalog import Params, bars_of, define, length, whole
from coinswarm.indicators.ta import talib
from coinswarm.market.bars import Bars
from coinswarm.market.timeframe import DAY_MS
from coinswarm.types import FloatArray

Arrays = tuple[FloatArray, ...]

_HOUR_MS = 3_600_000
_JITTER_MS = 30_000
"""Exchanges stamp funding some milliseconds off; `Bars.__getitem__` draws the line between bars at the same place."""
_FUNDING_AGE_MS = 2 * DAY_MS
"""No exchange pays less often than once a day, most pay every 8 hours: a rate older than this is that of payments that are not here."""


@define("momentum", bars_of("bars", 12, low=1), warmup=lambda params: whole(params, "bars"), cite="simple return of the close")
def momentum(bars: Bars, params: Params, _source: FloatArray) -> Arrays:
    """Return of the close over the last `bars` bars, as a fraction."""
    back = whole(params, "bars")
    out = np.full(len(bars), np.nan)
    np.divide(bars.close[back:], bars.close[: max(len(bars) - back, 0)], out=out[back:])
    out -= 1.0
    return (out,)


@define("volatility", length(20), warmup=lambda params: whole(params, "length"), cite="sample standard deviation of simple returns")
def volatility(bars: Bars, params: Params, _source: FloatArray) -> Arrays:
    """Sample standard deviation (ddof 1) of the last `length` returns of the close from bar to bar, as a fraction a bar."""
    size = whole(params, "length")
    out = np.full(len(bars), np.nan)
    if len(bars) > 1:
        returns = bars.close[1:] / bars.close[:-1] - 1.0
        out[1:] = np.sqrt(compiled.indicators_rolling.rolling_moments(returns, size)[1] / (size - 1))
    return (out,)


@define("sma_distance", length(50), warmup=lambda params: whole(params, "length") - 1, cite="close over TA-Lib SMA, less 1")
def sma_distance(bars: Bars, params: Params, _source: FloatArray) -> Arrays:
    """Distance of the close from its plain mean, as a fraction of the mean."""
    return (bars.close / talib.SMA(bars.close, whole(params, "length")) - 1.0,)


@define("hour_of_day", discrete=("value",), warmup=lambda _: 0, cite="UTC clock")
def hour_of_day(bars: Bars, _params: Params, _source: FloatArray) -> Arrays:
    """Hour of the bar's close in UTC, which is when a decision on it is taken: 0 to 23."""
    return ((bars.close_ts // _HOUR_MS % 24).astype(np.float64),)


@define("day_of_week", discrete=("value",), warmup=lambda _: 0, cite="UTC calendar")
def day_of_week(bars: Bars, _params: Params, _source: FloatArray) -> Arrays:
    """Day of the bar's close in UTC: 0 is Monday, 6 is Sunday."""
    return (((bars.close_ts // DAY_MS + 3) % 7).astype(np.float64),)


@define("funding_rate", warmup=lambda _: 0, cite="the exchange's last payment")
def funding_rate(bars: Bars, _params: Params, _source: FloatArray) -> Arrays:
    """Last funding rate paid before the bar closed, as a fraction of notional; NaN before the first, two days after the last, and for spot.

    A payment at the very close, give or take 30 s, shows on the next bar.
    """
    out = np.full(len(bars), np.nan)
    if not bars.funding_ts.size:
        return (out,)
    last = np.searchsorted(bars.funding_ts, bars.close_ts - _JITTER_MS) - 1
    known = (last >= 0) & (bars.close_ts - bars.funding_ts[last] <= _FUNDING_AGE_MS)
    out[known] = bars.funding_rate[last[known]]
    return (out,)
