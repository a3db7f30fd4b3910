"""Whether a column knows the future: rank correlations with the next move that nothing known at the time can have."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from coinswarm import check
from coinswarm.types import FloatArray

WIDEST_SPREAD = 0.5
"""Square of half the spread over a bar's deviation: what a market may at most bounce between bid and ask. There half the spread is 0.7
deviations, so a round trip costs more than a bar moves, and nothing could be earned by trading in it."""
_FEWEST = 30
SURE = 5.0
"""Standard errors beyond which chance is no explanation: once in 1.7 million looks, and thousands are taken."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Foreknowledge:
    """How well a column predicts a move.

    Attributes:
        correlation: rank correlation, in [-1, 1].
        z: the same in standard errors.
        found: too good to be known at that time.
    """

    correlation: float
    z: float
    found: bool


def honest_ceiling(hold: float = 1.0) -> float:
    """Largest correlation of anything known at a close with the move over the next `hold` bars: what bounce between bid and ask explains.

    s / sqrt((1 + 2 s) (hold + 2 s)) with s = `WIDEST_SPREAD`: 0.25 of one bar, 0.13 of six. Of one bar of five minutes it would be worth
    an annual Sharpe ratio of about 80 before costs: prices that could be foretold better are the market's mistake for no longer than it
    takes to see it, or the data's.

    Args:
        hold: bars, at least 1.

    Raises:
        InvalidArgument: `hold` is below 1.

    Source: Roll 1984, whose covariance of successive moves is that of a last price that is bid or ask by a coin.
    """
    check.at_least(hold, "hold", 1)
    return WIDEST_SPREAD / math.sqrt((1 + 2 * WIDEST_SPREAD) * (hold + 2 * WIDEST_SPREAD))


def foreknowledge(values: FloatArray, moves: FloatArray, *, hold: float = 1.0, independent: int | None = None) -> Foreknowledge:
    """What a column says of the moves that follow.

    Args:
        values: (n,) known before the moves begin; NaN is left out.
        moves: (n,) simple returns over `hold` bars, upwards positive.
        hold: bars, at least 1.
        independent: how many of the moves do not overlap; None: all. Of values that are missing as large a share is taken off.

    Returns:
        Nothing found, and a correlation of 0, where fewer than 30 values are known or either side never varies.

    Raises:
        InvalidArgument: the lengths differ, or `hold` is below 1.
    """
    check.vector(moves, "moves", length=values.size, finite=False)
    from scipy import stats

    ceiling = honest_ceiling(hold)
    finite = np.isfinite(values) & np.isfinite(moves)
    if finite.sum() < _FEWEST or np.ptp(values[finite]) == 0 or np.ptp(moves[finite]) == 0:
        return Foreknowledge(correlation=0.0, z=0.0, found=False)
    correlation = float(stats.spearmanr(values[finite], moves[finite]).statistic)
    apart = (values.size if independent is None else independent) * float(finite.mean())
    z = correlation * math.sqrt(max(apart - 1, 0.0))
    return Foreknowledge(correlation=correlation, z=z, found=abs(correlation) > ceiling and abs(z) > SURE)
