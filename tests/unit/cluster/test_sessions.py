"""A session ticks until it is over or told to end; what it brought is kept, and one whose process died goes on behind it."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from cluster.jobs.progress import Advance, Silent
from cluster.jobs.sessions import SessionRun
from coinswarm.ledger.memory import MemoryStore
from coinswarm.ledger.records import Job, Json
from tests import jobs_world
from tests.laws import ledger_world


class Counter:
    """A session that counts to `last`, one a tick."""

    rest_s = 0.01

    def __init__(self, last: int) -> None:
        self.last, self.number, self.closed = last, 0, 0

    def open(self, last: Json | None) -> None:
        self.number = 0 if last is None else int(last["number"])

    def tick(self) -> Iterable[Json]:
        self.number += 1
        yield {"number": self.number}

    def is_over(self) -> bool:
        return self.number >= self.last

    def close(self) -> Json:
        self.closed += 1
        return {"number": self.number}


class Killed(BaseException):
    pass


class Killer(Silent):
    """Kills the driver when so many events are stored."""

    def __init__(self, after: int) -> None:
        self.after = after

    def on_advance(self, advance: Advance) -> None:
        if advance.done == self.after:
            raise Killed


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


def submitted(store: MemoryStore) -> Job:
    return ledger_world.queued(store)


def numbers(store: MemoryStore, job: Job) -> list[int]:
    return [record.figures["number"] for record in store.generations(job.id)]


def test_a_session_ticks_to_its_own_end_and_is_closed(store: MemoryStore) -> None:
    job, session = submitted(store), Counter(4)
    ending = jobs_world.driven(store, job.id, SessionRun(store, job.id, session))
    assert (ending.status, ending.result["steps"], numbers(store, job), session.closed) == ("done", 4, [1, 2, 3, 4], 1)


def test_a_session_that_is_told_to_end_is_cancelled_with_what_it_brought(store: MemoryStore) -> None:
    job, session = submitted(store), Counter(10**9)
    ending = jobs_world.driven(store, job.id, SessionRun(store, job.id, session), stopped=lambda: session.number >= 3)
    assert (ending.status, numbers(store, job), session.closed) == ("cancelled", [1, 2, 3], 1)


def test_a_session_whose_process_died_goes_on_behind_what_it_stored(store: MemoryStore) -> None:
    job, first, second = submitted(store), Counter(5), Counter(5)
    with pytest.raises(Killed):
        jobs_world.driven(store, job.id, SessionRun(store, job.id, first), watcher=Killer(after=2))
    assert (store.job(job.id).status, first.closed) == ("queued", 1)
    ending = jobs_world.driven(store, job.id, SessionRun(store, job.id, second))
    assert (ending.status, numbers(store, job)) == ("done", [1, 2, 3, 4, 5])
