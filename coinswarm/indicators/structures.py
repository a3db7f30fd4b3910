"""Market structures: swings, trends and breaks, known only when they are.

A pivot is known `right` bars after it happened. Outputs named `…_idx` and `version` are bar ordinals: bars since 1970, which rise by
one from bar to bar where none is missing and do not depend on where the data begins; `version` is the ordinal of the last change.
Every structure is NaN until all of its outputs would be the same whatever came before the data.
"""

from __future__ import annotations

import numpy as np

from coinswarm.indicators import compiled, sources, warmups
from coinswarm.indicators.catalog import Parameter, Params, bars_of, define, tolerance, whole
from coinswarm.indicators.ta import talib
from coinswarm.market.bars import Bars
from coinswarm.types import FloatArray

Arrays = tuple[FloatArray, ...]

SIDES = {"bullish": 1.0, "bearish": -1.0}
SIDES_OR_NONE = {**SIDES, "none": 0.0}
STATES = {"trending_up": 1.0, "trending_down": -1.0, "ranging": 0.0}
TRANSITIONS = {"recent": 1.0, "none": 0.0}
_LEFT, _RIGHT = bars_of("left", 5, low=1), bars_of("right", 5, low=1)


def _confirmed(params: Params) -> int:
    return whole(params, "left") + whole(params, "right")


def pivots(bars: Bars, left: int, right: int) -> tuple[FloatArray, FloatArray]:
    """Tops and bottoms, each (n_bars,): the level on the bar on which the pivot becomes known, NaN on others."""
    return compiled.structures.pivots(bars.high, left, right), -compiled.structures.pivots(-bars.low, left, right)


