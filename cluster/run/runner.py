"""Plan, submit, run and resume jobs of every kind: what the command line, the API and the worker processes of the service share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import Protocol

from cluster.compute.evaluator import Evaluator
from cluster.compute.executor import Executor
from cluster.jobs import registry, spec
from cluster.jobs.kind import Estimate, PlanContext, Planned
from cluster.jobs.progress import Watcher
from cluster.jobs.report import Report
from cluster.jobs.settings import JobSettings
from cluster.queries import vaults
from cluster.run import drive, owners
from cluster.run.lease import patiently
from coinswarm import errors
from coinswarm.ledger import transitions
from coinswarm.ledger.queue import Queue, Submission
from coinswarm.ledger.records import LEASE_S, Job, Lease
from coinswarm.ledger.store import Store
from coinswarm.market.overlap import moment


class Compute(Protocol):
    """Opens what computes: in this process, or on a cluster.

    Attributes:
        dashboard: where the cluster's page is, once one was opened.
        renewable: whether a cluster that died is started again by opening another.
    """

    dashboard: str | None
    renewable: bool

    def processors(self, *, alone: bool) -> int | None:
        """How many processes compute; None: the cluster that runs knows."""

    def start_s(self, *, alone: bool) -> float:
        """Seconds until something is computed."""

    def executor(self, *, alone: bool) -> AbstractContextManager[Executor]:
        """An executor; `alone`: in this process."""

    def evaluator(self, *, alone: bool) -> AbstractContextManager[Evaluator]:
        """An evaluator; `alone`: in this process."""


QUICK_WORK = 2e9
"""Variant-bars, 10 to 20 seconds of one processor: a smaller job is computed by the process that runs it, for a cluster takes as long to
start."""
_MOST_LOSSES = 5
"""How often cluster or database may go away under one run of a job before it is given up."""


@dataclass(frozen=True, kw_only=True)
class Runner:
    """Runs jobs with what this machine has.

    Attributes:
        context: what planning and reports read.
        queue: where jobs wait for the service.
        compute: what computes.
        fetch_timeout_s: how long one answer of an exchange may take.
        alone: compute in this process, whatever a job costs; None: where the job is small, as its kind or `QUICK_WORK` says.
        note: hears what the person who watches should know.
        now: the time.
    """

    context: PlanContext
    queue: Queue
    compute: Compute
    fetch_timeout_s: float
    alone: bool | None = None
    note: Callable[[str], None] = lambda _: None
    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))

    def plan(self, settings: JobSettings, *, tell: bool = True) -> Planned:
        """The job of a request; nothing is stored. What the person who asks should know is told, unless not to `tell`.

        Raises:
            CoinswarmError: what is asked for cannot be done.
        """
        made = spec.planned(settings, self.context, self.now())
        for line in made.notes if tell else ():
            self.note(line)
        return made

    def hold_out(self, settings: JobSettings, share: float, *, who: str) -> None:
        """Declare the vault of the campaign of a request, on the markets that it names, unless the campaign has one of that share.

        Raises:
            Refused: it has another, or its jobs have seen bars of it. InvalidArgument, SpanTooShort: the bars do not allow it.
            CoinswarmError: as `plan`.
        """
        made, context = spec.planned(settings, self.context, self.now()), self.context
        keys = [market["key"] for market in made.job.config["markets"]]
        split, new = vaults.ensure(context.campaigns, made.job.campaign, keys, share, context.bars_file, who=who)
        declared = "is declared" if new else f"was declared on {split.when:%Y-%m-%d}"
        since = moment(split.vault.start_ts)
        self.note(f"the final hold-out (vault) of campaign {split.campaign} {declared}: no search sees bars from {since} on")

    def repeated(self, made: Planned) -> Job | None:
        """The job that has done the same already, where doing it twice is of no use.

        Raises:
            Conflict: it must not be done twice.
        """
        return registry.of(made.job).repeated(made, self.context)

    def estimate(self, made: Planned) -> Estimate:
        """What a planned job would take, until the first result and the start of what computes included.

        A part of it is computed for that: in this process, unless a cluster runs that can be asked.
        """
        alone = self.is_alone(made)
        processors = self.compute.processors(alone=alone)
        with ExitStack() as stack:
            found = registry.of(made.job).estimate(made, _Run(self, stack, alone=processors is not None, processors=processors))
        start_s = self.compute.start_s(alone=alone)
        where = "in this process" if alone else "on a local Ray cluster" if processors else "on the cluster"
        rows = (("place", f"{where}, which takes about {start_s:.0f} s of the time to start"), *found.rows)
        return replace(found, seconds=found.seconds + start_s, facts={**found.facts, "start_s": start_s}, rows=rows)

    def submit(self, made: Planned) -> None:
        """Store a planned job, to be run by the process that claims it first."""
        spec.submit(self.context.store, made)

    def enqueue(self, settings: JobSettings, *, priority: int = 0, key: str = "") -> str:
        """Plan a request and put it in the queue of the service; the answer is the job's id, or that of the job its key stands for.

        Args:
            settings: what is asked for.
            priority: in [-100, 100]; higher runs first.
            key: repeating a submission with the same key changes nothing; "" for none.

        Raises:
            CoinswarmError: what is asked for cannot be done; nothing is stored.
        """
        complete = spec.resolved(settings, self.context.store)
        fingerprint = spec.fingerprint(complete)
        known = self.queue.keyed("", key, fingerprint)
        if known is not None:
            return known
        made = self.plan(complete)
        spec.refuse_repeated(self.repeated(made))
        submission = Submission(
            job=made.job, plays=made.plays, data_sets=made.data_sets, priority=priority, key=key, fingerprint=fingerprint
        )  # fmt: skip
        return self.queue.submit(submission)

    def hand_over(self, made: Planned) -> str:
        """Put a planned job in the queue of the service; the answer is its id."""
        return self.queue.submit(Submission(job=made.job, plays=made.plays, data_sets=made.data_sets))

    def run(
        self, made: Planned, *, new: bool, watcher: Watcher, stopped: Callable[[], bool], owner: str = "", lease_s: float = LEASE_S
    ) -> Job:
        """Run a job to its end: a `new` one from the start, a stored one from its last commit.

        What computes is opened first: where it cannot be, a new job is not stored. `owner` has taken the job already, for `lease_s` seconds
        after each heartbeat, and lends its lease.

        Raises:
            Conflict: another process drives it.
            CoinswarmError: it failed, and is stored as failed.
        """
        losses = 0
        while True:
            try:
                return self._run_once(made, new=new, watcher=watcher, stopped=stopped, owner=owner, lease_s=lease_s)
            except errors.ClusterLost as problem:
                losses += 1
                if not self.compute.renewable or losses > _MOST_LOSSES or stopped():
                    raise
                self.note(f"{problem} Another one is started, and job {made.job.id} continues from its last commit")
            except errors.DatabaseAway as problem:
                losses += 1
                if owner or losses > _MOST_LOSSES or stopped():  # who lends a lease begins again
                    raise
                self.note(f"{problem} Job {made.job.id} continues from its last commit when it does")
            with suppress(errors.NotFound):
                made, new = patiently(partial(spec.stored, self.context.store, made.job.id), tell=self.note, stopped=stopped), False

    def _run_once(self, made: Planned, *, new: bool, watcher: Watcher, stopped: Callable[[], bool], owner: str, lease_s: float) -> Job:
        kind, store = registry.of(made.job), self.context.store
        with self._opened(made) as run:
            work = kind.load(made, run)
            if new:
                self.submit(made)
            lease = drive.claim(store, made.job.id, owner=owner, lease_s=lease_s)
            made_up = "; SYNTHETIC DATA: these prices were made, not traded" if made.job.synthetic else ""
            self.note(f"job {made.job.id} begins{made_up}")
            try:
                drive.drive(store, lease, work, watcher=watcher, stopped=stopped, lease_s=lease_s, lent=bool(owner))
            except errors.DatabaseAway:
                if not owner:
                    patiently(partial(_let_go, store, lease), tell=self.note, stopped=stopped)
                raise
        return store.job(made.job.id)

    def start(self, name: str, *, watcher: Watcher, stopped: Callable[[], bool], owner: str = "", lease_s: float = LEASE_S) -> Job:
        """Run a stored job that is queued, or whose driver died, from its last commit; unlike `resume` it takes no cancel back.

        `owner` and `lease_s` are as for `run`.

        Raises:
            Cancelled: it is cancelled. Conflict: it ended, or is driven. Refused: it would no longer be the same job.
        """
        job = self.context.store.job(name)
        transitions.refuse_ended(job)
        made = spec.unchanged(registry.of(job), self.context.store, job)
        return self.run(made, new=False, watcher=watcher, stopped=stopped, owner=owner, lease_s=lease_s)

    def resume(self, name: str, *, watcher: Watcher, stopped: Callable[[], bool]) -> Job:
        """Take a job that failed, was cancelled or lost its driver on from its last commit, as a user asks for.

        Raises:
            Conflict: it is done, or driven. Refused: it would no longer be the same job.
        """
        store = self.context.store
        job = store.job(name)
        spec.refuse_done(job)
        if owners.release_dead(store, job):
            self.note(f"the driver of job {job.id} is dead; the job continues from its last commit")
            job = store.job(name)
        refuse_driven(job, self.now())
        spec.unchanged(registry.of(job), store, job)
        store.resume(job.id)
        return self.run(spec.stored(store, job.id), new=False, watcher=watcher, stopped=stopped)

    def report(self, job: Job) -> Report:
        """What a job came to."""
        return registry.report(job, self.context)

    def is_alone(self, made: Planned) -> bool:
        """Whether a job is computed in this process."""
        if self.alone is not None:
            return self.alone
        kind = registry.of(made.job)
        return kind.cost(made.job.config) < max(kind.alone_below, QUICK_WORK)

    @contextmanager
    def _opened(self, made: Planned) -> Iterator[_Run]:
        with ExitStack() as stack:
            yield _Run(self, stack, alone=self.is_alone(made))


def _let_go(store: Store, lease: Lease) -> None:
    """Release a lease, unless it was released or lost already."""
    with suppress(errors.Conflict):
        store.release(lease)


class _Run:
    """Keeps `cluster.jobs.kind.RunContext` for the length of a `with`; `processors`: those that an estimate is for."""

    def __init__(self, runner: Runner, stack: ExitStack, *, alone: bool, processors: int | None = None) -> None:
        self._compute, self._stack, self._alone, self._processors = runner.compute, stack, alone, processors
        self._workers = 1
        self.store = runner.context.store
        self.chaos = runner.context.chaos
        self.patterns = runner.context.patterns
        self.bars_file = runner.context.bars_file
        self.fetch_timeout_s = runner.fetch_timeout_s
        self.note = runner.note

    @property
    def processors(self) -> int:
        """See `RunContext`."""
        return self._processors or self._workers

    def executor(self) -> Executor:
        """Calls functions in worker processes, or in this one."""
        opened = self._stack.enter_context(self._compute.executor(alone=self._alone))
        self._workers = opened.workers
        return opened

    def evaluator(self) -> Evaluator:
        """Scores variants in worker processes, or in this one."""
        opened = self._stack.enter_context(self._compute.evaluator(alone=self._alone))
        self._workers = opened.workers
        return opened


def refuse_driven(job: Job, now: datetime) -> None:
    """Say who drives a job, before a cluster is started in vain.

    Raises:
        Conflict: another process does.
    """
    if transitions.is_driven(job, now) and job.lease_expires is not None:
        left_s = max(0.0, (job.lease_expires - now).total_seconds())
        raise errors.Conflict(
            f"job {job.id} is driven by {job.lease_owner}",
            hint=f"if that driver is dead, its lease runs out in {left_s:.0f} s; then resume again",
        )
