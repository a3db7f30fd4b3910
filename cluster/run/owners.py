"""Owners of leases: a process by host, id and start, so that the lease of one that died on this host is not waited for.

A name reads `HOST:PID:MARK:TOKEN`. The mark says since when that process runs and in which boot and namespace its id means something; the
token makes two leases of one process differ.
"""

from __future__ import annotations

import hashlib
import os
import socket
import time
from functools import cache
from pathlib import Path

import psutil

from coinswarm.ledger.records import Job, Lease, new_owner
from coinswarm.ledger.store import Store

_WORLD = 8
"""Letters of the part of a mark that is equal for all processes that see each other's ids."""
_PATIENCE_S, _LOOK_S = 5.0, 0.05
"""How long a process may take to end by itself; one that is stopped never does."""
_SERVICES = ("cluster.run.driver", "serve")
"""Words of the command line of a process that takes jobs and lends its leases to others."""


def new(pid: int = 0) -> str:
    """A name for a lease of a process of this host; 0: of this one."""
    return new_owner(socket.gethostname(), pid or os.getpid(), _mark(pid or os.getpid()))


def is_dead(owner: str) -> bool:
    """Whether a lease is of a process of this host that is no more; False where that cannot be known, as on another host."""
    pid, mark = _here(owner)
    return pid > 0 and mark != _mark(pid)


def end(owner: str, job: str) -> bool:
    """End the process of this host that runs a job under its owner's lease; whether there was one that is no more.

    A driver service is not ended: it lends its lease to the worker process that has the job's log open, and that one is.
    """
    pid, mark = _here(owner)
    if pid in (0, os.getpid()) or mark != _mark(pid):
        return False
    try:
        owning = psutil.Process(pid)
        working = [child for child in owning.children() if _writes(child, f"{job}.log")] if _is_service(owning) else [owning]
        for stop in (psutil.Process.terminate, psutil.Process.kill):
            for process in filter(_runs, working):
                stop(process)
            until = time.monotonic() + _PATIENCE_S
            while any(map(_runs, working)) and time.monotonic() < until:
                time.sleep(_LOOK_S)
        return bool(working) and not any(map(_runs, working))
    except psutil.NoSuchProcess:
        return True
    except psutil.Error:  # of another account
        return False


def release_dead(store: Store, job: Job) -> bool:
    """Take the lease of a job from a driver of this host that died; whether there was one. Its last commit is where the job continues."""
    if job.lease_expires is None or not is_dead(job.lease_owner):
        return False
    store.release(Lease(job=job.id, owner=job.lease_owner, expires=job.lease_expires))
    return True


def _here(owner: str) -> tuple[int, str]:
    """Id and mark of a process of this host; 0 where the owner is none, or cannot be known from here."""
    match owner.rsplit(":", 3):
        case host, pid, mark, _ if host == socket.gethostname() and pid.isdigit() and mark[:_WORLD] == _world():
            return int(pid), mark
        case _:
            return 0, ""


def _is_service(process: psutil.Process) -> bool:
    return any(word in _SERVICES for word in process.cmdline())


def _runs(process: psutil.Process) -> bool:
    """Whether a process is there; one that has ended stays a zombie as long as its parent is stopped."""
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


def _writes(process: psutil.Process, log: str) -> bool:
    try:
        return any(Path(file.path).name == log for file in process.open_files())
    except psutil.Error:
        return False


def _mark(pid: int) -> str:
    """The boot and namespace of this process, and since when `pid` runs there; one that has ended has no start."""
    try:
        process = psutil.Process(pid)
        started = "" if process.status() == psutil.STATUS_ZOMBIE else f"{round(100 * process.create_time()):x}"
    except psutil.Error:
        started = ""
    return _world() + started


@cache
def _world() -> str:
    """What is equal for processes that see each other's ids, and for no others."""
    seen = []
    for path in (Path("/proc/sys/kernel/random/boot_id"), Path("/proc/self/ns/pid")):
        try:
            seen.append(str(path.readlink()) if path.is_symlink() else path.read_text())
        except OSError:  # not on this system: the host and the start must do
            seen.append("")
    return hashlib.sha256(" ".join(seen).encode()).hexdigest()[:_WORLD]
