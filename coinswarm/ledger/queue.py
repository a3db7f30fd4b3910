"""The queue of jobs that wait for a driver service: records, the protocol every queue keeps, and the queue in memory.

The job itself stays in the store with its status and its lease; an entry here says who submitted it, how urgent it is, and when it may be
tried again. A job is *ready* when it is queued, or running while its lease has run out.

**Order.** Greater priority first; among equals the token with the fewest jobs running; among its jobs the oldest. So a token that submits
a thousand jobs does not starve one that submits a single one.
**Cancelled** jobs are taken by no service and come back by `again` only, which a user asks for.
**Once.** `take` gives a job to one service, however many ask at the same time, by the one lease that a job has: the service lends it to the
process that runs the job. When both die it runs out, and the job continues from its last commit under another.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

from coinswarm import check, codec, errors
from coinswarm.ledger import transitions
from coinswarm.ledger.records import LEASE_S, DataSetRecord, Job, JobStatus, Lease, PlayRecord

MAX_PRIORITY = 100
MAX_KEY = 255


@dataclass(frozen=True, kw_only=True, slots=True)
class Submission:
    """A planned job with all that is stored for it.

    Attributes:
        job: the job; its plays and data sets are stored with it.
        token: id of the token that submits it; "" for a command on the machine itself.
        priority: in [-100, 100]; higher runs first.
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
            Conflict: the key stands for another request; LimitReached: the token has `max_queued` jobs waiting, or a quota would be passed;
            InvalidArgument: priority or key lie outside their domain.
        """

    def keyed(self, token: str, key: str, fingerprint: str) -> str | None:
        """The job that a key stands for; None when it is free.

        Raises:
            Conflict: it stands for another request.
        """

    def again(self, job: str, *, by: str, max_queued: int | None = None) -> Entry:
        """As `Store.resume`, and put the job back in the queue. What a service tries again is never asked for by this.

        Raises:
            Conflict: it is done, or driven; LimitReached: see `submit`; NotFound: there is no such job.
        """

    def cancel(self, job: str, *, by: str) -> JobStatus:
        """As `Store.cancel`; the job stays out of the queue from then on."""

    def terminate(self, job: str, *, by: str) -> tuple[JobStatus, str]:
        """As `cancel`, and takes the lease away, whatever its driver does or does not; the answer is the status now and who held the lease.

        Where a connection keeps the job locked, such as that of a driver that was stopped in the middle of a commit, it is ended.
        """

    def take(self, owner: str, *, lease_s: float = LEASE_S) -> tuple[Entry, Lease] | None:
        """The first job that is ready and whose token may run one more, claimed for `owner`; None when there is none."""

    def leave(self, lease: Lease, *, delay_s: float = 0.0) -> None:
        """As `Store.release`, and the job is taken again after `delay_s` seconds at the earliest. One that another holds is left alone."""

    def entry(self, job: str) -> Entry | None:
        """A job's entry; None for one that was never in the queue."""

    def standing(self, token: str | None = None) -> Standing:
        """How many jobs wait and run."""


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


def may_delay(job: Job, lease: Lease) -> bool:
    """Whether the holder of a lease may say when a job is tried again: no one else holds it."""
    return job.lease_owner in ("", lease.owner)
