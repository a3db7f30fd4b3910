"""The queue of jobs that wait for a driver service: records, the protocol every queue keeps, and the queue in memory.

The job itself stays in the store with its status and its lease; an entry here says who submitted it, how urgent it is, and when it may be
tried again. A job is *ready* when it is queued, or running while its lease has run out.

**Order.** Greater priority first; among equals the token with the fewest jobs running; among its jobs the oldest. So a token that submits
a thousand jobs does not starve one that submits a single one.
**Cancelled** jobs are taken by no service and come back by `again` only, which a user asks for.
**Once.** `take` gives a job to one service, however many ask at the same time, by the one lease that a job has: the service lends it to the
process that runs the job. When both die it runs out, and the job goes on from its last commit under another.
"""

from __future__ import annotations

import dataclasses
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol, runtime_checkable

from coinswarm import check, codec, errors
from coinswarm.ledger import transitions
from coinswarm.ledger.access import Access, Token
from coinswarm.ledger.memory import MemoryStore
from coinswarm.ledger.records import LEASE_S, DataSetRecord, Job, JobStatus, Lease, PlayRecord

MAX_PRIORITY = 100
MAX_KEY = 255


@dataclass(frozen=True, kw_only=True, slots=True)
class Submission:
    """A planned job with all that is stored for it.

    Attributes:
        job: the job; its plays and data sets are stored with it.
        token: id of the token that submits it; "" for a command on the machine itself.
        priority: in [-100, 100]; greater is sooner.
        key: repeating a submission with the same key of the same token changes nothing; "" for none.
        fingerprint: hash of what was asked for under `key`.
        max_queued: how many jobs of the token may wait; None: any number.
    """

    job: Job
    plays: tuple[PlayRecord, ...] = ()
    data_sets: tuple[DataSetRecord, ...] = ()
    token: str = ""
    priority: int = 0
    key: str = ""
    fingerprint: str = ""
    max_queued: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """A job's place in the queue. `attempts` counts how often a service has taken it."""

    job: str
    token: str
    priority: int
    submitted: datetime
    attempts: int
    not_before: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Standing:
    """How long the queue is, over all tokens or for one."""

    queued: int
    running: int


@runtime_checkable
class Queue(Protocol):
    """The queue. Each method is one transaction and leaves a row in the audit log where it changes something on a user's behalf."""

    def submit(self, submission: Submission) -> str:
        """Store a job and put it in the queue; the answer is its id, or that of the job that its key already stands for.

        Raises:
            Conflict: the key stands for another request; LimitReached: the token has `max_queued` jobs waiting;
            InvalidArgument: priority or key lie outside their domain.
        """
        ...

    def keyed(self, token: str, key: str, fingerprint: str) -> str | None:
        """The job that a key stands for; None when it is free.

        Raises:
            Conflict: it stands for another request.
        """
        ...

    def again(self, job: str, *, by: str, max_queued: int | None = None) -> Entry:
        """As `Store.resume`, and put the job back in the queue. What a service tries again is never asked for by this.

        Raises:
            Conflict: it is done, or driven; LimitReached: see `submit`; NotFound: there is no such job.
        """
        ...

    def cancel(self, job: str, *, by: str) -> JobStatus:
        """As `Store.cancel`; the job stays out of the queue from then on."""
        ...

    def take(self, owner: str, *, lease_s: float = LEASE_S) -> tuple[Entry, Lease] | None:
        """The first job that is ready and whose token may run one more, claimed for `owner`; None when there is none."""
        ...

    def leave(self, lease: Lease, *, delay_s: float = 0.0) -> None:
        """As `Store.release`, and the job is taken again after `delay_s` seconds at the earliest. One that another holds is left alone."""
        ...

    def entry(self, job: str) -> Entry | None:
        """A job's entry; None for one that was never in the queue."""
        ...

    def standing(self, token: str | None = None) -> Standing:
        """How many jobs wait and run."""
        ...

    def close(self) -> None:
        """Let go of connections."""
        ...


def check_submission(submission: Submission) -> None:
    """Raise `InvalidArgument` when priority or key lie outside their domain."""
    check.within(submission.priority, "priority", -MAX_PRIORITY, MAX_PRIORITY)
    if len(submission.key) > MAX_KEY or not submission.key.isprintable():
        raise errors.InvalidArgument(f"an idempotency key has at most {MAX_KEY} printable characters", found=repr(submission.key[:40]))
    codec.storable(submission.key, "key")


def refuse_other(key: str, stored: str, asked: str) -> None:
    """Raise `Conflict` when a key stands for another request."""
    if stored != asked:
        raise errors.Conflict(f"the idempotency key {key!r} stands for another request", hint="take a new key for a new request")


def refuse_more(token: str, queued: int, limit: int | None) -> None:
    """Raise `LimitReached` when a token has as many jobs waiting as it may."""
    if limit is not None and queued >= limit:
        raise errors.LimitReached(
            f"token {token} may have {limit} jobs waiting", found=queued, hint="wait until some have started, or cancel some"
        )


