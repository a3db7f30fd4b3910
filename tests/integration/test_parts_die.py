"""Parts that a command started die under it: it starts them again and ends as if nothing had been."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cluster import bootstrap, machine
from cluster.machine import MachineSettings
from cluster.store import embedded
from coinswarm.market import synthetic
from coinswarm.market.catalog import Catalog
from coinswarm.market.timeframe import Timeframe
from tests.drills import faults, processes
from tests.integration.cancel_world import KERNELS
from tests.integration.evolve_world import PLAY

SEARCH = ("--symbol", "synthetic:BTC/USDT:5m", "-p", "12", "-g", "150", "-c", "none", "--no-baselines", "--seed", "5", "--json")


@dataclass(frozen=True, kw_only=True)
class Place:
    """A home with an embedded database, bars and a play."""

    settings: MachineSettings
    play: Path

    def popen(self, *words: str, **variables: str) -> subprocess.Popen[str]:
        environment = {**machine.inherited(self.settings), "NUMBA_CACHE_DIR": str(KERNELS), **variables}
        command = [*bootstrap.COMMAND, "evolve", str(self.play), *SEARCH, *words]
        return subprocess.Popen(command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    home = tmp_path_factory.mktemp("parts")
    with Catalog.open(home / "bars.duckdb") as catalog:
        catalog.put(synthetic.market("BTC/USDT", Timeframe.parse("5m"), 4000, seed=1), source="made")
    play = home / "crossing.yml"
    play.write_text(PLAY)
    settings = MachineSettings(home=home, bars_path=home / "bars.duckdb", database_url=None)
    yield Place(settings=settings, play=play)
    embedded.stop(settings.postgres_folder, force=True)


@pytest.fixture(scope="module")
def undisturbed(place: Place) -> str:
    """The result hash of the search when nothing dies."""
    with place.popen(COINSWARM_COMPUTE="process") as process:
        return str(answer(process)["result_hash"])


def answer(process: subprocess.Popen[str]) -> Any:
    out, said = process.communicate(timeout=500)
    assert process.returncode == 0, said
    return json.loads(out)


def until_generation(process: subprocess.Popen[str], number: int) -> None:
    """Wait for a generation; 0: for the job to begin, when its bars are about to be loaded."""
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("job ") and number == 0:
            return
        if line.startswith("generation ") and int(line.split()[1].split("/")[0]) >= number > 0:
            return
    raise AssertionError("the search ended first")


@pytest.mark.parametrize(
    ("kind", "generation"),
    [
        ("PostgreSQL postmaster", 3), ("raylet", 3), pytest.param("raylet", 0, marks=pytest.mark.slow),
        pytest.param("gcs_server", 3, marks=pytest.mark.slow),
    ],
)  # fmt: skip
def test_a_search_whose_part_was_killed_ends_as_if_nothing_had_been(place: Place, undisturbed: str, kind: str, generation: int) -> None:
    with place.popen("--workers", "2") as process:
        until_generation(process, generation)
        part = next(each for each in processes.running(place.settings.home) if each.kind == kind)
        faults.kill(part.process)
        assert process.stderr is not None
        done = answer(process)
    assert (done["status"], done["result_hash"]) == ("done", undisturbed)
