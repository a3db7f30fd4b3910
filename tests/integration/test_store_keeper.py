"""The embedded PostgreSQL dies under those who work with it, and is there again."""

from __future__ import annotations

import os
import queue
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from cluster.store import embedded
from cluster.store.keeper import Keeper

PATIENCE_S = 60.0


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "pg"
    embedded.stop(tmp_path / "pg", force=True)


def killed(folder: Path) -> int:
    server = embedded.status(folder)
    assert server is not None
    os.kill(server.pid, signal.SIGKILL)
    return server.pid


def test_a_server_that_was_killed_is_back_in_seconds_at_its_address(folder: Path) -> None:
    url, told = embedded.ensure(folder), queue.Queue[str]()
    with Keeper(folder, told.put, look_s=0.1):
        for _ in range(2):
            before = killed(folder)
            assert "started again" in told.get(timeout=PATIENCE_S)
            server = embedded.status(folder)
            assert server is not None
            assert server.pid != before
            with psycopg.connect(url) as connection:
                assert connection.execute("SELECT 1").fetchone() == (1,)


def test_many_who_keep_one_server_start_it_once(folder: Path) -> None:
    embedded.ensure(folder)
    told = queue.Queue[str]()
    with Keeper(folder, told.put, look_s=0.1), Keeper(folder, told.put, look_s=0.1), Keeper(folder, told.put, look_s=0.1):
        killed(folder)
        told.get(timeout=PATIENCE_S)
        first = embedded.status(folder)
        time.sleep(1.0)
        assert first is not None
        assert embedded.status(folder) == first


def test_a_server_that_was_stopped_on_purpose_stays_stopped_until_it_is_needed(folder: Path) -> None:
    embedded.ensure(folder)
    told = queue.Queue[str]()
    with Keeper(folder, told.put, look_s=0.05):
        assert embedded.stop(folder)
        time.sleep(1.0)
        assert (embedded.status(folder), told.empty()) == (None, True)
        embedded.ensure(folder)
        killed(folder)
        assert told.get(timeout=PATIENCE_S)


def test_a_folder_that_was_removed_is_not_made_again(tmp_path: Path) -> None:
    with Keeper(tmp_path / "none", pytest.fail, look_s=0.05):
        time.sleep(0.3)
    assert not (tmp_path / "none").exists()
