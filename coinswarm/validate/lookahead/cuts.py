"""Where to cut: a handful of bars at which a look into the future would show, drawn by seed."""

from __future__ import annotations

import numpy as np

from coinswarm.market import resample
from coinswarm.market.bars import Bars
from coinswarm.market.timeframe import Timeframe
from coinswarm.play.model import Play
from coinswarm.types import IntArray

HEAD = 20_000
"""Bars after the first decision in which half of the cuts lie: the readable simulator is asked about those only (10 s a million bars)."""


def head(first: int, n_bars: int) -> int:
    """The bar before which the readable simulator is asked."""
    return min(n_bars, first + HEAD)


def cuts(play: Play, bars: Bars, first: int, entries: IntArray, rng: np.random.Generator, n: int) -> list[int]:
    """First bars to be cut off or replaced.

    Half of them follow the decisions that were traded, where what the play leaned on must have been known; some stand at the edge and in
    the middle of the slower bars that the play looks at; the others anywhere. Half lie in the head, see `HEAD`.

    Args:
        play: a fixed variant.
        bars: (n_bars) exec bars, more than `first + 2`.
        first: first decision bar.
        entries: (n_trades,) bars in which positions were entered.
        rng: decides which.
        n: how many, at least 1.

    Returns:
        At most n different bars in (first, n_bars), rising.
    """
    cuts = _shared(entries[entries > first], head(first, len(bars)), rng, max(1, n // 2))
    for position, ms in enumerate(slower(play, bars.timeframe.ms)):
        cuts += _edges(bars, ms, first, rng, end=head(first, len(bars)) if position % 2 == 0 else len(bars))
    cuts = list(dict.fromkeys(cuts))[: max(n - 2, 1)]
    while len(cuts) < n:
        cuts.append(int(rng.integers(first + 1, head(first, len(bars)) if len(cuts) % 2 else len(bars))))
    return sorted(set(cuts))


def at_fills(fills: IntArray, first: int, n_bars: int, rng: np.random.Generator, n: int) -> list[int]:
    """At most n different ones of the (n_fills,) bars at whose open something may have been filled, half of them in the head, rising."""
    return sorted(_shared(np.unique(fills[fills > first]), head(first, n_bars), rng, n))


def starts(first: int, n_bars: int, rng: np.random.Generator, n: int) -> list[int]:
    """At most n different bars for the data to begin at, so that a play that needs `first` bars still decides: rising, first 1.

    Half lie close enough to the beginning for the readable simulator.
    """
    latest = n_bars - first - 3
    if latest < 1:
        return []
    near = min(latest, HEAD // 2)
    begins = [1, *(int(rng.integers(1, (near if k % 2 else latest) + 1)) for k in range(1, n))]
    return sorted(set(begins))


def slower(play: Play, exec_ms: int) -> list[int]:
    """The slower timeframes a play looks at, in milliseconds."""
    lengths = {feature.timeframe_ms for feature in play.features.values() if feature.timeframe_ms is not None}
    return sorted(ms for ms in lengths if ms > exec_ms)


def _shared(candidates: IntArray, middle: int, rng: np.random.Generator, n: int) -> list[int]:
    """At most n of the candidates, half of them below `middle` where there are as many."""
    low = candidates[candidates < middle]
    chosen = rng.choice(low, min(n - n // 2, low.size), replace=False).tolist() if low.size else []
    rest = np.setdiff1d(candidates, chosen)
    return chosen + rng.choice(rest, min(n - len(chosen), rest.size), replace=False).tolist()


def _edges(bars: Bars, ms: int, first: int, rng: np.random.Generator, *, end: int) -> list[int]:
    """A cut right after a slow bar has closed, one right before, and one in its middle."""
    opens = resample.bucket_starts(bars.ts, Timeframe(ms))
    edges = np.flatnonzero(opens[1:] != opens[:-1]) + 1
    edges = edges[(edges > first + 1) & (edges < end)]
    if not edges.size:
        return []
    edge = int(rng.choice(edges))
    middle = edge + ms // bars.timeframe.ms // 2
    return [cut for cut in (edge, middle, edge - 1) if first < cut < len(bars)]
