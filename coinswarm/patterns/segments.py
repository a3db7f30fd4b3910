"""Cutting trades in time: those to discover on, those to confirm on, and blocks of time that count as independent."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from coinswarm import errors
from coinswarm.ledger.chaos import ChaosTrades
from coinswarm.patterns.settings import DiscoverSettings
from coinswarm.types import IntArray

HOLDS_A_BLOCK = 2
"""A block is this many times the longest hold: what begins in one ends in it or in the next."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Segments:
    """Where discovery ends and confirmation begins, all in ms.

    Attributes:
        start_ts, split_ts: trades entered from the one on that are over by the other are discovered on.
        confirm_ts, end_ts: trades entered from the one on and before the other are confirmed on.
        block_ms: length of a block of time.
    """

    start_ts: int
    split_ts: int
    confirm_ts: int
    end_ts: int
    block_ms: int

    @property
    def discovery_blocks(self) -> int:
        """How many whole blocks discovery has."""
        return (self.split_ts - self.start_ts) // self.block_ms

    @property
    def confirmation_blocks(self) -> int:
        """How many whole blocks confirmation has."""
        return max(0, self.end_ts - self.confirm_ts) // self.block_ms


def cut(trades: ChaosTrades, settings: DiscoverSettings) -> Segments:
    """Cut the time that trades span.

    Raises:
        InvalidArgument: there are no trades.
        Refused: discovery has fewer independent blocks than settings ask for; the message says how many bars are needed.
    """
    if len(trades) == 0:
        raise errors.InvalidArgument("there must be trades to find patterns in", found="none", hint="run `coinswarm chaos run` first")
    hold_ms = int(trades.hold.max()) * trades.bar_ms
    start, end = int(trades.entry_ts.min()), int(trades.entry_ts.max()) + trades.bar_ms
    split = end if settings.confirm_share == 0 else start + round((end - start) * (1 - settings.confirm_share))
    embargo = hold_ms if settings.embargo_bars is None else settings.embargo_bars * trades.bar_ms
    segments = Segments(start_ts=start, split_ts=split, confirm_ts=split + embargo, end_ts=end, block_ms=HOLDS_A_BLOCK * hold_ms)
    if segments.discovery_blocks < settings.min_blocks:
        raise _too_few(segments, trades, settings)
    return segments


def _too_few(segments: Segments, trades: ChaosTrades, settings: DiscoverSettings) -> errors.Refused:
    needed = bars_needed(int(trades.hold.max()), settings)
    have = (segments.end_ts - segments.start_ts) // trades.bar_ms
    return errors.Refused(
        f"discovery needs at least {settings.min_blocks} independent blocks of time of {segments.block_ms // trades.bar_ms:,} bars each"
        f" (twice the longest hold), that is about {needed:,} bars in all",
        found=f"{segments.discovery_blocks} blocks from {have:,} bars",
        hint="use more history or shorter holds: with fewer blocks the test finds more than its nominal rate on noise",
    )


def bars_needed(hold_bars: int, settings: DiscoverSettings) -> int:
    """Bars of data that a search with this longest hold needs."""
    return math.ceil(settings.min_blocks * HOLDS_A_BLOCK * hold_bars / (1 - settings.confirm_share)) + 1


def discovered_on(trades: ChaosTrades, segments: Segments) -> IntArray:
    """(n,) places of the trades that are over before the split, in order of entry. Nothing that ends later teaches anything."""
    return _ordered(trades, (trades.entry_ts >= segments.start_ts) & (trades.exit_ts <= segments.split_ts))


def confirmed_on(trades: ChaosTrades, segments: Segments) -> IntArray:
    """(n,) places of the trades that begin after the embargo, in order of entry."""
    return _ordered(trades, (trades.entry_ts >= segments.confirm_ts) & (trades.entry_ts < segments.end_ts))


def blocks(entry_ts: IntArray, start_ts: int, block_ms: int) -> IntArray:
    """(n,) number of the block of time that each trade is entered in, from (n,) times in ms."""
    return (entry_ts - start_ts) // block_ms


def _ordered(trades: ChaosTrades, chosen: np.ndarray) -> IntArray:
    places = np.flatnonzero(chosen)
    return places[np.argsort(trades.entry_ts[places], kind="stable")]
