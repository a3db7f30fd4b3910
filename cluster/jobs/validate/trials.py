"""What the ledger knows of the tries behind a variant: how many, an even sample of them, and the best; and whether it has holes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from coinswarm import errors
from coinswarm.ledger.records import EvaluationBatch, Job
from coinswarm.ledger.store import Store
from coinswarm.metrics.figures import Status
from coinswarm.types import FloatArray
from coinswarm.validate.case import TrialFacts

SAMPLE = 128
LEADERS = 50
_FAILED = (Status.INVALID, Status.ERROR, Status.TIMEOUT)
_MANY = 100_000


def facts(store: Store, job: Job, play: str) -> TrialFacts:
    """The trials of a job's campaign, and of one play of the job an even sample and the best.

    The sample is that of the smallest identities, which are hashes: good and bad ones alike, and the same ones each time.
    """
    try:
        counted = store.count_trials(job.campaign)
        jobs = store.jobs(campaign=job.campaign, limit=_MANY)
        batches = store.evaluations(job.id)
    except errors.CoinswarmError as error:
        return TrialFacts(campaign=job.campaign, hole=f"the ledger could not be read: {error}")
    sample, leaders = _drawn([batch for batch in batches if batch.play == play])
    return TrialFacts(
        campaign=job.campaign, trials=counted.trials, hole=hole(counted.evaluations, jobs, job, sum(map(len, batches))),
        sample=sample, leaderboard=leaders,
    )  # fmt: skip


def hole(evaluations: int, jobs: Sequence[Job], job: Job, rows: int) -> str:
    """Why a campaign's trials are not all there; empty when they are.

    Args:
        evaluations: rows that the ledger counts over all jobs of the campaign.
        jobs: of the campaign.
        job: the one that produced the variant.
        rows: that it has.
    """
    own = _distinct(job)
    if own is not None and rows < own:
        return f"job {job.id} made {own:,} distinct trials and the ledger has {rows:,} of them"
    reported = sum(_distinct(one) or 0 for one in jobs)
    if evaluations < reported:
        return f"the jobs of campaign {job.campaign} made {reported:,} distinct trials and the ledger has {evaluations:,} of them"
    if job.id not in {one.id for one in jobs}:
        return f"job {job.id} is not among the jobs of campaign {job.campaign}"
    return ""


def _distinct(job: Job) -> int | None:
    """How many different variants a finished search says it tried."""
    made = (job.result or {}).get("distinct")
    return int(made) if isinstance(made, (int, float)) else None


def _drawn(batches: Sequence[EvaluationBatch]) -> tuple[FloatArray, FloatArray]:
    """(SAMPLE, n_dims) and (LEADERS, n_dims) genomes, fewer where there are fewer; failed trials cannot be run again and are left out."""
    if not batches:
        return np.empty((0, 0)), np.empty((0, 0))
    identities = np.array([variant for batch in batches for variant in batch.variants])
    genomes = np.concatenate([batch.genomes for batch in batches])
    fitness = np.concatenate([batch.fitness for batch in batches])
    able = ~np.isin(np.concatenate([batch.status for batch in batches]), _FAILED)
    drawn = np.flatnonzero(able)[np.argsort(identities[able], kind="stable")][:SAMPLE]
    scored = np.flatnonzero(able & np.isfinite(fitness))
    best = scored[np.lexsort((identities[scored], -fitness[scored]))][:LEADERS]
    return genomes[drawn], genomes[best]
