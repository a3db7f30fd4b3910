"""Amounts that a request asks for, the most of each that a job, a token or a campaign may have, and the protocol that keeps quotas."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal, Protocol, TypeAlias, runtime_checkable

from pydantic import Field, ValidationError

from coinswarm import config, errors
from coinswarm.ledger.records import FINAL_STATUSES, WHOLE_JOB, GenerationRecord, Job

_WORDS = {
    "trials": "variants", "chaos_trades": "chaos trades", "generations": "generations", "fetched_bars": "fetched bars",
    "stored_bytes": "bytes in the database",
}  # fmt: skip
_MOST = 2**62


@dataclass(frozen=True, kw_only=True, slots=True)
class JobAmounts:
    """What a job asks for, at most; what it is not known to need is 0."""

    trials: int = 0
    chaos_trades: int = 0
    generations: int = 0
    fetched_bars: int = 0
    stored_bytes: int = 0

    def __add__(self, other: JobAmounts) -> JobAmounts:
        return JobAmounts(**{name: getattr(self, name) + getattr(other, name) for name in _WORDS})


class Quota(config.Settings):
    """The most of each amount, of a job or of all jobs of a token or campaign together; none: any."""

    trials: Annotated[int, Field(ge=0, le=_MOST, description="variants that are evaluated")] | None = None
    chaos_trades: Annotated[int, Field(ge=0, le=_MOST, description="random trades")] | None = None
    generations: Annotated[int, Field(ge=0, le=_MOST, description="generations of searches")] | None = None
    fetched_bars: Annotated[int, Field(ge=0, le=_MOST, description="candles from exchanges")] | None = None
    stored_bytes: Annotated[int, Field(ge=0, le=_MOST, description="bytes in the database, as estimated before a job runs")] | None = None
    run_s: Annotated[float, Field(gt=0, le=1e9, description="seconds that one job may run")] | None = None
    streams: Annotated[int, Field(ge=0, le=_MOST, description="of a token: jobs that may be followed at one time")] | None = None


ANY = Quota()
Scope: TypeAlias = Literal["token", "campaign"]


@runtime_checkable
class Quotas(Protocol):
    """Where quotas of tokens (by their id) and campaigns are kept. Each method is one transaction.

    A job counts from the moment it is stored, by what it asks for. Once it has ended, its variants and generations count as far as they
    were made, and one that never began counts for nothing. Whatever stores a job refuses one that would go beyond a quota, alone: two that
    are stored at the same time cannot pass it together.
    """

    def set_quota(self, scope: Scope, name: str, quota: Quota, *, by: str) -> None:
        """Keep a quota in the place of the one before, and note it in the audit log."""

    def quota(self, scope: Scope, name: str) -> Quota:
        """What a token or campaign may have; `ANY` where nothing was said."""

    def used(self, scope: Scope, name: str) -> JobAmounts:
        """What the jobs of a token or campaign count for."""


def parsed(texts: Sequence[str]) -> Quota:
    """A quota from texts such as `trials=1000000`.

    Raises:
        InvalidArgument: one is no limit, or lies outside its domain.
    """
    pairs = dict(text.partition("=")[::2] for text in texts)
    try:
        return Quota.model_validate(pairs)
    except ValidationError as error:
        first = error.errors()[0]
        rule = f"a quota reads NAME=NUMBER with a name of {', '.join(Quota.model_fields)}"
        raise errors.InvalidArgument(rule, found=f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None


def asked_of(job: Job) -> JobAmounts:
    """What a stored job asked for; jobs of earlier releases did not say, and one whose config is broken does not hold up the others."""
    found = job.config.get("asked")
    amounts = found if isinstance(found, Mapping) else {}
    return JobAmounts(**{name: int(amounts.get(name, 0)) for name in _WORDS})


def counted(job: Job, generations: Sequence[GenerationRecord]) -> JobAmounts:
    """What a job counts for."""
    asked = asked_of(job)
    if job.status not in FINAL_STATUSES:
        return asked
    if job.started is None:
        return JobAmounts()
    made = len({record.generation for record in generations if record.island != WHOLE_JOB}) * max(len(job.plays), 1)
    return dataclasses.replace(asked, trials=sum(record.evaluations for record in generations), generations=made)


def refuse_more(scope: Scope, name: str, quota: Quota, used: JobAmounts, asked: JobAmounts) -> None:
    """Raise `LimitReached` when a job would take a token or campaign beyond its quota."""
    for field, words in _WORDS.items():
        limit, wanted = getattr(quota, field), getattr(used, field) + getattr(asked, field)
        if limit is not None and getattr(asked, field) and wanted > limit:
            raise errors.LimitReached(
                f"{scope} {name} may have {limit:,} {words}", found=f"{getattr(used, field):,} and {getattr(asked, field):,} more",
                hint="ask for less, or an admin of this server for a greater quota",
            )  # fmt: skip


def timed(job: Job, quota: Quota) -> Job:
    """The job with the shorter of its own limit of time and that of a quota."""
    limits = [limit for limit in (run_limit_s(job), quota.run_s) if limit is not None]
    return dataclasses.replace(job, config={**job.config, "run_s": min(limits)}) if limits else job


def run_limit_s(job: Job) -> float | None:
    """How long a job may run; None: as long as it takes."""
    found: float | None = job.config.get("run_s")
    return found


def refuse_job(asked: JobAmounts, limits: Quota, hint: str) -> None:
    """Raise `TooLarge` when one job asks for more than a job may.

    Args:
        asked: what it asks for.
        limits: of a job.
        hint: how the limit is raised.
    """
    for name, words in _WORDS.items():
        limit, wanted = getattr(limits, name), getattr(asked, name)
        if limit is not None and wanted > limit:
            raise errors.TooLarge(f"a job may ask for at most {limit:,} {words}", found=f"{wanted:,}", hint=f"ask for less, or {hint}")
