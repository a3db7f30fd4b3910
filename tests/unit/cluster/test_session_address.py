"""An address at which no Ray cluster answers is refused before Ray tries it for minutes."""

from __future__ import annotations

import contextlib
import gc
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest

from cluster.compute.ray import session
from coinswarm import errors


def test_an_address_where_nobody_listens_is_unavailable() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(errors.Unavailable, match=f"no Ray cluster answers at 127.0.0.1:{port}"):
        session.connect(f"127.0.0.1:{port}", workers=None, variables={})


@pytest.mark.parametrize("address", ["127.0.0.1:99999", "no-such-host.invalid:6379"])
def test_an_address_that_leads_nowhere_is_unavailable(address: str) -> None:
    with pytest.raises(errors.Unavailable, match="leave --address and RAY_ADDRESS out"):
        session.connect(address, workers=None, variables={})


def nobody() -> str:
    raise ConnectionError("Could not find any running Ray instance.")


@pytest.mark.parametrize("look", [nobody, lambda: None])
def test_auto_where_no_cluster_runs_is_unavailable(look) -> None:
    with pytest.raises(errors.Unavailable, match="no Ray cluster answers at auto, got none on this machine"):
        session.resolved("auto", look=look)


def test_auto_is_the_cluster_that_was_found_and_any_other_address_stays() -> None:
    assert session.resolved("auto", look=lambda: "127.0.0.1:6379") == "127.0.0.1:6379"
    assert session.resolved("127.0.0.1:6380", look=nobody) == "127.0.0.1:6380"


@pytest.mark.parametrize("address", ["ray://127.0.0.1:10001", "local", "head", "http://127.0.0.1:8265"])
def test_what_is_no_address_of_a_cluster_is_said_to_be_none(address: str) -> None:
    with pytest.raises(errors.InvalidArgument, match="must be HOST:PORT or auto"):
        session.connect(address, workers=None, variables={})


def test_a_server_of_something_else_is_no_cluster() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        threading.Thread(target=_answer, args=(other,), daemon=True).start()
        with pytest.raises(errors.Unavailable, match="something else"):
            session.connect(f"127.0.0.1:{other.getsockname()[1]}", workers=None, variables={})


def _answer(server: socket.socket) -> None:
    accepted, _ = server.accept()
    # Who has heard what it needs may hang up before the answer is read to its end.
    with accepted, contextlib.suppress(ConnectionResetError):
        accepted.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        accepted.recv(100)


@pytest.fixture
def no_collection() -> Iterator[None]:
    """Garbage is collected when the code asks for it, and not in between."""
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("no_collection")
def test_what_a_failed_start_left_behind_is_ended() -> None:
    asleep = [sys.executable, "-c", "import time; time.sleep(600)"]
    with subprocess.Popen(asleep) as earlier, subprocess.Popen([*asleep, "other"]) as other:
        before = session._children() - {session.psutil.Process(other.pid)}
        left = _forgotten([*asleep, session.ray.__file__.replace("__init__.py", "dashboard")])
        session._sweep(before)
        assert (session.psutil.pid_exists(left), earlier.poll(), other.poll()) == (False, None, None)
        earlier.kill()
        other.kill()


def _forgotten(command: list[str]) -> int:
    """The id of a process that runs and whose `Popen` is freed at some later time, when Python would warn of it."""
    process = subprocess.Popen(command)
    circle: list[object] = [process]
    circle.append(circle)
    return process.pid
