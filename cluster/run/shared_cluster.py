"""The cluster that the larger jobs of a service share: a child process that has it, started when it is first needed."""

from __future__ import annotations

import logging
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from coinswarm import errors

_log = logging.getLogger(__name__)
IDLE_S = 600.0
"""How long it is kept when no job uses it: a cluster takes about a gigabyte, and 7 s to start, longer on a busy machine."""
_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 30.0
_STOP_S = 20.0


class SharedCluster:
    """Keeps a host process running while jobs need it; see `cluster.run.host`.

    Args:
        command: starts the host, but for the path of its socket.
        socket: where jobs reach it; the same for every host of this service.
        log: file for what it says besides.
        environment: its variables.
        clock: seconds.
    """

    def __init__(
        self, command: Sequence[str], socket: Path, log: Path, environment: Mapping[str, str], *, idle_s: float = IDLE_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._command, self._socket, self._log, self._environment = command, socket, log, environment
        self._idle_s, self._clock = idle_s, clock
        self._process: subprocess.Popen[bytes] | None = None
        self._began = self._used = clock()
        self._pause_s = 0.0

    def address(self) -> str:
        """Where jobs reach it, at once; they wait until it listens.

        Raises:
            Unavailable: no process can be started.
        """
        self._used = self._clock()
        self._ensure()
        return str(self._socket)

    def look(self, *, used: bool) -> None:
        """Start it again when it died while jobs use it, and end it when none has for a while; called often."""
        if used:
            self._used = self._clock()
            with suppress(errors.Unavailable):
                self._ensure()
        elif self._clock() - self._used > self._idle_s:
            self.close()

    def close(self) -> None:
        """End it."""
        if self._process is None:
            return
        process, self._process = self._process, None
        _close_input(process)
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self._socket.unlink(missing_ok=True)

    def _ensure(self) -> None:
        """Start it unless it runs; one that dies again and again after pauses that double."""
        now = self._clock()
        if self._process is not None:
            if self._process.poll() is None:
                return
            self._buried(self._process, now)
        if now - self._began >= self._pause_s:
            self._process, self._began = self._started(), now

    def _buried(self, process: subprocess.Popen[bytes], now: float) -> None:
        lasted = now - self._began > _LONGEST_PAUSE_S
        self._pause_s = _PAUSE_S if lasted else min(max(2 * self._pause_s, _PAUSE_S), _LONGEST_PAUSE_S)
        _log.warning("the process that shares the cluster ended with code %d; it is started again", process.returncode)
        _close_input(process)
        self._process = None

    def _started(self) -> subprocess.Popen[bytes]:
        try:
            with self._log.open("ab") as log:
                return subprocess.Popen(
                    [*self._command, "--socket", str(self._socket)], stdin=subprocess.PIPE, stdout=log, stderr=log, start_new_session=True,
                    env=dict(self._environment),
                )  # fmt: skip
        except OSError as error:
            raise errors.Unavailable("the process that shares the cluster must start", found=error.strerror or error) from error


def _close_input(process: subprocess.Popen[bytes]) -> None:
    """Which ends a host that runs."""
    if process.stdin is not None:
        with suppress(OSError):
            process.stdin.close()
