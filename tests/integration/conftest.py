"""One PostgreSQL, one catalog of real candles, one control plane and one browser for all integration tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from cluster.store.database import Database
from cluster.store.postgres import PostgresStore
from tests.integration import chromium, control_world, evolve_world
from tests.integration.chromium import Browser


@pytest.fixture(scope="session", autouse=True)
def processes_like_each_other(compiled_kernels: None, equal_workers: None) -> None:
    """All processes that these tests start find the same kernels and run at the same priority."""


@pytest.fixture(scope="session")
def small_world(tmp_path_factory: pytest.TempPathFactory, data_dir: Path) -> evolve_world.World:
    """Two real markets in a catalog."""
    return evolve_world.world(tmp_path_factory.mktemp("world"), data_dir)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """The session's PostgreSQL as repositories are made of it."""
    with Database(database_url, patience_s=2.0) as opened:
        yield opened


@pytest.fixture
def store(database: Database) -> PostgresStore:
    """The real store on the session's PostgreSQL."""
    return PostgresStore(database)


@pytest.fixture(scope="session")
def control(database_url: str, tmp_path_factory: pytest.TempPathFactory, small_world: evolve_world.World) -> Iterator[control_world.Plane]:
    """A control plane with a database of its own."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE control")
    with control_world.plane(f"{database_url.rsplit('/', 1)[0]}/control", tmp_path_factory.mktemp("control"), small_world) as running:
        yield running


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One Chromium for all tests of a module."""
    if chromium.program() is None:
        pytest.skip("no Chromium is installed; the page was not opened in a browser")
    with chromium.browser(tmp_path_factory.mktemp("profile")) as running:
        yield running
