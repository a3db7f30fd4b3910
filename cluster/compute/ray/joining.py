"""Asks a running cluster, before it is joined, whether it is there, wants a token and has the same Ray.

Ray itself tries a dead address or a wrong token for twenty seconds and more, and then says the same of both.
"""

from __future__ import annotations

import logging
import re
import socket

import grpc
import ray
from ray.core.generated.gcs_service_pb2 import CheckAliveReply
from ray.exceptions import AuthenticationError

from coinswarm import errors

_ANSWER_S = 8.0
_QUESTION = "/ray.rpc.NodeInfoGcsService/CheckAlive"
_SHOWN = "put the cluster's token into ~/.ray/auth_token, or its file into RAY_AUTH_TOKEN_PATH; `ray get-auth-token` on its head shows it"


def require(address: str) -> None:
    """Return when the cluster at `address` can be joined; Ray shows it this user's token from then on, if it asks for one.

    Args:
        address: HOST:PORT of a cluster.

    Raises:
        InvalidArgument: it is no such address.
        Unavailable: no cluster answers there, or one with another Ray.
        Unauthenticated: it asks for a token, and this user has none or another one.
    """
    if not re.fullmatch(r"[^/]+:\d+", address):
        hint = "the address that `ray start` printed; remote clients (ray://) cannot load bars, so run this on a node of the cluster"
        raise errors.InvalidArgument("the address of a Ray cluster must be HOST:PORT or auto", found=address, hint=hint)
    _require_listener(address)
    code, version = _asked(address, {})
    if code == grpc.StatusCode.UNAUTHENTICATED:
        version = _with_token(address)
    elif code != grpc.StatusCode.OK:
        raise absent(address, "something else listens there")
    if version and version != ray.__version__:
        raise other_version(address, f"Ray {version} there and Ray {ray.__version__} here")


def absent(address: str, found: object) -> errors.Unavailable:
    """No cluster answers at an address."""
    hint = "start one there, or leave --address and RAY_ADDRESS out to use this machine"
    return errors.Unavailable(f"no Ray cluster answers at {address}", found=found, hint=hint)


def other_version(address: str, found: str) -> errors.Unavailable:
    """The cluster has another Ray or Python."""
    hint = "install the same versions on both; results depend on them"
    return errors.Unavailable(f"the Ray cluster at {address} must have the Ray and Python of this machine", found=found, hint=hint)


def refused(address: str, error: Exception) -> errors.CoinswarmError:
    """What Ray's own refusal to join means."""
    if isinstance(error, AuthenticationError):
        return _closed(address, "none that can be read")
    if "ersion mismatch" in str(error):
        there, here = [f"Ray {ray_} and Python {python}" for ray_, python in re.findall(r"Ray: (\S+)\s+Python: (\S+)", str(error))][:2]
        return other_version(address, f"{there} there, {here} here")
    return absent(address, error)


def _closed(address: str, found: str) -> errors.Unauthenticated:
    return errors.Unauthenticated(f"the Ray cluster at {address} asks for a token", found=found, hint=_SHOWN)


def _require_listener(address: str) -> None:
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=_ANSWER_S).close()
    except (OSError, OverflowError) as error:
        raise absent(address, error) from error


def _asked(address: str, headers: dict[str, str]) -> tuple[grpc.StatusCode, str]:
    """How a server answers whether it is a living cluster, and the version of Ray that it names."""
    with grpc.insecure_channel(address, options=[("grpc.enable_http_proxy", 0)]) as channel:
        try:
            answer = channel.unary_unary(_QUESTION)(b"", timeout=_ANSWER_S, metadata=tuple(headers.items()))
        except grpc.RpcError as error:
            return error.code(), ""
    return grpc.StatusCode.OK, str(CheckAliveReply.FromString(answer).ray_version)


def _with_token(address: str) -> str:
    """The version that a cluster names to this user's token, which Ray reads by itself for a cluster that it found and for no other."""
    from ray._private.authentication import authentication_token_setup

    try:
        headers = ray._raylet.AuthenticationTokenLoader.instance().get_token_for_http_header(ignore_auth_mode=True)  # noqa: SLF001 - Ray has no public way
    except AuthenticationError as error:
        raise _closed(address, f"one that cannot be read ({error.message})") from error
    if not headers:
        raise _closed(address, "none")
    code, version = _asked(address, headers)
    if code == grpc.StatusCode.UNAUTHENTICATED:
        raise _closed(address, "another one")
    authentication_token_setup.logger.setLevel(logging.ERROR)
    if not authentication_token_setup.maybe_enable_token_auth_if_token_available(warn_if_disabled=False):
        raise _closed(address, "RAY_AUTH_MODE=disabled, which shows it none")
    return version
