"""How far prices reach: true ranges, bands and channels."""

from __future__ import annotations

import numpy as np

from coinswarm.indicators import compiled, warmups
from coinswarm.indicators.catalog import Parameter, Params, bars_of, define, length, number, tolerance, whole
from coinswarm.indicators.ta import talib
from coinswarm.market.bars import Bars
from coinswarm.types import FloatArray

Arrays = tuple[FloatArray, ...]


def width(name: str, default: float) -> Parameter:
    """A parameter that says how wide a band is, in multiples of what it is made of."""
    return Parameter(name=name, default=default, low=0.0, high=100.0, integer=False)


def _wilder(params: Params) -> int:
    return whole(params, "length") + warmups.wilder(whole(params, "length"), tolerance(params), room=warmups.Room.AVERAGE)


@define("atr", length(14, low=1), warmup=_wilder, cite="TA-Lib ATR; Wilder 1978")
def atr(bars: Bars, params: Params, _source: FloatArray) -> Arrays:
    """Wilder's average of the true range, in price."""
    return (talib.ATR(bars.high, bars.low, bars.close, whole(params, "length")),)


@define("natr", length(14, low=1), warmup=_wilder, cite="TA-Lib NATR")
def natr(bars: Bars, params: Params, _source: FloatArray) -> Arrays:
    """The average true range in percent of the close."""
    return (talib.NATR(bars.high, bars.low, bars.close, whole(params, "length")),)


@define(
    "bbands",
    length(20),
    width("std", 2.0),
    outputs=("lower", "middle", "upper", "bandwidth", "percent_b"),
    takes_source=True,
    warmup=lambda params: whole(params, "length") - 1,
    cite="Bollinger 2001; TA-Lib BBANDS with a spread that keeps its digits",
)
def bbands(_bars: Bars, params: Params, source: FloatArray) -> Arrays:
    """Mean and `std` population standard deviations around it.

    The bandwidth is in percent of the middle; percent b is 0 at the lower band and 1 at the upper, NaN where they are one.
    """
    size = whole(params, "length")
    out = np.empty((5, source.size))
    compiled.indicators_rolling.bands(source, size, number(params, "std"), out)
    return tuple(out)


def keltner(bars: Bars, size: int, scalar: float) -> Arrays:
    """Keltner's lower band, basis and upper band, each (n_bars,)."""
    basis = talib.EMA(bars.close, size)
    reach = scalar * talib.EMA(talib.TRANGE(bars.high, bars.low, bars.close), size)
    return basis - reach, basis, basis + reach


@define(
    "kc",
    length(20),
    width("scalar", 2.0),
    outputs=("lower", "basis", "upper"),
    warmup=lambda params: 1 + warmups.ema(whole(params, "length"), tolerance(params), room=warmups.Room.AVERAGE),
    cite="Keltner 1960, in Raschke's form: EMA of the close and of the true range",
)
def kc(bars: Bars, params: Params, _source: FloatArray) -> Arrays:
    """Keltner channel: EMA of the close, `scalar` times the EMA of the true range around it."""
    return keltner(bars, whole(params, "length"), number(params, "scalar"))


@define(
    "donchian",
    bars_of("lower_length", 20),
    bars_of("upper_length", 20),
    outputs=("lower", "middle", "upper"),
    warmup=lambda params: max(whole(params, "lower_length"), whole(params, "upper_length")) - 1,
    cite="Donchian 1960; TA-Lib MIN and MAX",
)
def donchian(bars: Bars, params: Params, _source: FloatArray) -> Arrays:
    """Lowest low and highest high of the last bars, this one included, and their middle."""
    lower = talib.MIN(bars.low, whole(params, "lower_length"))
    upper = talib.MAX(bars.high, whole(params, "upper_length"))
    return lower, (lower + upper) / 2.0, upper


def _squeeze_warmup(params: Params) -> int:
    bands = max(whole(params, "bb_length") - 1, 1 + warmups.ema(whole(params, "kc_length"), tolerance(params)))
    return max(bands, whole(params, "mom_length") + whole(params, "mom_smooth") - 1)


@define(
    "squeeze",
    bars_of("bb_length", 20),
    width("bb_std", 2.0),
    bars_of("kc_length", 20),
    width("kc_scalar", 1.5),
    bars_of("mom_length", 12, low=1),
    bars_of("mom_smooth", 6, low=1),
    outputs=("sqz", "on", "off", "no_sqz"),
    discrete=("on", "off", "no_sqz"),
    warmup=_squeeze_warmup,
    cite="Carter 2005, Mastering the Trade: Bollinger's bands inside Keltner's, with smoothed momentum",
)
def squeeze(bars: Bars, params: Params, _source: FloatArray) -> Arrays:
    """Smoothed momentum in price; on: Bollinger's bands lie inside Keltner's channel; off: outside; no_sqz: neither. 1 or 0."""
    momentum = talib.SMA(talib.MOM(bars.close, whole(params, "mom_length")), whole(params, "mom_smooth"))
    inner = np.empty((5, len(bars)))
    compiled.indicators_rolling.bands(bars.close, whole(params, "bb_length"), number(params, "bb_std"), inner)
    lower, _, upper = keltner(bars, whole(params, "kc_length"), number(params, "kc_scalar"))
    unknown = np.isnan(inner[0]) | np.isnan(lower)
    on = np.where(unknown, np.nan, (inner[0] > lower) & (inner[2] < upper))
    off = np.where(unknown, np.nan, (inner[0] < lower) & (inner[2] > upper))
    return momentum, on, off, 1.0 - on - off
