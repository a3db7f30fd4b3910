"""How long a recursive indicator remembers where the data began.

An exponential average with weight `alpha` on the newest value gives the starting value the weight `(1 - alpha)**k` after `k` bars. A value
is called warm when that weight is below the run's warm-up tolerance with some room: `Room` says how much, for a start may be many times
larger than the output that it moves. At a tolerance of 1e-9 the room is a thousandfold, or a millionfold where it is `FINE`.
"""

from __future__ import annotations

import math
from enum import Enum

from coinswarm.config import FORMER_WARMUP_TOLERANCE

_THOUSAND, _MILLION = 1e3, 1e6


class Room(Enum):
    """By how much more than the tolerance the start must have faded.

    Attributes:
        AVERAGE: averages of what is never far from its own size, such as prices, ranges, volumes or shares of a move: a thousandfold at
            1e-9, less for a looser tolerance, as the cube root of it: 21-fold at 1e-4. Measured on 75 starts each in three markets, an
            average of prices needs 0.004-fold, one of true ranges 0.5, one of volumes 1, one of moves up and down 2.
        DIFFERENCE: small differences of such averages, and outputs that switch when one crosses another: a thousandfold.
        FINE: what magnifies small differences, such as the change of an average from bar to bar: a millionfold.
    """

    AVERAGE = "average"
    DIFFERENCE = "difference"
    FINE = "fine"

    def left(self, tolerance: float) -> float:
        """What weight the start may keep at a tolerance."""
        if self is Room.FINE:
            return tolerance / _MILLION
        shrunk = (tolerance / FORMER_WARMUP_TOLERANCE) ** (1 / 3) if self is Room.AVERAGE else 1.0
        return tolerance / _THOUSAND * shrunk


def settle(alpha: float, left: float, *, stages: int = 1) -> int:
    """Bars until `stages` exponential averages in a row, all of weight `alpha`, have forgotten their start.

    Args:
        alpha: weight of the newest value, in (0, 1].
        left: what weight the start may keep, in (0, 1).
        stages: how many averages are taken of each other, at least 1.

    Returns:
        A `k` with `(1 - alpha)**k * sum((alpha * k)**j / j!, j < stages) < left`, at most half a percent above the smallest: the part of
        the start that is left in the last average is at most that sum.
    """
    if alpha >= 1.0:
        return 0
    rate = -math.log1p(-alpha)
    bars = math.ceil(-math.log(left) / rate)
    while rate * bars - math.log(sum((alpha * bars) ** j / math.factorial(j) for j in range(stages))) < -math.log(left):
        bars += 1 + bars // 200
    return bars


def ema(length: int, tolerance: float, *, stages: int = 1, room: Room = Room.DIFFERENCE) -> int:
    """Index from which `stages` nested EMAs of `length` bars are warm: each starts from a plain mean of its first `length` values."""
    return stages * (length - 1) + settle(2.0 / (length + 1.0), room.left(tolerance), stages=stages)


def wilder(length: int, tolerance: float, *, stages: int = 1, room: Room = Room.DIFFERENCE) -> int:
    """Bars until `stages` nested averages of Wilder's kind (weight `1 / length`) are warm, counted from their own first value."""
    return settle(1.0 / length, room.left(tolerance), stages=stages)


_FISHER_BARS, _FISHER_LEFT = 140, 1e-12


def fisher(tolerance: float) -> int:
    """Bars after which the Fisher transform has forgotten its start.

    0.67**k of the smoothed place, magnified at most 500 times at the clamp of 0.999, and 0.5**k of its own last value, are both far below
    1e-12 of it after 140 bars. What is left falls by the same factor each bar, so that the bars go with the logarithm of what may be left.
    """
    return math.ceil(_FISHER_BARS * math.log(Room.DIFFERENCE.left(tolerance)) / math.log(_FISHER_LEFT))


def kama(length: int, fast: int, slow: int, tolerance: float) -> int:
    """Bars until Kaufman's average has forgotten its start.

    Its weight depends on the path. A random walk of `length` steps has an efficiency near `1 / sqrt(length)`; half of that is assumed,
    which is on the safe side on every market it was measured on, at tolerances from 1e-9 to 1e-3. Where fast is slower than slow, a
    straight path is the slowest.
    """
    quick, lazy = 2.0 / (fast + 1.0), 2.0 / (slow + 1.0)
    weight = min(0.5 / math.sqrt(length) * (quick - lazy) + lazy, quick) ** 2
    return length + math.ceil(math.log(Room.DIFFERENCE.left(tolerance)) / math.log1p(-min(weight, 0.999)))


_PSAR_REACH, _PSAR_TENFOLD = 12.0, 1.1


def psar(first: float, step: float, most: float, tolerance: float) -> int:
    """Bars until a parabolic stop has forgotten its start.

    Two stops become one when they turn on the same bar, so the wait depends on the path and has no bound for every one. Measured on 300
    starts each in three markets of 5 m bars for eight settings: the longest wait was 5.3 over the geometric mean of the two
    accelerations (or the largest one, if that is less), the median 0.5, and the tail falls tenfold for every 1.1. Asked for is 12 at a
    tolerance of 1e-9 and 1.1 less for every tenfold of it, 6.5 at 1e-4: the tolerance is the chance that two stops are still apart.
    """
    reach = _PSAR_REACH - _PSAR_TENFOLD * math.log10(tolerance / FORMER_WARMUP_TOLERANCE)
    return math.ceil(reach / min(math.sqrt(first * step), most))
