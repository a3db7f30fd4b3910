"""What `coinswarm serve` refuses before it starts anything."""

from __future__ import annotations

import socket

import pytest

from cluster.cli import serve
from coinswarm import errors


def test_a_port_that_somebody_listens_at_is_refused_in_words() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(errors.Conflict, match=f"127.0.0.1:{port} must be free"):
            serve._refuse_taken("127.0.0.1", port)
    assert serve._refuse_taken("127.0.0.1", port) is None


def test_an_address_that_is_not_of_this_machine_is_refused_in_words() -> None:
    for host in ("192.0.2.77", "no such host"):
        with pytest.raises(errors.Conflict, match="must be free to listen at"):
            serve._refuse_taken(host, 0)
