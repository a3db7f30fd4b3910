"""Preparation of a search: trades cut in time, bins, outcomes, and tables for the kernels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coinswarm.ledger.chaos import ChaosTrades
from coinswarm.patterns import bins, mining, outcomes, segments, table
from coinswarm.patterns.bins import Bins
from coinswarm.patterns.conditions import Hold
from coinswarm.patterns.mining import Conjunctions, Spread
from coinswarm.patterns.segments import Segments
from coinswarm.patterns.settings import DiscoverSettings
from coinswarm.patterns.table import CodedTrades
from coinswarm.types import FloatArray, IntArray


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class SegmentTrades:
    """One segment of time: its trades in order of entry, what they made beyond expectation, and their blocks.

    Attributes:
        trades: n trades. places: (n,) where they are among all trades.
        excess: (n,) net results beyond random trades like them. blocks: (n,) block of time of each.
        n_blocks: blocks of the segment.
    """

    trades: ChaosTrades
    places: IntArray
    excess: FloatArray
    blocks: IntArray
    n_blocks: int


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class PatternSearch:
    """What a search works on.

    Attributes:
        settings, segments: how, and where time was cut.
        bins, bands: what can be a condition, and the holds that expectations are taken in; both learned from discovery alone.
        discovery, confirmation: the two segments; confirmation may have no trades.
        table: the trades of discovery.
    """

    settings: DiscoverSettings
    segments: Segments
    bins: Bins
    bands: tuple[Hold, ...]
    discovery: SegmentTrades
    confirmation: SegmentTrades
    table: CodedTrades

    @property
    def halves(self) -> tuple[CodedTrades, CodedTrades]:
        """The trades of the earlier and of the later half of the blocks; what reaches from one into the other is in neither."""
        middle = self.discovery.n_blocks // 2
        blocks = self.table.coded.block_of
        return self.table.part(blocks < middle), self.table.part(blocks > middle)


def prepare(trades: ChaosTrades, settings: DiscoverSettings) -> PatternSearch:
    """Cut, learn and bring into form.

    Raises:
        InvalidArgument: there are no trades, or depth is more than the things that vary.
        NotFound: a feature that settings name is not known of the trades.
        Refused: there are too few independent blocks of time.
    """
    cut = segments.cut(trades, settings)
    places = segments.discovered_on(trades, cut)
    seen = trades.select(places)
    bands = bins.hold_bands(seen, settings.hold_bins)
    learned = bins.learn(seen, settings)
    discovery = side(trades, places, bands, cut.start_ts, cut.block_ms)
    later = side(trades, segments.confirmed_on(trades, cut), bands, cut.confirm_ts, cut.block_ms)
    sizes, strata = zip(*((len(dimension.conditions), dimension.stratum) for dimension in learned.dimensions), strict=True)
    form = table.build(bins.code(learned, seen), sizes, strata, discovery.excess, discovery.blocks, discovery.n_blocks)
    return PatternSearch(settings=settings, segments=cut, bins=learned, bands=bands, discovery=discovery, confirmation=later, table=form)


def side(trades: ChaosTrades, places: IntArray, bands: tuple[Hold, ...], start_ts: int, block_ms: int) -> SegmentTrades:
    """One segment of (n,) places among the trades, with blocks counted from `start_ts`."""
    own = trades.select(places)
    blocks = segments.blocks(own.entry_ts, start_ts, block_ms)
    n_blocks = int(blocks.max()) + 1 if blocks.size else 0
    excess = outcomes.excess(own, bands) if blocks.size else np.empty(0)
    return SegmentTrades(trades=own, places=places, excess=excess, blocks=blocks, n_blocks=n_blocks)


def mined(search: PatternSearch, spread: Spread) -> list[tuple[Conjunctions, CodedTrades]]:
    """Everything that is tested, each part with the trades that judge it.

    Up to three conditions: every conjunction, on the whole of discovery. More: those that a beam picks on the earlier half, on the later.
    """
    settings = search.settings
    shallow = mining.exhaust(search.table, settings.depth, settings.min_trades, settings.min_active, spread)
    if settings.depth <= mining.EXHAUSTIVE_DEPTH:
        return [(shallow, search.table)]
    earlier, later = search.halves
    guide = mining.score(earlier, shallow.picks)
    guide = mining.restrict(guide, guide.trades >= settings.min_trades // 2)
    picks, counted = mining.beam(earlier, guide, settings.depth, settings.beam, settings.min_trades // 2)
    deep = mining.score(later, picks)
    enough = (deep.trades >= settings.min_trades // 2) & (deep.active >= settings.min_active)
    return [(shallow, search.table), (mining.restrict(deep, enough, counted), later)]
