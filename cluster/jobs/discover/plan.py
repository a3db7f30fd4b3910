"""Planning a search for patterns: which chaos jobs it searches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cluster.jobs.discover import NAME
from cluster.jobs.discover.settings import DiscoverRequest
from cluster.jobs.kind import JobSpec, PlanContext, Planned
from coinswarm import errors
from coinswarm.ledger.chaos import ChaosStore, ChaosTrades, concatenate
from coinswarm.ledger.records import Job
from coinswarm.ledger.store import Store

_SOURCE = "chaos"
_TRADE_COST = 2000
"""A trade that is searched costs as much as this number of variant-bars."""
_ALL = 100_000


def plan(request: DiscoverRequest, context: PlanContext) -> JobSpec:
    """Settle what is searched: the trades of named chaos jobs, or of all finished ones of a campaign.

    Raises:
        NotFound: a job, or any chaos job of the campaign, is not there. Refused: a job is of another kind, or has not ended.
    """
    sampled = sampled_jobs(context.store, request.jobs, request.campaign)
    trades = sum(int((job.result or {}).get("trades", 0)) for job in sampled)
    return JobSpec(
        settled={"discover": request.settings.model_dump(mode="json"), "drawn": [job.id for job in sampled], "trades": trades},
        campaign=sampled[0].campaign,
        seed=request.settings.seed,
        data_hashes=tuple(dict.fromkeys(name for job in sampled for name in job.data_hashes)),
        synthetic=any(job.synthetic for job in sampled),
    )


def repeated(made: Planned, context: PlanContext) -> Job | None:
    """The job that has made, or is making, this very search: searching twice finds the same and must not be paid for twice."""
    for job in context.store.jobs(campaign=made.job.campaign, kind=NAME, limit=_ALL):
        same = job.config_hash == made.job.config_hash and job.data_hash == made.job.data_hash
        if same and job.status not in ("failed", "cancelled"):
            return job
    return None


def cost(settled: Mapping[str, Any]) -> float:
    """What is computed, in variant-bars."""
    return float(settled["trades"] * _TRADE_COST)


def sampled_jobs(store: Store, names: Sequence[str], campaign: str) -> tuple[Job, ...]:
    """Chaos jobs that are done: those named, or all of a campaign, by id.

    Raises:
        NotFound: one, or any of the campaign, is not there. Refused: one is of another kind, or has not ended.
    """
    jobs = [_done(store.job(name)) for name in names] if names else _of_campaign(store, campaign)
    return tuple(sorted(jobs, key=lambda job: job.id))


def trades_of(chaos: ChaosStore, jobs: Sequence[Job]) -> ChaosTrades:
    """The trades of several chaos jobs together.

    Raises:
        InvalidArgument: they differ in markets, features or bars. NotFound: a job's trades are gone.
    """
    return concatenate([chaos.trades(job.id) for job in jobs])


def _done(job: Job) -> Job:
    if job.kind != _SOURCE:
        raise errors.Refused(
            "patterns are searched among chaos trades", found=f"{job.id} of kind {job.kind}", hint="`coinswarm chaos list`"
        )
    if job.status != "done":
        raise errors.Refused(
            f"chaos job {job.id} must be done before it is searched", found=job.status, hint=f"`coinswarm jobs resume {job.id}`"
        )
    return job


def _of_campaign(store: Store, campaign: str) -> Sequence[Job]:
    found = store.jobs(campaign=campaign, kind=_SOURCE, status="done", limit=_ALL)
    if not found:
        raise errors.NotFound(
            f"campaign {campaign} has no finished chaos job", hint="`coinswarm chaos run` draws trades, or name one with --job"
        )
    return found
