"""The driver service: takes jobs from the queue and has them run by a few warm worker processes.

A worker process runs one job after the other, because starting Python and importing the engine costs more than a small job does. It is
replaced when it dies, grows too large or has run many. The service takes a job by its lease and lends that to the process that runs it;
both keep it alive. So whichever dies, process, service or machine, the job is resumed from its last commit, once.
"""

from __future__ import annotations

import logging
import queue as inboxes
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Literal, Protocol, TypeAlias, TypeVar

from cluster.jobs import registry
from cluster.run import owners
from cluster.run.lease import fail
from coinswarm import errors
from coinswarm.ledger.queue import Entry, Queue
from coinswarm.ledger.records import FINAL_STATUSES, LEASE_S, Job, Lease
from coinswarm.ledger.store import Store

_log = logging.getLogger(__name__)
_Value = TypeVar("_Value")

MAX_ATTEMPTS = 8
SMALL_WORK = 2e8
"""Variant-bars, about a second of one core: less is scored in the worker itself, for a cluster would take longer to answer."""
WARM_WORKERS, WARM_APART_S = 4, 5.0
"""Workers that wait for jobs, 0.15 GB each, and seconds before the first and between them: what is asked for first comes first."""
_LONGEST_DELAY_S = 60.0

Ending: TypeAlias = Literal["ended", "refused", "interrupted", "died"]


@dataclass(frozen=True, kw_only=True)
class JobEnding:
    """What became of a job in a worker.

    Attributes:
        worker: its number.
        job: the job; "" when the worker died without one.
        ending: `ended` as far as the worker knows; `refused` for good; `interrupted` by something that may pass; or the worker `died`.
        error: what was said.
    """

    worker: int
    job: str
    ending: Ending
    error: str = ""


class WorkerProcess(Protocol):
    """A process that runs jobs one after the other and puts a `JobEnding` of each into an inbox."""

    @property
    def pid(self) -> int:
        """Its process id."""

    def start(self, lease: Lease, lease_s: float, address: str) -> None:
        """Run the job of a lease that lasts `lease_s` seconds after each heartbeat. It is lent: who lends it gives it back.

        `address`: where a cluster is shared that the job is to run on; "": the process itself.
        """

    def warm(self) -> None:
        """Make ready for the first job beside whatever it does."""

    def is_spent(self) -> bool:
        """Whether it had better be replaced before its next job."""

    def stop(self) -> None:
        """End it; a job that it runs is given back."""


Spawn: TypeAlias = "Callable[[int, inboxes.Queue[JobEnding]], WorkerProcess]"
"""Starts the worker with this number."""


