"""A cluster that is started as Ray's documentation says, and what keeps one from being joined: each reason is said as what it is.

Ray itself tries a wrong token for twenty seconds and then says that nothing answers. Most clusters here are servers that answer the one
question which is asked before a cluster is joined; the last one is Ray's own.
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import grpc
import psutil
import pytest
import ray
from ray.core.generated.gcs_service_pb2 import CheckAliveReply

from cluster.compute.ray import joining
from coinswarm import errors

TOKEN = "5f" * 32
JOIN = "import sys\nfrom cluster.compute.ray import session\nprint(session.connect(sys.argv[1], workers=None, variables={}).cpus)"
ASK = (
    "import sys\nfrom cluster.compute.ray import joining\nfrom coinswarm import errors\n"
    "try:\n  joining.require(sys.argv[1]); print('open')\nexcept errors.CoinswarmError as error:\n  print(type(error).__name__, error)"
)


class Answering(grpc.GenericRpcHandler):
    """Says that it is alive, in a release of Ray; with a token, only to those who show it."""

    def __init__(self, release: str, token: str | None) -> None:
        self._release, self._token = release, token

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
        shown = dict(details.invocation_metadata).get("authorization")
        return grpc.unary_unary_rpc_method_handler(lambda _question, context: self._answer(context, shown))

    def _answer(self, context: grpc.ServicerContext, shown: object) -> bytes:
        if self._token is not None and shown != f"Bearer {self._token}":
            context.abort(grpc.StatusCode.UNAUTHENTICATED, "InvalidAuthToken")
        return CheckAliveReply(ray_version=self._release).SerializeToString()


@contextmanager
def answering(release: str = ray.__version__, token: str | None = None, host: str = "127.0.0.1") -> Iterator[str]:
    server = grpc.server(ThreadPoolExecutor(1), handlers=[Answering(release, token)])
    port = server.add_insecure_port(f"{host}:0")
    server.start()
    yield f"{host}:{port}"
    server.stop(None).wait()


def asked(address: str, home: Path, code: str = ASK, **variables: str) -> str:
    """What a process of a user with this home hears of a cluster."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    environment = kept | {"HOME": str(home)} | variables
    done = subprocess.run([sys.executable, "-c", code, address], env=environment, capture_output=True, text=True, timeout=600, check=False)
    return done.stdout + done.stderr


@pytest.fixture
def user(tmp_path: Path) -> Path:
    """A home with a token where Ray leaves it."""
    (tmp_path / ".ray").mkdir()
    (tmp_path / ".ray" / "auth_token").write_text(TOKEN)
    return tmp_path


def test_a_cluster_without_a_token_is_open() -> None:
    with answering() as address:
        joining.require(address)


def test_a_token_in_the_users_home_is_shown(user: Path) -> None:
    with answering(token=TOKEN) as address:
        assert asked(address, user) == "open\n"


def test_a_token_in_the_environment_is_shown(tmp_path: Path) -> None:
    with answering(token=TOKEN) as address:
        assert asked(address, tmp_path, RAY_AUTH_TOKEN=TOKEN) == "open\n"


@pytest.mark.parametrize(
    ("variables", "found"),
    [
        ({}, "got none."),
        ({"RAY_AUTH_TOKEN": "00" * 32}, "got another one."),
        ({"RAY_AUTH_TOKEN_PATH": "/no/such/file"}, "got one that cannot be read"),
        ({"RAY_AUTH_TOKEN": TOKEN, "RAY_AUTH_MODE": "disabled"}, "got RAY_AUTH_MODE=disabled"),
    ],
)
def test_a_missing_token_is_named(tmp_path: Path, variables: dict[str, str], found: str) -> None:
    with answering(token=TOKEN) as address:
        said = asked(address, tmp_path, **variables)
    assert said.startswith(f"Unauthenticated the Ray cluster at {address} asks for a token, {found}")
    assert "auth_token" in said


def test_another_release_of_ray_is_named() -> None:
    with (
        answering(release="2.41.0") as address,
        pytest.raises(errors.Unavailable, match=re.escape(f"Ray 2.41.0 there and Ray {ray.__version__}")),
    ):
        joining.require(address)


def test_another_python_is_named() -> None:
    """As Ray words it (2.60)."""
    there, here = "    Ray: 2.60.0\n    Python: 3.12.3\n", "    Ray: 2.60.0\n    Python: 3.11.7\n"
    problem = RuntimeError(f"Version mismatch: The cluster was started with:\n{there}This process on 10.0.0.2:1 was started with:\n{here}")
    said = str(joining.refused("10.0.0.1:6379", problem))
    assert "must have the Ray and Python of this machine, got Ray 2.60.0 and Python 3.12.3 there, Ray 2.60.0 and Python 3.11.7 here" in said


def test_an_address_of_ip_version_6_is_asked() -> None:
    with answering(host="[::1]") as address:
        joining.require(address)


_STARTS = 6
"""Ray gives its own parts 30 s to come up, which a busy machine exceeds."""


@contextmanager
def head(home: Path) -> Iterator[str]:
    """The address of what `ray start --head` starts for a user, in a temporary folder with a short name: Ray's sockets lie in it."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    with socket.socket() as probe, tempfile.TemporaryDirectory(prefix="ray", ignore_cleanup_errors=True) as folder:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        words = ["start", "--head", f"--port={port}", "--num-cpus=1", "--include-dashboard=false", "--block", f"--temp-dir={folder}"]
        command = [Path(sys.executable).with_name("ray"), *words]
        try:
            assert any(_comes_up(command, kept | {"HOME": str(home)}) for _ in range(_STARTS))
            yield f"127.0.0.1:{port}"
        finally:
            _end(folder)


def _comes_up(command: list[str | Path], environment: dict[str, str]) -> bool:
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, start_new_session=True)
    assert process.stdout is not None
    if any(b"Ray runtime started" in line for line in process.stdout):
        _heads.append(process)
        return True
    process.stdout.close()
    process.wait()
    return False


_heads: list[subprocess.Popen[bytes]] = []


def _end(folder: str) -> None:
    """End every process that was started with this temporary folder."""
    ours = [process for process in psutil.process_iter(["cmdline"]) if folder in " ".join(process.info["cmdline"] or [])]
    for process in ours:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    for started in _heads:
        assert started.stdout is not None
        started.stdout.close()
        started.wait()
    psutil.wait_procs(ours, timeout=60)


def test_a_head_that_the_same_user_started_is_joined(user: Path) -> None:
    with head(user) as address:
        assert asked(address, user, JOIN) == "1\n"
        assert "asks for a token, got none" in asked(address, user / "elsewhere")
