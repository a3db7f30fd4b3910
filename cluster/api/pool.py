"""Processes that compute answers, beside the one that gives them: no request can hold up or bring down the server.

Tokens use them in turn, so that one that asks for hundreds of reports delays another by one answer. What may take long, such as a report,
leaves one process to what is short: plans and checks. A process that hangs, dies or has grown large is replaced alone.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

import psutil

from cluster.api.context import QueryClient
from cluster.jobs.kind import PlanContext
from cluster.queries import answers
from coinswarm import errors

_T = TypeVar("_T")
MOST_BYTES = 700_000_000
_START_S = 600.0
SHORT: frozenset[Callable[..., Any]] = frozenset((answers.plan, answers.check_play, answers.play_sizes, answers.data_sets, answers.ready))
"""What people wait for while they work; everything else may take long."""
_opened: list[tuple[AbstractContextManager[PlanContext], PlanContext]] = []
"""In a process of a pool: what it looks at, and what closes that."""

Opener = Callable[[], AbstractContextManager[PlanContext]]
"""Opens what the functions look at, in the process that calls them; found by its name there."""


@dataclass(eq=False, kw_only=True, slots=True)
class _Turn:
    """A question that waits for a process; `process` becomes the number of one."""

    token: str
    short: bool
    process: asyncio.Future[int] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class ProcessQueryPool:
    """Keeps `cluster.api.context.QueryPool` with a few processes that stay warm.

    Args:
        opener: opens what they may look at.
        processes: how many.
        limit_s: how long an answer may be computed; after that its process is replaced.
        waiting: how many questions may wait for a process.
        share: how many of them of one token.
        spared_s: how long a process computes on for a client that hung up: to replace it would take about as long.
        most_bytes: memory above which a process is replaced once it has answered.
    """

    def __init__(
        self, opener: Opener, *, processes: int = 2, limit_s: float = 60.0, waiting: int = 1024, share: int = 64, spared_s: float = 5.0,
        most_bytes: int = MOST_BYTES,
    ) -> None:  # fmt: skip
        self._opener, self._limit_s, self._waiting, self._share, self._spared_s = opener, limit_s, waiting, share, spared_s
        self._most_bytes = most_bytes
        self._executors = [self._fresh() for _ in range(processes)]
        self._free = list(range(processes))
        self._turns: dict[str, deque[_Turn]] = {}
        """What waits, by token; the token that is first is the next."""
        self._long = 0
        self._renewing: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """See `QueryPool`."""
        await asyncio.gather(
            *(self._computed(number, _START_S, QueryClient(), answers.ready, ()) for number in range(len(self._executors)))
        )

    async def ask(self, client: QueryClient, function: Callable[..., _T], *values: Any) -> _T:
        """See `QueryPool`."""
        self._refuse_more(client.token)
        turn = _Turn(token=client.token, short=function in SHORT)
        self._turns.setdefault(turn.token, deque()).append(turn)
        self._hand_out()
        try:
            number = await _before_hang_up(turn.process, client)
            return await self._computed(number, self._limit_s, client, function, values)
        finally:
            self._leave(turn)

    def close(self) -> None:
        """See `QueryPool`."""
        for executor in self._executors:
            _end(executor)

    def _refuse_more(self, token: str) -> None:
        if len(self._turns.get(token, ())) >= self._share:
            raise errors.LimitReached(f"a token may have {self._share} answers waiting to be computed", hint="ask again in a moment")
        if sum(map(len, self._turns.values())) >= self._waiting:
            raise errors.Unavailable("this server computes as many answers as it can", hint="ask again in a moment")

    def _hand_out(self) -> None:
        """Give processes that are free to questions that wait."""
        while self._free and (turn := self._next()) is not None:
            self._long += not turn.short
            turn.process.set_result(self._free.pop())

    def _next(self) -> _Turn | None:
        """The oldest question of the first token that has one which may begin; the token goes to the end."""
        room = self._long < max(len(self._executors) - 1, 1)
        for token, turns in self._turns.items():
            turn = next((turn for turn in turns if turn.short or room), None)
            if turn is not None:
                self._drop(turn)
                if token in self._turns:
                    self._turns[token] = self._turns.pop(token)
                return turn
        return None

    def _leave(self, turn: _Turn) -> None:
        """Give the process of a question back, or let the question wait no more."""
        if turn.process.done() and not turn.process.cancelled():
            self._long -= not turn.short
            self._give_back(turn.process.result())
        else:
            self._drop(turn)
        self._hand_out()

    def _give_back(self, number: int) -> None:
        """A process is free; one that has grown large is replaced first, by one that has opened what it looks at."""
        if _resident(self._executors[number]) <= self._most_bytes:
            self._free.append(number)
            return
        task = asyncio.create_task(self._renew(number))
        self._renewing.add(task)
        task.add_done_callback(self._renewing.discard)

    async def _renew(self, number: int) -> None:
        self._replace(number)
        try:
            await self._computed(number, _START_S, QueryClient(), answers.ready, ())
        finally:
            self._free.append(number)
            self._hand_out()

    def _drop(self, turn: _Turn) -> None:
        self._turns[turn.token].remove(turn)
        if not self._turns[turn.token]:
            del self._turns[turn.token]

    async def _computed(self, number: int, limit_s: float, client: QueryClient, function: Callable[..., _T], values: tuple[Any, ...]) -> _T:
        executor = self._executors[number]
        try:
            answer = asyncio.wrap_future(_submitted(executor, function, values))
            try:
                return await _before_hang_up(answer, client, limit_s=limit_s, spared_s=self._spared_s)
            except BaseException:
                if not answer.done():
                    self._replace(number)
                raise
            finally:
                answer.cancel()
        except BrokenProcessPool as error:
            self._replace(number)
            raise errors.Unavailable("the process that computed this died", hint="ask again") from error

    def _fresh(self) -> ProcessPoolExecutor:
        context = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(1, mp_context=context, initializer=_begin, initargs=(self._opener, os.getpid()))

    def _replace(self, number: int) -> None:
        """Begin a new process in the place of one; it opens what it looks at before it is asked."""
        before, self._executors[number] = self._executors[number], self._fresh()
        self._executors[number].submit(os.getpid)
        threading.Thread(target=_end, args=(before,), daemon=True).start()


async def _before_hang_up(answer: asyncio.Future[_T], client: QueryClient, *, limit_s: float | None = None, spared_s: float = 0.0) -> _T:
    """What a future becomes, unless the client hangs up; then it has `spared_s` more seconds.

    Raises:
        TimedOut: it took longer than `limit_s`. Cancelled: the client hung up.
    """
    hung_up = asyncio.ensure_future(client.hung_up())
    either: set[asyncio.Future[Any]] = {answer, hung_up}
    try:
        await asyncio.wait(either, timeout=limit_s, return_when=asyncio.FIRST_COMPLETED)
        if hung_up.done() and spared_s:
            await asyncio.wait({answer}, timeout=spared_s)
        if answer.done():
            return answer.result()
        if hung_up.done():
            hung_up.result()
            raise errors.Cancelled("the client hung up before there was an answer")
    finally:
        hung_up.cancel()
    raise errors.TimedOut(f"an answer must be computed within {limit_s:g} s", hint="ask for less")


def _submitted(pool: ProcessPoolExecutor, function: Callable[..., _T], values: tuple[Any, ...]) -> Future[_T]:
    try:
        return pool.submit(_call, function, values)
    except RuntimeError as error:  # it was shut down, or it is broken
        raise BrokenProcessPool(str(error)) from error


def _resident(pool: ProcessPoolExecutor) -> int:
    """Bytes that the process of a pool has in memory."""
    size = 0
    for pid in list(pool._processes or ()):  # noqa: SLF001 - there is no public way to know it
        with suppress(psutil.Error):
            size += psutil.Process(pid).memory_info().rss
    return size


def _end(pool: ProcessPoolExecutor) -> None:
    for process in list((pool._processes or {}).values()):  # noqa: SLF001 - there is no public way to end one that hangs
        process.kill()
    pool.shutdown(wait=True, cancel_futures=True)


def _begin(opener: Opener, parent: int) -> None:
    """Open what is looked at, once a process; Ctrl-C is for the parent, and without it there is nothing to do."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_follow, args=(parent,), daemon=True).start()
    opened = opener()
    _opened.append((opened, opened.__enter__()))


def _follow(parent: int) -> None:
    pause = threading.Event()
    while os.getppid() == parent:
        pause.wait(1.0)
    os._exit(1)


def _call(function: Callable[..., Any], values: tuple[Any, ...]) -> Any:
    return function(_opened[0][1], *values)
