"""Answers are computed in processes that live on, whatever an answer raises."""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from cluster.api.context import QueryClient
from cluster.api.pool import ProcessQueryPool
from cluster.queries import answers
from coinswarm import errors

ME = QueryClient(token="me")


@contextmanager
def nothing() -> Iterator[Any]:
    """What the answers of these tests look at."""
    yield None


def process(_context: Any) -> int:
    return os.getpid()


def failing(_context: Any, kind: str) -> None:
    raise {"RuntimeError": RuntimeError, "TimeoutError": TimeoutError, "RecursionError": RecursionError}[kind]("in the answer")


def sleeping(_context: Any, seconds: float = 600.0) -> int:
    time.sleep(seconds)
    return os.getpid()


_kept: list[bytes] = []


def growing(_context: Any) -> int:
    _kept.append(b"1" * 400_000_000)
    return os.getpid()


def dying(_context: Any) -> None:
    os._exit(3)


@pytest.fixture
def pool() -> Iterator[ProcessQueryPool]:
    made = ProcessQueryPool(nothing, processes=1, limit_s=30.0)
    yield made
    made.close()


@pytest.mark.parametrize("kind", ["RuntimeError", "TimeoutError", "RecursionError"])
def test_what_an_answer_raises_is_raised_and_kills_no_process(pool: ProcessQueryPool, kind: str) -> None:
    async def asked() -> tuple[int, int]:
        before = await pool.ask(ME, process)
        with pytest.raises((RuntimeError, TimeoutError), match="in the answer"):
            await pool.ask(ME, failing, kind)
        return before, await pool.ask(ME, process)

    before, after = asyncio.run(asked())
    assert before == after


def test_a_process_that_dies_is_replaced(pool: ProcessQueryPool) -> None:
    async def asked() -> int:
        with pytest.raises(errors.Unavailable, match="died"):
            await pool.ask(ME, dying)
        return await pool.ask(ME, process)

    assert asyncio.run(asked())


def test_an_answer_that_takes_too_long_is_given_up() -> None:
    made = ProcessQueryPool(nothing, processes=1, limit_s=0.5)

    async def asked() -> None:
        with pytest.raises(errors.TimedOut, match=r"within 0\.5 s"):
            await made.ask(ME, sleeping)

    asyncio.run(asked())
    made.close()


def test_a_process_that_hangs_is_replaced_alone() -> None:
    others = {child.pid for child in multiprocessing.active_children()}
    made = ProcessQueryPool(nothing, processes=2, limit_s=5.0)

    async def asked() -> tuple[set[int | None], set[int | None]]:
        await made.start()
        before = {child.pid for child in multiprocessing.active_children()} - others
        with pytest.raises(errors.TimedOut):
            await made.ask(ME, sleeping)
        while len(after := {child.pid for child in multiprocessing.active_children()} - others) != 2 or after == before:
            await asyncio.sleep(0.05)
        return before, after

    before, after = asyncio.run(asked())
    made.close()
    assert len(before & after) == 1


def test_a_process_that_has_grown_is_replaced_and_its_answers_are_given() -> None:
    made = ProcessQueryPool(nothing, processes=1, limit_s=30.0, most_bytes=400_000_000)

    async def asked() -> list[int]:
        return [await made.ask(ME, question) for question in (process, process, growing, process, process)]

    first, second, grown, renewed, last = asyncio.run(asked())
    made.close()
    assert first == second == grown
    assert renewed == last != first


def test_the_wait_for_a_process_does_not_count_as_computing() -> None:
    made = ProcessQueryPool(nothing, processes=1, limit_s=5.0)

    async def asked() -> list[int]:
        await made.start()
        return await asyncio.gather(*(made.ask(ME, sleeping, 1.0) for _ in range(7)))

    assert len(asyncio.run(asked())) == 7
    made.close()


def test_tokens_are_answered_in_turn_and_each_has_its_share_of_the_wait() -> None:
    made = ProcessQueryPool(nothing, processes=1, share=20)
    order: list[str] = []

    async def ask(token: str) -> None:
        await made.ask(QueryClient(token=token), sleeping, 0.05)
        order.append(token)

    async def asked() -> None:
        await made.start()
        greedy = [asyncio.create_task(ask("greedy")) for _ in range(21)]
        await asyncio.sleep(0)
        with pytest.raises(errors.LimitReached, match="20 answers"):
            await made.ask(QueryClient(token="greedy"), process)
        await ask("modest")
        await asyncio.gather(*greedy)

    asyncio.run(asked())
    made.close()
    assert order.index("modest") <= 2
    assert len(order) == 22


def test_what_is_short_does_not_wait_for_reports() -> None:
    made = ProcessQueryPool(nothing, processes=2)
    waits: list[float] = []

    async def asked() -> None:
        await made.start()
        with contextlib.suppress(errors.BadPlay):
            await made.ask(ME, answers.check_play, "name: loads what it needs")
        reports = [asyncio.create_task(made.ask(QueryClient(token="greedy"), sleeping, 600.0)) for _ in range(60)]
        for _ in range(50):
            began = time.perf_counter()
            with pytest.raises(errors.BadPlay):
                await made.ask(ME, answers.check_play, "name: a play without anything")
            waits.append(time.perf_counter() - began)
        for report in reports:
            report.cancel()
        await asyncio.gather(*reports, return_exceptions=True)

    asyncio.run(asked())
    made.close()
    assert max(waits) < 1


def test_nothing_is_computed_for_a_client_that_hung_up() -> None:
    made = ProcessQueryPool(nothing, processes=1, spared_s=0.2)

    async def asked() -> tuple[int, int, int]:
        first = await made.ask(ME, process)
        gone = asyncio.Event()
        leaving = QueryClient(token="leaving", hung_up=gone.wait)
        running = asyncio.create_task(made.ask(ME, sleeping, 1.0))
        waiting = asyncio.create_task(made.ask(leaving, sleeping))
        await asyncio.sleep(0.1)
        gone.set()
        with pytest.raises(errors.Cancelled, match="hung up"):
            await waiting
        second = await running
        with pytest.raises(errors.Cancelled, match="hung up"):
            await made.ask(leaving, sleeping)
        return first, second, await made.ask(ME, process)

    first, second, third = asyncio.run(asked())
    made.close()
    assert first == second != third
