"""Following a job of this machine that another process drives, by what it commits."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from cluster.cli import console
from cluster.jobs import brief
from coinswarm import errors

if TYPE_CHECKING:
    from coinswarm.ledger.records import GenerationRecord, Job
    from coinswarm.ledger.store import Store

_ENDED = ("done", "failed", "cancelled")
_NEXT = {"queued": "; `coinswarm serve` runs what is queued", brief.LOST: "; a driver service resumes it"}


def followed(store: Store, job: str, interval_s: float, *, served: bool, stopped: Callable[[], bool] = lambda: False) -> Job:
    """Print generations as they are committed, until the job ends.

    Args:
        store: where it is.
        job: its id.
        interval_s: seconds between looks.
        served: a driver service resumes it by itself when its process died.
        stopped: whether to cancel it.

    Raises:
        Unavailable: no process drives it, and none will.
    """
    seen: set[tuple[int, int]] = set()
    told = ""
    while True:
        found = store.job(job)
        for record in store.generations(job):
            if record.island >= 0 and (record.island, record.generation) not in seen:
                seen.add((record.island, record.generation))
                console.note("  ".join(f"{name} {value}" for name, value in generation(record).items()))
        if found.status in _ENDED:
            return found
        if stopped():
            store.cancel(job)
        standing = brief.standing(found)
        if standing == brief.LOST and not served:
            raise errors.Unavailable(f"no process drives job {job}", hint=f"`coinswarm jobs resume {job}` resumes it")
        if standing != told:
            told = standing
            console.note(f"job {job} is {standing}{_NEXT.get(standing, '') if served else ''}")
        time.sleep(interval_s)


def generation(record: GenerationRecord) -> dict[str, Any]:
    """A committed generation of an island, as it is printed."""
    return {
        "island": record.island, "generation": record.generation, "best": _rounded(record.best), "median": _rounded(record.median),
        "diversity": _rounded(record.diversity), "evaluations": record.evaluations, "failures": record.failures,
        "seconds": _rounded(record.seconds),
    }  # fmt: skip


def _rounded(value: float) -> float:
    return round(value, 4)
