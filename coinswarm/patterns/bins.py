"""Candidate conditions: each feature known at the decision, cut into bins that are learned from the discovery segment alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from coinswarm import errors
from coinswarm.kernels.subgroups import MAX_BINS, NO_BIN, Codes
from coinswarm.ledger.chaos import ChaosTrades
from coinswarm.patterns.conditions import Band, Condition, Hold, Market, Pattern, Side
from coinswarm.patterns.settings import DiscoverSettings
from coinswarm.types import FloatArray


@dataclass(frozen=True, kw_only=True, slots=True)
class Attribute:
    """One thing that can be conditioned on, and conditions on it that exclude each other, at most `MAX_BINS` of them.

    `stratum`: expectations are taken by it, as for hold, market and side; every trade fulfils one of its conditions.
    """

    name: str
    conditions: tuple[Condition, ...]
    stratum: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Bins:
    """All dimensions, and what was left out because it does not vary or is never known."""

    dimensions: tuple[Attribute, ...]
    left_out: tuple[str, ...]

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """All conditions in the order of their numbers."""
        return tuple(condition for dimension in self.dimensions for condition in dimension.conditions)

    def pattern(self, picks: Sequence[int]) -> Pattern:
        """The pattern of some conditions by number; negative numbers are none."""
        every = self.conditions
        return Pattern(tuple(every[pick] for pick in picks if pick >= 0))


def learn(trades: ChaosTrades, settings: DiscoverSettings) -> Bins:
    """Cut every dimension of the trades.

    Args:
        trades: those of the discovery segment.
        settings: number of bins, and which features may be conditions.

    Raises:
        NotFound: a feature that settings name is not known of the trades.
        InvalidArgument: patterns are to be deeper than there are dimensions.
    """
    features = [_feature(trades, name, settings.bins) for name in _named(trades, settings)]
    features += [_hold(trades, settings.hold_bins), _market(trades), _side(trades)]
    useful = tuple(dimension for dimension in features if len(dimension.conditions) > 1)
    if settings.depth > len(useful):
        left = [dimension.name for dimension in features if len(dimension.conditions) < 2]
        hint = f"these do not vary: {', '.join(left)}" if left else "name more features"
        raise errors.InvalidArgument(f"depth must be at most the {len(useful)} things that vary", found=settings.depth, hint=hint)
    return Bins(dimensions=useful, left_out=tuple(dimension.name for dimension in features if len(dimension.conditions) < 2))


def code(bins: Bins, trades: ChaosTrades) -> Codes:
    """(n_dims, n_trades) which condition of each dimension each trade fulfils, `NO_BIN` for none."""
    out = np.full((len(bins.dimensions), len(trades)), NO_BIN, dtype=np.uint8)
    for row, dimension in zip(out, bins.dimensions, strict=True):
        for number, condition in enumerate(dimension.conditions):
            row[condition.holds(trades)] = number
    return out


def edges(values: FloatArray, n: int) -> FloatArray:
    """Inner edges that cut (n_values,) into n parts of about equal size, fewer where values repeat. Missing values are ignored."""
    finite = values[np.isfinite(values)]
    if finite.size == 0:
        return np.empty(0)
    cuts = np.unique(np.quantile(finite, np.arange(1, n) / n))
    return cuts[cuts > finite.min()]


def bucket(trades: ChaosTrades, bands: Sequence[Hold]) -> Codes:
    """(n_trades,) number of the hold band of each trade; holds beyond the last band count as the last."""
    starts = np.array([band.low for band in bands])
    return np.clip(np.searchsorted(starts, trades.hold, side="right") - 1, 0, len(bands) - 1).astype(np.uint8)


def hold_bands(trades: ChaosTrades, n: int) -> tuple[Hold, ...]:
    """At most n bands of holds with about as many trades in each."""
    cuts = np.ceil(edges(trades.hold.astype(np.float64), n)).astype(np.int64)
    starts = [int(trades.hold.min()), *(int(cut) for cut in np.unique(cuts))]
    ends = [*(start - 1 for start in starts[1:]), int(trades.hold.max())]
    return tuple(Hold(low=low, high=high) for low, high in zip(starts, ends, strict=True))


def _named(trades: ChaosTrades, settings: DiscoverSettings) -> tuple[str, ...]:
    for name in settings.features:
        if name not in trades.features:
            raise errors.not_found("feature of these trades", name, trades.features)
    return settings.features or trades.features


def _feature(trades: ChaosTrades, name: str, n: int) -> Attribute:
    cuts = [-math.inf, *edges(trades.feature(name), n).tolist(), math.inf]
    bands = tuple(Band(feature=name, low=low, high=high) for low, high in pairwise(cuts))
    return Attribute(name=name, conditions=bands)


def _hold(trades: ChaosTrades, n: int) -> Attribute:
    return Attribute(name="hold", conditions=hold_bands(trades, n), stratum=True)


def _market(trades: ChaosTrades) -> Attribute:
    present = np.unique(trades.market).tolist()
    several = tuple(Market(key=trades.markets[number]) for number in present)
    return Attribute(name="market", conditions=several if len(several) <= MAX_BINS else (), stratum=True)


def _side(trades: ChaosTrades) -> Attribute:
    signs = np.unique(trades.side)[::-1].tolist()
    return Attribute(name="side", conditions=tuple(Side(sign=sign) for sign in signs), stratum=True)
