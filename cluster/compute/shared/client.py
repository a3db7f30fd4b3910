"""An executor whose calls are computed by the server of another process, which shares its cluster among many."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from itertools import count
from multiprocessing.connection import Client, Connection
from pathlib import Path
from typing import Any

from cluster.compute.evaluator import BarSource, TimeSegment
from cluster.compute.executor import Call, Executor, Finished, Handle
from cluster.compute.shared import messages
from cluster.compute.shared.messages import Capacity, Ended, Failed, Loaded, Note, Reply, Request
from coinswarm import errors

PATIENCE_S = 60.0
"""How long a server may take to listen: one that died is started again meanwhile."""
_PAUSE_S = 0.1
_LOOK_EVERY_S = 1.0


class SharedExecutor(Executor):
    """Computes on the cluster that a server shares.

    Args:
        path: socket at which the server listens.
        tell: hears where is computed, and what keeps it waiting.
        patience_s: how long to wait for somebody to listen there.

    Raises:
        Unavailable: nobody does.
    """

    def __init__(self, path: Path, *, tell: Callable[[str], None] = lambda _: None, patience_s: float = PATIENCE_S) -> None:
        super().__init__()
        self._tell = tell
        self._connection = _connected(path, patience_s)
        self._numbers = count(1)
        self._calls: dict[int, Call] = {}
        self._finished: dict[Call, Finished] = {}
        self._loads: dict[int, Exception | None] = {}
        self._capacity = Capacity(workers=1, slots=2)

    @property
    def workers(self) -> int:
        """Processes that compute at present, for all clients."""
        return self._capacity.workers

    @property
    def slots(self) -> int:
        """Calls that keep all of them busy."""
        return self._capacity.slots

    def read(self, sources: Sequence[BarSource], segment: TimeSegment) -> Iterator[Handle]:
        """Have the server load bars, all at once."""
        numbers = [next(self._numbers) for _ in sources]
        for number, source in zip(numbers, sources, strict=True):
            self._send(messages.Load(number=number, packed=messages.pack_bars(source, segment)))
        for number in numbers:
            while number not in self._loads:
                self._receive(_LOOK_EVERY_S)
            if (problem := self._loads.pop(number)) is not None:
                raise problem
            yield Handle(number)

    def submit(self, call: Call) -> None:
        """Take a call on."""
        number = next(self._numbers)
        self._calls[number] = call
        packed = messages.pack(call.function, call.item)
        bars: tuple[Any, ...] = call.markets
        self._send(messages.Submit(number=number, name=call.name, packed=packed, bars=bars, limit_s=call.limit_s, attempts=call.attempts))

    def collect(self, calls: Collection[Call], timeout_s: float) -> Finished | None:
        """Wait for one of `calls` to finish."""
        deadline = time.monotonic() + timeout_s
        self._receive(0.0)
        while (finished := self._over(calls)) is None:
            left_s = deadline - time.monotonic()
            if left_s <= 0.0 or not self._calls:
                return None
            self._receive(min(left_s, _LOOK_EVERY_S))
        return finished

    def drop(self, calls: Collection[Call]) -> None:
        """Give up calls under way."""
        numbers = tuple(number for number, call in self._calls.items() if call in calls)
        for number in numbers:
            del self._calls[number]
        for call in calls:
            self._finished.pop(call, None)
        if numbers and not self._connection.closed:
            self._send(messages.Drop(numbers=numbers))

    def close(self) -> None:
        """Drop every call under way and let go of the bars; the connection stays open for a next use."""
        self.drop({*self._calls.values(), *self._finished})
        if not self._connection.closed:
            self._send(messages.Release())
        super().close()

    def disconnect(self) -> None:
        """Leave the server, which drops all that is under way."""
        self._connection.close()

    def _over(self, calls: Collection[Call]) -> Finished | None:
        """One of these calls that is over and not collected yet."""
        call = next((call for call in self._finished if call in calls), None)
        return None if call is None else self._finished.pop(call)

    def _send(self, request: Request) -> None:
        try:
            self._connection.send(request)
        except OSError as error:
            raise self._lost() from error

    def _receive(self, timeout_s: float) -> None:
        """Take note of what the server has said, and wait up to `timeout_s` for a first word."""
        try:
            while self._connection.poll(timeout_s):
                self._take(self._connection.recv())
                timeout_s = 0.0
        except (EOFError, OSError) as error:
            raise self._lost() from error

    def _lost(self) -> errors.ClusterLost:
        self._connection.close()
        return errors.ClusterLost("the process that shares the cluster of this service must run", found="it ended")

    def _take(self, reply: Reply) -> None:
        match reply:
            case Ended():
                self._enter(reply)
            case Loaded():
                self._loads[reply.number] = reply.error
            case Capacity():
                self._capacity = reply
            case Note():
                self._tell(reply.text)
            case Failed():
                self._connection.close()
                raise reply.error

    def _enter(self, answer: Ended) -> None:
        """Keep what became of a call; one that was dropped meanwhile is forgotten."""
        call = self._calls.pop(answer.number, None)
        if call is None:
            return
        value, error = messages.unpack(answer.packed) if answer.packed else (None, answer.error)
        self._finished[call] = Finished(call=call, answer=value, error=error, loss=answer.loss)


def _connected(path: Path, patience_s: float) -> Connection:
    deadline = time.monotonic() + patience_s
    while True:
        try:
            return Client(str(path), family="AF_UNIX")
        except OSError as error:
            if time.monotonic() >= deadline:
                hint = "the log of the driver service says why"
                raise errors.Unavailable(
                    "the process that shares the cluster of this service must listen", found=error.strerror or error, hint=hint
                ) from error
        time.sleep(_PAUSE_S)
