"""Jobs that end when they are told to: a session is opened, ticks, and is closed. A recorder, a demo or an auditor is one.

What a tick brings is stored as a step of the whole job, under the same lease, heartbeat and cancel as any job has. A session whose process
dies is opened again with the last thing it stored.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Protocol

from cluster.jobs.kind import Drive, RunOutcome
from cluster.jobs.progress import Advance, resident_bytes
from cluster.jobs.stages import whole_job
from coinswarm.ledger.records import WHOLE_JOB, JobStatus, Json
from coinswarm.ledger.store import Store

_LOOK_S = 0.2
"""Seconds between looks for a cancel while a session rests."""


class Session(Protocol):
    """What goes on between `open` and `close`."""

    @property
    def rest_s(self) -> float:
        """Seconds between ticks."""

    def open(self, last: Json | None) -> None:
        """Begin, or go on behind the last figures that were stored; None where nothing was."""

    def tick(self) -> Iterable[Json]:
        """What happened since the tick before, as figures to be stored, the oldest first. A tick takes a second or two at most."""

    def is_over(self) -> bool:
        """Whether it has come to its own end."""

    def close(self) -> Json:
        """Let go of everything, however it ends; the answer is the result of the job."""


class SessionRun:
    """Runs one session: the `Work` of every kind that never ends by itself.

    Args:
        store: where what it brings is stored.
        job: the job's id.
        session: the session.
    """

    def __init__(self, store: Store, job: str, session: Session) -> None:
        self._store = store
        self._job = job
        self._session = session

    def run(self, drive: Drive) -> RunOutcome:
        """Tick until the session is over or is told to end; a session that was cancelled ends as cancelled, with what it brought kept."""
        stored = [record for record in self._store.last_generations(self._job) if record.island == WHOLE_JOB]
        number = stored[-1].generation + 1 if stored else 0
        before_s, began = stored[-1].seconds if stored else 0.0, time.monotonic()
        self._session.open(stored[-1].figures if stored else None)
        status: JobStatus = "cancelled"
        try:
            while not drive.halted():
                for figures in self._session.tick():
                    self._commit(drive, number, figures, before_s + time.monotonic() - began)
                    number += 1
                if self._session.is_over():
                    status = "done"
                    break
                self._rest(drive)
        finally:
            result = self._session.close()
        return RunOutcome(status=status, result={"steps": number, **result})

    def _rest(self, drive: Drive) -> None:
        until = time.monotonic() + self._session.rest_s
        while (left := until - time.monotonic()) > 0 and not drive.halted():
            time.sleep(min(left, _LOOK_S))

    def _commit(self, drive: Drive, number: int, figures: Json, seconds: float) -> None:
        record, lease, unknown = whole_job(self._job, number, seconds=seconds, figures=figures), drive.lease, float("nan")
        drive.commit(lambda: self._store.commit_generation(lease, [record]))
        drive.watcher.on_advance(
            Advance(
                job=self._job, unit="events", done=number + 1, total=number + 1, rate=unknown, eta_s=unknown, elapsed_s=seconds,
                memory_bytes=resident_bytes(), workers=1,
            )
        )  # fmt: skip
