"""The driver service and its queue, with real processes that are killed while they work."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import httpx
import psutil
import psycopg
import pytest
from pydantic import SecretStr

from cluster import bootstrap, machine
from cluster.jobs.kind import Planned
from cluster.machine import MachineSettings
from cluster.store import embedded
from coinswarm.ledger.queue import Submission
from coinswarm.ledger.records import new_job_id
from tests import jobs_world
from tests.integration.evolve_world import PLAY, World
from tests.jobs_world import RunWorld
from tests.laws.ledger_world import fresh

LEASE_S = 3.0


@pytest.fixture
def own_settings(database_url: str, tmp_path: Path, small_world: World) -> Iterator[MachineSettings]:
    """A home and a database of its own, for a service takes whatever is queued."""
    name = fresh("service").replace("-", "_")
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        url = f"{database_url.rsplit('/', 1)[0]}/{name}"
        yield MachineSettings(home=tmp_path, bars_path=small_world.catalog, database_url=SecretStr(url))
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def submissions(settings: MachineSettings, world: World, count: int, **search: object) -> list[Submission]:
    """Jobs that differ in their seeds only."""
    asked = jobs_world.request(
        "evolve", plays=[{"text": PLAY}], markets=[world.markets[0]], baselines=False, winners=1,
        search={"population": 4, "generations": 1, "elitism": 1, "constraints": [], **search},
    )  # fmt: skip
    with bootstrap.open_runner(settings) as runner:
        planned = runner.plan(asked)
    jobs = [replace(planned.job, id=f"{new_job_id('evolve', planned.job.created)}-{number}") for number in range(count)]
    return [Submission(job=job, plays=planned.plays, data_sets=planned.data_sets) for job in jobs]


@contextmanager
def services(settings: MachineSettings, count: int) -> Iterator[list[subprocess.Popen[bytes]]]:
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


def wait_until_done(settings: MachineSettings, jobs: int, meanwhile: object = None) -> None:
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


def assert_all_run_once(settings: MachineSettings, world: World, jobs: int) -> None:
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


def test_each_job_runs_once_though_a_service_is_killed(own_settings: MachineSettings, small_world: World) -> None:
    assert_all_run_once(own_settings, small_world, 12)


@pytest.mark.slow
def test_a_thousand_jobs_run_once_each_though_a_service_is_killed(own_settings: MachineSettings, small_world: World) -> None:
    assert_all_run_once(own_settings, small_world, 1000)


def longer(settings: MachineSettings, world: World) -> Submission:
    return submissions(settings, world, 1, population=200, generations=60)[0]


def workers(of: subprocess.Popen[bytes]) -> list[psutil.Process]:
    return [child for child in psutil.Process(of.pid).children() if bootstrap.WORKER[-1] in child.cmdline()]


@pytest.mark.slow
@pytest.mark.parametrize("victim", ["none", "worker", "service"])
def test_a_job_whose_worker_or_service_is_killed_ends_with_the_same_hash(
    own_settings: MachineSettings, small_world: World, victim: str
) -> None:
    submission = longer(own_settings, small_world)
    killed: list[int] = []
    with bootstrap.open_queue(own_settings) as (queue, _), bootstrap.open_store(own_settings) as store:
        queue.submit(submission)
        with services(own_settings, 2) as started:

            def kill(_done: int) -> None:
                owner = next((each for each in started if each.poll() is None and workers(each)), None)
                if victim != "none" and not killed and owner and len(store.generations(submission.job.id)) > 10:
                    killed.append(owner.pid if victim == "service" else workers(owner)[0].pid)
                    os.kill(killed[0], signal.SIGKILL)

            wait_until_done(own_settings, 1, kill)
        found = store.job(submission.job.id)
    assert bool(killed) == (victim != "none")
    assert (found.status, found.result_hash) == ("done", undisturbed(own_settings, small_world))


def undisturbed(settings: MachineSettings, world: World) -> str:
    """The hash of the same job, run here from end to end."""
    return hash_of(longer(settings, world), world)


def hash_of(submission: Submission, world: World) -> str:
    """The hash of a job, run here from end to end."""
    planned = Planned(job=submission.job, plays=submission.plays, data_sets=submission.data_sets)
    return jobs_world.run(planned, RunWorld(context=jobs_world.plan_context(world.catalog))).result_hash


@contextmanager
def api(settings: MachineSettings) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """An API as a process of its own, and its address."""
    command = [*bootstrap.COMMAND, "serve", "--api-only", "--port", "0"]
    process = subprocess.Popen(command, env=machine.inherited(settings), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process.stdout:
        try:
            yield process, process.stdout.readline().strip()
        finally:
            process.kill()
            process.wait()


def admin(settings: MachineSettings) -> dict[str, str]:
    """What opens an API on this machine."""
    return {"Authorization": f"Bearer {machine.token_file(settings, 'local').read_text().strip()}"}


def committed(settings: MachineSettings, job: str, least: int) -> None:
    """Wait until a job has told so many generations; what is done to it then is done in its middle."""
    with bootstrap.open_store(settings) as store:
        while len(store.generations(job)) < least:
            time.sleep(0.05)
        assert store.job(job).status == "running"


@pytest.mark.slow
def test_killing_the_api_in_the_middle_of_a_job_changes_nothing(own_settings: MachineSettings, small_world: World) -> None:
    body = {"kind": "evolve", "plays": [{"text": PLAY}], "markets": [small_world.markets[0]], "baselines": False, "winners": 1,
            "search": {"population": 200, "generations": 60, "elitism": 1, "constraints": []}}  # fmt: skip
    with services(own_settings, 1):
        with api(own_settings) as (process, place):
            job = httpx.post(f"{place}/api/v1/jobs", json=body, headers=admin(own_settings), timeout=60).json()["id"]
            committed(own_settings, job, 10)
            process.send_signal(signal.SIGKILL)
            process.wait()
        with api(own_settings) as (_, place):
            follow = httpx.stream("GET", f"{place}/api/v1/jobs/{job}/events", headers=admin(own_settings), timeout=120)
            with follow as stream:
                told = "".join(stream.iter_text())
            found = httpx.get(f"{place}/api/v1/jobs/{job}", headers=admin(own_settings), timeout=60).json()
    assert "event: end" in told
    assert (found["status"], found["result_hash"]) == ("done", undisturbed(own_settings, small_world))


@pytest.fixture
def server_settings(small_world: World) -> Iterator[MachineSettings]:
    """A home with a PostgreSQL server of its own, that may be stopped; outside pytest's folders, which the server's user may not enter."""
    with tempfile.TemporaryDirectory(prefix="coinswarm-restart-") as name:
        home = Path(name)
        try:
            url = embedded.ensure(home / "pg")
            yield MachineSettings(home=home, bars_path=small_world.catalog, database_url=SecretStr(url))
        finally:
            embedded.stop(home / "pg", force=True)


@pytest.mark.slow
def test_restarting_the_database_in_the_middle_of_a_job_changes_nothing(server_settings: MachineSettings, small_world: World) -> None:
    submission = longer(server_settings, small_world)
    assert server_settings.database_url is not None
    with bootstrap.open_queue(server_settings) as (queue, _):
        queue.submit(submission)
    with services(server_settings, 1), api(server_settings) as (process, place):
        committed(server_settings, submission.job.id, 10)
        embedded.stop(server_settings.home / "pg", force=True)
        down = httpx.get(f"{place}/ready", timeout=60)
        assert embedded.ensure(server_settings.home / "pg") == server_settings.database_url.get_secret_value()
        wait_until_done(server_settings, 1)
        again = httpx.get(f"{place}/ready", timeout=60)
        assert process.poll() is None
    with bootstrap.open_store(server_settings) as store:
        found = store.job(submission.job.id)
    assert (down.status_code, again.status_code) == (503, 200)
    assert (found.status, found.result_hash) == ("done", undisturbed(server_settings, small_world))


@pytest.mark.slow
def test_losing_a_node_under_the_service_changes_nothing(own_settings: MachineSettings, small_world: World) -> None:
    machine.announce({"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"})  # raylets on the loopback address are found there only
    command = [sys.executable, "-m", "tests.integration.raylets", "--stand", "2,1"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as stand:
        assert stand.stdout is not None
        assert stand.stdin is not None
        address = stand.stdout.readline().strip()
        settings = own_settings.model_copy(update={"ray_address": address})
        submission = submissions(settings, small_world, 1, population=2000, generations=30)[0]
        with bootstrap.open_queue(settings) as (queue, _):
            queue.submit(submission)
        with services(settings, 1):
            committed(settings, submission.job.id, 3)
            stand.stdin.write("kill\n")
            stand.stdin.flush()
            lost = stand.stdout.readline().strip()
            wait_until_done(settings, 1)
        stand.stdin.close()
    with bootstrap.open_store(own_settings) as store:
        found = store.job(submission.job.id)
    assert len(lost) > 10, "no node was lost while it worked"
    assert (found.status, found.result_hash) == ("done", hash_of(submission, small_world))


def test_a_job_that_cannot_be_resumed_fails_with_the_reason(own_settings: MachineSettings, small_world: World) -> None:
    submission = submissions(own_settings, small_world, 1)[0]
    other_code = replace(submission, job=replace(submission.job, code_version="0.0.0+ffff"))
    with bootstrap.open_queue(own_settings) as (queue, _), bootstrap.open_store(own_settings) as store:
        queue.submit(other_code)
        with services(own_settings, 1):
            wait_until_done(own_settings, 1)
        found = store.job(other_code.job.id)
    assert found.status == "failed"
    assert "cannot go on as the same job" in found.error
