"""A worker process of the driver service: reads the ids of jobs from standard input, runs each, and says what became of it.

    python -m cluster.run.worker              jobs from standard input, a line of JSON each; ends with it
    python -m cluster.run.worker --job JOB    one job that was left to the background

This is the entry point of a process, so it may reach up to `cluster.bootstrap`; nothing else of this room does.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cluster import logs, machine, private
from cluster.jobs.progress import Advance, SearchProgress
from coinswarm import errors

if TYPE_CHECKING:
    from cluster.machine import MachineSettings
    from cluster.run.runner import Runner
    from coinswarm.ledger.store import Store

_log = logging.getLogger(__name__)
_PASSING = (errors.Unavailable, errors.Conflict, errors.StorageFull)
"""Whatever may be over when the job is tried again."""


class LogWatcher:
    """Writes what a job tells into the log of this process; no one looks on."""

    def on_progress(self, progress: SearchProgress) -> None:
        """A generation was committed."""
        _log.info("generation %d of %d", progress.generation, progress.generations, extra={"job": progress.job})

    def on_advance(self, advance: Advance) -> None:
        """A step was committed."""
        _log.info("%s %d of %d", advance.unit, advance.done, advance.total, extra={"job": advance.job})

    def on_note(self, text: str) -> None:
        """Something happened that a person should know."""
        note(text)


def note(text: str) -> None:
    """Write a line into the log of the job."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
    _log.info("%s", text)


class Worker:
    """Runs the jobs that are asked for, one at a time.

    Args:
        settings: of this machine.
        store: where a job that runs when the input ends is given back.
        answers: where outcomes go, a line of JSON each.
    """

    def __init__(self, settings: MachineSettings, store: Store, answers: Any) -> None:
        self._settings = settings
        self._store = store
        self._answers = answers
        self._job, self._owner = "", ""

    def take(self, line: str) -> None:
        """Begin what a line asks for: a job, or to compile the kernels before there is one."""
        asked = json.loads(line)
        if asked.get("warm"):
            threading.Thread(target=_warm, args=(self._settings,), daemon=True).start()
            return
        self._job, self._owner = asked["job"], asked["owner"]
        # Signals belong to the main thread, which hears standard input meanwhile.
        threading.Thread(target=self._run, args=(asked["job"], asked["address"], asked["owner"]), daemon=True).start()

    def give_back(self) -> None:
        """Release a job that this process drives."""
        from coinswarm.ledger.records import Lease

        if not self._job:
            return
        with suppress(errors.CoinswarmError):
            job = self._store.job(self._job)
            if job.lease_expires is not None and job.lease_owner == self._owner:
                self._store.release(Lease(job=job.id, owner=job.lease_owner, expires=job.lease_expires))

    def _run(self, job: str, address: str, owner: str) -> None:
        logs.of_process(job=job)
        with _written_to(self._settings, job):
            ending, error = outcome(self._settings, job, address, owner)
        self._job = ""
        self._answers.write(json.dumps({"job": job, "ending": ending, "error": error}) + "\n")
        self._answers.flush()


def outcome(settings: MachineSettings, job: str, address: str, owner: str) -> tuple[str, str]:
    """Run a job on the cluster at `address`, or in this process where it is ""; the answer is how it ended, and what was said.

    The lease of `owner` is lent: who lends it gives it back.
    """
    from cluster import bootstrap

    changed = {"ray_address": address or None, "compute": "cluster" if address else "process"}
    try:
        with bootstrap.open_runner(settings.model_copy(update=changed), note=note, alone=not address) as runner:
            _started(runner, job, owner)
    except errors.Cancelled:
        return "ended", ""
    except _PASSING as problem:
        return "interrupted", str(problem)
    except errors.CoinswarmError as problem:
        return "refused", str(problem)
    except Exception as problem:  # noqa: BLE001 - whatever it is, the service decides how often it is tried again
        return "interrupted", f"{type(problem).__name__}: {problem}"
    return "ended", ""


def run_one(settings: MachineSettings, job: str) -> None:
    """Run a job that was left to the background, from its start to its end."""
    from cluster import bootstrap

    with bootstrap.open_runner(settings, note=note) as runner:
        _started(runner, job)


def serve(settings: MachineSettings) -> None:
    """Run jobs until standard input ends; the one that runs then is given back."""
    from cluster import bootstrap

    bootstrap.prepare(settings)
    answers = os.fdopen(os.dup(1), "w")
    with bootstrap.open_store(settings) as store:
        worker = Worker(settings, store, answers)
        for line in sys.stdin:
            worker.take(line)
        worker.give_back()
    os._exit(0)


def _started(runner: Runner, job: str, owner: str = "") -> None:
    from cluster.run import stopping

    with stopping.stop_requests(note) as stopped:
        runner.start(job, watcher=LogWatcher(), stopped=stopped, owner=owner)


def _warm(settings: MachineSettings) -> None:
    """Compile the kernels; a job that comes meanwhile shares what is done. Without them jobs are slower at first, and no worse."""
    from cluster import bootstrap

    with suppress(errors.CoinswarmError):
        bootstrap.warm(settings)


class _written_to:  # noqa: N801 - reads as a phrase
    """Send what is printed inside, by this process and its libraries, to the log of a job."""

    def __init__(self, settings: MachineSettings, job: str) -> None:
        folder = private.folder(machine.ensure_home(settings) / "logs")
        self._path = folder / f"{job}.log"

    def __enter__(self) -> None:
        self._before = [os.dup(number) for number in (1, 2)]
        with self._path.open("ab") as log:
            for number in (1, 2):
                os.dup2(log.fileno(), number)

    def __exit__(self, *_error: object) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        for number, before in zip((1, 2), self._before, strict=True):
            os.dup2(before, number)
            os.close(before)


def begin(program: str, folder: Path | None) -> MachineSettings:
    """Make a process that is started for this alone ready; the answer is the settings of this machine.

    Args:
        program: what it is called in logs.
        folder: where its log goes; None: to standard error.
    """
    private.begin()
    machine.announce({"PYTHONSAFEPATH": "1"})  # child processes do not import what lies in the working directory
    settings = machine.load()
    logs.begin(program, folder, level=settings.log)
    return settings


def main(arguments: list[str]) -> int:
    """Entry point; the answer is the exit code."""
    import argparse

    parser = argparse.ArgumentParser(prog="python -m cluster.run.worker", description="Runs jobs.")
    parser.add_argument("--job", default="", help="run this job and end; without it, jobs are read from standard input")
    asked = parser.parse_args(arguments)
    try:
        settings = begin("worker", None)
        if asked.job:
            run_one(settings, asked.job)
        else:
            serve(settings)
    except errors.CoinswarmError as problem:
        note(f"error: {problem}")
        return problem.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
