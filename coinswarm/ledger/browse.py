"""Looking through a store page by page: what the control plane shows, beyond what a run itself needs of the `Store` protocol.

A page is asked for by where the last one ended, never by a number: rows that arrive in between neither repeat nor hide others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, Literal, Protocol, TypeAlias, TypeVar, runtime_checkable

from coinswarm.ledger.patterns import PatternRecord, PatternSource, PatternStatus
from coinswarm.ledger.records import GenerationRecord, Job, JobStatus, Json

Row = TypeVar("Row")
Place: TypeAlias = tuple[Any, str]
"""Where a page ended: the value it is ordered by, and the id."""

EvaluationOrder: TypeAlias = Literal["-fitness", "fitness", "generation", "-generation", "id"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Page(Generic[Row]):
    """Some rows, and where the next page begins; None after the last."""

    rows: tuple[Row, ...]
    next: Place | None


@dataclass(frozen=True, kw_only=True, slots=True)
class JobFilter:
    """Which jobs; None: all."""

    campaign: str | None = None
    status: JobStatus | None = None
    kind: str | None = None
    token: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class EvaluationFilter:
    """Which evaluations of a job; None: all. Bounds are included. Ordered by fitness, those without one are left out."""

    job: str
    play: str | None = None
    status: str | None = None
    operator: str | None = None
    island: int | None = None
    from_generation: int | None = None
    to_generation: int | None = None
    min_fitness: float | None = None
    max_fitness: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class EvaluationBrief:
    """An evaluation without its figures and origins, as it stands in a list. `fitness` is NaN for a failed variant."""

    id: str
    job: str
    variant: str
    play: str
    island: int
    generation: int
    index: int
    params: Json
    fitness: float
    objectives: tuple[float, ...]
    status: str
    reason: str
    operator: str
    parents: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class PatternFilter:
    """Which patterns; None: all."""

    source: PatternSource | None = None
    status: PatternStatus | None = None
    job: str | None = None
    synthetic: bool | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class PlayBrief:
    """A stored play without its text, which has that many characters."""

    sha256: str
    name: str
    characters: int
    saved: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Commit:
    """What one transaction of a job's driver brought. `number` grows from commit to commit of a job; records are by island."""

    number: int
    generations: tuple[GenerationRecord, ...] = field(default_factory=tuple)


@runtime_checkable
class Browse(Protocol):
    """Pages of a store. Reads only."""

    def jobs(self, wanted: JobFilter, *, after: Place | None = None, limit: int = 50) -> Page[Job]:
        """Jobs, newest first."""

    def evaluations(
        self, wanted: EvaluationFilter, order: EvaluationOrder = "-fitness", *, after: Place | None = None, limit: int = 100
    ) -> Page[EvaluationBrief]:
        """Evaluations of one job. Equal ones stand by id, and by id backwards where `fitness` rises: that order is the other one reversed.

        Raises:
            NotFound: there is no such job.
        """

    def plays(self, *, after: Place | None = None, limit: int = 100) -> Page[PlayBrief]:
        """Plays, newest first."""

    def patterns(self, wanted: PatternFilter, *, after: Place | None = None, limit: int = 100) -> Page[PatternRecord]:
        """Patterns of the library, newest first."""

    def commits(self, job: str, *, after: int = -1, limit: int = 1000) -> tuple[Commit, ...]:
        """What a job's drivers committed after the commit with this number, oldest first, without states."""

    def jobs_by_status(self) -> Mapping[tuple[str, str], int]:
        """How many jobs there are of each kind and status."""
