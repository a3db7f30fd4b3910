"""The command line as a client: the same commands with `--server`, against a running control plane."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from cluster.cli import app
from tests.integration.control_world import Plane
from tests.integration.evolve_world import PLAY

Types = Callable[..., Result]


@pytest.fixture
def types(control: Plane, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Types:
    """Runs a command with an address and a token, and nothing else."""
    monkeypatch.setenv("COINSWARM_HOME", str(tmp_path))
    monkeypatch.setenv("COINSWARM_TOKEN", control.secret("submit"))
    return lambda *words: CliRunner().invoke(app.app, [*words, "--server", control.url])


@pytest.fixture
def play(tmp_path: Path) -> str:
    path = tmp_path / "crossing.yml"
    path.write_text(PLAY)
    return str(path)


def asks(types: Types, *words: str) -> Any:
    done = types(*words, "--json")
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


def test_a_job_is_submitted_followed_and_looked_at_from_elsewhere(control: Plane, types: Types, play: str, tmp_path: Path) -> None:
    search = ["-p", "8", "-g", "2", "--no-baselines", "--campaign", "client", "-c", "none"]
    words = ["submit", play, "--symbol", control.world.markets[0], *search]
    job = asks(types, *words)["job"]
    with control.served():
        watched = asks(types, "watch", job)
    assert watched["status"] == "done"
    best = asks(types, "top", job)["rows"][0]["evaluation"]
    assert job in types("jobs", "list").stdout
    assert asks(types, "jobs", "show", job)["result_hash"] == watched["result"]["result_hash"]
    assert asks(types, "show", best)["evaluation"]["id"] == best
    assert best in types("show", best).stdout
    assert best[:8] in types("top", job).stdout
    assert asks(types, "show", job)["evaluation"]["id"] == asks(types, "report", job)["evaluation"] == best
    assert asks(types, "compare", job, best)["evaluations"] == [best, best]
    assert types("report", best, "--out", str(tmp_path / "report.html")).exit_code == 0
    assert (tmp_path / "report.html").read_text().startswith("<!doctype html>")
    later = asks(types, "chaos", "run", "--symbol", control.world.markets[0], "--trades", "100")["job"]
    assert asks(types, "jobs", "cancel", later)["status"] == "cancelled"
    assert asks(types, "top")["job"] == job
    assert "only a search has a leaderboard" in types("top", later).output


def test_a_refusal_reads_the_same_from_elsewhere(control: Plane, types: Types, play: str) -> None:
    done = types("evolve", play, "--symbol", "NOPE/USDT")
    assert done.exit_code != 0
    assert "NOPE/USDT" in str(done.exception) or "NOPE/USDT" in done.output


def test_a_job_is_cancelled_and_resumed_from_elsewhere(control: Plane, types: Types, play: str) -> None:
    job = asks(types, "submit", play, "--symbol", control.world.markets[0], "-p", "8", "-g", "2")["job"]
    assert asks(types, "jobs", "cancel", job) == {"job": job, "status": "cancelled"}
    assert "is queued again" in types("jobs", "resume", job).stdout
    types("jobs", "cancel", job)
    assert asks(types, "jobs", "resume", job) == {"job": job, "status": "queued"}
    types("jobs", "cancel", job)
