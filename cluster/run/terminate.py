"""End a job for good whether or not its driver answers: cancel it, take its lease away, and end the process that works for it.

The order matters. A cancelled job is claimed by no process, and without its lease its driver can store nothing more; so the job is over
before any process is touched, also where that is on another host, stopped, or dead.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from cluster.run import owners
from coinswarm.ledger.queue import Queue
from coinswarm.ledger.records import JobStatus

Fate: TypeAlias = Literal["none", "ended", "elsewhere"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Termination:
    """What became of a job.

    Attributes:
        job: its id.
        status: its status now: cancelled, or that of before where it had ended.
        owner: who held its lease; "" for no process.
        process: `ended` by us; `none` works for it; `elsewhere`: on another host, or about to be begun by a service.
    """

    job: str
    status: JobStatus
    owner: str
    process: Fate


def terminate(queue: Queue, job: str, *, by: str) -> Termination:
    """Terminate a job; what it has committed is kept, and a user may resume it.

    Args:
        queue: of the service.
        job: its id.
        by: id of the token that asks; "" for a command.

    Raises:
        NotFound: there is no such job.
    """
    status, owner = queue.terminate(job, by=by)
    if not owner:
        return Termination(job=job, status=status, owner="", process="none")
    fate: Fate = "none" if owners.is_dead(owner) else "ended" if owners.end(owner, job) else "elsewhere"
    return Termination(job=job, status=status, owner=owner, process=fate)
