"""Markets with one true rule in them: after bars at which a conjunction holds, prices drift by a known part of a trade's deviation.

The conjunction is of things a chaos trade records: volume against its mean, hour of the day, volatility. Correlated decoys come for free
and are meant to be there: volume has a memory and rises with the size of the move, so the bars before and after, large moves and high
volatility all look like the rule. The drift of all bars together is taken out again, so that a random trade gains nothing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from coinswarm import errors
from coinswarm.kernels import indicators_rolling
from coinswarm.market.bars import Bars
from coinswarm.market.timeframe import DAY_MS
from coinswarm.types import BoolArray, FloatArray, IntArray
from coinswarm.validate.worlds import drawn
from coinswarm.validate.worlds.settings import Plant

WINDOW = 20
"""Bars behind `volume against its mean` and `volatility`, the current one included."""
_HOURS = 10
"""The second condition of a conjunction: the hour of the day (UTC) is below this, in 10 of 24 bars."""
_VOLATILE = 0.4
"""The third: the part of all bars whose volatility counts as high."""
_MEMORY, _SPREAD, _OF_MOVE = 0.5, 0.6, 0.5
"""Log volume: how much of it is left a bar later, its standard deviation, and how it grows with the size of the bar's move."""

_LARGEST_DRIFT = 0.6  # of one bar: whatever is hidden where, prices stay above 0
_WIN = 2.5  # deviations of the hold that seven of ten trades win: chance then hardly turns one of them into a loss
_WIN_SHARE = 0.7
_LEAST_MET = 0.01  # of a move: with hardly more bars than the hold, active bars differ in nothing from all


def planted(like: Sequence[Bars], rng: np.random.Generator, exchange: str, plant: Plant) -> tuple[Bars, ...]:
    """Markets in which `plant` is true. Its bars are `active`; the clustered returns of N1 are what it hides in.

    Args:
        like: markets whose times, first price, volatility, correlation and mean volume are taken.
        rng: source of everything else.
        exchange: name of the world.
        plant: what is hidden.

    Raises:
        InvalidArgument: bars are longer than an hour and the conjunction asks for one.
    """
    if plant.depth > 1 and like[0].timeframe.ms > DAY_MS // 24:
        raise errors.InvalidArgument(
            "a conjunction of two conditions needs bars of at most an hour", found=str(like[0].timeframe), hint="depth 1"
        )
    moves = drawn.draw(like, rng, clustered=True)
    return tuple(
        _market(bars, inside, scale, rng, exchange, plant) for bars, inside, scale in zip(like, moves.moves, moves.scale, strict=True)
    )


