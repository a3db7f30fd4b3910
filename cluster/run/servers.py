"""The `coinswarm serve` processes of this machine and home, and whether one of them would run a job as this process would."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

import coinswarm

if TYPE_CHECKING:
    from cluster.machine import MachineSettings

_DECIDING = ("COINSWARM_DATABASE_URL", "COINSWARM_DATABASE_URL_FILE", "COINSWARM_BARS_PATH", "COINSWARM_CONFIG", "RAY_ADDRESS")
"""Variables that say where jobs, bars and cluster are."""


def of_home(settings: MachineSettings) -> Iterator[psutil.Process]:
    """Servers of this home that have a driver service of their own, or should."""
    home = str(settings.home.expanduser())
    for process in psutil.process_iter():
        try:
            words = process.cmdline()
            if "serve" not in words or not any("coinswarm" in word or "cluster.cli" in word for word in words):
                continue
            if {"--api-only", "--driver-only"}.isdisjoint(words) and _home_of(process.environ()) == home:
                yield process
        except psutil.Error:  # it ended, or is of another account
            continue


def has_driver(process: psutil.Process) -> bool:
    """Whether a server has its driver service."""
    return any("cluster.run.driver" in child.cmdline() for child in process.children())


def runs_alike(settings: MachineSettings, *, since: float | None = None) -> bool:
    """Whether a server of this home runs jobs with the database, the bars and the code of this process.

    Args:
        settings: of this machine.
        since: when the code changed last, in seconds since 1970; a server that began earlier has other code in its memory. None: as the
            files say.
    """
    changed_at = _changed_at() if since is None else since
    return any(_is_alike(process, changed_at) for process in of_home(settings))


def _is_alike(process: psutil.Process, changed_at: float) -> bool:
    try:
        theirs, ours = process.environ(), psutil.Process().environ()
        same = all(theirs.get(name) == ours.get(name) for name in _DECIDING)
        return same and process.create_time() > changed_at and has_driver(process)
    except psutil.Error:
        return False


def _changed_at() -> float:
    root = Path(coinswarm.__file__).parent
    return max(path.stat().st_mtime for path in root.rglob("*.py"))


def _home_of(variables: dict[str, str]) -> str:
    return str(Path(variables.get("COINSWARM_HOME") or Path(variables.get("HOME", "")) / ".coinswarm").expanduser())
