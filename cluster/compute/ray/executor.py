"""A crew on Ray: calls out, answers in as they finish, handed on in the order of the items.

Calls are tasks and not actors, and bars are loaded by tasks: a lost process or machine costs the calls it was at and nothing else.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import ray

from cluster import version
from cluster.compute import scoring
from cluster.compute.evaluator import Segment, Source
from cluster.compute.executor import Answer, Handle, Item
from cluster.compute.ray import evaluator as pool
from cluster.compute.ray import startup as beginning
from cluster.compute.ray import tasks
from coinswarm import errors

_AHEAD = 4
"""Calls a processor that may be out or done while an earlier one is awaited: enough to hide a slow call, few enough to bound memory."""
_MOST_DEATHS = 3
_SLOTS_EVERY_S = 2.0


@dataclass(frozen=True, kw_only=True, eq=False)
class _Call:
    number: int
    item: Any
    deaths: int = 0


@dataclass(kw_only=True, eq=False)
class _Round:
    """One `run`: what is out, what is in and waits for its turn."""

    function: Callable[..., Any]
    markets: Sequence[Handle]
    items: Iterator[Any]
    out: dict[Any, _Call] = field(default_factory=dict)
    again: deque[_Call] = field(default_factory=deque)
    done: dict[int, Any] = field(default_factory=dict)
    sent: int = 0
    given: int = 0

    def fill(self, room: int) -> None:
        """Send calls until `room` of them are out or wait for their turn."""
        while len(self.out) + len(self.done) < room and (call := self._next()) is not None:
            self.out[_call.remote(version.code_version(), self.function, call.item, *(market.columns for market in self.markets))] = call

    def take(self) -> None:
        """Wait for a call to finish and keep its answer; one that killed its worker goes out again."""
        finished, _ = ray.wait(list(self.out), num_returns=1, timeout=1.0)
        for reference in finished:
            call = self.out.pop(reference)
            try:
                self.done[call.number] = pool.result(reference, None)
            except pool.DEATHS as death:
                self.again.append(_mourned(call, death))

    def drop(self) -> None:
        """Give up what is out."""
        for reference in self.out:
            ray.cancel(reference, force=True)
        self.out.clear()

    def _next(self) -> _Call | None:
        if self.again:
            return self.again.popleft()
        for item in self.items:
            self.sent += 1
            return _Call(number=self.sent - 1, item=item)
        return None


@ray.remote(num_cpus=1, max_retries=0)
def _call(driver_code: str, function: Callable[..., Any], item: Any, *markets: scoring.Columns) -> Any:
    """One call. A death of the process is the crew's business, so Ray does not retry."""
    beginning.ready(driver_code)
    return function(item, *(scoring.rebuilt(columns) for columns in markets))


class RayCrew:
    """Computes on a Ray cluster that is already connected.

    Args:
        max_workers: how many processors of the cluster to use at most; None: all that there are.
        tell: hears that kernels are compiled.
    """

    def __init__(self, *, max_workers: int | None = None, tell: Callable[[str], None] = beginning.silent) -> None:
        self._max_workers = max_workers
        self._beginning = beginning.Beginning(tell, room_s=None)
        self._held: dict[tuple[str, Segment], Handle] = {}
        self._slots, self._slots_at = 1, -_SLOTS_EVERY_S

    @property
    def workers(self) -> int:
        """Processors that the cluster has at present."""
        if time.monotonic() - self._slots_at > _SLOTS_EVERY_S:
            there = max(1, int(ray.cluster_resources().get("CPU", 1)))
            self._slots, self._slots_at = min(there, self._max_workers or there), time.monotonic()
        return self._slots

    def load(self, source: Source, segment: Segment) -> Handle:
        """Hold the bars of a market, cut to the segment; one copy a machine."""
        key = (source.key, segment)
        if key not in self._held:
            columns, facts = pool.near_the_driver(tasks.load_bars).remote(version.code_version(), source, segment)
            known = pool.result(facts, pool.LOAD_TIMEOUT_S)
            self._held[key] = Handle(key=source.key, symbol=str(known["symbol"]), n_bars=int(known["n_bars"]), columns=columns)
        return self._held[key]

    def run(self, function: Callable[..., Answer], items: Iterable[Item], *, markets: Sequence[Handle] = ()) -> Iterator[Answer]:
        """Call `function(item, *bars)` for each item and yield the answers in order."""
        turn = _Round(function=function, markets=markets, items=iter(items))
        try:
            while True:
                turn.fill(_AHEAD * self.workers)
                while turn.given in turn.done:
                    yield turn.done.pop(turn.given)
                    turn.given += 1
                    turn.fill(_AHEAD * self.workers)
                if not turn.out:
                    return
                self._beginning.look()
                turn.take()
        finally:
            turn.drop()

    def close(self) -> None:
        """Let go of the bars."""
        self._held.clear()


def _mourned(call: _Call, death: Exception) -> _Call:
    if call.deaths + 1 >= _MOST_DEATHS:
        raise errors.WorkerLost(
            f"call {call.number} must not kill its worker",
            found=f"{call.deaths + 1} deaths ({type(death).__name__})",
            hint="the machine may be out of memory; fewer workers need less",
        )
    return replace(call, deaths=call.deaths + 1)
