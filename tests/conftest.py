"""What every test may ask for."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest

from cluster import bootstrap, machine
from cluster.machine import MachineSettings
from cluster.store import embedded
from tests import installed

if TYPE_CHECKING:
    from cluster.compute.ray.executor import RayExecutor

# no test may depend on how fast a shared machine is
hypothesis.settings.register_profile("coinswarm", deadline=None)
hypothesis.settings.register_profile("thorough", deadline=None, max_examples=2000)
hypothesis.settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "coinswarm"))

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of real candles: `$COINSWARM_TEST_DATA`, or `shared/data` beside the clone."""
    named = os.environ.get("COINSWARM_TEST_DATA")
    folder = Path(named) if named else ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"real candles are not here: {folder} (set COINSWARM_TEST_DATA)")
    return folder


@pytest.fixture(scope="session")
def database_url() -> Iterator[str]:
    """The URL of an embedded PostgreSQL of this test session, in a folder of its own and stopped at the end."""
    with tempfile.TemporaryDirectory(prefix="coinswarm-test-") as name:
        folder = Path(name) / "pg"
        try:
            yield embedded.ensure(folder)
        finally:
            embedded.stop(folder, force=True)


@pytest.fixture(scope="session")
def installed_command() -> Iterator[Path]:
    """The `coinswarm` command as the wheel installs it, beside nothing but what the wheel asks for.

    It lies outside of pytest's folders, which the account that runs the embedded PostgreSQL for root may not enter.
    """
    with tempfile.TemporaryDirectory(prefix="coinswarm-installed-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield installed.command(installed.wheel(folder), folder / "venv")


@pytest.fixture(scope="session")
def compiled_kernels(pytestconfig: pytest.Config) -> None:
    """Processes that tests start share one folder of compiled kernels, kept from run to run: a fresh home would compile for a minute."""
    machine.announce({"NUMBA_CACHE_DIR": str(pytestconfig.rootpath / ".pytest_cache" / "numba")})


@pytest.fixture(scope="session")
def equal_workers() -> None:
    """Ray would run its workers at niceness 15: beside other work on the machine a test of 20 s then takes more than 400 s."""
    machine.announce({"RAY_worker_niceness": "0"})


@pytest.fixture(scope="session")
def ray_cluster(tmp_path_factory: pytest.TempPathFactory, compiled_kernels: None, equal_workers: None) -> Iterator[bootstrap.RaySession]:
    """A local Ray cluster of two processors."""
    settings = MachineSettings(home=tmp_path_factory.mktemp("home"))
    with bootstrap.open_executor(settings, workers=2) as (_, session):
        yield session


@pytest.fixture
def ray_executor(ray_cluster: bootstrap.RaySession) -> Iterator[RayExecutor]:
    """An executor on the session's cluster."""
    from cluster.compute.ray.executor import RayExecutor

    executor = RayExecutor()
    yield executor
    executor.close()