def _market(bars: Bars, moves: FloatArray, scale: FloatArray, rng: np.random.Generator, exchange: str, plant: Plant) -> Bars:
    volume = _volumes(bars, moves, scale, rng)
    starts = np.flatnonzero(active(drawn.candles(bars, moves, exchange, volume=volume), plant))
    deviation = math.sqrt(float(np.mean(scale * scale)) * plant.hold)
    mean = plant.effect * deviation if plant.gross is None else plant.gross
    if plant.shape == "winners":
        push = _lottery(_apart(starts, plant.hold), len(bars), mean, deviation, rng)
    else:
        push = _drift(starts[starts < len(bars) // 2] if plant.shape == "dying" else starts, len(bars), mean, plant.hold)
    return drawn.candles(bars, moves, exchange, volume=volume, drift=np.clip(push, -_LARGEST_DRIFT, _LARGEST_DRIFT))


def active(bars: Bars, plant: Plant) -> BoolArray:
    """(n_bars,) at which bars the conjunction of `plant` holds, known at each bar's close.

    The thresholds of volume and volatility are quantiles of these bars, so that the support is what was asked for.

    Args:
        bars: (n_bars,) a market.
        plant: its depth and support.
    """
    others = np.arange(len(bars)) >= WINDOW
    if plant.depth > 1:
        others &= bars.ts % DAY_MS < _HOURS * DAY_MS // 24
    if plant.depth > 2:
        spread = volatility(bars)
        others &= spread >= np.quantile(spread[WINDOW:], 1 - _VOLATILE)
    wanted = plant.support * len(bars) / max(int(others.sum()), 1)
    if wanted >= 1 or not others.any():
        raise errors.InvalidArgument("support is larger than that of the other conditions", found=plant.support, hint="depth 1 or 2")
    ratio = volume_ratio(bars)
    return np.asarray(others & (ratio >= np.quantile(ratio[others], 1 - wanted)))


def volume_ratio(bars: Bars) -> FloatArray:
    """(n_bars,) volume over its mean of the last 20 bars, the bar itself included; 1 before there are as many.

    Args:
        bars: (n_bars,) a market.
    """
    mean = indicators_rolling.rolling_sum(bars.volume, WINDOW) / WINDOW
    return np.divide(bars.volume, mean, out=np.ones(len(bars)), where=mean > 0)


def volatility(bars: Bars) -> FloatArray:
    """(n_bars,) root mean square of the last 20 simple returns; 0 before there are as many.

    Args:
        bars: (n_bars,) a market.
    """
    moves = np.concatenate([np.zeros(1), np.diff(bars.close) / bars.close[:-1]])
    return np.sqrt(np.nan_to_num(indicators_rolling.rolling_sum(moves * moves, WINDOW)) / WINDOW)


def _volumes(bars: Bars, moves: FloatArray, scale: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Volume with a memory, larger where the move was."""
    from scipy import signal

    fresh = rng.standard_normal(len(bars)) * math.sqrt(1 - _MEMORY**2)
    usual = signal.lfilter([1.0], [1.0, -_MEMORY], fresh)
    surprise = np.abs(moves.sum(axis=1)) / np.maximum(scale, 1e-300) - math.sqrt(2 / math.pi)
    typical = max(float(np.median(bars.volume)), 1e-9)
    return np.asarray(typical * np.exp(_SPREAD * usual + _OF_MOVE * np.clip(surprise, -1, 3)))


def _drift(starts: IntArray, n_bars: int, mean: float, hold: int) -> FloatArray:
    """(n_bars,) drift of each bar, 0 on average, such that the `hold` bars after a start add up to `mean` on average.

    Conjunctions come in clusters, and where moves overlap a trade meets several: what it meets is what is set.
    """
    edges = np.zeros(n_bars + hold + 2)
    np.add.at(edges, starts + 1, 1 / hold)
    np.add.at(edges, starts + 1 + hold, -1 / hold)
    push = np.cumsum(edges)[:n_bars]
    push -= push.mean()
    level = np.concatenate([np.zeros(1), np.cumsum(push)])
    whole = starts[starts + 1 + hold <= n_bars]
    met = float((level[whole + 1 + hold] - level[whole + 1]).mean()) if whole.size else 0.0
    return push * (mean / met) if met > _LEAST_MET else np.zeros(n_bars)


def _lottery(starts: IntArray, n_bars: int, mean: float, deviation: float, rng: np.random.Generator) -> FloatArray:
    """(n_bars,) move of each bar, 0 on average: right after a start seven of ten win and three lose so much more that `mean` is left."""
    push = np.zeros(n_bars + 1)
    win = _WIN * deviation
    push[starts + 1] = np.where(rng.random(starts.size) < _WIN_SHARE, win, (mean - _WIN_SHARE * win) / (1 - _WIN_SHARE))
    return push[:n_bars] - push[:n_bars].mean()


def _apart(starts: IntArray, hold: int) -> IntArray:
    """Starts that do not begin before the one before them is over."""
    kept, free = [], 0
    for start in starts.tolist():
        if start >= free:
            kept.append(start)
            free = start + hold
    return np.array(kept, dtype=np.int64)
