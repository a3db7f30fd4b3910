"""One Ray cluster, one PostgreSQL and one catalog of real candles for all integration tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from cluster import bootstrap
from cluster import settings as machine
from cluster.compute.ray.executor import RayCrew
from cluster.settings import Settings
from cluster.store.postgres import PostgresStore
from tests.integration import chromium, control_world, evolve_world
from tests.integration.chromium import Browser


@pytest.fixture(scope="session", autouse=True)
def compiled_kernels(pytestconfig: pytest.Config) -> None:
    """Processes that tests start share one folder of compiled kernels, kept from run to run: a fresh home would compile for a minute."""
    machine.announce({"NUMBA_CACHE_DIR": str(pytestconfig.rootpath / ".pytest_cache" / "numba")})


@pytest.fixture(scope="session", autouse=True)
def equal_workers() -> None:
    """Ray would run its workers at niceness 15: beside other work on the machine a test of 20 s then takes more than 400 s."""
    machine.announce({"RAY_worker_niceness": "0"})


@pytest.fixture(scope="session")
def small_world(tmp_path_factory: pytest.TempPathFactory, data_dir: Path) -> evolve_world.World:
    """Two real markets in a catalog."""
    return evolve_world.world(tmp_path_factory.mktemp("world"), data_dir)


@pytest.fixture(scope="session")
def ray_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[bootstrap.Session]:
    """A local Ray cluster of two processors."""
    settings = Settings(home=tmp_path_factory.mktemp("home"), RAY_ADDRESS=None)
    with bootstrap.open_cluster(settings, workers=2) as (_, session):
        yield session


@pytest.fixture
def store(database_url: str) -> Iterator[PostgresStore]:
    """The real store on the session's PostgreSQL."""
    opened = PostgresStore(database_url, patience_s=2.0)
    yield opened
    opened.close()


@pytest.fixture
def ray_crew(ray_cluster: bootstrap.Session) -> Iterator[RayCrew]:
    """A crew on the session's cluster."""
    crew = RayCrew()
    yield crew
    crew.close()


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
