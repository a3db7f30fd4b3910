"""The driver service with a store, a queue and workers in memory: what it does with the ending of a job."""

from __future__ import annotations

import queue as inboxes
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace

import pytest

from cluster.run import owners, terminate
from cluster.run.service import WARM_WORKERS, Ending, JobEnding, Service, is_small
from coinswarm import errors
from coinswarm.ledger.memory import MemoryAccess, MemoryQueue, MemoryStore
from coinswarm.ledger.queue import Submission
from coinswarm.ledger.records import FINAL_STATUSES, Job, JobStatus, Json, Lease
from tests.jobs_world import NoCluster
from tests.laws import ledger_world as world

TURNS = 200


class Flaky(MemoryStore):
    """A store that is away the first times that a job is to end."""

    def __init__(self, problem: errors.CoinswarmError, times: int) -> None:
        super().__init__()
        self._problem, self._left = problem, times

    def finish(self, lease: Lease, status: JobStatus, *, result: Json | None = None, result_hash: str = "", error: str = "") -> None:
        self._left -= 1
        if self._left >= 0:
            raise self._problem
        super().finish(lease, status, result=result, result_hash=result_hash, error=error)


class Answering:
    """A worker whose jobs all end alike, at once."""

    pid = 0

    def __init__(self, inbox: inboxes.Queue[JobEnding], ending: Ending, error: str, number: int = 1) -> None:
        self._inbox, self._ending, self._error, self._number = inbox, ending, error, number
        self.leases_s: list[float] = []

    def start(self, lease: Lease, lease_s: float, address: str) -> None:
        self.leases_s.append(lease_s)
        self._inbox.put(JobEnding(worker=self._number, job=lease.job, ending=self._ending, error=self._error))

    def warm(self) -> None:
        """It is."""

    def is_spent(self) -> bool:
        return False

    def stop(self) -> None:
        """It ends."""


def fetching() -> Job:
    """A job that is too small for a cluster."""
    return replace(world.queued(MemoryStore()), kind="fetch", plays=(), data_hashes=())


def served(
    store: MemoryStore, *, ending: Ending = "refused", error: str = "it cannot be done", lease_s: float = 30.0
) -> tuple[Job, Answering]:
    """A job once a service has settled it, and the worker that ran it."""
    job = fetching()
    queue = MemoryQueue(store, MemoryAccess())
    queue.submit(Submission(job=job))
    workers: list[Answering] = []
    turns = iter(range(TURNS))

    def spawn(_number: int, inbox: inboxes.Queue[JobEnding]) -> Answering:
        workers.append(Answering(inbox, ending, error))
        return workers[0]

    def stopped() -> bool:
        return store.status(job.id) in FINAL_STATUSES or next(turns, TURNS) == TURNS

    Service(store, queue, spawn=spawn, slots=1, cluster=NoCluster(), stopped=stopped, lease_s=lease_s, poll_s=0.001).run()
    return store.job(job.id), workers[0]


@pytest.fixture
def other() -> Iterator[subprocess.Popen[bytes]]:
    """A process that waits."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process
        process.kill()


def test_a_job_that_cannot_be_done_fails_with_the_reason() -> None:
    job, _ = served(MemoryStore())
    assert (job.status, job.error) == ("failed", "it cannot be done")


def test_workers_wait_for_jobs_one_by_one_and_no_more_than_can_be_used() -> None:
    store = MemoryStore()
    done = inboxes.Queue[JobEnding]()
    for slots, spare in ((1, 1), (3, 3), (100, WARM_WORKERS)):
        spawned, turns = list[int](), iter(range(TURNS))

        def spawn(number: int, _inbox: object, spawned: list[int] = spawned) -> Answering:
            spawned.append(number)
            return Answering(done, "ended", "")

        def stopped(turns: Iterator[int] = turns) -> bool:
            return next(turns, TURNS) == TURNS

        queue = MemoryQueue(store, MemoryAccess())
        Service(
            store, queue, spawn=spawn, slots=slots, cluster=NoCluster(), stopped=stopped, poll_s=0.001, warm=True, warm_apart_s=0.0
        ).run()  # fmt: skip
        assert spawned == list(range(1, spare + 1))


@pytest.mark.parametrize("problem", [errors.Unavailable("the database is away"), errors.StorageFull("its disk is full")])
def test_an_ending_is_stored_though_the_database_was_away(problem: errors.CoinswarmError) -> None:
    job, worker = served(Flaky(problem, times=3))
    assert (job.status, job.error, len(worker.leases_s)) == ("failed", "it cannot be done", 1)


def test_a_worker_is_lent_a_lease_as_long_as_that_of_the_service() -> None:
    assert served(MemoryStore(), lease_s=7.0)[1].leases_s == [7.0]


def test_a_job_whose_driver_died_on_this_host_is_not_waited_for(other: subprocess.Popen[bytes]) -> None:
    store = MemoryStore()
    job, queue = fetching(), MemoryQueue(store, MemoryAccess())
    queue.submit(Submission(job=job))
    queue.take(owners.new(other.pid), lease_s=3600.0)
    other.kill()
    other.wait()
    done = inboxes.Queue[JobEnding]()
    Service(store, queue, spawn=lambda *_: Answering(done, "ended", ""), slots=1, cluster=NoCluster(), stopped=lambda: True).run()
    assert (store.job(job.id).status, store.job(job.id).lease_owner) == ("queued", "")


class Deaf(Answering):
    """A worker that never answers, until it is stopped."""

    def __init__(self, inbox: inboxes.Queue[JobEnding]) -> None:
        super().__init__(inbox, "died", "it was stopped")
        self.job = ""

    def start(self, lease: Lease, lease_s: float, address: str) -> None:
        self.job = lease.job

    def stop(self) -> None:
        self._inbox.put(JobEnding(worker=1, job=self.job, ending="died"))
        self.job = ""


def test_a_worker_that_does_not_let_go_of_a_job_that_was_taken_away_is_ended_and_the_next_job_runs() -> None:
    store = MemoryStore()
    queue = MemoryQueue(store, MemoryAccess())
    first, second = fetching(), fetching()
    for job in (first, second):
        queue.submit(Submission(job=job))
    turns, taken = iter(range(20 * TURNS)), list[str]()

    def spawn(number: int, inbox: inboxes.Queue[JobEnding]) -> Answering:
        return Answering(inbox, "refused", "it ran", number) if taken else Deaf(inbox)

    def stopped() -> bool:
        running = [job.id for job in store.jobs(status="running")]
        if running and not taken:
            taken.extend(running)
            terminate.terminate(queue, running[0], by="")
        return all(store.status(job.id) in FINAL_STATUSES for job in (first, second)) or next(turns, None) is None

    Service(store, queue, spawn=spawn, slots=1, cluster=NoCluster(), stopped=stopped, lease_s=0.2, poll_s=0.001).run()
    assert sorted(store.status(job.id) for job in (first, second)) == ["cancelled", "failed"]


def config(n_bars: int) -> Json:
    return {"markets": [{"key": "binance:BTC/USDT:5m", "n_bars": n_bars}]}


@pytest.mark.parametrize("kind", ["rules", "fetch", "unknown"])
def test_a_kind_that_is_computed_alone_needs_no_cluster_however_much_it_costs(kind: str) -> None:
    assert is_small(replace(fetching(), kind=kind, config=config(10**12)))
