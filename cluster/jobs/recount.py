"""What is stored of a job, counted again beside what the job says of itself: `coinswarm jobs verify`.

Nothing is computed anew but sums and hashes of what stands in the ledger.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

from cluster.jobs import registry
from cluster.jobs.kind import PlanContext, Planned, Recount
from coinswarm import errors
from coinswarm.ledger.records import WHOLE_JOB, Json

Digest: TypeAlias = Callable[[Planned, Sequence[Json]], str]
"""The result hash of a job that is done, from the figures of all of its steps."""


def of_job(made: Planned, context: PlanContext) -> tuple[Recount, ...]:
    """Recounts of a job of any kind."""
    kind = registry.of(made.job)
    return tuple((kind.recount or of_steps)(made, context))


def of_steps(made: Planned, context: PlanContext, digest: Digest | None = None) -> Iterator[Recount]:
    """Recounts of a job that is made of steps.

    Args:
        made: the job.
        context: what is remembered.
        digest: recomputes the hash of its result; None: that cannot be done.
    """
    job, result = made.job, made.job.result or {}
    records = [record for record in context.store.generations(job.id) if record.island == WHOLE_JOB]
    yield Recount(what="steps in one row", stored=len(records), counted=unbroken([record.generation for record in records]))
    if "steps" in result:
        yield Recount(what="steps", stored=result["steps"], counted=len(records))
    if job.status == "done" and "of" in result:
        yield Recount(what="steps of a job that is done", stored=result["of"], counted=len(records))
    if job.status == "done" and digest is not None:
        yield of_hash(job.result_hash, lambda: digest(made, [record.figures for record in records]))


def of_hash(stored: str, recomputed: Callable[[], str]) -> Recount:
    """The recount of a result hash; what the program of today cannot read any more is not counted."""
    try:
        return Recount(what="result hash", stored=stored, counted=recomputed())
    except errors.CoinswarmError as problem:
        return Recount(what="result hash", stored=stored, counted=None, note=str(problem))
    except (KeyError, IndexError, TypeError, ValueError) as problem:
        return Recount(what="result hash", stored=stored, counted=f"cannot be computed of what is stored: {problem!r}")


def unbroken(numbers: Sequence[int]) -> int:
    """How many of 0, 1, 2, … there are before the first that is missing."""
    there = set(numbers)
    return next(number for number in range(len(there) + 1) if number not in there)
