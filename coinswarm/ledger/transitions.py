"""How a job passes from one hand to the next: pure functions from a job and the store's clock to the job as it is afterwards.

Every store applies these inside its own transaction, so that the rules are written once.
"""

from __future__ import annotations

import dataclasses
from datetime import datetime, timedelta

from coinswarm import check, errors
from coinswarm.ledger import jsontext
from coinswarm.ledger.records import FINAL_STATUSES, Job, JobStatus, Json, Lease

_MAX_LEASE_S = 7 * 86_400.0


def claimed(job: Job, owner: str, now: datetime, lease_s: float) -> Job:
    """The job as `owner` drives it until `lease_s` seconds after `now`."""
    _refuse_bad_lease(owner, lease_s)
    if job.status == "done":
        raise errors.Conflict(
            f"job {job.id} is done and cannot be driven again", hint="start a new job, or look at it with `coinswarm top`"
        )
    if is_driven(job, now) and job.lease_owner != owner:
        raise _held(job)
    return dataclasses.replace(
        job,
        status="running",
        lease_owner=owner,
        lease_expires=now + timedelta(seconds=lease_s),
        started=job.started or now,
        finished=None,
        error="",
        cancel_requested=job.cancel_requested and job.status == "running" and job.lease_owner == owner,
    )


def extended(job: Job, lease: Lease, now: datetime, lease_s: float) -> Job:
    """The job with its lease running until `lease_s` seconds after `now`."""
    _refuse_bad_lease(lease.owner, lease_s)
    refuse_lost(job, lease)
    return dataclasses.replace(job, lease_expires=now + timedelta(seconds=lease_s))


def released(job: Job, lease: Lease) -> Job:
    """The job queued again, or unchanged when the lease is not the one that holds it."""
    if job.lease_owner != lease.owner or job.status != "running":
        return job
    return dataclasses.replace(job, status="queued", lease_owner="", lease_expires=None, cancel_requested=False)


def cancelled(job: Job, now: datetime) -> Job:
    """The job cancelled when nobody drives it, asked to stop when somebody does, unchanged when it has ended."""
    if job.status in FINAL_STATUSES:
        return job
    if is_driven(job, now):
        return dataclasses.replace(job, cancel_requested=True)
    return dataclasses.replace(job, status="cancelled", finished=now, lease_owner="", lease_expires=None, cancel_requested=False)


def finished(job: Job, lease: Lease, now: datetime, status: JobStatus, result: Json | None, result_hash: str, error: str) -> Job:
    """The job ended as `status`; unchanged when it already ended in just this way."""
    if status not in FINAL_STATUSES:
        raise errors.InvalidArgument(f"a job ends as {', '.join(FINAL_STATUSES)}", found=status)
    if (job.status, job.result_hash, job.error) == (status, result_hash, error) and jsontext.dumps(job.result) == jsontext.dumps(result):
        return job
    refuse_lost(job, lease)
    return dataclasses.replace(
        job,
        status=status,
        result=result,
        result_hash=result_hash,
        error=error,
        finished=now,
        lease_owner="",
        lease_expires=None,
        cancel_requested=False,
    )


def refuse_lost(job: Job, lease: Lease) -> None:
    """Raise `Conflict` unless `lease` is the one that holds the job. One that ran out and that nobody took still holds it."""
    if job.status != "running":
        raise errors.Conflict(f"job {job.id} is no longer running", found=job.status, hint="claim it again to go on")
    if job.lease_owner != lease.owner:
        raise _held(job)


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
        raise errors.Conflict(f"job {job.id} is held by nobody", found=job.status)
    return Lease(job=job.id, owner=job.lease_owner, expires=job.lease_expires, cancel_requested=job.cancel_requested)


def _refuse_bad_lease(owner: str, lease_s: float) -> None:
    check.within(lease_s, "lease_s", 0.0, _MAX_LEASE_S)
    if not owner:
        raise errors.InvalidArgument("a lease has an owner's name", found="an empty one", hint="use records.new_owner")


def _held(job: Job) -> errors.Conflict:
    until = "" if job.lease_expires is None else f" until {job.lease_expires:%H:%M:%S} UTC"
    return errors.Conflict(
        f"job {job.id} is driven by {job.lease_owner}{until}", hint="watch it with `coinswarm jobs watch`, or wait for its lease to run out"
    )
