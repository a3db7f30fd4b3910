"""How work begins on a cluster: each process makes ready and leaves word of it, and the driver reads why nothing has begun.

Without that word a driver cannot tell its own processes, which compile, from those of others, which hold the processors.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Literal

import ray
from ray.experimental.internal_kv import _internal_kv_get, _internal_kv_put

from cluster.compute.compiling import COMPILING
from cluster.compute.ray import code
from coinswarm import errors

ROOM_S = 120.0
"""How long others may hold the cluster before its driver raises."""
_NOTES = b"coinswarm-begun"
_LOOK_EVERY_S, _SAY_AFTER_S = 1.0, 15.0
Stage = Literal["", "compiling", "computing"]


@cache
def ready(driver_code: str) -> None:
    """Make this process ready for its first call: with the driver's code, and with kernels that one process of the machine compiles.

    Args:
        driver_code: the driver's `code_version`.

    Raises:
        Unavailable: this process has other code, or cannot compile.
    """
    from cluster.compute import warmup

    code.refuse_other(driver_code)
    if not warmup.compiled():
        _leave("compiling")
        warmup.compile_once()
    _leave("computing")


def silent(_message: str) -> None:
    """Ignore a message."""


def _leave(stage: Stage) -> None:
    _internal_kv_put(_key(), stage.encode(), overwrite=True, namespace=_NOTES)


def _key() -> bytes:
    return str(ray.get_runtime_context().get_job_id()).encode()


@dataclass(frozen=True, kw_only=True)
class Sight:
    """What a driver sees of its cluster: how far its first processes are ("": none has begun), and processors, all and free ones."""

    stage: Stage
    processors: float
    free: float


def sight() -> Sight:
    """What there is to see of the connected cluster."""
    found = _internal_kv_get(_key(), namespace=_NOTES)
    stage: Stage = "computing" if found == b"computing" else "compiling" if found == b"compiling" else ""
    return Sight(stage=stage, processors=ray.cluster_resources().get("CPU", 0.0), free=ray.available_resources().get("CPU", 0.0))


class Beginning:
    """A driver's look at whether its work has begun.

    Args:
        tell: hears that kernels are compiled, which takes a while on a new machine and longer on a busy one.
        room_s: how long to wait for a first process to begin; compiling counts as begun. None: without end.
        sight: looks at the cluster.
        clock: seconds.
    """

    def __init__(
        self, tell: Callable[[str], None], *, room_s: float | None = ROOM_S, sight: Callable[[], Sight] = sight,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._tell, self._room_s, self._sight, self._clock = tell, room_s, sight, clock
        self._since: float | None = None
        self._looked_at = -_LOOK_EVERY_S
        self._wait_announced = False
        self._stage: Stage = ""

    def look(self) -> None:
        """Look, no more than once a second, and never again once something is computed.

        Raises:
            Unavailable: nothing has begun in time; the message says whether others hold the cluster, it has no processors, or its
                processes do not come up.
        """
        now = self._clock()
        if self._stage == "computing" or now - self._looked_at < _LOOK_EVERY_S:
            return
        self._looked_at = now
        self._since = now if self._since is None else self._since
        seen, before = self._sight(), self._stage
        self._stage = seen.stage
        if seen.stage:
            self._tell_of_compiling(before, now - self._since)
        else:
            self._wait(seen, now - self._since)

    def _tell_of_compiling(self, before: Stage, waited_s: float) -> None:
        if self._stage == "compiling" and before != "compiling":
            self._tell(COMPILING)
        if self._stage == "computing" and before == "compiling":
            self._tell(f"the kernels are compiled ({waited_s:.0f} s)")

    def _wait(self, seen: Sight, waited_s: float) -> None:
        if self._room_s is not None and waited_s > self._room_s:
            raise _kept_waiting(seen, self._room_s)
        if waited_s > _SAY_AFTER_S and not self._wait_announced:
            self._wait_announced = True
            self._tell(f"waiting for a worker process to begin, {_free(seen)}")


def _free(seen: Sight) -> str:
    return f"{seen.free:g} of {seen.processors:g} processors free"


def _kept_waiting(seen: Sight, room_s: float) -> errors.Unavailable:
    if seen.processors < 1:
        hint = "start a node that offers processors"
        return errors.Unavailable(f"the cluster must have a processor for this job within {room_s:g} s", found="none", hint=hint)
    if seen.free < 1:
        hint = "wait for the jobs that hold them, or take another cluster"
        return errors.Unavailable(f"the cluster must have room for this job within {room_s:g} s", found=_free(seen), hint=hint)
    found = f"none, with {_free(seen)}"
    return errors.Unavailable(f"a worker process of the cluster must begin within {room_s:g} s", found=found, hint="Ray's logs say why")
