"""The wheel with its own requirements, in a new home: what users have, where the checkout hid what developers have besides."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests import installed

PLAY = installed.ROOT / "plays" / "examples" / "trend_pullback.yml"
READS = """
import json
from alembic.config import Config
from alembic.script import ScriptDirectory
from cluster.store import schema
from coinswarm import play, resources
from coinswarm.validate import gates

config = Config()
config.set_main_option("script_location", str(schema.folder()))
plays = [play.load(path) for kind in ("examples", "technical", "academic", "worlds") for path in resources.plays(kind).glob("*.yml")]
print(json.dumps({"plays": len(plays), "gates": gates.load().name, "head": ScriptDirectory.from_config(config).get_current_head()}))
"""


@pytest.mark.slow
@pytest.mark.parametrize("installation", ["linked", "downloaded"])
def test_every_part_of_the_program_runs(
    installation: str, request: pytest.FixtureRequest, tmp_path: Path, candles: Path, home: Path
) -> None:
    """`downloaded`: everything by pip, as a user installs it, which takes minutes."""
    command = request.getfixturevalue("installed_command") if installation == "linked" else _downloaded(tmp_path)
    person = Person(command, home, tmp_path)
    person.answer("bars", "import", str(candles))
    assert person.answer("doctor")["ok"] is True
    found = person.answer("evolve", str(PLAY), "--population", "8", "--generations", "2", "--workers", "2", "--constraint", "none")
    assert (found["status"], found["failures"]) == ("done", 0)
    assert person.answer("validate", found["best"]["evaluation"], "--workers", "2")["sections"]
    chaos = person.answer("chaos", "run", "--symbol", "BTC/USDT", "--trades", "2000", "--hold", "5m..4h", "--workers", "2")
    assert chaos["status"] == "done"
    assert person.answer("patterns", "discover", "--job", chaos["job"], "--workers", "2")["status"] == "done"
    assert person.serves()["status"] == "ready"


class Person:
    """A user with a home of their own and nothing of ours in the environment."""

    def __init__(self, command: Path, home: Path, folder: Path) -> None:
        dropped = ("COINSWARM_", "RAY_", "NUMBA_", "PYTHON", "VIRTUAL_ENV")
        self._environment = {name: value for name, value in os.environ.items() if not name.startswith(dropped)} | {"HOME": str(home)}
        self._command, self._folder = command, folder

    def answer(self, *words: str) -> Any:
        """What a command answers as JSON; its errors are the test's."""
        command = [self._command, *words, "--json"]
        done = subprocess.run(command, cwd=self._folder, env=self._environment, capture_output=True, text=True, timeout=1800, check=False)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def serves(self) -> Any:
        """What a service says of itself after it has run a job."""
        command = [self._command, "serve", "--port", "0"]
        process = subprocess.Popen(command, cwd=self._folder, env=self._environment, stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        with process.stdout:
            try:
                place = process.stdout.readline().strip()
                job = self.answer("submit", str(PLAY), "--population", "8", "--generations", "1", "--constraint", "none")["job"]
                assert self.answer("watch", job)["status"] == "done"
                return httpx.get(f"{place}/ready").json()
            finally:
                process.send_signal(signal.SIGINT)
                process.wait(300)


def _downloaded(folder: Path) -> Path:
    built = installed.wheel(folder)
    shutil.rmtree(folder / "source")
    place = folder / "venv"
    constraints = installed.ROOT / "constraints.txt"
    for words in ([sys.executable, "-m", "venv", place], [place / "bin" / "pip", "install", "--quiet", "--constraint", constraints, built]):
        done = subprocess.run(words, capture_output=True, text=True, timeout=3000, check=False)
        assert done.returncode == 0, done.stderr
    return place / "bin" / "coinswarm"


def test_what_the_wheel_asks_for_does_not_bring_what_developers_have(installed_command: Path) -> None:
    (site,) = installed_command.parents[1].glob("lib/python*/site-packages")
    assert {"numpy", "ray", "duckdb", "ccxt"} <= {path.name for path in site.iterdir()}
    assert {"deap", "hypothesis", "pytest", "ribs", "sklearn"} & {path.name for path in site.iterdir()} == set()


def test_examples_gates_and_migrations_are_in_the_wheel(installed_command: Path) -> None:
    (site,) = installed_command.parents[1].glob("lib/python*/site-packages")
    for folder, place in (("plays", "coinswarm/plays"), ("migrations", "cluster/store/migrations")):
        sources = [path for path in (installed.ROOT / folder).rglob("*.*") if path.is_file() and "__pycache__" not in path.parts]
        assert {path.relative_to(installed.ROOT / folder) for path in sources} <= files_of(site / place)


def test_the_installed_program_reads_its_own_examples_gates_and_migrations(installed_command: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [installed_command.with_name("python"), "-c", READS], cwd=tmp_path, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"plays": 34, "gates": "default", "head": "0012"}


def files_of(folder: Path) -> set[Path]:
    return {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}
