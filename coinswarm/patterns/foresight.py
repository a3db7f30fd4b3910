"""Features that know what comes next: a search that may condition on one finds the mistake in the data and calls it an edge."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from coinswarm import stats
from coinswarm.chaos.trades import ChaosTrades
from coinswarm.types import FloatArray, IntArray

ENOUGH = 500
"""Trades of a market that are looked at without bars: those with the shortest holds, in which what comes next is least diluted."""


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


def leaks(trades: ChaosTrades, features: Sequence[str] = (), first_moves: FloatArray | None = None) -> tuple[Leak, ...]:
    """Features whose values at the decision foretell the bars after it beyond `stats.honest_ceiling`, strongest first.

    All trades are asked, those kept back for confirmation too: nothing is learned from them but that something is wrong.

    Args:
        trades: n random trades.
        features: those that may be conditions; none: all.
        first_moves: (n,) simple return of the bar after each decision. None: not known; results of the shortest holds stand for it.

    Raises:
        NotFound: the trades are not described by a feature.
    """
    names = features or trades.features
    found = [leak for market in range(len(trades.markets)) for leak in _of_market(trades, market, names, first_moves)]
    return tuple(sorted(found, key=lambda leak: -abs(leak.correlation)))


def _of_market(trades: ChaosTrades, market: int, features: Sequence[str], first_moves: FloatArray | None) -> Iterator[Leak]:
    places = _shortest(trades, market) if first_moves is None else np.flatnonzero(trades.market == market)
    if not places.size:
        return
    hold, longest, moves = 1, 1, first_moves[places] if first_moves is not None else trades.side[places] * trades.gross[places]
    if first_moves is None:
        hold, longest = int(np.median(trades.hold[places])), int(trades.hold[places].max())
    apart = np.unique(trades.decision[places] // longest).size
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
