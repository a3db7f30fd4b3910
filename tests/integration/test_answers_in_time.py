"""No query runs for ever: limits by role, and a client that hangs up takes its query with it. On a real PostgreSQL, with `pg_sleep`."""

from __future__ import annotations

import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
import uvicorn
from fastapi import FastAPI

from cluster.api import problems
from cluster.api.leaving import Leaving
from cluster.store import clients, embedded
from cluster.store.database import Database
from coinswarm import errors
from coinswarm.ledger.asking import INQUIRY, Inquiry

LIMIT = "SELECT current_setting('statement_timeout')"


def sleeping(url: str) -> int:
    """How many queries sleep in the server."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%' AND state = 'active' AND pid <> pg_backend_pid()"
    with psycopg.connect(url) as connection:
        ((number,),) = connection.execute(query)
    return int(number)


def becomes(url: str, wanted: int, limit_s: float = 10.0) -> bool:
    until = time.monotonic() + limit_s
    while (found := sleeping(url)) != wanted and time.monotonic() < until:
        time.sleep(0.05)
    return found == wanted


def sleep(database: Database, seconds: float = 60.0) -> None:
    database.run(lambda connection: connection.execute(sa.text(f"SELECT pg_sleep({seconds})")))


def test_a_statement_of_a_server_ends_in_time_and_its_connection_stays_good(database_url: str) -> None:
    with Database(database_url, answer_s=0.3) as database:
        began = time.monotonic()
        with pytest.raises(errors.TimedOut, match="must answer in time"):
            sleep(database)
        assert time.monotonic() - began < 5.0
        assert database.run(lambda connection: connection.scalar(sa.text("SELECT 1"))) == 1


def test_a_driver_has_no_limit_whatever_its_role_says(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("ALTER ROLE coinswarm SET statement_timeout = '200ms'")
        try:
            with Database(database_url) as database:
                assert database.run(lambda made: made.scalar(sa.text(LIMIT))) == "0"
                sleep(database, 0.5)
        finally:
            connection.execute("ALTER ROLE coinswarm RESET statement_timeout")


def test_the_role_that_only_reads_has_a_limit_of_its_own_also_where_an_earlier_release_made_it() -> None:
    with tempfile.TemporaryDirectory(prefix="coinswarm-test-") as name:
        folder = Path(name) / "pg"
        owner = embedded.ensure(folder)
        try:
            for change in (None, f"ALTER ROLE {clients.READER} RESET ALL"):
                if change is not None:
                    with psycopg.connect(owner, autocommit=True) as connection:
                        connection.execute(change)
                with psycopg.connect(clients.address(folder, owner, role="reader", password=True)) as connection:
                    assert connection.execute(LIMIT).fetchone() == ("10min",)
        finally:
            embedded.stop(folder, force=True)


def test_who_leaves_takes_the_query_along_and_nothing_else(database_url: str) -> None:
    inquiry, ended = Inquiry(), list[str]()
    with Database(database_url) as database:

        def asked() -> None:
            INQUIRY.set(inquiry)
            try:
                sleep(database)
            except errors.TimedOut as problem:
                ended.append(str(problem))

        threads = [threading.Thread(target=asked), threading.Thread(target=sleep, args=(database, 3.0))]
        for thread in threads:
            thread.start()
        assert becomes(database_url, 2)
        inquiry.leave()
        threads[0].join(10.0)
        assert len(ended) == 1
        assert sleeping(database_url) == 1
        threads[1].join(10.0)
        assert not any(thread.is_alive() for thread in threads)


def test_one_who_has_left_asks_nothing_more(database_url: str) -> None:
    inquiry = Inquiry()
    inquiry.leave()
    with Database(database_url) as database:
        before = INQUIRY.set(inquiry)
        try:
            with pytest.raises(errors.Cancelled):
                database.run(lambda connection: connection.scalar(sa.text("SELECT 1")))
        finally:
            INQUIRY.reset(before)


@contextmanager
def serving(database: Database) -> Iterator[int]:
    """The port of a server with one route, which sleeps in the database."""
    app = FastAPI()
    problems.install(app)
    app.add_middleware(Leaving)
    app.get("/sleep")(lambda: sleep(database))
    app.get("/now")(lambda: database.run(lambda connection: connection.scalar(sa.text("SELECT 1"))))
    app.post("/sleep")(lambda: sleep(database, 2.0))
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, ws="none", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    try:
        yield int(server.servers[0].sockets[0].getsockname()[1])
    finally:
        server.should_exit = True
        thread.join(10.0)


def hung_up(port: int, method: str, url: str) -> None:
    """Ask, wait until the query runs, and hang up."""
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(f"{method} /sleep HTTP/1.1\r\nHost: here\r\nContent-Length: 0\r\n\r\n".encode())
        assert becomes(url, 1)


def test_a_client_that_hangs_up_has_its_query_cancelled(database_url: str) -> None:
    with Database(database_url) as database, serving(database) as port:
        hung_up(port, "GET", database_url)
        assert becomes(database_url, 0, limit_s=5.0)
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.sendall(b"GET /now HTTP/1.1\r\nHost: here\r\nConnection: close\r\n\r\n")
            assert client.makefile().read().endswith("\n1")


def test_a_change_is_done_though_its_client_hung_up(database_url: str) -> None:
    with Database(database_url) as database, serving(database) as port:
        hung_up(port, "POST", database_url)
        time.sleep(0.5)
        assert sleeping(database_url) == 1
        assert becomes(database_url, 0)
