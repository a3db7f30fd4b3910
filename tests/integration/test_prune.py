"""Pruning old jobs: what can be computed again goes, what was tried stays counted, what was decided stays checkable."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner

from cluster import bootstrap
from cluster.cli import prune
from cluster.cli.app import app
from cluster.jobs.validate import trials
from cluster.machine import MachineSettings
from cluster.store import pruning
from cluster.store.database import Database
from cluster.store.postgres import PostgresStore
from coinswarm import errors
from tests.integration.evolve_world import World, driven
from tests.integration.test_backup import database


@pytest.fixture
def searched(database_url: str, small_world: World, tmp_path: Path) -> Iterator[tuple[str, str]]:
    """A database with a finished search: its URL and the job."""
    settings = MachineSettings(home=tmp_path)
    with database(database_url) as url:
        with Database(url) as opened, bootstrap.local_evaluator(settings) as evaluator:
            ending = driven(PostgresStore(opened), evaluator, small_world.plan(islands=1, generations=2, population=12, baselines=False))
        yield url, ending.job


def pruned(url: str, home: Path, *options: str) -> Any:
    """What the command answers."""
    runner = CliRunner(env={"COINSWARM_HOME": str(home), "COINSWARM_DATABASE_URL": url, "COINSWARM_DEBUG": ""})
    done = runner.invoke(app, ["jobs", "prune", "--json", *options])
    assert done.exit_code == 0, done.stderr
    return json.loads(done.stdout)


def test_pruning_keeps_every_trial_and_the_figures_of_the_winners(searched: tuple[str, str], tmp_path: Path) -> None:
    url, job = searched
    with Database(url) as opened:
        store = PostgresStore(opened)
        before = store.count_trials(store.job(job).campaign)
        said = pruned(url, tmp_path, "--older-than", "0h", "--keep-winners", "3", "--yes")
        assert (said["pruned"], said["jobs"][0]["trials"], said["jobs"][0]["figures"] > 0) == ([job], before.trials, True)
        assert store.count_trials(store.job(job).campaign) == before
        assert {variant for batch in store.scores(job) for variant in batch.variants} == {
            row.variant for row in store.leaderboard(job, limit=3)
        }
        counted = trials.facts(store, store.job(job), store.job(job).plays[0])
        assert (counted.hole, counted.trials) == ("", before.trials)
        assert pruned(url, tmp_path, "--older-than", "0h", "--keep-winners", "3", "--yes")["pruned"] == []


def test_a_dry_run_says_the_same_and_changes_nothing(searched: tuple[str, str], tmp_path: Path) -> None:
    url, job = searched
    first = pruned(url, tmp_path, "--older-than", "0h", "--dry-run", "--keep-winners", "0")
    again = pruned(url, tmp_path, "--older-than", "0h", "--dry-run", "--keep-winners", "0")
    assert (first, first["pruned"], first["jobs"][0]["job"]) == (again, [], job)
    assert first["jobs"][0]["size_bytes"] > 24 * 8 * first["jobs"][0]["figures"] / 2


def test_only_old_ended_jobs_of_the_campaign_and_kind_are_pruned(searched: tuple[str, str]) -> None:
    url, job = searched
    now = datetime.now(UTC) + timedelta(seconds=5)

    def found(**changes: Any) -> list[str]:
        asked: dict[str, Any] = {"before": now, "campaign": None, "kind": None, "keep": 0} | changes
        with Database(url) as opened:
            return [relief.job for relief in pruning.reliefs(opened, **asked)]

    assert (found(), found(kind="evolve"), found(kind="chaos"), found(campaign="another")) == ([job], [job], [], [])
    assert found(before=now - timedelta(days=1)) == []
    with psycopg.connect(url) as connection:
        connection.execute("UPDATE jobs SET status = 'running'")
    assert found() == []


def test_a_job_with_a_variant_that_was_decided_about_is_left_whole(searched: tuple[str, str], tmp_path: Path) -> None:
    url, job = searched
    with psycopg.connect(url) as connection:
        connection.execute(
            "INSERT INTO lifecycle SELECT id, 0, 'candidate', 'rework', 'me', now(), 'a doubt', '', '', '' FROM trials LIMIT 1"
        )
    said = pruned(url, tmp_path, "--older-than", "0h", "--keep-winners", "0", "--yes")
    assert (said["pruned"], said["jobs"][0]["job"], said["jobs"][0]["kept"]) == ([], job, pruning.DECIDED)


def test_nobody_is_pruned_without_being_asked(searched: tuple[str, str], tmp_path: Path) -> None:
    runner = CliRunner(env={"COINSWARM_HOME": str(tmp_path), "COINSWARM_DATABASE_URL": searched[0], "COINSWARM_DEBUG": ""})
    done = runner.invoke(app, ["jobs", "prune", "--older-than", "0h", "--keep-winners", "0"])
    assert isinstance(done.exception, errors.Refused) or done.exit_code == 2


@pytest.mark.parametrize("text", ["", "30", "d", "-1d", "1.5d", "30 days", "999999d"])
def test_an_age_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(errors.InvalidArgument):
        prune.age(text)
    assert prune.age("2w") == timedelta(days=14)
