"""A crew without machines: every call in this process, in order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from cluster.compute import scoring
from cluster.compute.evaluator import Segment, Source, refuse_changed
from cluster.compute.executor import Answer, Handle, Item


class LocalCrew:
    """Computes in this process: for tests, notebooks and small jobs."""

    workers = 1

    def load(self, source: Source, segment: Segment) -> Handle:
        """Hold the bars of a market, cut to the segment."""
        bars = segment.cut(refuse_changed(source, source.load()))
        return Handle(key=source.key, symbol=bars.symbol, n_bars=len(bars), columns=scoring.columns(bars))

    def run(self, function: Callable[..., Answer], items: Iterable[Item], *, markets: Sequence[Handle] = ()) -> Iterator[Answer]:
        """Call `function(item, *bars)` for each item and yield the answers in order."""
        for item in items:
            yield function(item, *(scoring.rebuilt(market.columns) for market in markets))

    def close(self) -> None:
        """Nothing is held."""
