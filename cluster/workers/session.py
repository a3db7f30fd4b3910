"""A connection to Ray: a local cluster with its dashboard by default, or one that runs already."""

from __future__ import annotations

import logging
import socket
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import ray

from coinswarm import errors

_LOOPBACK = "127.0.0.1"
_ANSWER_S = 8.0
_GREETING = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
_FRAME = struct.Struct("!3sB5x")
_SETTINGS = 4
"""How HTTP/2, which Ray speaks, begins: a preface and an empty frame of settings, answered by another (RFC 9113, 3.4 and 6.5)."""


@dataclass(frozen=True, kw_only=True)
class Session:
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


def connect(address: str | None, *, workers: int | None, variables: Mapping[str, str], object_bytes: int | None = None) -> Session:
    """Connect to `address`, or start a local cluster.

    Args:
        address: of a running cluster; None: start one here, on the loopback address only.
        workers: processes of a local cluster; None: one a processor.
        variables: environment of the workers, such as where compiled kernels are kept.
        object_bytes: room for bars on a local cluster; None: Ray's own choice.

    Raises:
        Unavailable: the cluster does not answer or cannot be started.
    """
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR, "runtime_env": {"env_vars": dict(variables)}}
    if address:
        _require_answer(address)
        return _joined(address, options)
    return _started(options | {"num_cpus": workers, "object_store_memory": object_bytes, "_node_ip_address": _LOOPBACK})


def disconnect() -> None:
    """Leave the cluster; a local one ends."""
    ray.shutdown()


def _require_answer(address: str) -> None:
    """Raise `Unavailable` when nobody listens there: Ray itself tries a dead address for minutes."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if not colon or not port.isdecimal():
        return
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=_ANSWER_S) as line:
            line.sendall(_GREETING)
            answer = line.recv(_FRAME.size, socket.MSG_WAITALL)
            if len(answer) < _FRAME.size or _FRAME.unpack(answer)[1] != _SETTINGS:
                raise ConnectionError("something else listens there")
    except (OSError, OverflowError) as error:
        hint = "start one there, or leave --address and RAY_ADDRESS out to use this machine"
        raise errors.Unavailable(f"no Ray cluster answers at {address}", found=error, hint=hint) from error


def _joined(address: str, options: dict[str, Any]) -> Session:
    try:
        context = ray.init(address=address, **options)
    except (ConnectionError, RuntimeError, ValueError, OSError) as error:
        raise errors.Unavailable(
            f"no Ray cluster answers at {address}", found=error, hint="unset RAY_ADDRESS to use this machine"
        ) from error
    return _session(context, local=False)


def _started(options: dict[str, Any]) -> Session:
    """A local cluster; one without a dashboard is better than none."""
    try:
        return _session(
            ray.init(address="local", include_dashboard=True, dashboard_host=_LOOPBACK, dashboard_port=_port(8265), **options), local=True
        )
    except Exception:  # noqa: BLE001 - Ray raises all kinds of things when its dashboard does not come up
        ray.shutdown()
    try:
        return _session(ray.init(address="local", include_dashboard=False, **options), local=True)
    except Exception as error:
        ray.shutdown()
        raise errors.Unavailable(
            "a local Ray cluster cannot be started", found=error, hint="`coinswarm doctor` says what is missing"
        ) from error


def _session(context: Any, *, local: bool) -> Session:
    url = context.dashboard_url
    cpus = int(ray.cluster_resources().get("CPU", 0))
    return Session(address=context.address_info["address"], dashboard=f"http://{url}" if url else None, cpus=cpus, local=local)


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
