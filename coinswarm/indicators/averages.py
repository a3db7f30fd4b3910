"""Moving averages and the price itself: where the market has been."""

from __future__ import annotations

import numpy as np

from coinswarm.indicators import compiled, sources, warmups
from coinswarm.indicators.catalog import Parameter, Params, bars_of, define, length, number, tolerance, whole
from coinswarm.indicators.ta import talib
from coinswarm.market.bars import Bars
from coinswarm.types import FloatArray

Arrays = tuple[FloatArray, ...]


def _window(params: Params) -> int:
    return whole(params, "length") - 1


@define("price", takes_source=True, warmup=lambda _: 0, cite="the source column itself")
def price(_bars: Bars, _params: Params, source: FloatArray) -> Arrays:
    """The source column."""
    return (source.copy(),)


@define("ohlc4", warmup=lambda _: 0, cite="mean of open, high, low and close")
def ohlc4(bars: Bars, _params: Params, _source: FloatArray) -> Arrays:
    """Mean price of the bar."""
    return (sources.column(bars, "ohlc4"),)


@define("midprice", length(14), warmup=_window, cite="TA-Lib MIDPRICE")
def midprice(bars: Bars, params: Params, _source: FloatArray) -> Arrays:
    """Middle of the range of the last bars."""
    return (talib.MIDPRICE(bars.high, bars.low, whole(params, "length")),)


def _nested(params: Params, stages: int) -> int:
    return warmups.ema(whole(params, "length"), tolerance(params), stages=stages, room=warmups.Room.AVERAGE)


@define("ema", length(20), takes_source=True, warmup=lambda params: _nested(params, 1), cite="TA-Lib EMA")
def ema(_bars: Bars, params: Params, source: FloatArray) -> Arrays:
    """Exponential average of weight 2 / (length + 1), started from a plain mean."""
    return (talib.EMA(source, whole(params, "length")),)


@define("sma", length(20), takes_source=True, warmup=_window, cite="TA-Lib SMA")
def sma(_bars: Bars, params: Params, source: FloatArray) -> Arrays:
    """Plain mean."""
    return (talib.SMA(source, whole(params, "length")),)


@define("wma", length(20), takes_source=True, warmup=_window, cite="TA-Lib WMA")
def wma(_bars: Bars, params: Params, source: FloatArray) -> Arrays:
    """Mean with weights 1, 2, ... length."""
    return (talib.WMA(source, whole(params, "length")),)


@define("dema", length(20), takes_source=True, warmup=lambda params: _nested(params, 2), cite="TA-Lib DEMA")
def dema(_bars: Bars, params: Params, source: FloatArray) -> Arrays:
    """Double exponential average: 2 EMA - EMA(EMA)."""
    return (talib.DEMA(source, whole(params, "length")),)


@define("tema", length(20), takes_source=True, warmup=lambda params: _nested(params, 3), cite="TA-Lib TEMA")
def tema(_bars: Bars, params: Params, source: FloatArray) -> Arrays:
    """Triple exponential average: 3 EMA - 3 EMA(EMA) + EMA(EMA(EMA))."""
    return (talib.TEMA(source, whole(params, "length")),)


@define("trima", length(20), takes_source=True, warmup=_window, cite="TA-Lib TRIMA")
def trima(_bars: Bars, params: Params, source: FloatArray) -> Arrays:
    """Mean with weights that rise to the middle and fall again."""
    return (talib.TRIMA(source, whole(params, "length")),)


def _zlma_warmup(params: Params) -> int:
    return _lag(params) + _nested(params, 1)


def _lag(params: Params) -> int:
    return (whole(params, "length") - 1) // 2


@define("zlma", length(20), takes_source=True, warmup=_zlma_warmup, cite="Ehlers & Way 2010, Zero Lag (well, almost)")
def zlma(_bars: Bars, params: Params, source: FloatArray) -> Arrays:
    """EMA of `2 x - x(lag)`, with lag `(length - 1) // 2`: the delay of an EMA is taken out of its input."""
    lag = _lag(params)
    ahead = np.full(source.size, np.nan)
    ahead[lag:] = 2.0 * source[lag:] - source[: source.size - lag] if source.size > lag else source[lag:]
    return (talib.EMA(ahead, whole(params, "length")),)


@define(
    "kama",
    length(10, low=1),
    bars_of("fast", 2, low=1),
    bars_of("slow", 30, low=1),
    takes_source=True,
    warmup=lambda params: warmups.kama(whole(params, "length"), whole(params, "fast"), whole(params, "slow"), tolerance(params)),
    cite="Kaufman 1995, Smarter Trading; TA-Lib KAMA for fast 2 and slow 30",
)
def kama(_bars: Bars, params: Params, source: FloatArray) -> Arrays:
    """Kaufman's adaptive average: fast where the price goes straight, slow where it wanders."""
    return (compiled.indicators_recursive.kama(source, whole(params, "length"), whole(params, "fast"), whole(params, "slow")),)


@define(
    "alma",
    length(10, low=1),
    Parameter(name="sigma", default=6.0, low=0.1, high=100.0, integer=False),
    Parameter(name="offset", default=0.85, low=0.0, high=1.0, integer=False),
    takes_source=True,
    warmup=_window,
    cite="Legoux & Kouzis-Loukas 2009, Arnaud Legoux moving average",
)
def alma(_bars: Bars, params: Params, source: FloatArray) -> Arrays:
    """Mean with Gaussian weights centred at `offset` of the window, of width `length / sigma`."""
    size = whole(params, "length")
    place = np.arange(size) - number(params, "offset") * (size - 1)
    weights = np.exp(-0.5 * (place * number(params, "sigma") / size) ** 2)
    out = np.full(source.size, np.nan)
    if source.size >= size:
        out[size - 1 :] = np.correlate(source, weights / weights.sum(), mode="valid")
    return (out,)


@define("linreg", length(14), takes_source=True, warmup=_window, cite="TA-Lib LINEARREG")
def linreg(_bars: Bars, params: Params, source: FloatArray) -> Arrays:
    """Value at the newest bar of the straight line fitted to the window."""
    return (talib.LINEARREG(source, whole(params, "length")),)
