"""Jobs made of numbered steps: the figures of each are committed in order, and a resumed job goes on at the first that is missing.

A step is stored as a generation of the whole job, so that who watches, lists or counts jobs needs to know one kind of record only.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from cluster.jobs.kind import Drive, Estimate, RunOutcome
from cluster.jobs.progress import Advance, resident_bytes
from coinswarm import errors
from coinswarm.ledger.records import WHOLE_JOB, GenerationRecord, JobStatus, Json, Lease
from coinswarm.ledger.store import Store

_PROBED = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One finished step.

    Attributes:
        number: 0, 1, …
        figures: what it found, as JSON; numbers may be NaN.
        trials, failures: how many trials it made, and how many of them failed.
        note: what the person who watches should read of it; "": nothing.
        commit: stores the step's rows together with its record, in one transaction; None: the record alone is stored.
    """

    number: int
    figures: Json
    trials: int = 0
    failures: int = 0
    note: str = ""
    commit: Callable[[Lease, GenerationRecord], object] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
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


class Steps:
    """Runs the steps of one job: the `Work` of every kind that is made of steps.

    Args:
        store: where the steps that are done are found, and where the others are stored.
        job: the job's id.
        stages: its steps.
        workers: how many processes compute, for who watches.
    """

    def __init__(self, store: Store, job: str, stages: Stages, *, workers: Callable[[], int] = lambda: 1) -> None:
        self._store = store
        self._job = job
        self._stages = stages
        self._workers = workers

    def run(self, drive: Drive) -> RunOutcome:
        """Do the steps that are missing."""
        stages = self._stages
        stored = [record for record in self._store.generations(self._job) if record.island == WHOLE_JOB]
        figures = [record.figures for record in stored]
        before_s, began, pace = max((record.seconds for record in stored), default=0.0), time.monotonic(), Pace()
        steps = stages.steps(figures, drive.halted) if len(figures) < stages.total else iter(())
        self._tell(drive, len(figures), pace, before_s)
        while len(figures) < stages.total and not drive.halted():
            try:
                step = next(steps)
            except errors.Cancelled:  # what waited long inside the step heard of it
                break
            elapsed_s = time.monotonic() - began
            self._commit(drive, step, before_s + elapsed_s)
            figures.append(step.figures)
            if step.note:
                drive.watcher.on_note(step.note)
            pace = pace.after_step(elapsed_s)
            self._tell(drive, len(figures), pace, before_s + elapsed_s)
        status: JobStatus = "done" if len(figures) == stages.total and not drive.cancelled() else "cancelled"
        result, result_hash = stages.conclude(figures) if status == "done" else ({}, "")
        return RunOutcome(status=status, result={"steps": len(figures), "of": stages.total, **result}, result_hash=result_hash)

    def _commit(self, drive: Drive, step: Step, seconds: float) -> None:
        record = whole_job(self._job, step.number, seconds=seconds, figures=step.figures, trials=step.trials, failures=step.failures)
        commit, lease = step.commit, drive.lease
        drive.commit(lambda: self._store.commit_generation(lease, [record]) if commit is None else commit(lease, record))

    def _tell(self, drive: Drive, done: int, pace: Pace, elapsed_s: float) -> None:
        total = self._stages.total
        each = 0.0 if done == total else pace.step_s
        drive.watcher.on_advance(
            Advance(
                job=self._job, unit=self._stages.unit, done=done, total=total, rate=1 / pace.step_s if pace.step_s > 0 else float("nan"),
                eta_s=each * (total - done), elapsed_s=elapsed_s, memory_bytes=resident_bytes(), workers=self._workers(),
            )
        )  # fmt: skip


def whole_job(
    job: str, number: int, *, seconds: float, figures: Json | None = None, trials: int = 0, failures: int = 0
) -> GenerationRecord:
    """A record of a job as a whole; what only an island has is missing in it."""
    missing = float("nan")
    return GenerationRecord(
        job=job, island=WHOLE_JOB, generation=number, best=missing, median=missing, diversity=missing, evaluations=trials,
        failures=failures, seconds=seconds, figures=figures or {},
    )  # fmt: skip


def estimated(stages: Stages) -> Estimate:
    """What a job of like steps would take: the first few are computed and not stored, and the first of those only warms up."""
    began, marks = time.monotonic(), [0.0]
    steps = stages.steps([], lambda: False)
    for _, _step in zip(range(min(_PROBED, stages.total)), steps, strict=False):
        marks.append(time.monotonic() - began)
    each = marks[-1] - marks[-2] if len(marks) > 1 else 0.0
    seconds = marks[1] + each * (stages.total - 1) if len(marks) > 1 else 0.0
    return Estimate(
        seconds=seconds,
        facts={stages.unit: stages.total, "step_s": each},
        rows=((stages.unit, f"{stages.total:,}, of which {len(marks) - 1} were computed for this estimate"),),
    )
