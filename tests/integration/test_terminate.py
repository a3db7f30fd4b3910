"""`coinswarm jobs terminate` on real processes: a command that is stopped, and a worker of `coinswarm serve` that is stopped."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator

import psutil
import psycopg
import pytest

from cluster.store.database import Database
from cluster.store.postgres import PostgresStore
from cluster.store.queue import PostgresQueue
from tests.integration import cancel_world
from tests.integration.cancel_world import Home
from tests.laws.ledger_world import running


@pytest.fixture(scope="module")
def here(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    with cancel_world.home(database_url, tmp_path_factory.mktemp("terminate")) as made:
        yield made


def gone(pid: int) -> bool:
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def ends(pid: int, limit_s: float = 60.0) -> bool:
    until = time.monotonic() + limit_s
    while not gone(pid) and time.monotonic() < until:
        time.sleep(0.1)
    return gone(pid)


def worker_of(here: Home, job: str) -> int:
    """The process that a service has lent its lease on a job to."""
    service = psutil.Process(int(here.store.job(job).lease_owner.split(":")[1]))
    return next(child.pid for child in service.children() if any(file.path.endswith(f"{job}.log") for file in child.open_files()))


def test_a_search_whose_command_is_stopped_is_terminated(here: Home) -> None:
    job = here.says(*here.search(), "--detach")["job"]
    driver = here.running(job, commits=2)
    os.kill(driver, signal.SIGSTOP)
    found = here.says("jobs", "terminate", job)
    assert (found["status"], found["process"]) == ("cancelled", "ended")
    assert gone(driver)
    assert here.store.job(job).lease_owner == ""


def test_a_driver_that_was_stopped_in_the_middle_of_a_commit_blocks_no_one(database_url: str, store: PostgresStore) -> None:
    job, lease = running(store)
    with psycopg.connect(database_url) as stopped, Database(database_url) as database:
        stopped.execute("SELECT 1 FROM jobs WHERE id = %s FOR UPDATE", [job.id])
        began = time.monotonic()
        assert PostgresQueue(database).terminate(job.id, by="") == ("cancelled", lease.owner)
        assert time.monotonic() - began < 20.0
        with pytest.raises(psycopg.OperationalError):
            stopped.execute("SELECT 1")


def test_a_worker_of_a_service_that_is_stopped_is_ended_and_the_service_runs_the_next_job(here: Home) -> None:
    with here.serving() as client:
        first = here.submitted(client)
        here.running(first, commits=2)
        worker = worker_of(here, first)
        os.kill(worker, signal.SIGSTOP)
        found = client.post(f"/api/v1/jobs/{first}/terminate").json()
        assert (found["status"], found["process"]) == ("cancelled", "ended")
        assert ends(worker)
        second = here.submitted(client)
        assert here.running(second, commits=1)
        assert here.cancel(second) == "cancelled"
        here.until_nothing_is_left(second)