def is_ready(job: Job, entry: Entry, now: datetime) -> bool:
    """Whether a service may take an entry at `now`."""
    waits = job.status == "queued" or (job.status == "running" and not transitions.is_driven(job, now))
    return waits and not job.cancel_requested and entry.not_before <= now


def _utc_now() -> datetime:
    return datetime.now(UTC)


class MemoryQueue:
    """Keeps the contract of `Queue` beside a `MemoryStore`.

    Args:
        store: where the jobs are.
        access: where tokens are, which bound how many of their jobs run, and the audit log.
        clock: the time.
    """

    def __init__(self, store: MemoryStore, access: Access, clock: Callable[[], datetime] = _utc_now) -> None:
        self._store = store
        self._access = access
        self._clock = clock
        self._lock = threading.RLock()
        self._entries: dict[str, Entry] = {}
        self._keys: dict[tuple[str, str], tuple[str, str]] = {}

    def submit(self, submission: Submission) -> str:
        """See `Queue`."""
        check_submission(submission)
        job, token = submission.job, submission.token
        with self._lock:
            known = self.keyed(token, submission.key, submission.fingerprint)
            if known is not None:
                return known
            refuse_more(token, self.standing(token).queued, submission.max_queued)
            self._store.save_data_sets(submission.data_sets)
            for play in submission.plays:
                self._store.save_play(play)
            self._store.create_job(job)
            self._entries[job.id] = _fresh(job.id, token, submission.priority, self._clock())
            if submission.key:
                self._keys[token, submission.key] = (submission.fingerprint, job.id)
            self._access.note(token, "job submit", job.id, {"kind": job.kind, "priority": submission.priority})
            return job.id

    def keyed(self, token: str, key: str, fingerprint: str) -> str | None:
        """See `Queue`."""
        with self._lock:
            found = self._keys.get((token, key)) if key else None
        if found is None:
            return None
        refuse_other(key, found[0], fingerprint)
        return found[1]

    def again(self, job: str, *, by: str, max_queued: int | None = None) -> Entry:
        """See `Queue`."""
        with self._lock:
            stored = self._store.job(job)
            before = self._entries.get(stored.id)
            refuse_more(by, self.standing(by).queued, max_queued)
            self._store.resume(stored.id)
            token, priority = (by, 0) if before is None else (before.token, before.priority)
            self._entries[stored.id] = _fresh(stored.id, token, priority, self._clock())
            self._access.note(by, "job resume", stored.id, {})
            return self._entries[stored.id]

    def cancel(self, job: str, *, by: str) -> JobStatus:
        """See `Queue`."""
        with self._lock:
            status = self._store.cancel(job)
            self._access.note(by, "job cancel", job, {"status": status})
            return status

    def take(self, owner: str, *, lease_s: float = LEASE_S) -> tuple[Entry, Lease] | None:
        """See `Queue`."""
        with self._lock:
            now = self._clock()
            jobs = {name: self._store.job(name) for name in self._entries}
            running = Counter(entry.token for entry in self._entries.values() if _runs(jobs[entry.job], now))
            limits: Mapping[str, Token] = {token.id: token for token in self._access.tokens()}
            ready = [
                entry
                for entry in self._entries.values()
                if is_ready(jobs[entry.job], entry, now)
                and (entry.token not in limits or running[entry.token] < limits[entry.token].max_running)
            ]
            if not ready:
                return None
            first = min(ready, key=lambda entry: (-entry.priority, running[entry.token], entry.submitted, entry.job))
            lease = self._store.claim(first.job, owner, lease_s=lease_s)
            taken = dataclasses.replace(first, attempts=first.attempts + 1)
            self._entries[first.job] = taken
            return taken, lease

    def leave(self, lease: Lease, *, delay_s: float = 0.0) -> None:
        """See `Queue`."""
        with self._lock:
            entry = self._entries.get(lease.job)
            if entry is not None and may_delay(self._store.job(lease.job), lease):
                later = self._clock() + timedelta(seconds=delay_s)
                self._entries[lease.job] = dataclasses.replace(entry, not_before=later)
            self._store.release(lease)

    def entry(self, job: str) -> Entry | None:
        """See `Queue`."""
        with self._lock:
            return self._entries.get(job)

    def standing(self, token: str | None = None) -> Standing:
        """See `Queue`."""
        with self._lock:
            return _standing([self._store.job(entry.job) for entry in self._entries.values() if token in (None, entry.token)])

    def close(self) -> None:
        """See `Queue`."""


def may_delay(job: Job, lease: Lease) -> bool:
    """Whether the holder of a lease may say when a job is tried again: no one else holds it."""
    return job.lease_owner in ("", lease.owner)


def _runs(job: Job, now: datetime) -> bool:
    return job.status == "running" and transitions.is_driven(job, now)


def _fresh(job: str, token: str, priority: int, now: datetime) -> Entry:
    return Entry(job=job, token=token, priority=priority, submitted=now, attempts=0, not_before=now)


def _standing(jobs: Sequence[Job]) -> Standing:
    return Standing(queued=sum(job.status == "queued" for job in jobs), running=sum(job.status == "running" for job in jobs))
