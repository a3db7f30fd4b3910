"""The process that has the cluster of a service and shares it among the jobs that run: one job of Ray for all, with workers that last.

    python -m cluster.run.host --socket PATH    ends with its standard input

A Ray cluster gives each program that joins it processes of its own, and ends those of others that rest for a moment; so two searches that
joined it by themselves spent their time starting processes. As `cluster.run.worker` this is the entry point of a process and may reach up
to `cluster.bootstrap`.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from cluster import machine
from cluster.run import worker
from coinswarm import errors

if TYPE_CHECKING:
    from cluster.compute.ray.session import RaySession
    from cluster.machine import MachineSettings


def host(settings: MachineSettings, path: Path, *, stopped: Callable[[], bool]) -> None:
    """Share the configured cluster, or one of this machine that ends with the block, until `stopped`.

    Args:
        settings: of this machine.
        path: of the socket at which clients connect.
        stopped: whether to end.

    Raises:
        Unavailable: the cluster cannot be had, or died.
    """
    from cluster import bootstrap
    from cluster.compute.shared.server import ExecutorServer

    with (
        ExecutorServer(path) as server,
        bootstrap.open_executor(settings, tell=server.tell, bounded=True) as (executor, session),
        _announced(settings, session) as greeting,
    ):
        server.serve(executor, greeting=greeting, stopped=stopped)


@contextmanager
def _announced(settings: MachineSettings, session: RaySession | None) -> Iterator[str]:
    """What people are told of the cluster, whose page is written down for the control plane while the cluster is there."""
    if session is None:
        yield "this process computes"
        return
    note = machine.dashboard_file(settings)
    note.write_text(session.dashboard or "")
    try:
        yield session.description
    finally:
        if session.local:
            note.unlink(missing_ok=True)


def main(arguments: list[str]) -> int:
    """Entry point; the answer is the exit code."""
    import argparse

    parser = argparse.ArgumentParser(prog="python -m cluster.run.host", description="Shares a cluster among the jobs of a service.")
    parser.add_argument("--socket", type=Path, required=True, help="where jobs connect")
    asked = parser.parse_args(arguments)
    try:
        settings = worker.begin("host", log_file=True)
        stopped = threading.Event()
        threading.Thread(target=worker.stop_with_parent, args=(stopped,), daemon=True).start()
        host(settings, asked.socket, stopped=stopped.is_set)
    except errors.CoinswarmError as problem:
        worker.note(f"error: {problem}")
        return problem.exit_code
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
