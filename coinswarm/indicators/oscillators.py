"""Oscillators: how fast the price moves, and how that compares with how it moved."""

from __future__ import annotations

import numpy as np

from coinswarm.indicators import compiled, sources, warmups
from coinswarm.indicators.catalog import Parameter, Params, bars_of, define, length, tolerance, whole
from coinswarm.indicators.ta import talib
from coinswarm.market.bars import Bars
from coinswarm.types import FloatArray

Arrays = tuple[FloatArray, ...]


def _full(params: Params) -> int:
    return whole(params, "length")


def _wilder(params: Params) -> int:
    return whole(params, "length") + warmups.wilder(whole(params, "length"), tolerance(params), room=warmups.Room.AVERAGE)


def _ema(params: Params, *names: str) -> int:
    """Warm-up of an EMA as long as the longest of these parameters."""
    return warmups.ema(max(whole(params, name) for name in names), tolerance(params))


@define("rsi", length(14), takes_source=True, warmup=_wilder, cite="TA-Lib RSI; Wilder 1978")
def rsi(_bars: Bars, params: Params, source: FloatArray) -> Arrays:
    """Share of rises in all moves, both averaged Wilder's way: 0 to 100; 0 where the price never moved."""
    return (talib.RSI(source, whole(params, "length")),)


@define("cmo", length(14), takes_source=True, warmup=_wilder, cite="TA-Lib CMO; Chande 1994 with Wilder's averages")
def cmo(_bars: Bars, params: Params, source: FloatArray) -> Arrays:
    """Rises less falls over both: -100 to 100; 0 where the price never moved."""
    return (talib.CMO(source, whole(params, "length")),)


@define("cci", length(14), warmup=lambda params: whole(params, "length") - 1, cite="TA-Lib CCI; Lambert 1980")
def cci(bars: Bars, params: Params, _source: FloatArray) -> Arrays:
    """Distance of the typical price from its mean over 0.015 mean deviations."""
    return (talib.CCI(bars.high, bars.low, bars.close, whole(params, "length")),)


@define("willr", length(14), warmup=lambda params: whole(params, "length") - 1, cite="TA-Lib WILLR; Williams 1973")
def willr(bars: Bars, params: Params, _source: FloatArray) -> Arrays:
    """Place of the close in the range of the last bars: -100 at the bottom, 0 at the top."""
    return (talib.WILLR(bars.high, bars.low, bars.close, whole(params, "length")),)


@define("roc", length(10, low=1), takes_source=True, warmup=_full, cite="TA-Lib ROC")
def roc(_bars: Bars, params: Params, source: FloatArray) -> Arrays:
    """Change over `length` bars, in percent."""
    return (talib.ROC(source, whole(params, "length")),)


@define("mom", length(10, low=1), takes_source=True, warmup=_full, cite="TA-Lib MOM")
def mom(_bars: Bars, params: Params, source: FloatArray) -> Arrays:
    """Change over `length` bars, in price."""
    return (talib.MOM(source, whole(params, "length")),)


@define(
    "uo",
    bars_of("fast", 7, low=1),
    bars_of("medium", 14, low=1),
    bars_of("slow", 28, low=1),
    warmup=lambda params: max(whole(params, name) for name in ("fast", "medium", "slow")),
    cite="TA-Lib ULTOSC; Williams 1985",
)
def uo(bars: Bars, params: Params, _source: FloatArray) -> Arrays:
    """Buying pressure over three windows, weighted 4, 2 and 1 from the shortest: 0 to 100."""
    return (talib.ULTOSC(bars.high, bars.low, bars.close, whole(params, "fast"), whole(params, "medium"), whole(params, "slow")),)


@define(
    "stoch",
    bars_of("k", 14, low=1),
    bars_of("smooth_k", 3, low=1),
    bars_of("d", 3, low=1),
    outputs=("k", "d"),
    warmup=lambda params: sum(whole(params, name) - 1 for name in ("k", "smooth_k", "d")),
    cite="TA-Lib STOCH; Lane 1984",
)
def stoch(bars: Bars, params: Params, _source: FloatArray) -> Arrays:
    """Place of the close in the range of the last `k` bars, smoothed, and its mean over `d`: 0 to 100; 0 where there is no range."""
    k, d, smooth = (whole(params, name) for name in ("k", "d", "smooth_k"))
    return tuple(talib.STOCH(bars.high, bars.low, bars.close, k, smooth, 0, d, 0))


def _rsi_in_detail(params: Params) -> int:
    return warmups.wilder(whole(params, "rsi_length"), tolerance(params), room=warmups.Room.FINE)


