"""Kinds of processes that a home has, and which of the processes of this machine are of which kind.

A new kind of process is one line of `KINDS`. Whatever a home runs and no line names is found as `UNKNOWN`, and fails a drill.
"""

from __future__ import annotations

import re
import signal
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import psutil

SIDE = "DRILL_SIDE"
"""Variable that says, in the environment of a program and of what it starts, to whom it belongs: `serve`, `command`, or `look`."""
DATABASE = "database"
"""The side of the embedded PostgreSQL, which all programs of a home share."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """A process of a home.

    Attributes:
        process: it.
        words: its command line, or the title it gave itself.
        side: to whom it belongs.
        job: the job whose log it writes to; "" for none.
        parent: id of its parent.
    """

    process: psutil.Process
    words: str
    side: str
    job: str = ""
    parent: int = 0

    @property
    def kind(self) -> str:
        """The name of its kind."""
        return next((kind.name for kind in KINDS if kind.is_of(self)), UNKNOWN)


@dataclass(frozen=True, kw_only=True)
class ProcessKind:
    """A kind of process.

    Attributes:
        name: as tables call it.
        pattern: found in the command line.
        has_job: it runs a job, or it runs none; None: either.
        needs: size of the job that must run for one to be there; "": any.
        sides: where it is drilled.
        twice: what is started a second time in its place, a name of `faults.SECONDS`; "": it is not.
        drilled: whether it is one of those that faults are drawn for.
    """

    name: str
    pattern: str
    has_job: bool | None = None
    needs: str = ""
    sides: tuple[str, ...] = ("serve",)
    twice: str = ""
    drilled: bool = True

    def is_of(self, found: Found) -> bool:
        """Whether a process is of this kind; kinds before it in the list had their turn."""
        return bool(_compiled(self.pattern).search(found.words)) and self.has_job in (None, bool(found.job))


_BOTH = ("serve", "command")
UNKNOWN = "unknown"
KINDS = (
    ProcessKind(name="API server", pattern=r"cluster\.cli\.app.* serve ", twice="server"),
    ProcessKind(name="driver service", pattern=r"cluster\.run\.driver", twice="driver"),
    ProcessKind(name="host of the cluster", pattern=r"cluster\.run\.host", needs="cluster", twice="host"),
    ProcessKind(name="worker process at work", pattern=r"cluster\.run\.worker", has_job=True, twice="worker"),
    ProcessKind(name="idle worker process", pattern=r"cluster\.run\.worker", has_job=False),
    ProcessKind(name="computing process of the API", pattern=r"multiprocessing\.spawn"),
    ProcessKind(name="resource tracker", pattern=r"multiprocessing\.resource_tracker", drilled=False),
    ProcessKind(name="command", pattern=r"cluster\.cli\.app.* jobs resume ", sides=("command",), twice="command"),
    ProcessKind(name="look", pattern=r"cluster\.cli\.app", drilled=False),
    ProcessKind(name="PostgreSQL backend", pattern=r"^postgres: coinswarm", sides=_BOTH),
    ProcessKind(name="PostgreSQL background process", pattern=r"^postgres: ", sides=_BOTH),
    ProcessKind(name="PostgreSQL postmaster", pattern=r"/bin/postgres ", sides=_BOTH, twice="database"),
    ProcessKind(name="raylet", pattern=r"/raylet/raylet ", needs="cluster", sides=_BOTH, twice="cluster"),
    ProcessKind(name="gcs_server", pattern=r"/gcs/gcs_server ", needs="cluster", sides=_BOTH),
    ProcessKind(name="Ray dashboard agent", pattern=r"^ray::DashboardAgent|dashboard/agent\.py", needs="cluster", sides=_BOTH),
    ProcessKind(name="Ray runtime env agent", pattern=r"^ray::RuntimeEnvAgent|runtime_env/agent/main\.py", needs="cluster", sides=_BOTH),
    ProcessKind(name="Ray worker", pattern=r"^ray::|workers/(default_worker|setup_worker)\.py", needs="cluster", sides=_BOTH),
    ProcessKind(
        name="Ray dashboard", pattern=r"dashboard/dashboard\.py|^ray-dashboard|multiprocessing\.forkserver", needs="cluster", sides=_BOTH
    ),
    ProcessKind(name="Ray log monitor", pattern=r"log_monitor\.py", needs="cluster", sides=_BOTH),
    ProcessKind(name="Ray monitor", pattern=r"autoscaler/.*monitor\.py", needs="cluster", sides=_BOTH),
)
"""Every kind; the first that fits counts. A resource tracker frees shared memory; a look is what the drill itself asks."""


def kind(name: str) -> ProcessKind:
    """The kind of this name."""
    return next(each for each in KINDS if each.name == name)


class Home:
    """The processes of a home.

    Some of Ray's write their title over their environment; what they were when their parents still said it is remembered.

    Args:
        folder: the home.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._sides: dict[tuple[int, float], str] = {}

    def running(self) -> list[Found]:
        """All of them, zombies left aside: those whose environment names the home, their children, and its PostgreSQL."""
        sides: dict[int, str] = {}
        found = []
        for process in sorted(psutil.process_iter(), key=_start):
            with suppress(psutil.Error):
                known = (process.pid, process.create_time())
                side = self._sides.get(known) or _side(process, self._folder, sides)
                if side and process.status() != psutil.STATUS_ZOMBIE:
                    sides[process.pid] = self._sides[known] = side
                    found += self._described(process, side)
        return found

    def _described(self, process: psutil.Process, side: str) -> list[Found]:
        words = " ".join(process.cmdline())
        job = _job(process, self._folder / "logs") if "cluster.run.worker" in words else ""
        return [Found(process=process, words=words, side=side, job=job, parent=process.ppid())] if words else []


def running(folder: Path) -> list[Found]:
    """All processes of a home that can be told now."""
    return Home(folder).running()


def of(found: Iterable[Found], name: str, side: str) -> list[Found]:
    """Those of a kind on a side; PostgreSQL is on all sides."""
    return [each for each in found if each.kind == name and each.side in (side, DATABASE)]


def end(found: Iterable[Found]) -> None:
    """Kill processes, stopped ones too."""
    for each in found:
        with suppress(psutil.Error):
            each.process.send_signal(signal.SIGKILL)
    psutil.wait_procs([each.process for each in found], timeout=10.0)


def _start(process: psutil.Process) -> float:
    try:
        return process.create_time()
    except psutil.Error:
        return 0.0


def _side(process: psutil.Process, home: Path, sides: dict[int, str]) -> str:
    """To whom of a home a process belongs; "" for one of another home."""
    if process.name() == "postgres":
        return DATABASE if process.cwd() == str(home / "pg" / "data") else ""
    variables = process.environ()
    if variables.get("COINSWARM_HOME") == str(home):
        return variables.get(SIDE, "look")
    # a program that writes its title over its environment is known by its parent, or by the folders in its command line
    return sides.get(process.ppid(), "") or ("serve" if str(home) in " ".join(process.cmdline()) else "")


def _job(process: psutil.Process, logs: Path) -> str:
    """The job whose log a worker process writes to."""
    names = [Path(file.path).stem for file in process.open_files() if Path(file.path).parent == logs]
    return next((name for name in names if not name.startswith("worker-")), "")


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)
