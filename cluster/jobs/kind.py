"""What the cluster must know of a kind of job to plan, run, resume and report it: one definition.

A kind is a folder of `cluster.jobs` and one line of `cluster.jobs.registry`. Its `definition` module holds a `JobKind`. What a list of
commands or jobs needs stands in the folder's `__init__`, what can be asked for in `settings`: neither imports what computes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Protocol

from cluster.jobs.options import Options, S
from coinswarm.ledger.quotas import ANY, JobAmounts, Quota

if TYPE_CHECKING:  # commands know kinds by this module, and most of them compute nothing
    from cluster.compute.evaluator import Evaluator
    from cluster.compute.executor import Executor
    from cluster.jobs.progress import Watcher
    from cluster.jobs.report import Report
    from coinswarm.ledger.campaigns import Campaigns
    from coinswarm.ledger.chaos import ChaosStore
    from coinswarm.ledger.patterns import PatternStore
    from coinswarm.ledger.records import DataSetRecord, Job, JobStatus, Json, Lease, PlayRecord
    from coinswarm.ledger.store import Store


@dataclass(frozen=True, kw_only=True, slots=True)
class PlanContext:
    """What planning and reports may read: everything that is remembered, and the bars of this machine.

    `free_bytes` is the room on the disk of the database; None when that is on another machine. `limits` are those of one job.
    """

    store: Store
    campaigns: Campaigns
    chaos: ChaosStore
    patterns: PatternStore
    bars_file: Path
    free_bytes: Callable[[], int | None] = lambda: None
    limits: Quota = ANY


@dataclass(frozen=True, kw_only=True, slots=True)
class JobSpec:
    """A settled request: all that decides the result, and what is stored with the job.

    Attributes:
        settled: what decides the result, as JSON; it becomes the job's config and is hashed.
        campaign: jobs whose trials are counted together.
        seed: of everything that is drawn.
        plays, data_sets: records that the job refers to; the order of the data sets is that of the job's data hashes.
        data_hashes: content hashes of the job's bars; None: those of `data_sets`.
        synthetic: some of the bars were made, not traded. None: as the data sets say.
        files: where the plays were read from, so that a file that changed since is noticed on resume; None: the kind keeps no files.
        notes: sentences that the person who asks should read before the job runs.
    """

    settled: Mapping[str, Any]
    campaign: str
    seed: int = 0
    plays: tuple[PlayRecord, ...] = ()
    data_sets: tuple[DataSetRecord, ...] = ()
    data_hashes: tuple[str, ...] | None = None
    synthetic: bool | None = None
    files: tuple[str | None, ...] | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Planned:
    """A job with the plays and data sets it refers to, stored or about to be."""

    job: Job
    plays: tuple[PlayRecord, ...] = ()
    data_sets: tuple[DataSetRecord, ...] = ()
    notes: tuple[str, ...] = ()


class RunContext(Protocol):
    """What a running job may use. The cluster is started, or joined, when its executor or evaluator is first asked for."""

    @property
    def store(self) -> Store:
        """Jobs, plays, evaluations."""

    @property
    def chaos(self) -> ChaosStore:
        """Chaos trades."""

    @property
    def patterns(self) -> PatternStore:
        """The library of patterns."""

    @property
    def bars_file(self) -> Path:
        """The catalog of bars."""

    @property
    def fetch_timeout_s(self) -> float:
        """How long one answer of an exchange may take."""

    @property
    def processors(self) -> int:
        """How many processes will compute the job that is estimated: what the estimate was given, and asked for before, may have fewer."""

    def executor(self) -> Executor:
        """Calls functions in worker processes."""

    def evaluator(self) -> Evaluator:
        """Scores variants in worker processes."""

    def note(self, text: str) -> None:
        """Say something that the person who watches should know."""


class Drive(Protocol):
    """The run of one job, from the side of the job: its lease, whether to stop, and who is told of progress."""

    @property
    def lease(self) -> Lease:
        """The right to commit; every commit checks it."""

    @property
    def watcher(self) -> Watcher:
        """Who is told of progress."""

    def halted(self) -> bool:
        """Whether to stop at the next safe moment: the job was cancelled, or the process is to end.

        Raises:
            Conflict: the lease was lost to another driver.
        """

    def cancelled(self) -> bool:
        """Whether a user cancelled the job; a process that is to end does not count."""

    def commit(self, call: Callable[[], object]) -> None:
        """Do `call`, which the store does in one transaction, again and again while the database is away.

        Raises:
            Unavailable: the database stayed away.
        """

    def commit_later(self, call: Callable[[], object], then: Callable[[], None]) -> None:
        """As `commit`, on a thread of its own and in the order of the calls; `then` is called by `settle` once it is in."""

    def settle(self, *, everything: bool = False) -> None:
        """Take note of commits that are in, or wait for all of them. Raises what a commit raised."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RunOutcome:
    """How a run ended: `result` is stored with the job; `result_hash` covers all in it that must not depend on who computed it."""

    status: JobStatus
    result: Json
    result_hash: str = ""


