"""How long a recursive indicator remembers where the data began.

An exponential average with weight `alpha` on the newest value gives the starting value the weight `(1 - alpha)**k` after `k` bars. A value
is called warm when that weight is below `WEIGHT`: the start of the data then moves the result by less than 1e-9 of itself, even when it was
a thousand times larger than what followed. Indicators that magnify small differences of such averages ask for `FINE` instead.
"""

from __future__ import annotations

import math

WEIGHT = 1e-12
FINE = 1e-15


def settle(alpha: float, *, stages: int = 1, weight: float = WEIGHT) -> int:
    """Bars until `stages` exponential averages in a row, all of weight `alpha`, have forgotten their start.

    Args:
        alpha: weight of the newest value, in (0, 1].
        stages: how many averages are taken of each other, at least 1.
        weight: what may be left of the start.

    Returns:
        A `k` with `(1 - alpha)**k * sum((alpha * k)**j / j!, j < stages) < weight`, at most half a percent above the smallest: the part of
        the start that is left in the last average is at most that sum.
    """
    if alpha >= 1.0:
        return 0
    rate = -math.log1p(-alpha)
    bars = math.ceil(-math.log(weight) / rate)
    while rate * bars - math.log(sum((alpha * bars) ** j / math.factorial(j) for j in range(stages))) < -math.log(weight):
        bars += 1 + bars // 200
    return bars


def ema(length: int, *, stages: int = 1, weight: float = WEIGHT) -> int:
    """Index from which `stages` nested EMAs of `length` bars are warm: each starts from a plain mean of its first `length` values."""
    return stages * (length - 1) + settle(2.0 / (length + 1.0), stages=stages, weight=weight)


def wilder(length: int, *, stages: int = 1, weight: float = WEIGHT) -> int:
    """Bars until `stages` nested averages of Wilder's kind (weight `1 / length`) are warm, counted from their own first value."""
    return settle(1.0 / length, stages=stages, weight=weight)


FISHER = 140
"""Bars after which the Fisher transform has forgotten its start: 0.67**k of the smoothed place, magnified at most 500 times at the
clamp of 0.999, and 0.5**k of its own last value, are both below 1e-12 of it."""


def kama(length: int, fast: int, slow: int) -> int:
    """Bars until Kaufman's average has forgotten its start.

    Its weight depends on the path. A random walk of `length` steps has an efficiency near `1 / sqrt(length)`; half of that is assumed,
    which is on the safe side on every market it was measured on, and the start may keep 1e-12 (it is a price of the same market). Where
    fast is slower than slow, a straight path is the slowest.
    """
    quick, lazy = 2.0 / (fast + 1.0), 2.0 / (slow + 1.0)
    weight = min(0.5 / math.sqrt(length) * (quick - lazy) + lazy, quick) ** 2
    return length + math.ceil(math.log(1e-12) / math.log1p(-min(weight, 0.999)))


def psar(first: float, step: float, most: float) -> int:
    """Bars until a parabolic stop has forgotten its start.

    Two stops become one when they turn on the same bar, so the wait depends on the path and has no bound for every one. Measured on 300
    starts each in three markets of 5 m bars for eight settings: the longest wait was 5.3 over the geometric mean of the two
    accelerations (or the largest one, if that is less), the median 0.5, and the tail falls tenfold for every 1.1. Asked for is 12.
    """
    return math.ceil(12.0 / min(math.sqrt(first * step), most))
