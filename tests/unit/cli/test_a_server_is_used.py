"""A job that is too large for its command goes to the server of this machine, where one runs the same code on the same records."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from cluster.cli import job_commands
from cluster.cli.job_commands import RunOptions
from cluster.machine import MachineSettings
from cluster.run import servers
from tests.unit.cluster.test_where_a_job_is_computed import enough, planned

SERVER = (
    "import subprocess, sys; c = subprocess.Popen([sys.executable, '-c', 'input()', 'cluster.run.driver'], stdin=subprocess.PIPE); input()"
)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[psutil.Process]:
    """A process that looks like a server of a home, with its driver."""
    command = [sys.executable, "-c", SERVER, "coinswarm", "serve"]
    variables = {**os.environ, "COINSWARM_HOME": str(tmp_path)}
    with subprocess.Popen(command, env=variables, stdin=subprocess.PIPE) as process:
        found = psutil.Process(process.pid)
        until = time.monotonic() + 20
        while not servers.has_driver(found) and time.monotonic() < until:
            time.sleep(0.05)
        yield found
        for each in (*found.children(), found):
            each.kill()


def test_a_server_of_the_same_home_runs_jobs_alike(served: psutil.Process, tmp_path: Path) -> None:
    assert [each.pid for each in servers.of_home(MachineSettings(home=tmp_path))] == [served.pid]
    assert servers.runs_alike(MachineSettings(home=tmp_path))
    assert not servers.runs_alike(MachineSettings(home=tmp_path / "other"))


def test_a_server_with_older_code_does_not(served: psutil.Process, tmp_path: Path) -> None:
    assert servers.runs_alike(MachineSettings(home=tmp_path), since=served.create_time() - 1)
    assert not servers.runs_alike(MachineSettings(home=tmp_path), since=served.create_time() + 1)


def test_a_server_without_its_driver_does_not(served: psutil.Process, tmp_path: Path) -> None:
    for child in served.children():
        child.kill()
    until = time.monotonic() + 20
    while servers.runs_alike(MachineSettings(home=tmp_path)) and time.monotonic() < until:
        time.sleep(0.05)
    assert not servers.runs_alike(MachineSettings(home=tmp_path))


@pytest.mark.parametrize(
    ("large", "said", "expected"),
    [
        (True, {}, True),
        (False, {}, False),
        (True, {"workers": 2}, False),
        (True, {"local": True}, False),
        (True, {"address": "a:1"}, False),
    ],
)
def test_only_what_is_too_large_and_says_no_place_is_handed_over(tmp_path: Path, large: bool, said: dict[str, Any], expected: bool) -> None:
    runner, _, made = planned(tmp_path, generations=enough(tmp_path) if large else 1)
    settings = MachineSettings(home=tmp_path)
    assert job_commands.is_served(settings, runner, made, RunOptions(**said), lambda _: True) is expected
    assert not job_commands.is_served(settings, runner, made, RunOptions(**said), lambda _: False)
