"""Look-ahead leaks of features: a search that may condition on one finds the mistake in the data and calls it an edge."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from coinswarm import errors, stats
from coinswarm.ledger.chaos import ChaosTrades
from coinswarm.market.bars import Bars
from coinswarm.play.model import Play
from coinswarm.play.values import FeatureValues
from coinswarm.types import FloatArray, IntArray

ENOUGH = 500
"""Trades of a market that are looked at without bars: those with the shortest holds, in which what comes next is least diluted."""

MOST = 20_000
"""Bars of a market that columns are looked at on, evenly over all: what is beyond the ceiling shows on far fewer."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FeatureLeak:
    """A feature that predicts a market better than anything known at the time can.

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

    def __str__(self) -> str:
        bars = "bar" if self.hold == 1 else f"{self.hold} bars"
        size = f"rank correlation {self.correlation:+.2f}"
        return f"LOOK-AHEAD: {self.feature} of {self.market} predicts the next {bars} ({size}): nothing known then can"


def leaks(trades: ChaosTrades, features: Sequence[str] = (), first_moves: FloatArray | None = None) -> tuple[FeatureLeak, ...]:
    """Features whose values at the decision predict the bars after it beyond `stats.honest_ceiling`, strongest first.

    All trades are asked, those kept back for confirmation too: nothing is learned from them but that something is wrong.

    Args:
        trades: n random trades.
        features: those that may be conditions; none: all.
        first_moves: (n,) simple return of the bar after each decision. None: not known; results of the shortest holds stand for it.

    Raises:
        NotFound: the trades are not described by a feature.
    """
    names = features or trades.features
    every = [leak for market in range(len(trades.markets)) for leak in _of_market(trades, market, names, first_moves)]
    return tuple(sorted(every, key=lambda leak: -abs(leak.correlation)))


def of_bars(bars: Bars) -> tuple[FeatureLeak, ...]:
    """Columns of (n_bars,) candles that predict the next bar beyond `stats.honest_ceiling`, strongest first: prices against the open."""
    prices = [(name, getattr(bars, name) / bars.open) for name in ("high", "low", "close")]
    return _leaking([*prices, ("volume", bars.volume)], bars)


def of_rule(rule: Play, bars: Bars, others: Mapping[str, Bars] | None = None) -> tuple[FeatureLeak, ...]:
    """What a rule looks at that predicts the bar after a decision beyond `stats.honest_ceiling`, strongest first.

    Args:
        rule: a play without anything left open.
        bars: (n_bars,) candles it is tested on.
        others: bars of other markets that its features name, by canonical symbol.

    Raises:
        NotFound: a market that a feature names is not there.
    """
    features = FeatureValues(play=rule, bars=bars, markets=others or {})
    computed = {name: features.of(name).outputs for name in rule.features}
    columns = (
        (name if len(outputs) == 1 else f"{name}.{output}", values)
        for name, outputs in computed.items()
        for output, values in outputs.items()
    )
    return _leaking(columns, bars)


def refuse(leaks: Sequence[FeatureLeak]) -> None:
    """Say which feature knows what comes next.

    Raises:
        Refused: there is one.
    """
    if leaks:
        raise errors.Refused(str(leaks[0]), hint="the data are wrong: mend them, nothing that is tested on them can be believed")


def _leaking(columns: Iterable[tuple[str, FloatArray]], bars: Bars) -> tuple[FeatureLeak, ...]:
    """Those of (n_bars,) columns by name, each known at its bar's close, that know the next bar."""
    moves = bars.close[1:] / bars.open[1:] - 1
    rows = np.linspace(0, moves.size - 1, min(MOST, moves.size)).astype(np.int64)
    seen = ((name, stats.foreknowledge(values[:-1][rows], moves[rows])) for name, values in columns)
    found = [
        FeatureLeak(feature=name, market=bars.key, hold=1, correlation=each.correlation, z=each.z) for name, each in seen if each.found
    ]
    return tuple(sorted(found, key=lambda leak: -abs(leak.correlation)))


def _of_market(trades: ChaosTrades, market: int, features: Sequence[str], first_moves: FloatArray | None) -> Iterator[FeatureLeak]:
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
            yield FeatureLeak(feature=name, market=trades.markets[market], hold=hold, correlation=seen.correlation, z=seen.z)


def _shortest(trades: ChaosTrades, market: int) -> IntArray:
    """Places of a market's trades up to the hold within which there are enough of them."""
    own = np.flatnonzero(trades.market == market)
    if own.size <= ENOUGH:
        return own
    longest = np.partition(trades.hold[own], ENOUGH - 1)[ENOUGH - 1]
    return own[trades.hold[own] <= longest]
