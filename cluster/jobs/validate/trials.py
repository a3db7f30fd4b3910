"""What the ledger knows of the tries behind a variant: how many, an even sample of them, and the best; and whether it has holes."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from cluster.jobs.evolve.plan import Overrides, PlayFile
from cluster.jobs.validate.plan import Subject
from cluster.queries import replay as revisit
from cluster.queries.replay import Visit
from coinswarm import config, errors
from coinswarm.ledger.campaigns import CampaignSplit
from coinswarm.ledger.records import EvaluationBatch, Job
from coinswarm.ledger.store import Store
from coinswarm.market.bars import Bars
from coinswarm.market.splits import Span, holdout
from coinswarm.market.timeframe import Timeframe
from coinswarm.metrics.figures import Status
from coinswarm.types import FloatArray
from coinswarm.validate.case import Splits, TrialFacts

SAMPLE = 128
LEADERS = 50
_FAILED = (Status.INVALID, Status.ERROR, Status.TIMEOUT)
_MANY = 100_000


def subject(store: Store, name: str, catalog_path: Path) -> Subject:
    """An evaluation as something to be judged, on the bars of its job.

    Raises:
        NotFound: there is none; Refused: it could not be scored.
    """
    found = revisit.visit(store, name, catalog_path)
    if not revisit.is_scored(found.record):
        raise errors.Refused(f"{found.record.id} has no figures to judge", found=found.record.status, hint=found.record.reason)
    play, settled = found.plan.plays[found.number], found.job.config
    return Subject(
        file=PlayFile(text=play.text),
        overrides=config.stored(Overrides, settled["overrides"]),
        timeframe=settled["timeframe"],
        genome=found.genome,
        markets=tuple(span["key"] for span in settled["markets"]),
        splits=_splits(found),
        start_ts=settled["from"] if settled["from"] is not None else min(span["first_ts"] for span in settled["markets"]),
        end_ts=settled["to"] if settled["to"] is not None else max(span["last_ts"] for span in settled["markets"]) + 1,
        trials=facts(store, found.job, play.sha256),
        campaign=found.job.campaign,
        fence=settled.get("fence"),
        hashes={span["key"]: span["content_hash"] for span in settled["markets"]},
        job=found.job.id,
        evaluation=found.record.id,
    )


def unbred(file: PlayFile, genome: FloatArray, markets: Sequence[Bars], out_of_sample: float, split: CampaignSplit | None,
           overrides: Overrides, timeframe: str | None, campaign: str) -> Subject:  # fmt: skip
    """A variant that no search of the ledger found: nobody knows how much was tried before it.

    Args:
        file: text of the play.
        genome: (n_dims,) the variant.
        markets: bars of each market.
        out_of_sample: share of the bars that counts as not searched, where the campaign has no split; 0: none.
        split: of the campaign.
        overrides: what the run says instead of the play.
        timeframe: length of a bar, where the run says it.
        campaign: whose trials are counted.
    """
    if split is not None:
        markets = [split.fence.cut(bars) for bars in markets]
        parts = Splits(train=split.train, validation=split.validation)
    elif out_of_sample > 0:
        train, later = holdout(markets, out_of_sample)
        parts = Splits(train=train, validation=later)
    else:
        parts = Splits(
            train=Span(start_ts=min(int(bars.ts[0]) for bars in markets), end_ts=max(int(bars.close_ts[-1]) for bars in markets))
        )
    return Subject(
        file=file, overrides=overrides, timeframe=timeframe, genome=genome, markets=tuple(bars.key for bars in markets), splits=parts,
        start_ts=min(int(bars.ts[0]) for bars in markets), end_ts=parts.whole.end_ts, campaign=campaign,
        fence=None if split is None else dataclasses.asdict(split.fence), trials=TrialFacts(campaign=campaign),
    )  # fmt: skip


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
        job: the one that bred the variant.
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


def _splits(found: Visit) -> Splits:
    """Where the job searched and where it did not."""
    task, spans = found.plan.task, found.job.config["markets"]
    step = Timeframe.parse(str(spans[0]["key"]).rpartition(":")[2]).ms
    first, end = min(span["first_ts"] for span in spans), max(span["last_ts"] for span in spans) + step
    if task.split_ts is None or task.search_end_ts is None:
        return Splits(train=Span(start_ts=first, end_ts=end))
    return Splits(train=Span(start_ts=first, end_ts=task.search_end_ts), validation=Span(start_ts=task.split_ts, end_ts=end))
