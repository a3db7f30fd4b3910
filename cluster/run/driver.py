"""The driver service as a process: takes jobs from the queue and has them run by worker processes.

    python -m cluster.run.driver --slots N --lease S    ends with its standard input, which is how a server keeps one beside it

As `cluster.run.worker` it is the entry point of a process and may reach up to `cluster.bootstrap`.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from cluster.run import worker
from coinswarm import errors
from coinswarm.printable import counted

if TYPE_CHECKING:
    from cluster.machine import MachineSettings


def drive(settings: MachineSettings, *, slots: int, lease_s: float, stopped: threading.Event, tell: Callable[[str], None]) -> None:
    """Run jobs of the queue until SIGINT, SIGTERM or `stopped`; the process ends here.

    Args:
        settings: of this machine.
        slots: how many jobs run at one time.
        lease_s: seconds after which the jobs of a dead service are taken over.
        stopped: ends it from outside.
        tell: hears that it runs.
    """
    from cluster import bootstrap

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    with bootstrap.open_service(settings, slots=slots, lease_s=lease_s, stopped=stopped.is_set) as service:
        tell(f"driver service {service.owner} runs up to {counted(slots, 'job')} at a time")
        service.run()
    os._exit(0)


def main(arguments: list[str]) -> int:
    """Entry point; the answer is the exit code."""
    import argparse

    parser = argparse.ArgumentParser(prog="python -m cluster.run.driver", description="Runs the jobs of the queue.")
    parser.add_argument("--slots", type=int, required=True, help="jobs that run at one time")
    parser.add_argument("--lease", type=float, required=True, help="seconds after which the jobs of a dead service are taken over")
    asked = parser.parse_args(arguments)
    try:
        settings = worker.begin("driver", log_file=True)
        stopped = threading.Event()
        threading.Thread(target=worker.stop_with_parent, args=(stopped,), daemon=True).start()
        drive(settings, slots=asked.slots, lease_s=asked.lease, stopped=stopped, tell=worker.note)
    except errors.CoinswarmError as problem:
        worker.note(f"error: {problem}")
        return problem.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
