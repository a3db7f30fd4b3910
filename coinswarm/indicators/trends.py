"""Direction: which way the market goes and how firmly."""

from __future__ import annotations

import numpy as np

from coinswarm.indicators import compiled, sources, warmups
from coinswarm.indicators.catalog import Parameter, Params, define, length, number, tolerance, whole
from coinswarm.indicators.ta import talib
from coinswarm.market.bars import Bars
from coinswarm.types import FloatArray

Arrays = tuple[FloatArray, ...]


def _wilder(params: Params, room: warmups.Room) -> int:
    return whole(params, "length") + warmups.wilder(whole(params, "length"), tolerance(params), room=room)


def _adx_warmup(params: Params) -> int:
    size = whole(params, "length")
    return 3 * size + warmups.wilder(size, tolerance(params), stages=2, room=warmups.Room.AVERAGE)


@define("adx", length(14), outputs=("adx", "dmp", "dmn", "adxr"), warmup=_adx_warmup, cite="TA-Lib ADX, PLUS_DI, MINUS_DI, ADXR")
def adx(bars: Bars, params: Params, _source: FloatArray) -> Arrays:
    """Strength of the trend, directional indicators up and down, and the mean of the strength now and `length - 1` bars ago: 0 to 100."""
    columns, size = (bars.high, bars.low, bars.close), whole(params, "length")
    return talib.ADX(*columns, size), talib.PLUS_DI(*columns, size), talib.MINUS_DI(*columns, size), talib.ADXR(*columns, size)


@define(
    "dm",
    length(14, low=1),
    outputs=("dmp", "dmn"),
    warmup=lambda params: _wilder(params, warmups.Room.AVERAGE),
    cite="TA-Lib PLUS_DM and MINUS_DM; Wilder 1978",
)
def dm(bars: Bars, params: Params, _source: FloatArray) -> Arrays:
    """Wilder's sums of directional movement up and down, in price."""
    return talib.PLUS_DM(bars.high, bars.low, whole(params, "length")), talib.MINUS_DM(bars.high, bars.low, whole(params, "length"))


@define("aroon", length(25), outputs=("up", "down", "osc"), warmup=lambda params: whole(params, "length"), cite="TA-Lib AROON; Chande 1995")
def aroon(bars: Bars, params: Params, _source: FloatArray) -> Arrays:
    """How recent the highest high and the lowest low are, 100 for this bar and 0 for `length` bars ago, and their difference."""
    down, up = talib.AROON(bars.high, bars.low, whole(params, "length"))
    return up, down, up - down


@define("vortex", length(14), outputs=("vip", "vim"), warmup=lambda params: whole(params, "length"), cite="Botes & Siepman 2010")
def vortex(bars: Bars, params: Params, _source: FloatArray) -> Arrays:
    """Sums of |high - last low| and of |low - last high| over the sum of true ranges; NaN where prices did not move at all."""
    size, n = whole(params, "length"), len(bars)
    out = np.full((2, n), np.nan)
    if n > 1:
        ranges = compiled.indicators_rolling.rolling_sum(talib.TRANGE(bars.high, bars.low, bars.close)[1:], size)
        up, down = np.abs(bars.high[1:] - bars.low[:-1]), np.abs(bars.low[1:] - bars.high[:-1])
        out[0, 1:] = compiled.indicators_rolling.ratio(compiled.indicators_rolling.rolling_sum(up, size), ranges, 1.0)
        out[1, 1:] = compiled.indicators_rolling.ratio(compiled.indicators_rolling.rolling_sum(down, size), ranges, 1.0)
    return tuple(out)


@define(
    "supertrend",
    length(10, low=1),
    Parameter(name="multiplier", default=3.0, low=0.0, high=100.0, integer=False),
    outputs=("trend", "direction", "long", "short"),
    discrete=("direction",),
    warmup=lambda params: _wilder(params, warmups.Room.DIFFERENCE),
    cite="Seban 2008, with TA-Lib's ATR",
)
def supertrend(bars: Bars, params: Params, _source: FloatArray) -> Arrays:
    """Trailing bands of `multiplier` ATRs: the active one, its side (1: below the price, -1: above), and each alone, NaN on the other side.

    The bands remember the past until the price has crossed enough of them. Values begin where no past could change them any more
    (`kernels.indicators_recursive.ratchet` proves it bar by bar), NaN before.
    """
    size = whole(params, "length")
    reach = number(params, "multiplier") * talib.ATR(bars.high, bars.low, bars.close, size)
    middle = sources.column(bars, "hl2")
    start = _wilder(params, warmups.Room.DIFFERENCE)
    bands = np.full((2, len(bars)), np.nan)
    certain = compiled.indicators_recursive.ratchet(middle + reach, bars.close, start, bands[0])
    certain = max(certain, compiled.indicators_recursive.ratchet(reach - middle, -bars.close, start, bands[1]))
    out = np.empty((4, len(bars)))
    compiled.indicators_recursive.supertrend(bands[0], -bands[1], bars.close, start, certain, out)
    return tuple(out)


def _rate(name: str, default: float) -> Parameter:
    return Parameter(name=name, default=default, low=0.0001, high=1.0, integer=False)


@define(
    "psar",
    _rate("af0", 0.02),
    _rate("af", 0.02),
    _rate("max_af", 0.2),
    outputs=("long", "short", "af", "reversal"),
    discrete=("reversal",),
    warmup=lambda params: warmups.psar(number(params, "af0"), number(params, "af"), number(params, "max_af"), tolerance(params)),
    cite="TA-Lib SAR (SAREXT where af0 is not af); Wilder 1978",
)
def psar(bars: Bars, params: Params, _source: FloatArray) -> Arrays:
    """Parabolic stop below the price or above it, NaN on the other side, its acceleration, and 1 on the bar on which it turned."""
    out = np.empty((4, len(bars)))
    compiled.indicators_recursive.psar(bars.high, bars.low, number(params, "af0"), number(params, "af"), number(params, "max_af"), out)
    return tuple(out)
