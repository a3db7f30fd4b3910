"""What tests plan and run jobs with: contexts of memory or PostgreSQL, an executor or evaluator of their own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cluster.compute.batching import BatchEvaluator
from cluster.compute.evaluator import Evaluator
from cluster.compute.executor import Executor
from cluster.compute.local import LocalExecutor
from cluster.jobs import registry, spec
from cluster.jobs.kind import PlanContext, Planned, Work
from cluster.jobs.progress import Silent, Watcher
from cluster.jobs.settings import JobSettings, PlayGiven
from cluster.run import drive
from coinswarm import errors
from coinswarm.ledger.campaigns import Campaigns
from coinswarm.ledger.chaos import ChaosStore
from coinswarm.ledger.memory import MemoryCampaigns, MemoryChaosStore, MemoryPatternStore, MemoryStore
from coinswarm.ledger.patterns import PatternStore
from coinswarm.ledger.records import LEASE_S, Job, Json
from coinswarm.ledger.store import Store


def plan_context(
    bars_file: Path, *, store: Store | None = None, campaigns: Campaigns | None = None, chaos: ChaosStore | None = None,
    patterns: PatternStore | None = None, free_bytes: Callable[[], int | None] = lambda: None,
) -> PlanContext:  # fmt: skip
    """A context for planning; what is not given is in memory."""
    kept = store or MemoryStore()
    memory = kept if isinstance(kept, MemoryStore) else MemoryStore()
    return PlanContext(
        store=kept, campaigns=campaigns or MemoryCampaigns(memory), chaos=chaos or MemoryChaosStore(memory),
        patterns=patterns or MemoryPatternStore(memory), bars_file=bars_file, free_bytes=free_bytes,
    )  # fmt: skip


def planned(settings: JobSettings, context: PlanContext) -> Planned:
    """The job of a request."""
    return spec.planned(settings, context, datetime.now(UTC))


def request(kind: str, **values: Any) -> JobSettings:
    """A request of a kind."""
    checked: JobSettings = registry.options(kind).settings.model_validate({"kind": kind, **values})
    return checked


def play(text: str, path: Path | None = None) -> PlayGiven:
    """A play as a request takes it."""
    return PlayGiven(text=text) if path is None else PlayGiven.read_from(path, text)


def resettled(made: Planned, **changes: Any) -> Planned:
    """The same job with other values in its config, such as smaller batches."""
    from dataclasses import replace

    config = {**made.job.config, **changes}
    return replace(made, job=replace(made.job, config=config, config_hash=spec.config_hash(config)))


class NoCluster:
    """The cluster of a service whose jobs are too small for one."""

    def address(self) -> str:
        raise errors.Unavailable("there is no cluster")

    def look(self, *, used: bool) -> None:
        assert not used


@dataclass(kw_only=True)
class RunWorld:
    """Keeps `cluster.jobs.kind.RunContext` with what a test brings; computing is in this process unless it brings another."""

    context: PlanContext
    own_executor: Executor | None = None
    own_evaluator: Evaluator | None = None
    fetch_timeout_s: float = 5.0
    notes: list[str] = field(default_factory=list)

    @property
    def store(self) -> Store:
        return self.context.store

    @property
    def chaos(self) -> ChaosStore:
        return self.context.chaos

    @property
    def patterns(self) -> PatternStore:
        return self.context.patterns

    @property
    def bars_file(self) -> Path:
        return self.context.bars_file

    @property
    def processors(self) -> int:
        return self.executor().workers

    def executor(self) -> Executor:
        return self.own_executor or LocalExecutor()

    def evaluator(self) -> Evaluator:
        return self.own_evaluator or BatchEvaluator(LocalExecutor())

    def note(self, text: str) -> None:
        self.notes.append(text)


@dataclass(frozen=True, kw_only=True)
class Ending:
    """How a job ended: as its row says."""

    job: str
    status: str
    result: Json
    result_hash: str


def run(
    made: Planned, world: RunWorld, *, new: bool = True, watcher: Watcher | None = None, stopped: Callable[[], bool] = lambda: False,
    lease_s: float = LEASE_S,
) -> Job:  # fmt: skip
    """A job, run by this process; one that is not new and has ended is resumed first, as a user would."""
    if new:
        spec.submit(world.store, made)
    elif world.store.status(made.job.id) in ("cancelled", "failed"):
        world.store.resume(made.job.id)
    work = registry.of(made.job).load(made, world)
    driven(world.store, made.job.id, work, watcher=watcher, stopped=stopped, lease_s=lease_s)
    return world.store.job(made.job.id)


def driven(
    store: Store, job: str, work: Work, *, watcher: Watcher | None = None, stopped: Callable[[], bool] = lambda: False,
    lease_s: float = LEASE_S,
) -> Ending:  # fmt: skip
    """The ending of a stored job whose work is at hand."""
    held = drive.claim(store, job, lease_s=lease_s)
    result = drive.drive(store, held, work, watcher=watcher or Silent(), stopped=stopped, lease_s=lease_s)
    return Ending(job=job, status=str(result["status"]), result=result, result_hash=str(result["result_hash"]))
