"""Who computes what is not a search: many calls of one function, wherever there is room, answered in the order they were asked.

The driver knows no machine. A call is a function of a module, an item small enough to be sent, and the bars it may look at, which every
machine holds once. Equal calls give equal answers whoever computes them, so the number of workers changes the time and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from cluster.compute.evaluator import Segment, Source

Item = TypeVar("Item")
Answer = TypeVar("Answer")


@dataclass(frozen=True, kw_only=True, eq=False)
class Handle:
    """Bars of one market that the crew holds.

    Attributes:
        key: name of the data set.
        symbol: the market.
        n_bars: how many bars the segment has.
        columns: where they are; only the crew that loaded them can tell.
    """

    key: str
    symbol: str
    n_bars: int
    columns: Any


class Crew(Protocol):
    """Calls functions with items and bars."""

    @property
    def workers(self) -> int:
        """How many processes compute at present."""

    def load(self, source: Source, segment: Segment) -> Handle:
        """Hold the bars of a market, cut to the segment before anybody sees them.

        Raises:
            Conflict: they are not those that the source was made for.
        """

    def run(self, function: Callable[..., Answer], items: Iterable[Item], *, markets: Sequence[Handle] = ()) -> Iterator[Answer]:
        """Call `function(item, *bars)` for each item and yield the answers in the order of the items.

        Items are taken as there is room, so an endless iterable of them is never held. Closing the iterator drops what is under way.

        Args:
            function: of a module, so that its name is enough to find it on another machine.
            items: what it is called with; sent as they are.
            markets: bars for every call, as `Bars`, in this order.

        Raises:
            WorkerLost: an item killed its worker again and again.
            CoinswarmError: whatever the function raised.
        """

    def close(self) -> None:
        """Let go of everything."""
