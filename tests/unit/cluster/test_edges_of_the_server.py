"""What reaches the server before any endpoint: sockets that say nothing, and names that are not this machine's."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import pytest
from fastapi import FastAPI
from starlette.types import Scope

from cluster.api import security, server
from cluster.api.context import Limits

SILENT = 700


@pytest.fixture
def port() -> Iterator[int]:
    app = FastAPI()
    app.get("/")(lambda: "here")
    made = server.server(app, "127.0.0.1", 0, Limits(header_s=60.0))
    thread = threading.Thread(target=made.run)
    thread.start()
    while not made.started:
        time.sleep(0.02)
    yield made.servers[0].sockets[0].getsockname()[1]
    made.should_exit = True
    thread.join()


def test_sockets_that_say_nothing_take_their_own_places_only(port: int) -> None:
    with ExitStack() as stack:
        opened = [stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10)) for _ in range(SILENT)]
        first = opened[0].recv(100)
        assert first.startswith(b"HTTP/1.1 408")
        assert httpx.get(f"http://127.0.0.1:{port}/").status_code == 200
        opened[-1].sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert opened[-1].recv(100).startswith(b"HTTP/1.1 200")


HEAD = b"GET / HTTP/1.1\r\nHost: localhost\r\n"


def answer(port: int, *parts: bytes) -> bytes:
    """The first line that comes back when the parts are sent one after the other."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        for part in parts:
            client.sendall(part)
            time.sleep(0.05)
        return client.recv(100).partition(b"\r\n")[0]


@pytest.mark.parametrize(
    "parts",
    [
        (b"GET / HTTP/1.1\nHost: localhost\n\n",), (HEAD + b"X: 1\r\n 2\r\n\r\n",), (HEAD + b"X: 1\rY: 2\r\n\r\n",),
        (HEAD + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",), (HEAD, b"X: 1\n\r\n"),
    ],
)  # fmt: skip
def test_a_head_that_can_be_read_in_two_ways_is_refused(port: int, parts: tuple[bytes, ...]) -> None:
    assert answer(port, *parts) == b"HTTP/1.1 400 Bad Request"


@pytest.mark.parametrize("parts", [(HEAD + b"\r\n",), (HEAD[:-1], HEAD[-1:] + b"\r", b"\n"), (HEAD + b"X:  1\t2\r\n\r\n",)])
def test_a_head_that_comes_in_pieces_is_read(port: int, parts: tuple[bytes, ...]) -> None:
    assert answer(port, *parts) == b"HTTP/1.1 200 OK"


@pytest.mark.parametrize(
    ("host", "is_open"),
    [
        ("localhost:8321", True), ("127.0.0.1:8321", True), ("[::1]:8321", True), ("127.0.0.1", True), ("", True),
        ("rebound.example.org:8321", False), ("192.168.1.7:8321", False), ("localhost.example.org", False), ("[", False),
    ],
)  # fmt: skip
def test_health_is_open_to_those_who_ask_for_this_machine(host: str, is_open: bool) -> None:
    scope: Scope = {"method": "GET", "path": "/health", "client": ("127.0.0.1", 50000), "headers": [(b"host", host.encode())]}
    assert security.is_open(scope) is is_open


def test_a_name_of_another_machine_opens_nothing_to_a_client_elsewhere() -> None:
    scope: Scope = {"method": "GET", "path": "/health", "client": ("10.0.0.9", 50000), "headers": [(b"host", b"localhost")]}
    assert not security.is_open(scope)
