"""Features that know what comes next: a search that may condition on one finds the mistake in the data and calls it an edge."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from coinswarm import stats
from coinswarm.chaos.trades import ChaosTrades
from coinswarm.types import IntArray

ENOUGH = 500
"""Trades of a market that are looked at: those with the shortest holds, as what is to come next is in them undiluted."""


@dataclass(frozen=True, kw_only=True)
class Leak:
    """A feature that foretells a market better than anything known at the time can.

    Attributes:
        feature: its name. market: data set key.
        hold: bars over which it was looked at.
        correlation: rank correlation with the move of those bars, in [-1, 1].
        z: the same in standard errors.
    """

    feature: str
    market: str
    hold: int
    correlation: float
    z: float


def leaks(trades: ChaosTrades, features: Sequence[str] = ()) -> tuple[Leak, ...]:
    """Features whose values at the decision foretell the bars after it beyond `stats.honest_ceiling`, strongest first.

    All trades are asked, those kept back for confirmation too: nothing is learned from them but that something is wrong.

    Args:
        trades: n random trades.
        features: those that may be conditions; none: all.

    Raises:
        NotFound: the trades are not described by a feature.
    """
    found = [leak for market in range(len(trades.markets)) for leak in _of_market(trades, market, features or trades.features)]
    return tuple(sorted(found, key=lambda leak: -abs(leak.correlation)))


def _of_market(trades: ChaosTrades, market: int, features: Sequence[str]) -> Iterator[Leak]:
    places = _shortest(trades, market)
    if not places.size:
        return
    hold = int(np.median(trades.hold[places]))
    moves = trades.side[places] * trades.gross[places]
    apart = np.unique(trades.decision[places] // int(trades.hold[places].max())).size
    for name in features:
        seen = stats.foreknowledge(trades.feature(name)[places], moves, hold=hold, independent=apart)
        if seen.found:
            yield Leak(feature=name, market=trades.markets[market], hold=hold, correlation=seen.correlation, z=seen.z)


def _shortest(trades: ChaosTrades, market: int) -> IntArray:
    """Places of a market's trades up to the hold within which there are enough of them."""
    own = np.flatnonzero(trades.market == market)
    if own.size <= ENOUGH:
        return own
    longest = np.partition(trades.hold[own], ENOUGH - 1)[ENOUGH - 1]
    return own[trades.hold[own] <= longest]
