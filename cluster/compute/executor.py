"""Calls of functions with an item and bars, run wherever there is room: the protocol under searches and all other jobs.

A job knows no machine. A call is a function of a module, an item small enough to be sent, and bars, which every machine holds once. Equal
calls give equal answers on any worker, so the number of workers changes the time and nothing else. An executor makes a call again when its
worker dies; what is left to its users is the order of the answers, see `Executor.run`, and how work is cut into calls, see
`cluster.compute.batching`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, NewType, TypeVar

from cluster.compute.evaluator import BarSource, TimeSegment
from coinswarm import errors

Item = TypeVar("Item")
Result = TypeVar("Result")
Handle = NewType("Handle", object)
"""Bars of one market that an executor holds: themselves, or a reference to where they are, which only that executor can read."""

ATTEMPTS = 3
_AHEAD = 2
"""Calls a slot that may be under way or finished while an earlier one is awaited: they hide a slow call, and few enough bound memory."""
_LOOK_EVERY_S = 1.0


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class Call:
    """One call of `function(item, *bars)`; it is its own ticket.

    Attributes:
        function: of a module, so that its name is enough to find it on another machine.
        item: what it is called with; sent as it is.
        markets: bars for the call, as `Bars`, in this order.
        limit_s: how long it may compute, where a process can be ended for taking longer; None: without end.
        attempts: how many workers may die of it before it is given up.
        title: what it is called in logs and on a cluster's page; "": as its function.
    """

    function: Callable[..., Any]
    item: Any
    markets: tuple[Handle, ...] = ()
    limit_s: float | None = None
    attempts: int = ATTEMPTS
    title: str = ""

    @property
    def name(self) -> str:
        """What it is called: `scoring.score`."""
        return self.title or name(self.function)


@dataclass(frozen=True, kw_only=True, slots=True)
class Loss:
    """Why a call was given up: how many workers died of it, of what the last one died, and whether that one took too long."""

    deaths: int
    cause: str
    late: bool = False


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class Finished:
    """A call that is over: what it answered, what it raised, or how it was lost."""

    call: Call
    answer: Any = None
    error: Exception | None = None
    loss: Loss | None = None

    def result(self) -> Any:
        """The answer.

        Raises:
            WorkerLost: the call killed its worker each time.
            Exception: what the call raised, as it was.
        """
        if self.error is not None:
            raise self.error
        if self.loss is not None:
            raise errors.WorkerLost(
                f"a call of {self.call.name} must not kill its worker",
                found=f"{self.loss.deaths} deaths ({self.loss.cause})",
                hint="the machine may be out of memory; fewer workers need less",
            )
        return self.answer


class Executor(ABC):
    """Runs calls, and holds the bars that they look at."""

    def __init__(self) -> None:
        self._held: dict[tuple[str, str, TimeSegment], Handle] = {}

    @property
    @abstractmethod
    def workers(self) -> int:
        """How many processes compute at present."""

    @property
    @abstractmethod
    def slots(self) -> int:
        """How many calls keep all workers busy: those that run and those that wait beside them."""

    def load(self, source: BarSource, segment: TimeSegment) -> Handle:
        """Hold the bars of a market, cut to the segment before any call sees them.

        Raises:
            Conflict: they are not those that the source was made for.
        """
        return self.load_all((source,), segment)[0]

    def load_all(self, sources: Sequence[BarSource], segment: TimeSegment) -> tuple[Handle, ...]:
        """Hold the bars of markets, as `load` does; those that are not held yet are loaded side by side."""
        keys = [(source.key, source.content_hash, segment) for source in sources]
        missing = {key: source for key, source in zip(keys, sources, strict=True) if key not in self._held}
        self._held |= zip(missing, self.read(tuple(missing.values()), segment), strict=True)
        return tuple(self._held[key] for key in keys)

    @abstractmethod
    def read(self, sources: Sequence[BarSource], segment: TimeSegment) -> Iterable[Handle]:
        """Read bars that are not held, side by side, and leave it to the caller to hold them.

        Raises:
            Conflict: they changed.
        """

    @abstractmethod
    def submit(self, call: Call) -> None:
        """Take a call on; returns at once."""

    @abstractmethod
    def collect(self, calls: Collection[Call], timeout_s: float) -> Finished | None:
        """Wait for one of `calls`, which are under way, to finish, but no longer than `timeout_s`: then None.

        Raises:
            Unavailable: no worker has begun in the time that the executor was given for it.
        """

    @abstractmethod
    def drop(self, calls: Collection[Call]) -> None:
        """Give up calls under way."""

    def run(self, function: Callable[..., Result], items: Iterable[Item], *, markets: Sequence[Handle] = ()) -> Iterator[Result]:
        """Call `function(item, *bars)` for each item and yield the answers in the order of the items.

        Items are taken as there is room, so an endless iterable of them is never held. Closing the iterator drops what is under way.

        Args:
            function: of a module, so that its name is enough to find it on another machine.
            items: what it is called with; sent as they are.
            markets: bars for every call, as `Bars`, in this order.

        Raises:
            WorkerLost: an item killed its worker again and again.
            Exception: what the function raised, in the turn of its item.
        """
        calls = (Call(function=function, item=item, markets=tuple(markets)) for item in items)
        return self._in_order(calls)

    def _in_order(self, calls: Iterator[Call]) -> Iterator[Any]:
        """The answers to calls in the order of the calls, each submitted when there is room."""
        order: deque[Call] = deque()
        under_way: set[Call] = set()
        finished: dict[Call, Finished] = {}
        try:
            while True:
                for call in islice(calls, max(0, _AHEAD * self.slots - len(order))):
                    self.submit(call)
                    order.append(call)
                    under_way.add(call)
                if not order:
                    return
                if order[0] in finished:
                    yield finished.pop(order.popleft()).result()
                elif done := self.collect(under_way, _LOOK_EVERY_S):
                    under_way.remove(done.call)
                    finished[done.call] = done
        finally:
            self.drop(under_way)

    def close(self) -> None:
        """Drop every call under way and let go of the bars."""
        self._held.clear()


def name(function: Callable[..., Any]) -> str:
    """A function as people know it: `scoring.score`."""
    known = function if hasattr(function, "__name__") else type(function)
    return f"{known.__module__.rpartition('.')[2]}.{known.__name__}"
