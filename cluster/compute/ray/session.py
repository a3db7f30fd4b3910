"""A connection to Ray: a local cluster with its dashboard by default, or one that runs already."""

from __future__ import annotations

import gc
import logging
import socket
import warnings
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import ray

from cluster.compute.ray import code, joining, seclusion
from coinswarm import errors

_LOOPBACK = "127.0.0.1"
_ANSWER_S = 8.0


@dataclass(frozen=True, kw_only=True)
class RaySession:
    """What a connected cluster is.

    Attributes:
        address: of the cluster.
        dashboard: its address for a browser; none when it could not be started.
        cpus: processors.
        local: started here, and ends with us.
    """

    address: str
    dashboard: str | None
    cpus: int
    local: bool

    @property
    def description(self) -> str:
        """What people are told of it."""
        place = "a local Ray cluster" if self.local else f"the Ray cluster at {self.address}"
        return f"{place} computes with {self.cpus} processors; dashboard: {self.dashboard or 'could not be started'}"


def connect(
    address: str | None,
    *,
    workers: int | None,
    variables: Mapping[str, str],
    object_bytes: int | None = None,
    home: Path | None = None,
) -> RaySession:
    """Connect to `address`, or start a local cluster.

    Args:
        address: of a running cluster; None: start one here, on the loopback address only.
        workers: processes of a local cluster; None: one a processor.
        variables: environment of the workers, such as where compiled kernels are kept.
        object_bytes: room for bars on a local cluster; None: Ray's own choice.
        home: where a local cluster keeps its token, sockets and logs; needed to start one.

    Raises:
        Unavailable: the cluster does not answer, has another Ray, or cannot be started.
        Unauthenticated: it asks for a token that this user does not have.
    """
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR, "runtime_env": {"env_vars": dict(variables)}}
    options["job_config"] = code.RayJob()
    _keep_quiet()
    if address:
        found = resolved(address)
        joining.require(found)
        return _joined(found, options)
    if home is None:
        raise errors.InvalidArgument("a local cluster needs a home folder", found=home)
    options |= seclusion.options(home)
    # Of a cluster that it starts itself, `ray.init` takes the address to listen at (and, in `seclusion`, its folder) by these names only.
    return _started(options | {"num_cpus": workers, "object_store_memory": object_bytes, "_node_ip_address": _LOOPBACK})


def disconnect() -> None:
    """Leave the cluster; a local one ends."""
    ray.shutdown()


def resolved(address: str, *, look: Callable[[], str | None] | None = None) -> str:
    """An address with a port; for `auto` that of the cluster which Ray finds on this machine, so that it can be asked before it is joined.

    Args:
        address: as a user wrote it.
        look: finds the cluster of this machine; None: as Ray does, by its processes and by the note that `ray start` leaves.

    Raises:
        Unavailable: there is none.
    """
    if address != "auto":
        return address
    try:
        found = (look or _latest)()
    except (ConnectionError, ValueError, OSError) as error:
        raise joining.absent(address, "none on this machine") from error
    if not found:
        raise joining.absent(address, "none on this machine")
    return found


def _keep_quiet() -> None:
    """Keep Ray's words about dead processes, pages of them, from standard output, which is for results; its own logs have them."""
    from ray._private import worker

    worker._worker_logs_enabled = False  # noqa: SLF001 - `log_to_driver` keeps back those of workers only


def _latest() -> str | None:
    # What `ray.init(address="auto")` asks; no public function tells the address without joining, which takes minutes at a dead one.
    from ray._private import services

    address: str | None = services.canonicalize_bootstrap_address("auto")
    return address


def _joined(address: str, options: dict[str, Any]) -> RaySession:
    try:
        context = ray.init(address=address, **options)
    except (ConnectionError, RuntimeError, ValueError, OSError, ray.exceptions.AuthenticationError) as error:
        raise joining.refused(address, error) from error
    return _session(context, local=False)


def _started(options: dict[str, Any]) -> RaySession:
    """A local cluster; one without a dashboard is better than none, and one at the third attempt better than a job that is lost."""
    seen = {"include_dashboard": True, "dashboard_host": _LOOPBACK, "dashboard_port": _port(8265)}
    unseen = {"include_dashboard": False}
    problem = ""
    for attempt in (seen, unseen, unseen):
        before = _children()
        try:
            return _session(ray.init(address="local", **attempt, **options), local=True)
        except Exception as error:  # noqa: BLE001 - Ray raises all kinds of things when a part of it does not come up in time
            problem = str(error)
            ray.shutdown()
        _sweep(before)
    raise errors.Unavailable("a local Ray cluster cannot be started", found=problem, hint="`coinswarm doctor` says what is missing")


def _children() -> set[psutil.Process]:
    return set(psutil.Process().children(recursive=True))


def _sweep(before: set[psutil.Process]) -> None:
    """End what a failed start left: on a busy machine Ray gives its parts 30 s to come up, and forgets those that did.

    Python warns of a forgotten `Popen` when it is freed, at some later time and in whatever runs then; so they are freed here, unheard.
    """
    left = [child for child in _children() - before if _is_ray(child)]
    for child in left:
        with suppress(psutil.NoSuchProcess):
            child.kill()
    psutil.wait_procs(left, timeout=_ANSWER_S)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


def _is_ray(process: psutil.Process) -> bool:
    """Whether it runs a program of Ray's own, or is a worker, which calls itself `ray::`."""
    try:
        command = " ".join(process.cmdline())
    except psutil.Error:
        return False
    return command.startswith("ray::") or str(Path(ray.__file__).parent) in command


def _session(context: Any, *, local: bool) -> RaySession:
    url = context.dashboard_url
    cpus = int(ray.cluster_resources().get("CPU", 0))
    return RaySession(address=context.address_info["address"], dashboard=f"http://{url}" if url else None, cpus=cpus, local=local)


def _port(preferred: int) -> int:
    """`preferred` when it is free, otherwise any: two runs on one machine each have their dashboard."""
    for port in (preferred, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((_LOOPBACK, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    return preferred