def ordinals(bars: Bars) -> FloatArray:
    """(n_bars,) number of each bar since 1970."""
    return (bars.ts // bars.timeframe.ms).astype(np.float64)


def _swing(bars: Bars, left: int, right: int) -> FloatArray:
    out = np.empty((9, len(bars)))
    compiled.structures.swing(*pivots(bars, left, right), ordinals(bars), right, out)
    return out


@define(
    "swing",
    _LEFT,
    _RIGHT,
    outputs=(
        "high_level",
        "high_idx",
        "low_level",
        "low_idx",
        "version",
        "pair_high_level",
        "pair_low_level",
        "pair_direction",
        "pair_version",
    ),
    discrete=("high_idx", "low_idx", "version", "pair_direction", "pair_version"),
    states={"pair_direction": SIDES},
    structure=True,
    warmup=_confirmed,
    cite="fractal pivots of left and right bars; Williams 1995",
)
def swing(bars: Bars, params: Params, _source: FloatArray) -> Arrays:
    """Last confirmed swing high and low, and the last leg between a low and a high: bullish when it ended in a high."""
    return tuple(_swing(bars, whole(params, "left"), whole(params, "right")))


def events(bars: Bars, left: int, right: int, kind: str) -> FloatArray:
    """(n_bars,) not 0 on bars on which a swing became known.

    Args:
        bars: n_bars candles.
        left: bars a pivot stands out from before it.
        right: bars a pivot stands out from after it.
        kind: swing_high, swing_low or swing_any for pivots; pair_high, pair_low or pair_any for legs that end in a high, a low or either.
    """
    if kind.startswith("swing"):
        confirmed = [~np.isnan(levels) for levels in pivots(bars, left, right)]
        return np.asarray({"swing_high": confirmed[0], "swing_low": confirmed[1]}.get(kind, confirmed[0] | confirmed[1]), dtype=np.float64)
    legs = _swing(bars, left, right)
    moved = np.zeros(len(bars))
    moved[1:] = (legs[8, 1:] != legs[8, :-1]) & ~np.isnan(legs[8, :-1])
    return moved if kind == "pair_any" else moved * (legs[7] == (1.0 if kind == "pair_high" else -1.0))


_OF_TREND = (
    "direction",
    "strength",
    "bars_in_trend",
    "wave_count",
    "last_wave_direction",
    "last_hh",
    "last_hl",
    "last_lh",
    "last_ll",
    "version",
)
"""Outputs of `trend`, all of them whole numbers."""


@define(
    "trend",
    _LEFT,
    _RIGHT,
    bars_of("wave_history_size", 4, low=1),
    outputs=_OF_TREND,
    discrete=_OF_TREND,
    states={"last_wave_direction": SIDES},
    structure=True,
    warmup=_confirmed,
    cite="Dow theory: higher highs and higher lows; Hamilton 1922",
)
def trend(bars: Bars, params: Params, _source: FloatArray) -> Arrays:
    """Direction 1 while the last swing high and low are both above those before, -1 while both are below, else 0.

    `wave_count` pivots in a row moved the same way; `strength` is 0 without direction, 2 when there are at least `wave_history_size`
    of them, else 1; `bars_in_trend` is 0 on the bar on which the direction changed; `last_wave_direction` is bullish when the last
    pivot was a high.
    """
    out = np.empty((10, len(bars)))
    compiled.structures.trend(
        *pivots(bars, whole(params, "left"), whole(params, "right")), ordinals(bars), whole(params, "wave_history_size"), out
    )
    return tuple(out)


@define(
    "market_structure",
    _LEFT,
    _RIGHT,
    Parameter(name="confirmation_close", default=False, low=0, high=1),
    outputs=(
        "bias",
        "bos_this_bar",
        "choch_this_bar",
        "bos_direction",
        "choch_direction",
        "last_bos_idx",
        "last_bos_level",
        "last_choch_idx",
        "last_choch_level",
        "break_level_high",
        "break_level_low",
        "version",
    ),
    discrete=("bias", "bos_this_bar", "choch_this_bar", "bos_direction", "choch_direction", "last_bos_idx", "last_choch_idx", "version"),
    states={"bos_direction": SIDES_OR_NONE, "choch_direction": SIDES_OR_NONE},
    structure=True,
    warmup=_confirmed,
    cite="break of structure goes with the bias, change of character against it; terms of Huddleston's teaching",
)
def market_structure(bars: Bars, params: Params, _source: FloatArray) -> Arrays:
    """Breaks of the last swing high or low, by the bar's extreme or, with `confirmation_close`, by its close.

    The bias is the side of the last break. A break with the bias is a break of structure (bos), against it a change of character (choch).
    When a bar breaks both sides, the one its body points to counts. `break_level_…` are the levels still unbroken, NaN when there is none.
    """
    close = bool(params["confirmation_close"])
    prices = np.stack([bars.close if close else bars.high, bars.close if close else bars.low, bars.open, bars.close])
    out = np.empty((12, len(bars)))
    compiled.structures.market_structure(prices, *pivots(bars, whole(params, "left"), whole(params, "right")), ordinals(bars), out)
    return tuple(out)


@define(
    "trend_ema",
    bars_of("ema_length", 20),
    bars_of("recent_bars", 3, low=1),
    outputs=("state", "transition"),
    discrete=("state", "transition"),
    states={"state": STATES, "transition": TRANSITIONS},
    structure=True,
    warmup=lambda params: warmups.ema(whole(params, "ema_length"), tolerance(params)) + 1 + whole(params, "recent_bars"),
    cite="this project's definition: side of the EMA and its slope",
)
def trend_ema(bars: Bars, params: Params, _source: FloatArray) -> Arrays:
    """The trend an EMA shows.

    Trending up: the close is above an EMA that rises; trending down: below an EMA that falls; ranging: anything else. The transition is
    recent on the bar on which the state changed and the `recent_bars - 1` after it, else none.
    """
    average = talib.EMA(bars.close, whole(params, "ema_length"))
    slope = np.full(len(bars), np.nan)
    slope[1:] = np.diff(average)
    state = np.where(np.isnan(slope), np.nan, 0.0)
    state[(bars.close > average) & (slope > 0.0)] = STATES["trending_up"]
    state[(bars.close < average) & (slope < 0.0)] = STATES["trending_down"]
    index = np.arange(len(bars))
    changed = np.zeros(len(bars), dtype=bool)
    changed[1:] = (state[1:] != state[:-1]) & ~np.isnan(state[:-1])
    age = index - np.maximum.accumulate(np.where(changed, index, -len(bars)))
    return state, np.where(np.isnan(state), np.nan, age < whole(params, "recent_bars"))


@define(
    "rolling_window",
    bars_of("size", 20, low=1),
    Parameter(name="mode", default=None, words=("max", "min")),
    Parameter(name="source", default="close", words=sources.SOURCES),
    structure=True,
    warmup=lambda params: whole(params, "size") - 1,
    cite="TA-Lib MAX and MIN",
)
def rolling_window(bars: Bars, params: Params, _source: FloatArray) -> Arrays:
    """Largest or smallest value of a column over the last `size` bars, this one included."""
    column, size = sources.column(bars, str(params["source"])), whole(params, "size")
    if size == 1:
        return (column.copy(),)
    return ((talib.MAX if params["mode"] == "max" else talib.MIN)(column, size),)
