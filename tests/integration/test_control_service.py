"""The driver service and its line, with real processes that are killed while they work."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psutil
import psycopg
import pytest
from pydantic import SecretStr

from cluster import bootstrap
from cluster import settings as machine
from cluster.driver import requests
from cluster.settings import Settings
from coinswarm.ledger.queue import Submission
from coinswarm.ledger.records import new_job_id
from tests.integration.evolve_world import PLAY, World
from tests.laws.ledger_world import fresh

LEASE_S = 3.0


@pytest.fixture
def own_settings(database_url: str, tmp_path: Path, small_world: World) -> Iterator[Settings]:
    """A home and a database of its own, for a service takes whatever stands in the line."""
    name = fresh("service").replace("-", "_")
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        url = f"{database_url.rsplit('/', 1)[0]}/{name}"
        yield Settings(home=tmp_path, bars_path=small_world.catalog, database_url=SecretStr(url), RAY_ADDRESS=None)
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def submissions(settings: Settings, world: World, count: int, **search: object) -> list[Submission]:
    """Jobs that differ in their seeds only."""
    asked = requests.EvolveRequest.model_validate(
        {"plays": [{"text": PLAY}], "markets": [world.markets[0]], "baselines": False, "winners": 1,
         "search": {"population": 4, "generations": 1, "elitism": 1, "constraints": [], **search}}
    )  # fmt: skip
    with bootstrap.open_supplies(settings) as supplies:
        plan = asked.planned((PLAY,), supplies)
    jobs = [replace(plan.job, id=f"{new_job_id('evolve', plan.job.created)}-{number}") for number in range(count)]
    return [Submission(job=job, plays=plan.plays, data_sets=plan.data_sets) for job in jobs]


@contextmanager
def services(settings: Settings, count: int) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Driver services as processes of their own; what is left of them ends with the block."""
    command = [*bootstrap.COMMAND, "serve", "--driver-only", "--slots", "1", "--lease", str(LEASE_S)]
    started = [subprocess.Popen(command, env=machine.inherited(settings), stdin=subprocess.DEVNULL) for _ in range(count)]
    try:
        yield started
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait(30)


def wait_until_done(settings: Settings, jobs: int, meanwhile: object = None) -> None:
    assert settings.database_url is not None
    with psycopg.connect(settings.database_url.get_secret_value(), autocommit=True) as connection:
        while (done := count(connection, "SELECT count(*) FROM jobs WHERE status IN ('done', 'failed')")) < jobs:
            if callable(meanwhile):
                meanwhile(done)
            time.sleep(0.05)


def count(connection: psycopg.Connection[tuple[int]], query: str) -> int:
    row = connection.execute(query).fetchone()  # type: ignore[call-overload]
    return int(row[0])


def killing_first(started: list[subprocess.Popen[bytes]], after: int) -> object:
    """Kills the first service, once so many jobs are done."""

    def kill(done: int) -> None:
        if done >= after and started[0].poll() is None:
            started[0].send_signal(signal.SIGKILL)
            started[0].wait()

    return kill


def run_all(settings: Settings, world: World, jobs: int) -> None:
    with bootstrap.open_queue(settings) as (queue, _):
        for submission in submissions(settings, world, jobs):
            queue.submit(submission)
    with services(settings, 2) as started:
        wait_until_done(settings, jobs, killing_first(started, jobs // 3))
    assert settings.database_url is not None
    with psycopg.connect(settings.database_url.get_secret_value(), autocommit=True) as connection:
        assert count(connection, "SELECT count(*) FROM jobs WHERE status = 'done'") == jobs
        assert count(connection, "SELECT count(DISTINCT result_hash) FROM jobs") == 1
        assert count(connection, "SELECT count(*) FROM generations WHERE island >= 0") == jobs
        assert count(connection, "SELECT sum(attempts) FROM queue") <= jobs + 2


def test_each_job_runs_once_though_a_service_is_killed(own_settings: Settings, small_world: World) -> None:
    run_all(own_settings, small_world, 12)


@pytest.mark.slow
def test_a_thousand_jobs_run_once_each_though_a_service_is_killed(own_settings: Settings, small_world: World) -> None:
    run_all(own_settings, small_world, 1000)


def longer(settings: Settings, world: World) -> Submission:
    return submissions(settings, world, 1, population=200, generations=60)[0]


def hands(of: subprocess.Popen[bytes]) -> list[psutil.Process]:
    return [child for child in psutil.Process(of.pid).children() if "--hand" in child.cmdline()]


@pytest.mark.slow
@pytest.mark.parametrize("victim", ["nobody", "hand", "service"])
def test_a_job_whose_hand_or_service_is_killed_ends_with_the_same_hash(own_settings: Settings, small_world: World, victim: str) -> None:
    submission = longer(own_settings, small_world)
    killed: list[int] = []
    with bootstrap.open_queue(own_settings) as (queue, _), bootstrap.open_store(own_settings) as store:
        queue.submit(submission)
        with services(own_settings, 2) as started:

            def kill(_done: int) -> None:
                owner = next((each for each in started if each.poll() is None and hands(each)), None)
                if victim != "nobody" and not killed and owner and len(store.generations(submission.job.id)) > 10:
                    killed.append(owner.pid if victim == "service" else hands(owner)[0].pid)
                    os.kill(killed[0], signal.SIGKILL)

            wait_until_done(own_settings, 1, kill)
        found = store.job(submission.job.id)
    assert bool(killed) == (victim != "nobody")
    assert (found.status, found.result_hash) == ("done", undisturbed(own_settings, small_world))


def undisturbed(settings: Settings, world: World) -> str:
    """The hash of the same job, run here from end to end."""
    from cluster.driver import submit
    from cluster.workers.local import LocalEvaluator
    from coinswarm.ledger.memory import MemoryStore
    from tests.integration.evolve_world import driven

    store, submission = MemoryStore(), longer(settings, world)
    store.save_data_sets(submission.data_sets)
    store.save_play(submission.plays[0])
    store.create_job(submission.job)
    plan = submit.resumed(store, submission.job.id, world.catalog)
    return driven(store, LocalEvaluator(), plan, new=False).result_hash


def test_a_job_that_cannot_be_resumed_fails_with_the_reason(own_settings: Settings, small_world: World) -> None:
    submission = submissions(own_settings, small_world, 1)[0]
    other_code = replace(submission, job=replace(submission.job, code_version="0.0.0+ffff"))
    with bootstrap.open_queue(own_settings) as (queue, _), bootstrap.open_store(own_settings) as store:
        queue.submit(other_code)
        with services(own_settings, 1):
            wait_until_done(own_settings, 1)
        found = store.job(other_code.job.id)
    assert found.status == "failed"
    assert "cannot go on as the same job" in found.error
