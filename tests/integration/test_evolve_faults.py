"""Whatever is taken away from a running job, it ends with the same populations and the same trials, none lost and none twice."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cluster.compute.batching import BatchEvaluator
from cluster.compute.local import LocalExecutor
from coinswarm.ledger.memory import MemoryStore
from tests.integration.evolve_world import World, driven

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def undisturbed(small_world: World) -> tuple[str, int]:
    """Result hash and number of trials of the same job in one process."""
    plan = small_world.plan(islands=3, generations=8, baselines=False, population=60)
    ending = driven(MemoryStore(), BatchEvaluator(LocalExecutor()), plan)
    return ending.result_hash, ending.result["distinct"]


def drilled(database_url: str, world: World, cpus: str, *drills: str) -> list[dict[str, Any]]:
    """What came of drills on raylets with these processors; a local cluster on the loopback address."""
    command = [sys.executable, "-m", "tests.integration.raylets", database_url, str(world.catalog), cpus, *drills]
    environment = {**os.environ, "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0", "RAY_USAGE_STATS_ENABLED": "0"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=1800, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def assert_same(found: list[dict[str, Any]], undisturbed: tuple[str, int]) -> None:
    """Every drill ended with the hash of the undisturbed job, each trial stored once, and equal figures."""
    assert {each["hash"] for each in found} == {undisturbed[0]}
    assert {(each["rows"], each["distinct"]) for each in found} == {(undisturbed[1], undisturbed[1])}
    assert len({each["trials"] for each in found}) == 1


def test_three_raylets_shuffled_answers_a_killed_worker_a_killed_node_and_a_killed_driver_change_nothing(
    small_world: World, database_url: str, undisturbed: tuple[str, int]
) -> None:
    found = drilled(database_url, small_world, "1,1,1", "all", "shuffled", "worker", "node", "driver")
    assert_same(found, undisturbed)
    assert [each["workers"] for each in found[:4]] == [3, 3, 3, 3]
    assert [each["deaths"] > 0 for each in found[:4]] == [False, False, True, True]


def test_the_loss_of_the_only_machine_that_held_the_bars_changes_nothing(
    small_world: World, database_url: str, undisturbed: tuple[str, int]
) -> None:
    (found,) = drilled(database_url, small_world, "0,1", "bars")
    assert_same([found], undisturbed)
    assert found["deaths"] > 0
    assert len(found["held_by"]) == 1


def test_a_full_cluster_is_said_to_be_full_and_the_job_goes_on_later(
    small_world: World, database_url: str, undisturbed: tuple[str, int]
) -> None:
    (found,) = drilled(database_url, small_world, "1", "full")
    assert_same([found], undisturbed)
    assert "must have room for this job within 2 s, got 0 of 1 processors free" in found["said"]
    assert (found["left"], found["stopped"]) == ("queued", "cancelled")


@pytest.mark.slow
def test_seven_workers_on_three_raylets_find_what_one_and_two_find(
    small_world: World, database_url: str, undisturbed: tuple[str, int]
) -> None:
    found = drilled(database_url, small_world, "3,2,2", "all", "one", "two", "shuffled", "worker", "node")
    assert_same(found, undisturbed)
    assert [each["workers"] for each in found[:3]] == [7, 1, 2]


@pytest.mark.slow
def test_a_driver_killed_at_twenty_random_moments_loses_no_trial_and_stores_none_twice(
    small_world: World, database_url: str, undisturbed: tuple[str, int]
) -> None:
    found = drilled(database_url, small_world, "1,1", *["driver"] * 20)
    assert len(found) == 20
    assert_same(found, undisturbed)
