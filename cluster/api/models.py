"""What the API answers with. Numbers that may be missing are null; times are ISO 8601 in UTC."""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any, Generic, Literal, Self, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from cluster.jobs import brief
from cluster.jobs.brief import Standing
from coinswarm import codec, errors
from coinswarm.ledger.access import Role
from coinswarm.ledger.browse import Page, Place
from coinswarm.ledger.queue import Entry
from coinswarm.ledger.quotas import Quota
from coinswarm.ledger.records import Job, JobStatus

Row = TypeVar("Row")
_MOST = 2**63 - 1


def _finite(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


Figure = Annotated[float | None, BeforeValidator(_finite)]
Json = Annotated[dict[str, Any], BeforeValidator(codec.plain)]


class Answer(BaseModel):
    """Made from a record of the library by its attributes."""

    model_config = ConfigDict(from_attributes=True, extra="forbid")


class RulesOut(Answer):
    """What a variant does, in words."""

    text: str


class PageOut(Answer, Generic[Row]):
    """Some rows; `next` is the cursor of the page after them, null after the last."""

    rows: list[Row]
    next: str | None

    @classmethod
    def of(cls, found: Page[Any], rows: Iterable[Any] | None = None) -> Self:
        """A page as it is sent, of records or of `rows` that stand for them."""
        kept = found.rows if rows is None else list(rows)
        return cls.model_validate({"rows": kept, "next": None if found.next is None else cursor(found.next)})


class JobBrief(Answer):
    """A job as it stands in a list. `lost`: it runs, and its driver has not been heard of; it is resumed by itself."""

    id: str
    kind: str
    campaign: str
    status: Standing
    created: datetime
    started: datetime | None
    finished: datetime | None
    plays: list[str] = Field(description="names, or the SHA-256 where a kind of job does not name them")
    markets: list[str] = Field(description="keys of data sets")
    population: int | None
    generations: int | None
    seed: int
    synthetic: bool = Field(description="some of its bars were made, not traded")
    evaluations: int | None = Field(description="of a job that ended")
    error: str
    cancel_requested: bool
    columns: Json = Field(default_factory=dict, description="what only jobs of this kind have")


class KindOut(Answer):
    """A kind of job. `request` is the JSON Schema of what can be asked for, `defaults` what is done where a request says nothing."""

    name: str
    summary: str
    command: str = Field(description="the command that runs it here")
    request: dict[str, Any]
    defaults: dict[str, Any]
    script: bool = Field(description="the page has a module for jobs of this kind")


class QueueOut(Answer):
    """A job's place in the queue. `token` is the id of the token that submitted it."""

    token: str
    priority: int
    submitted: datetime
    attempts: int


class JobOut(JobBrief):
    """A job with all that it was asked to do and what it found."""

    play_hashes: list[str]
    data_hash: str
    config: Json
    config_hash: str
    code_version: str
    driver: str
    lease_expires: datetime | None
    result: Annotated[dict[str, Any] | None, BeforeValidator(codec.plain)]
    result_hash: str
    queue: QueueOut | None


class StatusOut(Answer):
    """A job's status after a change."""

    job: str
    status: JobStatus


class TerminationOut(Answer):
    """What became of a job that was terminated: who held its lease, and its process: none, ended, or elsewhere, where it stores nothing."""

    job: str
    status: JobStatus
    owner: str
    process: Literal["none", "ended", "elsewhere"]


class GenerationOut(Answer):
    """One island (or the whole job, island -1) at the end of one generation or step."""

    island: int
    generation: int
    best: Figure
    median: Figure
    diversity: Figure
    evaluations: int
    failures: int
    seconds: Figure
    figures: Json


class LeaderOut(Answer):
    """A place on the leaderboard; figures are means over the data sets."""

    rank: int
    evaluation: str
    job: str
    variant: str
    play: str
    params: Json
    fitness: Figure
    objectives: list[Figure]
    in_sample: dict[str, Figure]
    out_of_sample: dict[str, Figure]
    synthetic: bool


class Leaderboard(Answer):
    """The best variants of a job, how many `distinct` ones it tried (null until it ends), and how many its campaign did (`trials`)."""

    job: str
    status: Standing
    synthetic: bool
    distinct: int | None
    trials: int
    rows: list[LeaderOut]


class EvaluationBriefOut(Answer):
    """An evaluation as it stands in a list."""

    id: str
    job: str
    variant: str
    play: str
    island: int
    generation: int
    index: int
    params: Json
    fitness: Figure
    objectives: list[Figure]
    status: str
    reason: str
    operator: str
    parents: list[str]


class ScoreOut(Answer):
    """The figures of a variant on one data set and segment of time."""

    data_set: str
    segment: str
    status: str
    figures: dict[str, Figure]


class EvaluationOut(EvaluationBriefOut):
    """An evaluation with all that is known of it."""

    campaign: str
    genome: list[Figure]
    seed: int
    config_hash: str
    data_hash: str
    code_version: str
    synthetic: bool
    scores: list[ScoreOut]


class AncestorOut(Answer):
    """One variant of a family tree; `depth` is 0 for the one asked about."""

    depth: int
    evaluation: str
    variant: str
    parents: list[str]
    operator: str
    island: int
    generation: int
    fitness: Figure


class QuotaOut(Answer):
    """What a token or a campaign may have, and what its jobs count for."""

    quota: Quota
    used: dict[str, int]


class TokenOut(Answer):
    """A token without its secret."""

    id: str
    name: str
    role: Role
    max_queued: int
    max_running: int
    created: datetime
    expires: datetime | None
    revoked: datetime | None


def job_out(job: Job, entry: Entry | None) -> JobOut:
    """A job with everything."""
    return JobOut(
        **brief.brief(job), play_hashes=list(job.plays), data_hash=job.data_hash, config=dict(job.config), config_hash=job.config_hash,
        code_version=job.code_version, driver=job.lease_owner, lease_expires=job.lease_expires,
        result=None if job.result is None else dict(job.result), result_hash=job.result_hash,
        queue=None if entry is None else QueueOut.model_validate(entry),
    )  # fmt: skip


def cursor(place: Place) -> str:
    """Where a page ended, as text that fits into an address."""
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")


def place(text: str | None, kind: type[int | float | str]) -> Place | None:
    """Where a page begins, from the text of a cursor whose first part is a number or a text.

    Raises:
        InvalidArgument: it is not a cursor of such a page.
    """
    if text is None:
        return None
    try:
        value, name = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, TypeError, binascii.Error, RecursionError):
        raise errors.InvalidArgument("`cursor` must be what `next` of a page like this said", found=repr(text[:40])) from None
    if not isinstance(name, str) or not name.isprintable() or not _is_a(value, kind):
        raise errors.InvalidArgument("`cursor` must be of a page that is sorted like this", found=repr(text[:40]))
    return value, name


def _is_a(value: object, kind: type[int | float | str]) -> bool:
    if isinstance(value, bool):
        return False
    if kind is int:
        return isinstance(value, int) and 0 <= value < _MOST // 100
    if kind is float:
        return isinstance(value, (int, float)) and abs(value) < _MOST
    return isinstance(value, str) and value.isprintable()
