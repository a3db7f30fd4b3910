"""Many who follow a job and many who read beside it: each is told all of it, and none is turned away. How fast is for the benchmark."""

from __future__ import annotations

import asyncio
from pathlib import Path

import psycopg
import pytest

from tests.benchmarks import load_control
from tests.laws.ledger_world import fresh

WATCHERS, READS_PER_S, GENERATIONS = 200, 50.0, 30


@pytest.mark.slow
def test_two_hundred_followers_are_told_every_commit(database_url: str, tmp_path: Path) -> None:
    name = fresh("load").replace("-", "_")
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        with load_control.plane(f"{database_url.rsplit('/', 1)[0]}/{name}", tmp_path) as there:
            job = load_control.submitted(there, GENERATIONS, "followed")
            seen = asyncio.run(load_control.loaded(there, job, WATCHERS, READS_PER_S))
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    assert seen.ended == WATCHERS
    assert set(seen.commits) == {GENERATIONS}
    assert set(seen.statuses) == {200}
