"""Owners of leases: a process by host, id and start, so that the lease of one that died on this host is not waited for.

A name reads `HOST:PID:MARK:TOKEN`. The mark says since when that process runs and in which boot and namespace its id means something; the
token makes two leases of one process differ.
"""

from __future__ import annotations

import hashlib
import os
import socket
from functools import cache
from pathlib import Path

import psutil

from coinswarm.ledger.records import Job, Lease, new_owner
from coinswarm.ledger.store import Store

_WORLD = 8
"""Letters of the part of a mark that is equal for all processes that see each other's ids."""


def new(pid: int = 0) -> str:
    """A name for a lease of a process of this host; 0: of this one."""
    return new_owner(socket.gethostname(), pid or os.getpid(), _mark(pid or os.getpid()))


def is_dead(owner: str) -> bool:
    """Whether a lease is of a process of this host that is no more; False where that cannot be known, as on another host."""
    match owner.rsplit(":", 3):
        case host, pid, mark, _ if host == socket.gethostname() and pid.isdigit():
            return mark[:_WORLD] == _world() and mark != _mark(int(pid))
        case _:
            return False


def release_dead(store: Store, job: Job) -> bool:
    """Take the lease of a job from a driver of this host that died; whether there was one. Its last commit is where the job continues."""
    if job.lease_expires is None or not is_dead(job.lease_owner):
        return False
    store.release(Lease(job=job.id, owner=job.lease_owner, expires=job.lease_expires))
    return True


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
