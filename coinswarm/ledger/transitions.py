"""How a job passes from one driver to the next: pure functions from a job and the store's clock to the job as it is afterwards.

Every store applies these inside its own transaction, so that the rules are written once.

A cancel ends a job at once, also while it is driven, and only `resumed` takes it back. It is a status and no message to a driver, so there
is no step of a driver, of a service or of the store's clock that could lose it: `claimed` refuses a cancelled job, `released` leaves it
cancelled, and `finished` ends it as nothing else.
"""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta

from coinswarm import check, codec, errors
from coinswarm.ledger.records import FINAL_STATUSES, Job, JobStatus, Json, Lease

_MAX_LEASE_S = 7 * 86_400.0


def claimed(job: Job, owner: str, now: datetime, lease_s: float) -> Job:
    """The job as `owner` drives it until `lease_s` seconds after `now`."""
    _refuse_bad_lease(owner, lease_s)
    refuse_ended(job)
    if is_driven(job, now) and job.lease_owner != owner:
        raise _held(job)
    expires = now + timedelta(seconds=lease_s)
    return dataclasses.replace(job, status="running", lease_owner=owner, lease_expires=expires, started=job.started or now)


def extended(job: Job, lease: Lease, now: datetime, lease_s: float) -> Job:
    """The job with its lease running until `lease_s` seconds after `now`."""
    _refuse_bad_lease(lease.owner, lease_s)
    refuse_lost(job, lease)
    return dataclasses.replace(job, lease_expires=now + timedelta(seconds=lease_s))


def released(job: Job, lease: Lease) -> Job:
    """The job without this lease: queued again, or cancelled where it was; unchanged when another lease holds it."""
    if not job.lease_owner or job.lease_owner != lease.owner:
        return job
    return dataclasses.replace(job, status="cancelled" if job.cancel_requested else "queued", lease_owner="", lease_expires=None)


def cancelled(job: Job, now: datetime) -> Job:
    """The job cancelled, unchanged when it has ended. Its lease stays with its driver, who may still store what it had and then lets go."""
    if job.status in FINAL_STATUSES:
        return job
    return dataclasses.replace(job, status="cancelled", finished=now, cancel_requested=True)


def terminated(job: Job, now: datetime) -> Job:
    """The job cancelled, and its lease taken away: its driver can store nothing more. Unchanged when it has ended and let go."""
    return dataclasses.replace(cancelled(job, now), lease_owner="", lease_expires=None)


def resumed(job: Job, now: datetime) -> Job:
    """The job as it waits for a driver again; one that still drives it after a cancel has lost it.

    Raises:
        Conflict: it is done, or driven.
    """
    if job.status == "done":
        raise errors.Conflict(f"job {job.id} is done", hint="look at what it found, or submit a new one")
    if is_driven(job, now):
        raise _held(job)
    return dataclasses.replace(job, status="queued", lease_owner="", lease_expires=None, cancel_requested=False, finished=None, error="")


def finished(job: Job, lease: Lease, now: datetime, status: JobStatus, result: Json | None, result_hash: str, error: str) -> Job:
    """The job ended as `status`; unchanged when it already ended in just this way.

    Raises:
        Cancelled: a cancel came first; the job can end as cancelled only.
    """
    if status not in FINAL_STATUSES:
        raise errors.InvalidArgument(f"a job ends as {', '.join(FINAL_STATUSES)}", found=status)
    ending = (job.status, job.lease_owner, job.result_hash, job.error)
    if ending == (status, "", result_hash, error) and codec.dumps(job.result) == codec.dumps(result):
        return job
    refuse_lost(job, lease)
    if job.cancel_requested and status != "cancelled":
        raise _cancelled(job)
    return dataclasses.replace(
        job, status=status, result=result, result_hash=result_hash, error=error, finished=now, lease_owner="", lease_expires=None
    )


def refuse_lost(job: Job, lease: Lease) -> None:
    """Raise `Conflict` unless `lease` is the one that holds the job.

    One that ran out and that no other took still holds it, and so does that of a driver whose job was cancelled.
    """
    if job.status not in ("running", "cancelled") or not job.lease_owner:
        raise errors.Conflict(f"job {job.id} is no longer running", found=job.status, hint=f"`coinswarm jobs resume {job.id}` goes on")
    if job.lease_owner != lease.owner:
        raise _held(job)


def refuse_ended(job: Job) -> None:
    """Raise unless the job may be driven: one that has ended starts again when a user resumes it, and at no other time.

    Raises:
        Cancelled: it was cancelled; Conflict: it is done, or it failed.
    """
    if job.cancel_requested or job.status == "cancelled":
        raise _cancelled(job)
    if job.status == "done":
        raise errors.Conflict(
            f"job {job.id} is done and cannot be driven again", hint="start a new job, or look at it with `coinswarm top`"
        )
    if job.status == "failed":
        raise errors.Conflict(f"job {job.id} failed", hint=f"`coinswarm jobs resume {job.id}` tries again")


def refuse_going(job: Job) -> None:
    """Raise `Conflict` unless the job has ended."""
    if job.status not in FINAL_STATUSES:
        raise errors.Conflict(f"job {job.id} has not ended", found=job.status, hint="cancel it first")


def is_driven(job: Job, now: datetime) -> bool:
    """Whether a driver holds a lease on the job that has not run out at `now`."""
    return job.status == "running" and job.lease_expires is not None and job.lease_expires > now


def lease_of(job: Job) -> Lease:
    """The lease that holds the job."""
    if job.lease_expires is None:
        raise errors.Conflict(f"job {job.id} is held by no process", found=job.status)
    return Lease(job=job.id, owner=job.lease_owner, expires=job.lease_expires, cancel_requested=job.cancel_requested)


def _refuse_bad_lease(owner: str, lease_s: float) -> None:
    check.within(lease_s, "lease_s", 0.0, _MAX_LEASE_S)
    if not owner:
        raise errors.InvalidArgument("a lease has an owner's name", found="an empty one", hint="use records.new_owner")


def _cancelled(job: Job) -> errors.Cancelled:
    return errors.Cancelled(f"job {job.id} is cancelled", hint=f"`coinswarm jobs resume {job.id}` goes on")


def _held(job: Job) -> errors.Conflict:
    until = "" if job.lease_expires is None else f" until {job.lease_expires:%H:%M:%S} UTC"
    return errors.Conflict(
        f"job {job.id} is driven by {job.lease_owner}{until}", hint="watch it with `coinswarm jobs watch`, or wait for its lease to run out"
    )