@define(
    "stochrsi",
    length(14, low=1),
    bars_of("rsi_length", 14),
    bars_of("k", 3, low=1),
    bars_of("d", 3, low=1),
    outputs=("k", "d"),
    takes_source=True,
    warmup=lambda params: _rsi_in_detail(params) + sum(whole(params, n) for n in ("rsi_length", "length", "k", "d")) - 3,
    cite="TA-Lib STOCHRSI; Chande & Kroll 1994",
)
def stochrsi(_bars: Bars, params: Params, source: FloatArray) -> Arrays:
    """Place of the RSI in its own range of the last `length` bars, averaged over `k` and again over `d`: 0 to 100."""
    strength = talib.RSI(source, whole(params, "rsi_length"))
    _, k = talib.STOCHF(strength, strength, strength, fastk_period=whole(params, "length"), fastd_period=whole(params, "k"), fastd_matype=0)
    return k, talib.SMA(k, whole(params, "d"))


@define(
    "macd",
    bars_of("fast", 12),
    bars_of("slow", 26),
    bars_of("signal", 9, low=1),
    outputs=("macd", "signal", "histogram"),
    takes_source=True,
    warmup=lambda params: _ema(params, "fast", "slow") + _ema(params, "signal"),
    cite="TA-Lib MACD; Appel 1979",
)
def macd(_bars: Bars, params: Params, source: FloatArray) -> Arrays:
    """Fast EMA less slow EMA (the shorter of the two is the fast one), its EMA, and the difference, in price."""
    return tuple(talib.MACD(source, whole(params, "fast"), whole(params, "slow"), whole(params, "signal")))


def _ppo_warmup(params: Params) -> int:
    slow = max(whole(params, "fast"), whole(params, "slow"))
    return (slow - 1 if params["mamode"] == "sma" else _ema(params, "fast", "slow")) + _ema(params, "signal")


@define(
    "ppo",
    bars_of("fast", 12),
    bars_of("slow", 26),
    bars_of("signal", 9, low=1),
    Parameter(name="mamode", default="sma", words=("sma", "ema")),
    outputs=("ppo", "histogram", "signal"),
    takes_source=True,
    warmup=_ppo_warmup,
    cite="TA-Lib PPO, of plain means unless mamode says ema",
)
def ppo(_bars: Bars, params: Params, source: FloatArray) -> Arrays:
    """Fast average less slow average in percent of the slow one, the distance to its EMA, and that EMA."""
    kind = 0 if params["mamode"] == "sma" else 1
    line = talib.PPO(source, whole(params, "fast"), whole(params, "slow"), kind)
    signal = talib.EMA(line, whole(params, "signal"))
    return line, line - signal, signal


@define(
    "trix",
    length(18, low=1),
    bars_of("signal", 9, low=1),
    outputs=("trix", "signal"),
    takes_source=True,
    warmup=lambda params: (
        warmups.ema(whole(params, "length"), tolerance(params), stages=3, room=warmups.Room.FINE) + whole(params, "signal")
    ),
    cite="TA-Lib TRIX; Hutson 1983",
)
def trix(_bars: Bars, params: Params, source: FloatArray) -> Arrays:
    """Change of a triple EMA from bar to bar, in percent, and its plain mean."""
    line = talib.TRIX(source, whole(params, "length"))
    return line, talib.SMA(line, whole(params, "signal"))


@define(
    "tsi",
    bars_of("fast", 13, low=1),
    bars_of("slow", 25, low=1),
    bars_of("signal", 13, low=1),
    outputs=("tsi", "signal"),
    takes_source=True,
    warmup=lambda params: 1 + sum(_ema(params, name) for name in ("fast", "slow", "signal")),
    cite="Blau 1991, True Strength Index",
)
def tsi(_bars: Bars, params: Params, source: FloatArray) -> Arrays:
    """Twice smoothed changes over twice smoothed sizes of change, -100 to 100 (0 where the price never moved), and its EMA."""
    change = np.full(source.size, np.nan)
    change[1:] = np.diff(source)
    slow, fast = whole(params, "slow"), whole(params, "fast")
    moved = talib.EMA(talib.EMA(change, slow), fast)
    path = talib.EMA(talib.EMA(np.abs(change), slow), fast)
    line = 100.0 * np.divide(moved, path, out=np.where(path == 0.0, 0.0, np.nan), where=path > 0.0)
    return line, talib.EMA(line, whole(params, "signal"))


@define(
    "fisher",
    length(9),
    bars_of("signal", 1, low=1),
    outputs=("fisher", "signal"),
    warmup=lambda params: whole(params, "length") + whole(params, "signal") + warmups.fisher(tolerance(params)),
    cite="Ehlers 2002, Using the Fisher Transform",
)
def fisher(bars: Bars, params: Params, _source: FloatArray) -> Arrays:
    """Fisher transform of the smoothed place of the middle price in its range (the middle if there is none), and that `signal` bars ago."""
    middle = sources.column(bars, "hl2")
    size = whole(params, "length")
    line = compiled.indicators_recursive.fisher(middle, talib.MIN(middle, size), talib.MAX(middle, size))
    signal = np.full(line.size, np.nan)
    signal[whole(params, "signal") :] = line[: max(line.size - whole(params, "signal"), 0)]
    return line, signal
