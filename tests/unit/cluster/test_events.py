"""Following a job: every stream comes to its end, whatever the reader meets."""

from __future__ import annotations

import asyncio
import dataclasses
from typing import Any

import pytest

from cluster.api import events
from cluster.api.context import ApiContext
from coinswarm import errors
from coinswarm.ledger.asking import INQUIRY, Inquiry
from coinswarm.ledger.memory import MemoryStore
from coinswarm.ledger.quotas import Quota
from coinswarm.ledger.records import Job
from tests.laws import ledger_world as world


class Commits:
    """The part of `Browse` that events read; raises what it is given, once each."""

    def __init__(self, *problems: Exception) -> None:
        self._problems = list(problems)

    def commits(self, _job: str, **_limits: int) -> tuple[Any, ...]:
        if self._problems:
            raise self._problems.pop(0)
        return ()


def followed(*problems: Exception, ended: bool = True) -> str:
    """All that a follower of a job gets, whose reader meets these problems."""
    store = MemoryStore()
    job, lease = world.running(store)
    if ended:
        store.finish(lease, "done", result={}, result_hash="ab")
    return asyncio.run(asyncio.wait_for(_read(context(store, *problems), job), 30))


def context(store: MemoryStore, *problems: Exception) -> ApiContext:
    rest: dict[str, Any] = dict.fromkeys(("queue", "access", "library", "campaigns", "pool"))
    return ApiContext(store=store, quotas=store.quotas, browse=Commits(*problems), event_poll_s=0.001, **rest)  # type: ignore[arg-type]


async def _read(here: ApiContext, job: Job) -> str:
    return "".join([text async for text in events._stream(events.Hub(here), job.id, "token", 0)])


def test_a_job_that_has_ended_is_told_with_its_end() -> None:
    assert [line for line in followed().splitlines() if line.startswith("event:")] == ["event: job", "event: end"]


def test_a_database_that_is_away_is_waited_for() -> None:
    assert followed(errors.Unavailable("away"), errors.Unavailable("away")).count("event: end") == 1


@pytest.mark.parametrize("problem", [ValueError("Out of range float values are not JSON compliant"), errors.NotFound("it was removed")])
def test_a_reader_that_fails_ends_its_streams(problem: Exception) -> None:
    assert followed(problem, ended=False) == "retry: 2000\n\n"


class Witness(events.Channel):
    """A channel that notes which events it has at the moment that it ends: who looks then must miss none."""

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if name == "ended" and value:
            super().__setattr__("at_the_end", [event.name for event in self.events])


def test_a_channel_ends_with_all_of_its_events_in_it() -> None:
    store = MemoryStore()
    job, lease = world.running(store)
    store.finish(lease, "done", result={}, result_hash="ab")
    hub, channel = events.Hub(context(store)), Witness(job=job.id)
    asyncio.run(asyncio.wait_for(hub._read(channel), 30))
    assert channel.at_the_end == ["job", "end"]


def test_the_first_follower_leaves_and_the_others_are_read_for_as_before() -> None:
    inquiries: list[Inquiry | None] = []

    class Noting(Commits):
        def commits(self, job: str, **limits: int) -> tuple[Any, ...]:
            inquiries.append(INQUIRY.get())
            return super().commits(job, **limits)

    store = MemoryStore()
    job, lease = world.running(store)
    store.finish(lease, "done", result={})
    here = dataclasses.replace(context(store), browse=Noting())

    async def follow() -> str:
        INQUIRY.set(Inquiry())
        return await _read(here, job)

    assert "event: end" in asyncio.run(asyncio.wait_for(follow(), 30))
    assert set(inquiries) == {None}


def test_a_token_follows_no_more_jobs_than_its_quota_says_and_another_is_not_held_up() -> None:
    store = MemoryStore()
    job, _ = world.running(store)
    store.quotas.set_quota("token", "bounded", Quota(streams=1), by="admin")
    hub = events.Hub(context(store))

    async def follow() -> None:
        async with hub.following(job.id, "bounded"):
            with pytest.raises(errors.LimitReached, match="a token may follow 1 jobs at once"):
                await hub.following(job.id, "bounded").__aenter__()
            async with hub.following(job.id, "other"):
                assert hub.watchers == 2
        async with hub.following(job.id, "bounded"):
            assert hub.watchers == 1

    asyncio.run(asyncio.wait_for(follow(), 30))
