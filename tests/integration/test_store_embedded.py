"""The embedded PostgreSQL through what happens to it: many at the door, kills, leftovers, restarts in the middle of a run."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import psycopg
import pytest

from cluster.store import embedded
from cluster.store.database import Database
from cluster.store.postgres import PostgresStore
from coinswarm import errors
from tests.laws.ledger_world import generation, running, scored, trials

ENSURE = "import sys, pathlib; from cluster.store import embedded; print(embedded.ensure(pathlib.Path(sys.argv[1])))"


def postmasters(folder: Path) -> list[psutil.Process]:
    """Servers of a folder, without the children they have: all of them work inside its data."""
    found = {process.pid: process for process in psutil.process_iter(["name", "cwd"]) if process.info["cwd"] == str(folder / "data")}
    return [process for process in found.values() if process.info["name"] == "postgres" and process.ppid() not in found]


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="coinswarm-test-") as name:
        place = Path(name) / "a folder with spaces and ünïcode" / "pg"
        yield place
        embedded.stop(place, force=True)


def test_processes_that_start_at_once_share_one_server(folder: Path) -> None:
    assert embedded.url(folder) is None
    starters = [subprocess.Popen([sys.executable, "-c", ENSURE, str(folder)], stdout=subprocess.PIPE, text=True) for _ in range(3)]
    addresses = {starter.communicate(timeout=120)[0].strip() for starter in starters}
    assert addresses == {embedded.url(folder)}
    assert len(postmasters(folder)) == 1


def test_the_server_listens_on_the_loopback_address_only_and_asks_for_a_password(folder: Path) -> None:
    address = embedded.ensure(folder)
    server = psutil.Process(embedded.status(folder).pid)
    assert {connection.laddr.ip for connection in server.net_connections() if connection.status == "LISTEN"} == {"127.0.0.1"}
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(address, password="wrong")
    assert (folder / "password").stat().st_mode & 0o077 == 0


def test_what_was_committed_survives_the_kill_of_the_server(folder: Path) -> None:
    store = PostgresStore(Database(embedded.ensure(folder)))
    job, lease = running(store)
    store.commit_generation(lease, [generation(job)], [trials(job, ["a"])])
    (server,) = postmasters(folder)
    family = [server, *server.children()]
    for process in family:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(family, timeout=30)
    embedded.ensure(folder)
    assert store.count_trials(job.campaign).trials == 1
    store.database.close()


def test_a_run_waits_for_a_server_that_comes_back(folder: Path) -> None:
    address = embedded.ensure(folder)
    store = PostgresStore(Database(address, patience_s=60.0))
    job, lease = running(store)
    embedded.stop(folder, force=True)
    back = threading.Timer(0.5, embedded.ensure, [folder])
    back.start()
    assert store.commit_generation(lease, [generation(job)], [trials(job, ["a", "b"])], [scored(["a", "b"])])
    back.join()
    assert store.count_trials(job.campaign).evaluations == 2
    assert embedded.url(folder) == address
    store.database.close()


def test_a_server_in_use_is_stopped_only_by_force(folder: Path) -> None:
    with psycopg.connect(embedded.ensure(folder)), pytest.raises(errors.Conflict, match="1 connection"):
        embedded.stop(folder)
    assert embedded.stop(folder, force=True)
    assert not embedded.stop(folder)
    assert postmasters(folder) == []


def test_a_note_of_a_process_that_is_something_else_now_does_not_keep_the_server_down(folder: Path) -> None:
    embedded.ensure(folder)
    note = folder / "data" / "postmaster.pid"
    lines = note.read_text().splitlines()
    embedded.stop(folder, force=True)
    note.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")
    assert embedded.ensure(folder) == embedded.url(folder)


def test_data_of_an_unknown_version_are_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "PG_VERSION").write_text("9\n")
    with pytest.raises(errors.Refused, match="PostgreSQL 16 or 18, got 9"):
        embedded.ensure(tmp_path)
    assert (tmp_path / "data" / "PG_VERSION").read_text() == "9\n"


def test_a_folder_that_cannot_be_made_is_said_to_be_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(errors.Unavailable, match="must be able to use"):
        embedded.ensure(tmp_path / "file" / "pg")


@pytest.mark.parametrize(
    "said",
    [
        "running bootstrap script ... 2026-11-21 [7] FATAL:  could not extend file: No space left on device\nchild process exited",
        "2026-11-21 [7] FATAL:  could not extend file: No space left on device\n2026-11-21 [8] LOG:  shutting down",
        "connection failed: connection to server failed: FATAL:  could not extend file: No space left on device",
    ],
)
def test_a_full_disk_is_said_to_be_full_in_one_line(tmp_path: Path, said: str) -> None:
    found = embedded._failure("it does not start", said, tmp_path)
    assert isinstance(found, errors.StorageFull)
    assert "must have room for a database, got could not extend file: No space left on device. Hint: it takes 150 MB" in str(found)
    assert "\n" not in str(found)
