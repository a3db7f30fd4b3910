"""Processes that compute answers, beside the one that gives them: no request can hold up or bring down the server."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager
from typing import Any, TypeVar

from cluster.jobs.kind import PlanContext
from cluster.queries import answers
from coinswarm import errors

_T = TypeVar("_T")
_START_S = 600.0
_opened: list[tuple[AbstractContextManager[PlanContext], PlanContext]] = []
"""In a process of a pool: what it looks at, and what closes that."""

Opener = Callable[[], AbstractContextManager[PlanContext]]
"""Opens what the functions look at, in the process that calls them; found by its name there."""


class ProcessQueryPool:
    """Keeps `cluster.api.context.QueryPool` with a few processes that stay warm.

    Args:
        opener: opens what they may look at.
        processes: how many.
        limit_s: how long an answer may take; after that its processes are replaced.
        waiting: how many questions may wait for a process.
    """

    def __init__(self, opener: Opener, *, processes: int = 2, limit_s: float = 60.0, waiting: int = 256) -> None:
        self._opener, self._processes, self._limit_s, self._waiting = opener, processes, limit_s, waiting
        self._lock = threading.Lock()
        self._asked = 0
        self._pool = self._fresh()

    async def start(self) -> None:
        """See `QueryPool`."""
        await self._answer(_START_S, answers.ready, ())

    async def ask(self, function: Callable[..., _T], *values: Any) -> _T:
        """See `QueryPool`."""
        return await self._answer(self._limit_s, function, values)

    async def _answer(self, limit_s: float, function: Callable[..., _T], values: tuple[Any, ...]) -> _T:
        if self._asked >= self._waiting:
            raise errors.Unavailable("this server computes as many answers as it can", hint="ask again in a moment")
        pool = self._pool
        self._asked += 1
        try:
            answer = asyncio.wrap_future(_submitted(pool, function, values))
            try:
                if not (await asyncio.wait([answer], timeout=limit_s))[0]:
                    self._replace(pool)
                    raise errors.TimedOut(f"an answer must be computed within {limit_s:g} s", hint="ask for less")
                return answer.result()
            finally:
                answer.cancel()
        except BrokenProcessPool as error:
            self._replace(pool)
            raise errors.Unavailable("the process that computed this died", hint="ask again") from error
        finally:
            self._asked -= 1

    def close(self) -> None:
        """See `QueryPool`."""
        _end(self._pool)

    def _fresh(self) -> ProcessPoolExecutor:
        context = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(self._processes, mp_context=context, initializer=_begin, initargs=(self._opener, os.getpid()))

    def _replace(self, pool: ProcessPoolExecutor) -> None:
        with self._lock:
            if pool is self._pool:
                self._pool = self._fresh()
                threading.Thread(target=_end, args=(pool,), daemon=True).start()


def _submitted(pool: ProcessPoolExecutor, function: Callable[..., _T], values: tuple[Any, ...]) -> Future[_T]:
    try:
        return pool.submit(_call, function, values)
    except RuntimeError as error:  # it was shut down, or it is broken
        raise BrokenProcessPool(str(error)) from error


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
