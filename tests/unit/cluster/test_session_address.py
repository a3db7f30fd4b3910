"""An address at which no Ray cluster answers is refused before Ray tries it for minutes."""

from __future__ import annotations

import socket
import threading

import pytest

from cluster.workers import session
from coinswarm import errors


def test_an_address_where_nobody_listens_is_unavailable() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(errors.Unavailable, match=f"no Ray cluster answers at 127.0.0.1:{port}"):
        session.connect(f"127.0.0.1:{port}", workers=None, variables={})


@pytest.mark.parametrize("address", ["127.0.0.1:99999", "no-such-host.invalid:6379", "ray://127.0.0.1:1"])
def test_an_address_that_leads_nowhere_is_unavailable(address: str) -> None:
    with pytest.raises(errors.Unavailable, match="leave --address and RAY_ADDRESS out"):
        session.connect(address, workers=None, variables={})


def test_a_server_of_something_else_is_no_cluster() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        threading.Thread(target=_answer, args=(other,), daemon=True).start()
        with pytest.raises(errors.Unavailable, match="something else"):
            session.connect(f"127.0.0.1:{other.getsockname()[1]}", workers=None, variables={})


def _answer(server: socket.socket) -> None:
    accepted, _ = server.accept()
    with accepted:
        accepted.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        accepted.recv(100)
