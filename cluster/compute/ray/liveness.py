"""Whether the cluster of a driver still lives, known before Ray ends the driver for it.

Ray ends a driver about five seconds after the process of its node (the raylet) died, and a minute after that of the cluster (the GCS), with
words of its own. A driver that looks once in a while can leave a dead cluster before that, and start another.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from contextlib import suppress

import psutil

from cluster.compute.ray.session import RaySession
from coinswarm import errors

_LOOK_EVERY_S = 0.5
_SILENT_S = 5.0
"""How long nothing listens at the address of a cluster before it counts as dead: one that is started again at once is not missed."""
_ANSWER_S = 2.0
_PARTS = ("raylet", "gcs_server")


class Liveness:
    """A driver's look at its cluster.

    Args:
        session: the connected cluster. Of one that this process started its two processes are watched, of another one its address.
        clock: seconds.
    """

    def __init__(self, session: RaySession, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._address, self._local, self._clock = session.address, session.local, clock
        self._parts = _own_parts() if session.local else ()
        self._looked_at = self._answered_at = clock()

    def require(self, *, at_once: bool = False) -> None:
        """Look, no more than twice a second.

        Args:
            at_once: look whenever that was; where a worker died, its cluster may be why.

        Raises:
            ClusterLost: the cluster is dead.
        """
        now = self._clock()
        if now - self._looked_at < _LOOK_EVERY_S and not at_once:
            return
        self._looked_at = now
        dead = [name for name, part in self._parts if not _lives(part)]
        if dead:
            raise errors.ClusterLost("the local Ray cluster died", found=f"{', '.join(dead)} ended")
        if self._local or _listens(self._address):
            self._answered_at = now
        elif now - self._answered_at > _SILENT_S:
            hint = "start it again; a job continues from its last commit"
            raise errors.ClusterLost(f"the Ray cluster at {self._address} must answer", found="nothing listens there", hint=hint)


def _own_parts() -> tuple[tuple[str, psutil.Process], ...]:
    """The processes of the cluster that this process started."""
    found = []
    for child in psutil.Process().children():
        with suppress(psutil.Error):
            if (name := child.name()) in _PARTS:
                found.append((name, child))
    return tuple(found)


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _listens(address: str) -> bool:
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_ANSWER_S).close()
    except OSError:
        return False
    return True
