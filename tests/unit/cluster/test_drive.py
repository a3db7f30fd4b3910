"""The run of a job under its lease: what becomes of the job when the run raises."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import pytest

from cluster.jobs.kind import Drive, RunOutcome
from cluster.jobs.progress import Advance, SearchProgress
from cluster.run import drive
from coinswarm import errors
from coinswarm.ledger.memory import MemoryStore
from coinswarm.ledger.records import Job
from tests.laws import ledger_world as world


@dataclass(kw_only=True)
class Failing:
    """Work that raises, after `meanwhile`."""

    problem: Exception
    store: MemoryStore | None = None
    workers: int = 1

    def run(self, drive: Drive) -> RunOutcome:
        if self.store is not None:
            self.store.release(drive.lease)
            self.store.claim(drive.lease.job, "another driver")
        raise self.problem


@dataclass(kw_only=True)
class Notes:
    """A watcher who keeps what is noted."""

    notes: list[str] = field(default_factory=list)

    def on_progress(self, progress: SearchProgress) -> None:
        """Not kept."""

    def on_advance(self, advance: Advance) -> None:
        """Not kept."""

    def on_note(self, text: str) -> None:
        self.notes.append(text)


def after(problem: Exception, *, lost: bool = False, lent: bool = False) -> tuple[Job, list[str]]:
    """A job whose run raised, and what was noted."""
    store, notes = MemoryStore(), Notes()
    job, lease = world.running(store)
    with pytest.raises(type(problem)):
        drive.drive(store, lease, Failing(problem=problem, store=store if lost else None), watcher=notes, lent=lent)
    return store.job(job.id), notes.notes


def test_a_conflict_of_the_work_gives_the_job_back() -> None:
    job, notes = after(errors.Conflict("the bars are in use"))
    assert (job.status, job.lease_owner) == ("queued", "")
    assert "is given back" in notes[0]


def test_a_conflict_under_a_lost_lease_leaves_the_job_to_who_has_it() -> None:
    job, notes = after(errors.Conflict("another driver has it"), lost=True)
    assert (job.status, job.lease_owner, notes) == ("running", "another driver", [])


def test_whatever_is_raised_under_a_lost_lease_leaves_the_job_to_who_has_it() -> None:
    job, notes = after(errors.Refused("no"), lost=True)
    assert (job.status, job.lease_owner, notes) == ("running", "another driver", [])


def test_a_lent_lease_stays_with_who_lent_it() -> None:
    job, notes = after(errors.Conflict("the bars are in use"), lent=True)
    assert (job.status, notes) == ("running", [])


def test_a_job_that_cannot_succeed_has_failed() -> None:
    job, _ = after(errors.Refused("no"))
    assert (job.status, job.error) == ("failed", "no.")


@dataclass(kw_only=True)
class Endless:
    """Work that goes on until it is halted."""

    def run(self, drive: Drive) -> RunOutcome:
        while not drive.halted():
            time.sleep(0.01)
        raise AssertionError


def test_a_job_past_its_limit_of_time_fails_by_its_name() -> None:
    store = MemoryStore()
    job = world.queued(store, config={"run_s": 0.1})
    lease = store.claim(job.id, "driver")
    with pytest.raises(errors.LimitReached, match=r"0\.1 s"):
        drive.drive(store, lease, Endless())
    assert (store.job(job.id).status, "0.1 s" in store.job(job.id).error) == ("failed", True)
