"""Commands that compute nothing start without what computes."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

LIGHT = ("archive", "db", "doctor", "gates", "jobs", "library", "show", "token", "top", "vault", "watch")
HEAVY = {"numba", "talib", "polars", "ray", "sqlalchemy", "coinswarm.play", "coinswarm.indicators", "coinswarm.fitness"}
LOADED = "import json, sys; from cluster.cli import app; app.load(sys.argv[1]); print(json.dumps(sorted(sys.modules)))"


def loaded_by(command: str) -> set[str]:
    """Names of the modules that are there after a fresh process has loaded a command."""
    return set(json.loads(subprocess.run([sys.executable, "-c", LOADED, command], capture_output=True, check=True, text=True).stdout))


@pytest.mark.parametrize("command", LIGHT)
def test_a_command_that_computes_nothing_loads_nothing_that_computes(command: str) -> None:
    assert loaded_by(command) & HEAVY == set()


def test_a_command_that_plays_are_read_by_does_load_the_language() -> None:
    assert "coinswarm.play" in loaded_by("play")
