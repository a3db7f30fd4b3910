"""A cancel that was acknowledged holds through every order of what drivers, services, users and the clock may do."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import hypothesis.strategies as st
import psycopg
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule, run_state_machine_as_test

from cluster.store.database import Database
from cluster.store.postgres import PostgresStore
from cluster.store.queue import PostgresQueue
from coinswarm import errors
from coinswarm.ledger.memory import MemoryAccess, MemoryQueue, MemoryStore
from coinswarm.ledger.queue import Queue, Submission
from coinswarm.ledger.records import Job, Lease
from coinswarm.ledger.store import Store
from tests.laws import ledger_world as world
from tests.laws.ledger_world import fresh

LEASE_S = 30.0
SERVICES, ENDINGS = ("service a", "service b"), ("done", "failed", "cancelled")
NAMES = st.sampled_from(SERVICES)


@dataclass(kw_only=True)
class Clock:
    """Time that passes when it is told to."""

    now: datetime = datetime(2024, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


@dataclass(kw_only=True)
class Place:
    """A store with its line, empty, and how time passes there: on a clock, or by leases that are moved into the past."""

    store: Store
    queue: Queue
    clock: Clock = field(default_factory=Clock)
    url: str = ""

    def emptied(self) -> Place:
        """The same without any job."""
        if not self.url:
            return memory_place()
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute("TRUNCATE queue, jobs, generations, checkpoints")
        return self

    def passes(self, seconds: float) -> None:
        """Let time pass."""
        self.clock.now += timedelta(seconds=seconds)
        if self.url:
            with psycopg.connect(self.url, autocommit=True) as connection:
                moved = "make_interval(secs => %s)"
                connection.execute(f"UPDATE jobs SET lease_expires = lease_expires - {moved}", [seconds])
                connection.execute(f"UPDATE queue SET not_before = not_before - {moved}", [seconds])


class CancelHolds(RuleBasedStateMachine):
    """One job, two services with a hand each, drivers that live and die, and users who cancel and resume in between.

    The model is one word: whether the newest thing that a user was told is that the job is cancelled.
    """

    place: ClassVar[Place]

    @initialize()
    def submit(self) -> None:
        self.place = self.place.emptied()  # type: ignore[misc]
        self.job = submitted(self.place)
        self.told_cancelled = False
        self.leases: list[Lease] = []
        self.commits = 0

    # --- what users do

    @rule()
    def cancel(self) -> None:
        before = self.place.store.status(self.job)
        told = self.place.queue.cancel(self.job, by="user")
        assert told == (before if before in ENDINGS else "cancelled")
        self.told_cancelled = told == "cancelled"

    @rule(again=st.booleans())
    def resume(self, again: bool) -> None:
        with suppress(errors.Conflict):
            if again:
                self.place.queue.again(self.job, by="user")
            else:
                self.place.store.resume(self.job)
            self.told_cancelled = False

    # --- what services do

    @rule(service=NAMES)
    def take(self, service: str) -> None:
        taken = self.place.queue.take(fresh(service), lease_s=LEASE_S)
        assert taken is None or not self.told_cancelled
        if taken is not None:
            self.leases.append(taken[1])

    @precondition(lambda self: self.leases)
    @rule(draw=st.data(), delay_s=st.sampled_from([0.0, 4.0]))
    def leave_to_retry(self, draw: st.DataObject, delay_s: float) -> None:
        self.place.queue.leave(draw.draw(st.sampled_from(self.leases[-2:])), delay_s=delay_s)

    @precondition(lambda self: self.leases)
    @rule(draw=st.data())
    def lend(self, draw: st.DataObject) -> None:
        """A process of the service claims the job under the name of the service."""
        with suppress(errors.Conflict, errors.Cancelled):
            self.place.store.claim(self.job, draw.draw(st.sampled_from(self.leases[-2:])).owner, lease_s=LEASE_S)
            assert not self.told_cancelled

    @rule(service=NAMES)
    def fail_for_good(self, service: str) -> None:
        with suppress(errors.Conflict, errors.Cancelled):
            self.place.store.finish(self.place.store.claim(self.job, service), "failed", error="gave up")

    # --- what drivers do, those of services and those that a user started

    @rule(service=NAMES)
    def claim(self, service: str) -> None:
        try:
            self.leases.append(self.place.store.claim(self.job, fresh(service), lease_s=LEASE_S))
        except (errors.Conflict, errors.Cancelled):
            return
        assert not self.told_cancelled

    @precondition(lambda self: self.leases)
    @rule(draw=st.data())
    def heartbeat(self, draw: st.DataObject) -> None:
        with suppress(errors.Conflict):
            held = self.place.store.heartbeat(draw.draw(st.sampled_from(self.leases[-2:])), lease_s=LEASE_S)
            assert held.cancel_requested == self.told_cancelled

    @precondition(lambda self: self.leases)
    @rule(draw=st.data())
    def commit(self, draw: st.DataObject) -> None:
        lease, record = draw.draw(st.sampled_from(self.leases[-2:])), world.generation(self.place.store.job(self.job), self.commits)
        with suppress(errors.Conflict):
            self.commits += self.place.store.commit_generation(lease, [record])

    @precondition(lambda self: self.leases)
    @rule(draw=st.data())
    def release(self, draw: st.DataObject) -> None:
        self.place.store.release(draw.draw(st.sampled_from(self.leases[-2:])))

    @precondition(lambda self: self.leases)
    @rule(draw=st.data(), ending=st.sampled_from(ENDINGS))
    def finish(self, draw: st.DataObject, ending: Any) -> None:
        with suppress(errors.Conflict, errors.Cancelled):
            self.place.store.finish(draw.draw(st.sampled_from(self.leases[-2:])), ending)
            assert ending == "cancelled" or not self.told_cancelled
            self.told_cancelled = self.told_cancelled or ending == "cancelled"

    @precondition(lambda self: self.leases)
    @rule(draw=st.data())
    def die(self, draw: st.DataObject) -> None:
        self.leases.remove(draw.draw(st.sampled_from(self.leases[-2:])))

    @rule(seconds=st.sampled_from([1.0, LEASE_S / 2, LEASE_S + 1.0]))
    def time_passes(self, seconds: float) -> None:
        self.place.passes(seconds)

    # --- the law

    @invariant()
    def a_cancelled_job_is_cancelled(self) -> None:
        job = self.place.store.job(self.job)
        assert job.status == self.place.store.status(self.job)
        assert (job.status == "cancelled") == self.told_cancelled


def submitted(place: Place) -> str:
    bars = world.data_set()
    job = Job(
        id=fresh("evolve"), kind="evolve", campaign="cancel", plays=(), data_hashes=(bars.content_hash,), data_hash="d", config={},
        config_hash="c", code_version="1", seed=1, synthetic=True, created=world.CREATED,
    )  # fmt: skip
    return place.queue.submit(Submission(job=job, data_sets=(bars,)))


@contextmanager
def database(url: str) -> Iterator[str]:
    """A database of its own, for a service takes whatever stands in the line."""
    name = fresh("cancel").replace("-", "_")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        yield url.rsplit("/", 1)[0] + f"/{name}"
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="module")
def postgres_place(database_url: str) -> Iterator[Place]:
    with database(database_url) as url, Database(url) as opened:
        yield Place(store=PostgresStore(opened), queue=PostgresQueue(opened), url=url)


def memory_place() -> Place:
    clock = Clock()
    store = MemoryStore(clock)
    return Place(store=store, queue=MemoryQueue(store, MemoryAccess(), clock), clock=clock)


def held_over(place: Place, examples: int) -> None:
    """Try the law over so many random orders of events."""
    machine = type("CancelHoldsHere", (CancelHolds,), {"place": place})
    checked = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]
    run_state_machine_as_test(
        machine, settings=settings(max_examples=examples, stateful_step_count=40, deadline=None, suppress_health_check=checked)
    )


def test_no_order_of_events_loses_a_cancel_in_memory() -> None:
    held_over(memory_place(), examples=200)


def test_no_order_of_events_loses_a_cancel_in_postgresql(postgres_place: Place) -> None:
    held_over(postgres_place, examples=15)


@pytest.mark.slow
def test_no_order_of_five_hundred_loses_a_cancel_in_postgresql(postgres_place: Place) -> None:
    held_over(postgres_place, examples=500)


@pytest.mark.parametrize("kind", ["memory", "postgres"])
def test_a_cancel_amid_services_that_race_for_a_job_is_kept(kind: str, request: pytest.FixtureRequest) -> None:
    """Really at the same time: four services take, claim, release and retry while a user cancels at a random moment."""
    place = memory_place() if kind == "memory" else request.getfixturevalue("postgres_place")
    for seed in range(25):
        job, told, stopped = submitted(place), threading.Event(), threading.Event()
        threads = [threading.Thread(target=service_in, args=(place, job, f"{name}{seed}", stopped)) for name in "abcd"]
        for thread in threads:
            thread.start()
        stopped.wait(random.Random(seed).uniform(0.0, 0.05))
        answer = place.queue.cancel(job, by="user")
        told.set()
        stopped.wait(0.02)
        stopped.set()
        for thread in threads:
            thread.join()
        assert answer == place.store.status(job) == "cancelled"


def service_in(place: Place, job: str, name: str, stopped: threading.Event) -> None:
    """Take the job, claim it, beat, and give it back, again and again; one that is never done."""
    while not stopped.is_set():
        with suppress(errors.CoinswarmError):
            taken = place.queue.take(fresh(name), lease_s=LEASE_S)
            if taken is not None and taken[0].job == job:
                place.store.heartbeat(place.store.claim(job, taken[1].owner, lease_s=LEASE_S))
            if taken is not None:
                place.queue.leave(taken[1])