class Work(Protocol):
    """A job that is ready to run, at its start or where its last commit left it."""

    def run(self, drive: Drive) -> RunOutcome:
        """Do what is missing.

        Raises:
            CoinswarmError: the job cannot succeed.
        """


@dataclass(frozen=True, kw_only=True, slots=True)
class Estimate:
    """What a job would take.

    Attributes:
        seconds: wall time; NaN when unknown.
        facts: what `--json` prints beside it.
        rows: what a person reads: a name and a sentence each.
    """

    seconds: float
    facts: Mapping[str, Any] = field(default_factory=dict)
    rows: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Recount:
    """One thing that is counted again.

    Attributes:
        what: it is.
        stored: what the job says.
        counted: what there is; None where it cannot be counted any more.
        note: why not.
    """

    what: str
    stored: Any
    counted: Any
    note: str = ""

    @property
    def differs(self) -> bool:
        """Whether something is wrong; what cannot be counted is not."""
        return self.counted is not None and self.stored != self.counted


@dataclass(frozen=True, kw_only=True, slots=True)
class JobKind(Generic[S]):
    """How a kind of job is planned, run and reported.

    Attributes:
        name: the folder's name, and `Job.kind`.
        options: what can be asked for, and how it is typed.
        plan: settles a request; refuses what cannot be done, before anything is stored.
        check: refuses what can be refused without bars, as `plan` would; a command asks it before it imports files.
        load: the work of a planned job; it reads nothing but the job, so that to resume is the same call.
        cost: of a settled config: what is computed, in variant-bars.
        estimate: what a planned job would take.
        report: of a job that has ended: tables and sentences.
        recount: what is stored of a job beside what it says of itself; None: as `cluster.jobs.recount.of_steps`.
        amounts: what a request asks for at most, told without looking at bars.
        changes: what else differs from the job as it was stored, as lines; a changed job is not resumed.
        repeated: the job that has done what is asked for already, where doing it twice is of no use; raises `Conflict` where it may not be.
        stored_bytes: of a settled config: about how much the job adds to the database.
        alone_below: cost below which the command computes in its own process, where no number of workers is asked for.
        any_code: whether another version of the code may resume it.
    """

    name: str
    options: Options[S]
    plan: Callable[[S, PlanContext], JobSpec]
    load: Callable[[Planned, RunContext], Work]
    cost: Callable[[Json], float]
    estimate: Callable[[Planned, RunContext], Estimate]
    report: Callable[[Job, PlanContext], Report]
    check: Callable[[S], None] = lambda _: None
    recount: Callable[[Planned, PlanContext], Iterable[Recount]] | None = None
    amounts: Callable[[S], JobAmounts] = lambda _: JobAmounts()
    changes: Callable[[Planned], Sequence[str]] = lambda _: ()
    repeated: Callable[[Planned, PlanContext], Job | None] = lambda _planned, _context: None
    stored_bytes: Callable[[Json], int] = lambda _: 0
    alone_below: float = 0.0
    any_code: bool = False
