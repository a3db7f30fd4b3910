"""A worker process of the driver service: reads jobs from standard input, runs each, and answers how it ended.

    python -m cluster.run.worker              jobs from standard input, a line of JSON each; ends with it
    python -m cluster.run.worker --job JOB    one job that was left to the background

As `cluster.run.driver` it is the entry point of a process and may reach up to `cluster.bootstrap`.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from cluster import logs, machine, private
from cluster.jobs.progress import Advance, SearchProgress
from cluster.run.lease import PASSING
from coinswarm import errors
from coinswarm.ledger.records import LEASE_S

if TYPE_CHECKING:
    from cluster.machine import MachineSettings
    from cluster.run.runner import Runner
    from cluster.run.service import Ending
    from coinswarm.ledger.store import Store

_log = logging.getLogger(__name__)


class LogWatcher:
    """Writes the progress of a job into the log of this process."""

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
        store: where a job that runs when the input ends is given back.
        answers: where endings go, a line of JSON each.
        run: runs the job of a message.
        warm: compiles the kernels.
    """

    def __init__(self, store: Store, answers: TextIO, run: Callable[..., object], warm: Callable[[], object]) -> None:
        self._store, self._answers, self._run_lent, self._warm = store, answers, run, warm
        self._job, self._owner = "", ""

    def take(self, line: str) -> None:
        """Begin what a line asks for: a job, or to compile the kernels before there is one."""
        asked = json.loads(line)
        if asked.get("warm"):
            threading.Thread(target=self._warm, daemon=True).start()
            return
        self._job, self._owner = asked["job"], asked["owner"]
        # Signals belong to the main thread, which reads standard input meanwhile.
        threading.Thread(target=self._run, args=(asked,), daemon=True).start()

    def give_back(self) -> None:
        """Release a job that this process drives."""
        from coinswarm.ledger.records import Lease

        if not self._job:
            return
        with suppress(errors.CoinswarmError):
            job = self._store.job(self._job)
            if job.lease_expires is not None and job.lease_owner == self._owner:
                self._store.release(Lease(job=job.id, owner=job.lease_owner, expires=job.lease_expires))

    def _run(self, asked: Mapping[str, Any]) -> None:
        logs.of_process(job=asked["job"])
        ending, error = outcome(lambda: self._run_lent(**asked))
        self._job = ""
        self._answers.write(json.dumps({"job": asked["job"], "ending": ending, "error": error}) + "\n")
        self._answers.flush()


def outcome(run: Callable[[], object]) -> tuple[Ending, str]:
    """How a run of a job ended, and why. Whatever it raises is an ending, for the service waits for one."""
    try:
        run()
    except errors.Cancelled:
        return "ended", ""
    except PASSING as problem:
        return "interrupted", str(problem)
    except errors.CoinswarmError as problem:
        return "refused", str(problem)
    except BaseException as problem:  # noqa: BLE001 - the service decides how often it is tried again
        return "interrupted", f"{type(problem).__name__}: {problem}"
    return "ended", ""


def run_lent(settings: MachineSettings, *, job: str, owner: str, lease_s: float = LEASE_S, address: str = "") -> None:
    """Run a job on the cluster shared at `address`; "": in this process. The lease of `owner` is lent: who lends it gives it back."""
    from cluster import bootstrap

    changed = {"compute": "cluster" if address else "process"}
    with bootstrap.open_runner(settings.model_copy(update=changed), note=note, alone=not address, shared=address) as runner:
        _started(runner, job, owner, lease_s)


def run_one(settings: MachineSettings, job: str, *, workers: int | None) -> None:
    """Run a job that was left to the background, from its start to its end."""
    from cluster import bootstrap

    with bootstrap.open_runner(settings, workers=workers, note=note) as runner:
        _started(runner, job)


def own_output() -> TextIO:
    """Standard output, for answers alone: what is printed from now on, by this process and its libraries, goes to standard error."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    return answers


def serve(settings: MachineSettings) -> None:
    """Run jobs until standard input ends; the one that runs then is given back."""
    from cluster import bootstrap

    answers = own_output()
    bootstrap.prepare(settings)
    with bootstrap.open_store(settings) as store:
        worker = Worker(store, answers, partial(_run_logged, settings), partial(_warm, settings))
        for line in sys.stdin:
            worker.take(line)
        worker.give_back()
    os._exit(0)


def _run_logged(settings: MachineSettings, *, job: str, **lent: Any) -> None:
    """Run a job with a log of its own; what was remembered for it is let go."""
    from cluster.compute import memory

    try:
        with LogRedirect(machine.ensure_logs(settings) / f"{job}.log"):
            run_lent(settings, job=job, **lent)
    finally:
        memory.clear()


def _started(runner: Runner, job: str, owner: str = "", lease_s: float = LEASE_S) -> None:
    from cluster.run import stopping

    with stopping.stop_requests(note) as stopped:
        runner.start(job, watcher=LogWatcher(), stopped=stopped, owner=owner, lease_s=lease_s)


def _warm(settings: MachineSettings) -> None:
    """Compile the kernels; a job that comes meanwhile shares what is done. Without them jobs are slower at first, and no worse."""
    from cluster import bootstrap

    with suppress(errors.CoinswarmError):
        bootstrap.warm(settings)


class LogRedirect:
    """Send what is printed inside, by this process and its libraries, to a file."""

    def __init__(self, path: Path) -> None:
        self._path = path

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


def begin(program: str, *, log_file: bool) -> MachineSettings:
    """Make a process that is started for this alone ready; the answer is the settings of this machine.

    Args:
        program: what it is called in logs.
        log_file: log to a file in the home folder as well as to standard error.
    """
    private.begin()
    machine.announce({"PYTHONSAFEPATH": "1"})  # child processes do not import what lies in the working directory
    settings = machine.load()
    logs.begin(program, machine.ensure_logs(settings) if log_file else None, level=settings.log)
    return settings


def stop_with_parent(stopped: threading.Event) -> None:
    """Wait until standard input ends, which it does with the process that started this one; then set `stopped`."""
    sys.stdin.read()
    stopped.set()


def main(arguments: list[str]) -> int:
    """Entry point; the answer is the exit code."""
    import argparse

    parser = argparse.ArgumentParser(prog="python -m cluster.run.worker", description="Runs jobs.")
    parser.add_argument("--job", default="", help="run this job and end; without it, jobs are read from standard input")
    parser.add_argument("--workers", type=int, help="processes of a local cluster that the job is run on")
    asked = parser.parse_args(arguments)
    try:
        settings = begin("worker", log_file=False)
        if asked.job:
            run_one(settings, asked.job, workers=asked.workers)
        else:
            serve(settings)
    except errors.CoinswarmError as problem:
        note(f"error: {problem}")
        return problem.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
