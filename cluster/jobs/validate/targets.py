"""What a report card is of: an evaluation, one of the best of a job, or one variant of a play that no search produced."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from cluster.jobs import markets, plays
from cluster.jobs.kind import PlanContext
from cluster.jobs.plays import Overrides
from cluster.jobs.settings import PlayGiven
from cluster.jobs.validate import trials
from cluster.jobs.validate.settings import ValidateRequest
from coinswarm import config, errors
from coinswarm.ledger.campaigns import CampaignSplit
from coinswarm.ledger.records import Job
from coinswarm.market.bars import Bars
from coinswarm.market.catalog import Catalog
from coinswarm.market.splits import Span, holdout
from coinswarm.market.timeframe import Timeframe
from coinswarm.play.model import Play
from coinswarm.types import FloatArray
from coinswarm.validate.case import Splits, TrialFacts

_SCORED = ("ok", "no_trades")


@dataclass(frozen=True, kw_only=True, slots=True)
class ValidationTarget:
    """What is judged, and on what.

    Attributes:
        play: text of the play.
        overrides, timeframe: what the run said instead of it.
        genome: (n_dims,) the variant.
        markets: keys of the data sets that the search used.
        start_ts, end_ts: which of their bars; None: no bound.
        splits: train and validation.
        trials: what was tried before it was picked.
        fence: of the campaign's vault, as plain values; None: it has none.
        hashes: content hash of each data set of `markets`, where it must be the one of the search.
        job, evaluation: where it comes from; empty when no search produced it.
    """

    play: PlayGiven
    overrides: Overrides
    timeframe: str | None
    genome: FloatArray
    markets: tuple[str, ...]
    splits: Splits
    start_ts: int | None = None
    end_ts: int | None = None
    trials: TrialFacts = field(default_factory=TrialFacts)
    campaign: str = "default"
    fence: Mapping[str, Any] | None = None
    hashes: Mapping[str, str] = field(default_factory=dict)
    job: str = ""
    evaluation: str = ""


def of(request: ValidateRequest, context: PlanContext) -> ValidationTarget:
    """What a request is of.

    Raises:
        InvalidArgument: it is not one thing, a parameter is missing or outside its values, or no market is named.
        NotFound: it, or a market, is not there. Refused: it could not be scored. BadPlay: it is no play.
    """
    subject = request.subject
    if subject == "plays":
        return of_play(request, context)
    name = str(request.evaluation) if subject == "evaluation" else _of_rank(str(request.job), request.rank, context)
    return of_evaluation(name, context)


def of_evaluation(name: str, context: PlanContext) -> ValidationTarget:
    """An evaluation, on the bars of its job.

    Raises:
        NotFound: there is none; Refused: it could not be scored.
    """
    record = context.store.evaluation(name)
    if record.status not in _SCORED:
        raise errors.Refused(f"{record.id} has no figures to judge", found=record.status, hint=record.reason)
    job = context.store.job(record.job)
    settled, spans = job.config, job.config["markets"]
    return ValidationTarget(
        play=PlayGiven(text=context.store.play(record.play).text),
        overrides=config.stored(Overrides, settled["overrides"]),
        timeframe=settled["timeframe"],
        genome=np.array(record.genome, dtype=np.float64),
        markets=tuple(span["key"] for span in spans),
        splits=_splits(job),
        start_ts=settled["from"] if settled["from"] is not None else min(span["first_ts"] for span in spans),
        end_ts=settled["to"] if settled["to"] is not None else max(span["last_ts"] for span in spans) + 1,
        trials=trials.facts(context.store, job, record.play),
        campaign=job.campaign,
        fence=settled.get("fence"),
        hashes={span["key"]: span["content_hash"] for span in spans},
        job=job.id,
        evaluation=record.id,
    )


def of_play(request: ValidateRequest, context: PlanContext) -> ValidationTarget:
    """One variant of a play on stored markets: it is not known how much was tried before it."""
    given = request.plays[0]
    play, genome = variant(request)
    names = [*request.markets] or list(play.symbols)
    if not names:
        raise errors.InvalidArgument(
            f"{play.name} names no market", hint="name one: `--symbol BTC/USDT`, `--bars FILE`, or `markets` of a request"
        )
    own = None if play.timeframe_ms is None else Timeframe(play.timeframe_ms)
    with Catalog.open(context.bars_file, read_only=True) as catalog:
        bars = [catalog.read(catalog.find(name, own).key) for name in dict.fromkeys(names)]
    split = context.campaigns.split(request.campaign)
    bars = [bars_ if split is None else split.fence.cut(bars_) for bars_ in bars]
    splits = _of_time(bars, request.out_of_sample, split)
    return ValidationTarget(
        play=given, overrides=Overrides(warmup_tolerance=request.warmup_tolerance), timeframe=request.timeframe, genome=genome,
        markets=tuple(one.key for one in bars), splits=splits, start_ts=min(int(one.ts[0]) for one in bars), end_ts=splits.whole.end_ts,
        campaign=request.campaign, fence=None if split is None else dataclasses.asdict(split.fence),
        trials=TrialFacts(campaign=request.campaign),
    )  # fmt: skip


def variant(request: ValidateRequest) -> tuple[Play, FloatArray]:
    """The play of a request and the variant, (n_dims,), that its parameters name.

    Raises:
        BadPlay, BadSetting, InvalidArgument: the play cannot be run, or a parameter is missing or outside its values.
    """
    play = plays.read(request.plays[0], Overrides(), request.timeframe)
    return play, play.space.encode(request.params)


def _of_rank(name: str, rank: int, context: PlanContext) -> str:
    job = context.store.job(name)
    rows = context.store.leaderboard(job.id, limit=rank)
    if not rows:
        raise errors.NotFound(f"job {job.id} has no variant to judge", hint=f"it is of kind {job.kind}, {job.status}")
    if len(rows) < rank:
        raise errors.NotFound(f"job {name} has no variant of rank {rank}", found=f"{len(rows)} with a fitness")
    return rows[-1].evaluation


def _of_time(bars: Sequence[Bars], out_of_sample: float, split: CampaignSplit | None) -> Splits:
    """Train and validation of bars that no job has split: as the campaign says, or by a share; 0: no validation."""
    if split is not None:
        return Splits(train=split.train, validation=split.validation)
    if out_of_sample > 0:
        train, later = holdout(bars, out_of_sample)
        return Splits(train=train, validation=later)
    return Splits(train=Span(start_ts=min(int(one.ts[0]) for one in bars), end_ts=max(int(one.close_ts[-1]) for one in bars)))


def _splits(job: Job) -> Splits:
    """Where a job searched and where it did not."""
    settled, spans = job.config, job.config["markets"]
    first, end = min(span["first_ts"] for span in spans), max(span["last_ts"] for span in spans) + markets.bar_ms(spans)
    split_ts = settled["split_ts"]
    if split_ts is None:
        return Splits(train=Span(start_ts=first, end_ts=end))
    searched = markets.search_end_ts(settled) or split_ts
    return Splits(train=Span(start_ts=first, end_ts=searched), validation=Span(start_ts=split_ts, end_ts=end))
