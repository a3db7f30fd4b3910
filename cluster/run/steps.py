"""Jobs made of numbered steps: the figures of each are committed in order, and a resumed job goes on at the first that is missing.

A step is stored as a generation of the whole job, so that whoever watches, lists or counts jobs needs to know one kind of record only.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from cluster.jobs.evolve.loop import Ending
from cluster.jobs.progress import Advance, Silent, Watcher, resident_bytes
from cluster.run import lease as patience
from cluster.run.lease import Pulse
from coinswarm import errors
from coinswarm.ledger.records import WHOLE_JOB, GenerationRecord, JobStatus, Json, Lease
from coinswarm.ledger.store import Store


@dataclass(frozen=True, kw_only=True)
class Step:
    """One finished step.

    Attributes:
        number: 0, 1, …
        figures: what it found, as JSON; numbers may be NaN.
        trials, failures: how many trials it made, and how many of them failed.
        commit: stores the step's rows together with its record, in one transaction; None: the record alone is stored.
    """

    number: int
    figures: Json
    trials: int = 0
    failures: int = 0
    commit: Callable[[Lease, GenerationRecord], object] | None = None


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How long a step takes. The first one of a driver includes what is loaded and compiled before it, so it only starts the clock.

    Attributes:
        steps: how many this driver has done.
        first_s, last_s: seconds after the start at which the first and the last of them was done.
    """

    steps: int = 0
    first_s: float = 0.0
    last_s: float = 0.0

    @property
    def step_s(self) -> float:
        """Seconds a step; NaN before the second."""
        return (self.last_s - self.first_s) / (self.steps - 1) if self.steps > 1 else float("nan")

    def after_step(self, elapsed_s: float) -> Pace:
        """With one more step, done so many seconds after the start."""
        return Pace(steps=self.steps + 1, first_s=self.first_s if self.steps else elapsed_s, last_s=elapsed_s)


class Stages(Protocol):
    """A job that is made of steps."""

    @property
    def total(self) -> int:
        """How many steps there are."""

    @property
    def unit(self) -> str:
        """What a step is called when several are counted: worlds, sections, batches."""

    def steps(self, done: Sequence[Json], halted: Callable[[], bool], /) -> Iterator[Step]:
        """The steps that are missing, in order.

        Args:
            done: figures of the steps that are stored, from the first on.
            halted: asked by what waits long inside a step, such as for an exchange; True: raise `Cancelled` within a second or two.
        """

    def conclude(self, figures: Sequence[Json]) -> tuple[Json, str]:
        """The job's result, and the hash of all in it that must not depend on who computed it.

        Args:
            figures: those of all steps.
        """


class StepDriver:
    """Drives one job of steps to its end.

    Args:
        store: where everything is remembered.
        watcher: who is told.
        stopped: asked between steps; True ends the job as cancelled, with all that was committed kept.
        workers: how many processes compute, for whoever watches.
        lease_s: how long the lease lasts after each heartbeat.
    """

    def __init__(
        self,
        store: Store,
        *,
        watcher: Watcher | None = None,
        stopped: Callable[[], bool] = lambda: False,
        workers: Callable[[], int] = lambda: 1,
        lease_s: float = patience.LEASE_S,
    ) -> None:
        self._store = store
        self._watcher = watcher or Silent()
        self._stopped = stopped
        self._workers = workers
        self._lease_s = lease_s

    def run(self, job: str, lease: Lease, stages: Stages) -> Ending:
        """Do what is missing of `job` under `lease`.

        Raises:
            Conflict: the lease was lost to another driver.
            Unavailable: database or cluster stayed away; the job can be resumed.
            CoinswarmError: the job failed, and is stored as failed.
        """
        with Pulse(self._store, lease, lease_s=self._lease_s) as pulse:
            try:
                return self._drive(job, lease, pulse, stages)
            except BaseException as problem:
                patience.give_up(self._store, lease, problem, tell=self._watcher.on_note)
                raise

    def _drive(self, job: str, lease: Lease, pulse: Pulse, stages: Stages) -> Ending:
        stored = [record for record in self._store.generations(job) if record.island == WHOLE_JOB]
        figures = [record.figures for record in stored]
        before_s, began, pace = max((record.seconds for record in stored), default=0.0), time.monotonic(), Pace()
        steps = stages.steps(figures, lambda: self._halted(pulse)) if len(figures) < stages.total else iter(())
        self._tell(job, stages, len(figures), pace, before_s)
        while len(figures) < stages.total and not self._halted(pulse):
            try:
                step = next(steps)
            except errors.Cancelled:  # what waited long inside the step heard of it
                break
            elapsed_s = time.monotonic() - began
            self._commit(job, lease, step, before_s + elapsed_s)
            figures.append(step.figures)
            pace = pace.after_step(elapsed_s)
            self._tell(job, stages, len(figures), pace, before_s + elapsed_s)
        status: JobStatus = "done" if len(figures) == stages.total and not pulse.cancelled else "cancelled"
        result, result_hash = stages.conclude(figures) if status == "done" else ({}, "")
        full = {"job": job, "status": status, "steps": len(figures), "of": stages.total, **result, "result_hash": result_hash}
        ended = patience.finish(self._store, lease, status, full, result_hash, tell=self._watcher.on_note, stopped=self._stopped)
        return Ending(job=job, status=ended["status"], result=ended, result_hash=result_hash)

    def _halted(self, pulse: Pulse) -> bool:
        if pulse.lost is not None:
            raise pulse.lost
        return pulse.cancelled or self._stopped()

    def _commit(self, job: str, lease: Lease, step: Step, seconds: float) -> None:
        missing = float("nan")
        record = GenerationRecord(
            job=job, island=WHOLE_JOB, generation=step.number, best=missing, median=missing, diversity=missing,
            evaluations=step.trials, failures=step.failures, seconds=seconds, figures=step.figures,
        )  # fmt: skip
        commit = step.commit
        self._patiently(lambda: self._store.commit_generation(lease, [record]) if commit is None else commit(lease, record))

    def _tell(self, job: str, stages: Stages, done: int, pace: Pace, elapsed_s: float) -> None:
        each = 0.0 if done == stages.total else pace.step_s
        self._watcher.on_advance(
            Advance(
                job=job, unit=stages.unit, done=done, total=stages.total, rate=1 / pace.step_s if pace.step_s > 0 else float("nan"),
                eta_s=each * (stages.total - done), elapsed_s=elapsed_s, memory_bytes=resident_bytes(), workers=self._workers(),
            )
        )  # fmt: skip

    def _patiently(self, call: Callable[[], object]) -> None:
        patience.patiently(call, tell=self._watcher.on_note, stopped=self._stopped)


def refuse_ended(status: JobStatus, job: str) -> None:
    """Say that a job is done before anybody starts a cluster for it.

    Raises:
        Conflict: it is.
    """
    if status == "done":
        raise errors.Conflict(f"job {job} is done", hint=f"`coinswarm jobs show {job}` shows what it found")
