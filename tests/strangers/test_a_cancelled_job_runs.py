"""A job was cancelled before it ran, said so, and ran to its end all the same: by command, over HTTP, and detached."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator

import pytest

from cluster import bootstrap
from tests.integration import cancel_world
from tests.integration.cancel_world import Home


@pytest.fixture(scope="module")
def here(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    with cancel_world.home(database_url, tmp_path_factory.mktemp("cancel")) as made:
        yield made


def commits(here: Home, job: str) -> int:
    return len(here.store.generations(job))


def test_a_job_that_was_cancelled_in_the_queue_is_not_started_by_its_process(here: Home) -> None:
    job = here.says("submit", *here.search()[1:])["job"]
    assert here.cancel(job) == here.cancel(job) == "cancelled"  # twice is as good as once
    with here.worker(job) as process:  # what `--detach` starts, and what came too late
        assert process.wait() == 1
    assert (here.store.status(job), commits(here, job)) == ("cancelled", 0)


def test_a_detached_job_that_is_cancelled_at_once_ends_cancelled(here: Home) -> None:
    job = here.says(*here.search(), "--detach")["job"]
    assert here.cancel(job) == "cancelled"
    here.until_nothing_is_left(job)
    assert here.store.status(job) == "cancelled"


def test_a_job_that_is_cancelled_between_take_and_start_is_not_run_by_the_service(here: Home) -> None:
    with here.serving() as client:
        early, late = here.submitted(client), here.submitted(client)
        assert client.post(f"/api/v1/jobs/{early}/cancel").json()["status"] == "cancelled"
        pid = here.running(late)
        assert client.post(f"/api/v1/jobs/{late}/cancel").json()["status"] == "cancelled"
        os.kill(pid, signal.SIGKILL)  # the service hears that its process died, and must not try again
        here.until_nothing_is_left(late)
        after = here.submitted(client)  # the service is well, and turns to the next
        here.running(after)
        client.post(f"/api/v1/jobs/{after}/cancel")
        here.until_nothing_is_left(after)
    assert (here.store.status(early), here.store.status(late), here.store.status(after)) == ("cancelled",) * 3


def test_a_taken_job_that_is_cancelled_is_not_run_by_the_worker_that_starts_late(here: Home) -> None:
    job = here.says("submit", *here.search()[1:])["job"]
    with bootstrap.open_queue(here.settings) as (queue, _):
        taken = queue.take("a service")
        assert taken is not None
        assert taken[0].job == job
        assert here.cancel(job) == "cancelled"
    with here.worker(job) as process:
        assert process.wait() == 1
    assert (here.store.status(job), commits(here, job)) == ("cancelled", 0)


@pytest.mark.parametrize("port", [None, 0], ids=["never answers", "always fails"])
def test_a_fetch_that_waits_for_an_exchange_hears_of_a_cancel(here: Home, port: int | None) -> None:
    job = here.fetch()
    with here.fetching(port):
        here.running(job, commits=0)
        assert here.cancel(job) == "cancelled"
        here.until_nothing_is_left(job)
    assert here.store.status(job) == "cancelled"


def test_a_cancelled_job_goes_on_when_a_user_resumes_it(here: Home) -> None:
    job = here.says(*here.search(), "--detach")["job"]
    here.running(job)
    assert here.cancel(job) == "cancelled"
    here.until_nothing_is_left(job)
    before = commits(here, job)
    with here.popen("jobs", "resume", job) as process:
        while here.store.status(job) == "cancelled":
            assert process.poll() is None
            time.sleep(0.05)
        here.running(job, before + 2)
        assert here.cancel(job) == "cancelled"
    assert commits(here, job) > before
