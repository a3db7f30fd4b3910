"""Worker processes of the driver service: children that read jobs from standard input and answer on standard output how each ended.

When its input ends, because the service stopped or died, a worker gives its job back and ends.
"""

from __future__ import annotations

import json
import logging
import queue as inboxes
import subprocess
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import psutil

from cluster.run.service import JobEnding
from coinswarm import errors
from coinswarm.ledger.records import Lease

_log = logging.getLogger(__name__)

MOST_JOBS = 500
MOST_BYTES = 2_000_000_000
_PATIENCE_S = 10.0


class ChildWorker:
    """Keeps `cluster.run.service.WorkerProcess` with a child process.

    Args:
        number: what it is called in its outcomes.
        inbox: where those go.
        command: starts the child.
        log: file for what it says besides.
        environment: its variables.
    """

    def __init__(
        self, number: int, inbox: inboxes.Queue[JobEnding], command: Sequence[str], log: Path, environment: Mapping[str, str]
    ) -> None:
        self._number, self._inbox = number, inbox
        self._job, self._jobs = "", 0
        with log.open("ab") as file:
            self._process = subprocess.Popen(
                list(command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=file, encoding="utf-8", errors="replace",
                start_new_session=True, env=dict(environment),
            )  # fmt: skip
        self._listener = threading.Thread(target=self._listen, name=f"worker {number}", daemon=True)
        self._listener.start()

    @property
    def pid(self) -> int:
        """See `WorkerProcess`."""
        return self._process.pid

    def start(self, lease: Lease, lease_s: float, address: str) -> None:
        """See `WorkerProcess`."""
        self._job = lease.job
        self._jobs += 1
        self._tell({"job": lease.job, "owner": lease.owner, "lease_s": lease_s, "address": address})

    def warm(self) -> None:
        """See `WorkerProcess`."""
        self._tell({"warm": True})

    def is_spent(self) -> bool:
        """See `WorkerProcess`."""
        try:
            size = psutil.Process(self.pid).memory_info().rss
        except psutil.Error:
            return True
        return self._process.poll() is not None or self._jobs >= MOST_JOBS or size > MOST_BYTES

    def stop(self) -> None:
        """See `WorkerProcess`."""
        if self._process.stdin is not None:
            with suppress(BrokenPipeError):  # it died with something unread
                self._process.stdin.close()
        try:
            self._process.wait(_PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._listener.join(_PATIENCE_S)

    def _tell(self, message: Mapping[str, object]) -> None:
        stdin = self._process.stdin
        if stdin is None:
            raise errors.Unavailable("a worker has no input")
        stdin.write(json.dumps(message) + "\n")
        stdin.flush()

    def _listen(self) -> None:
        stdout = self._process.stdout
        if stdout is None:
            return
        with stdout:
            for line in stdout:
                try:
                    ending = JobEnding(worker=self._number, **json.loads(line))
                except (ValueError, TypeError):  # whatever else is printed there is no answer, and ends no listener
                    _log.warning("a worker says: %s", line.rstrip(), extra={"worker": self._number})
                    continue
                self._job = ""
                self._inbox.put(ending)
        self._process.wait()
        self._inbox.put(JobEnding(worker=self._number, job=self._job, ending="died", error=f"exit code {self._process.returncode}"))
