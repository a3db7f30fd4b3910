"""Volume: how much was traded, and on which side of the price."""

from __future__ import annotations

import numpy as np

from coinswarm.indicators import compiled, sources, structures, warmups
from coinswarm.indicators.catalog import Parameter, Params, bars_of, define, length, tolerance, whole
from coinswarm.indicators.ta import talib
from coinswarm.market.bars import Bars
from coinswarm.market.timeframe import DAY_MS
from coinswarm.types import FloatArray

Arrays = tuple[FloatArray, ...]

_MONDAY_MS = 4 * DAY_MS
"""1970-01-05, the first Monday since 1970."""


@define("obv", warmup=lambda _: 0, cite="TA-Lib OBV; Granville 1963")
def obv(bars: Bars, _params: Params, _source: FloatArray) -> Arrays:
    """Volume added on rises and taken off on falls, since the data began.

    Only differences of it mean something: the level depends on where the data began, so a comparison with a number does too.
    """
    return (talib.OBV(bars.close, bars.volume),)


@define("mfi", length(14), warmup=lambda params: whole(params, "length"), cite="TA-Lib MFI; Quong & Soudack 1989")
def mfi(bars: Bars, params: Params, _source: FloatArray) -> Arrays:
    """Money traded on rises in percent of all money traded: 0 to 100."""
    return (talib.MFI(bars.high, bars.low, bars.close, bars.volume, whole(params, "length")),)


@define("cmf", length(20), warmup=lambda params: whole(params, "length") - 1, cite="Chaikin money flow; Achelis 2000")
def cmf(bars: Bars, params: Params, _source: FloatArray) -> Arrays:
    """Volume weighted by the place of the close in its bar over volume: -1 to 1.

    A bar without range counts 0; NaN where nothing was traded.
    """
    reach = bars.high - bars.low
    place = np.divide(2.0 * bars.close - bars.high - bars.low, reach, out=np.zeros(len(bars)), where=reach > 0.0)
    size = whole(params, "length")
    flow = compiled.indicators_rolling.rolling_sum(place * bars.volume, size)
    return (compiled.indicators_rolling.ratio(flow, compiled.indicators_rolling.rolling_sum(bars.volume, size), 1.0),)


@define("volume_ratio", length(20, low=1), warmup=lambda params: whole(params, "length") - 1, cite="volume over its mean")
def volume_ratio(bars: Bars, params: Params, _source: FloatArray) -> Arrays:
    """Volume of the bar over the mean of the last `length` bars, this one included: 0 to `length`; NaN where nothing was traded."""
    size = whole(params, "length")
    return (compiled.indicators_rolling.ratio(bars.volume, compiled.indicators_rolling.rolling_sum(bars.volume, size), float(size)),)


def _kvo_warmup(params: Params) -> int:
    slow, signal = max(whole(params, "fast"), whole(params, "slow")), whole(params, "signal")
    return 1 + warmups.ema(slow, tolerance(params)) + warmups.ema(signal, tolerance(params))


@define(
    "kvo",
    bars_of("fast", 34),
    bars_of("slow", 55),
    bars_of("signal", 13, low=1),
    outputs=("kvo", "signal"),
    warmup=_kvo_warmup,
    cite="Klinger 1997, with the volume force reduced to volume signed by the change of the typical price",
)
def kvo(bars: Bars, params: Params, _source: FloatArray) -> Arrays:
    """Fast EMA less slow EMA of signed volume, and its EMA, in base currency."""
    signed = np.full(len(bars), np.nan)
    signed[1:] = np.sign(np.diff(sources.column(bars, "hlc3"))) * bars.volume[1:]
    line = talib.EMA(signed, whole(params, "fast")) - talib.EMA(signed, whole(params, "slow"))
    return line, talib.EMA(line, whole(params, "signal"))


def _periods(bars: Bars, anchor: str) -> FloatArray:
    """(n_bars,) 1 on the first bar of each UTC day or week, as far as the data can tell: not on its own first bar in mid-period."""
    span, origin = (7 * DAY_MS, _MONDAY_MS) if anchor in ("W", "week") else (DAY_MS, 0)
    period = (bars.ts - origin) // span
    anchors = np.zeros(len(bars))
    anchors[1:] = period[1:] != period[:-1]
    anchors[:1] = (bars.ts[:1] - origin) % span == 0
    return anchors


def _mean(bars: Bars, anchors: FloatArray) -> Arrays:
    out = np.empty((2, len(bars)))
    compiled.indicators_recursive.anchored_mean(sources.column(bars, "hlc3"), bars.volume, anchors, out)
    return tuple(out)


@define("vwap", Parameter(name="anchor", default="D", words=("D", "W")), warmup=lambda _: 0, cite="Berkowitz, Logue & Noser 1988")
def vwap(bars: Bars, params: Params, _source: FloatArray) -> Arrays:
    """Volume-weighted mean of the typical price since the start of the UTC day or week; NaN until the data has seen one start."""
    return _mean(bars, _periods(bars, str(params["anchor"])))[:1]


ANCHORS = ("swing_any", "swing_high", "swing_low", "pair_any", "pair_high", "pair_low", "day", "week")


@define(
    "anchored_vwap",
    Parameter(name="anchor_source", default="swing_any", words=ANCHORS),
    bars_of("left", 5, low=1),
    bars_of("right", 5, low=1),
    outputs=("value", "bars_since_anchor"),
    discrete=("bars_since_anchor",),
    warmup=lambda _: 0,
    cite="Shannon 2023, Maximum Trading Gains with Anchored VWAP",
)
def anchored_vwap(bars: Bars, params: Params, _source: FloatArray) -> Arrays:
    """Volume-weighted mean of the typical price since the bar on which the last swing became known, and the bars since.

    NaN before the first swing (or the first start of a day or week) of the data, and until something is traded.
    """
    anchor = str(params["anchor_source"])
    if anchor in ("day", "week"):
        return _mean(bars, _periods(bars, anchor))
    return _mean(bars, structures.events(bars, whole(params, "left"), whole(params, "right"), anchor))