class JobCluster(Protocol):
    """The cluster that larger jobs share."""

    def address(self) -> str:
        """Where jobs reach it, from now on or soon.

        Raises:
            Unavailable: nowhere.
        """

    def look(self, *, used: bool) -> None:
        """Start it again when it died, where it is used; called often."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TakenJob:
    """A job that a worker runs, its lease, and where it is computed; "": in the worker."""

    entry: Entry
    lease: Lease
    address: str


class Service:
    """Runs jobs of the queue until it is stopped.

    Args:
        store: where jobs are.
        queue: the queue.
        spawn: starts a worker with this number.
        slots: how many jobs run at one time.
        cluster: what larger jobs share.
        stopped: asked often.
        lease_s: how long the queue keeps what we hold when we die.
        poll_s: seconds between looks at a queue that was empty.
        pid: of this process.
        tidy: called now and then, removes what is no longer needed on this machine.
        warm: start workers before there are jobs, so that the first ones wait for no import and no compiler.
        warm_apart_s: seconds between those.
    """

    def __init__(
        self, store: Store, queue: Queue, *, spawn: Spawn, slots: int, cluster: JobCluster, stopped: Callable[[], bool],
        lease_s: float = LEASE_S, poll_s: float = 0.5, pid: int = 0, warm: bool = False, warm_apart_s: float = WARM_APART_S,
        tidy: Callable[[], None] = lambda: None,
    ) -> None:  # fmt: skip
        self._store, self._queue, self._spawn, self._slots = store, queue, spawn, slots
        self._cluster, self._stopped, self._lease_s, self._poll_s, self._warm = cluster, stopped, lease_s, poll_s, warm
        self._warm_apart_s, self._tidy = warm_apart_s, tidy
        self.owner = f"{socket.gethostname()}:{pid}"
        self._pid = pid
        self._inbox: inboxes.Queue[JobEnding] = inboxes.Queue()
        self._workers: dict[int, WorkerProcess] = {}
        self._work: dict[int, TakenJob] = {}
        self._next = 0
        self._warmed_at = 0.0
        self._rest = threading.Event()
        self._taken_away: set[str] = set()

    def run(self) -> None:
        """Take and run jobs until stopped; then give back what runs."""
        holder = threading.Thread(target=self._hold, name="queue heartbeat", daemon=True)
        holder.start()
        try:
            self._quietly(self._reclaim)
            self._warmed_at = time.monotonic()
            while not self._stopped():
                self._warm_up()
                self._fill()
                self._settle_next()
                self._cluster.look(used=any(work.address for work in self._work.values()))
        finally:
            for worker in self._workers.values():
                worker.stop()
            for work in self._work.values():
                self._quietly(partial(self._queue.leave, work.lease))
            self._rest.set()

    def _warm_up(self) -> None:
        """Spawn a worker in advance, one after the other while nothing runs; without one the first job does."""
        now = time.monotonic()
        if (
            not self._warm
            or self._work
            or len(self._workers) >= min(self._slots, WARM_WORKERS)
            or now < self._warmed_at + self._warm_apart_s
        ):
            return
        self._warmed_at = now
        self._next += 1
        with suppress(errors.CoinswarmError, OSError):
            self._workers[self._spawned(self._next)].warm()

    def _hold(self) -> None:
        while not self._rest.wait(self._lease_s / 6):
            for number, work in list(self._work.items()):
                self._quietly(partial(self._keep, number, work.lease))
            self._quietly(self._tidied)
            self._quietly(self._reclaim)

    def _keep(self, number: int, lease: Lease) -> None:
        """Extend a lease. A worker whose lease was taken away ends its job by itself; one that has not at the next turn is ended."""
        try:
            self._store.heartbeat(lease, lease_s=self._lease_s)
        except errors.Conflict:
            if lease.owner in self._taken_away and number in self._workers:
                _log.warning("a worker does not let go of a job that was taken away", extra={"job": lease.job, "worker": number})
                threading.Thread(target=self._workers[number].stop, name=f"end of worker {number}", daemon=True).start()
            self._taken_away.add(lease.owner)

    def _tidied(self) -> None:
        with suppress(OSError):  # a full disk is the business of those who write
            self._tidy()

    def _reclaim(self) -> None:
        """Put jobs back whose driver on this host died, such as an earlier service: their leases would run out a while later."""
        for job in self._store.jobs(status="running"):
            if owners.release_dead(self._store, job):
                _log.warning("the driver of a job died; the job continues from its last commit", extra={"job": job.id})

    def _fill(self) -> None:
        """Give every free worker a job, as long as there are any."""
        while len(self._work) < self._slots:
            taken = self._quietly(self._take)
            if taken is None:
                return
            self._begin(*taken)

    def _take(self) -> tuple[Entry, Lease] | None:
        """A job that is ready. Its lease is of this taking alone, so that a process of an earlier one can store nothing any more."""
        return self._queue.take(owners.new(self._pid), lease_s=self._lease_s)

    def _begin(self, entry: Entry, lease: Lease) -> None:
        """Find or spawn a worker."""
        number = self._next = self._next + 1
        self._work[number] = TakenJob(entry=entry, lease=lease, address="")
        try:
            address = "" if is_small(self._store.job(entry.job)) else self._cluster.address()
            idle = self._idle_worker() or self._spawned(number)
            del self._work[number]
            number = idle
            self._work[number] = TakenJob(entry=entry, lease=lease, address=address)
            self._workers[number].start(lease, self._lease_s, address)
            _log.info("a job begins, attempt %d", entry.attempts, extra={"job": entry.job, "worker": number})
        except (errors.CoinswarmError, OSError) as problem:
            self._inbox.put(JobEnding(worker=number, job=entry.job, ending="interrupted", error=str(problem)))

    def _idle_worker(self) -> int:
        """The number of a worker that has nothing to do; 0 when there is none. One that is spent is let go."""
        for number in [number for number in self._workers if number not in self._work]:
            if not self._workers[number].is_spent():
                return number
            self._workers.pop(number).stop()
        return 0

    def _spawned(self, number: int) -> int:
        self._workers[number] = self._spawn(number, self._inbox)
        return number

    def _settle_next(self) -> None:
        """Store how a job ended. While the database is away its lease stays held, and it is tried again at the next turn."""
        try:
            outcome = self._inbox.get(timeout=self._poll_s)
        except inboxes.Empty:
            return
        if outcome.ending == "died" and outcome.worker in self._workers:
            self._workers.pop(outcome.worker).stop()
        taken = self._work.get(outcome.worker)
        if taken is None or taken.entry.job != outcome.job:
            return  # a worker without a job has died
        try:
            self._settle(taken.entry, taken.lease, outcome)
        except (errors.Unavailable, errors.StorageFull) as problem:
            _log.warning("%s", problem)
            self._inbox.put(outcome)
            self._rest.wait(self._poll_s)
            return
        except errors.CoinswarmError as problem:
            _log.warning("%s", problem)
        del self._work[outcome.worker]
        self._taken_away.discard(taken.lease.owner)

    def _settle(self, entry: Entry, lease: Lease, outcome: JobEnding) -> None:
        """Let go of a job that has ended; one that has not is tried again a little later, or given up."""
        job = self._store.job(entry.job)
        delay_s = 0.0
        if job.status not in FINAL_STATUSES and outcome.ending != "ended":
            delay_s = min(2.0**entry.attempts, _LONGEST_DELAY_S)
            _log.warning("a job did not end: %s", outcome.error or "its process died", extra={"job": job.id, "worker": outcome.worker})
            if outcome.ending == "refused" or entry.attempts >= MAX_ATTEMPTS:
                self._fail(lease, outcome.error or f"its process died {entry.attempts} times")
        self._queue.leave(lease, delay_s=delay_s)
        _log.info("a job is %s", job.status, extra={"job": job.id, "worker": outcome.worker})

    def _fail(self, lease: Lease, error: str) -> None:
        """End a job that cannot succeed; one that was cancelled meanwhile, or that another drives, is left alone."""
        with suppress(errors.Cancelled, errors.Conflict):
            fail(self._store, lease, error)

    def _quietly(self, call: Callable[[], _Value]) -> _Value | None:
        """What `call` gives; a database that is away is waited for at the next turn, for what we hold is ours until its lease runs out."""
        try:
            return call()
        except errors.Unavailable as problem:
            _log.warning("%s", problem)
            time.sleep(self._poll_s)
            return None
        except errors.CoinswarmError as problem:
            _log.warning("%s", problem)
            return None


def is_small(job: Job) -> bool:
    """Whether a job is so small, or so little of it is computed, that a cluster only costs time."""
    try:
        kind = registry.of(job)
    except errors.Refused:  # the worker that runs it says so
        return True
    return kind.cost(job.config) < max(SMALL_WORK, kind.alone_below)
