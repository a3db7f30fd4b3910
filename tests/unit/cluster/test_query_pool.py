"""Answers are computed in processes that live on, whatever an answer raises."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from cluster.api.pool import ProcessQueryPool
from coinswarm import errors


@contextmanager
def nothing() -> Iterator[Any]:
    """What the answers of these tests look at."""
    yield None


def process(_context: Any) -> int:
    return os.getpid()


def failing(_context: Any, kind: str) -> None:
    raise {"RuntimeError": RuntimeError, "TimeoutError": TimeoutError, "RecursionError": RecursionError}[kind]("in the answer")


def sleeping(_context: Any) -> None:
    time.sleep(600)


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
        before = await pool.ask(process)
        with pytest.raises((RuntimeError, TimeoutError), match="in the answer"):
            await pool.ask(failing, kind)
        return before, await pool.ask(process)

    before, after = asyncio.run(asked())
    assert before == after


def test_a_process_that_dies_is_replaced(pool: ProcessQueryPool) -> None:
    async def asked() -> int:
        with pytest.raises(errors.Unavailable, match="died"):
            await pool.ask(dying)
        return await pool.ask(process)

    assert asyncio.run(asked())


def test_an_answer_that_takes_too_long_is_given_up() -> None:
    made = ProcessQueryPool(nothing, processes=1, limit_s=0.5)

    async def asked() -> None:
        with pytest.raises(errors.TimedOut, match=r"within 0\.5 s"):
            await made.ask(sleeping)

    asyncio.run(asked())
    made.close()
