"""Sixty cancels on the real routes: by command, detached, over HTTP, of fetches; at once, later, in the middle, with the driver killed."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
import pytest

from tests.integration import cancel_world
from tests.integration.cancel_world import Home

MOMENTS = ("at 0 s", "at 1 s", "at 4 s", "running", "driver killed")


@dataclass(frozen=True, kw_only=True)
class Cancelled:
    """One cancel: what was told, and how long a process still worked for the job."""

    route: str
    moment: str
    job: str
    told: str
    left_s: float
    commits: int


@pytest.fixture(scope="module")
def here(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    with cancel_world.home(database_url, tmp_path_factory.mktemp("routes")) as made:
        yield made


def cancelled(here: Home, route: str, moment: str, job: str, cancel: Callable[[str], str]) -> Cancelled:
    """Cancel a job that was just submitted, at a moment, and wait until no process works for it."""
    pid = 0
    if moment.startswith("at"):
        time.sleep(float(moment.split()[1]))
    else:
        pid = here.running(job, commits=0 if route == "fetch" else 2)
        assert pid, f"{job} ended before it could be cancelled"
    told = cancel(job)
    if moment == "driver killed":
        os.kill(pid, signal.SIGKILL)
    left_s = here.until_nothing_is_left(job)
    time.sleep(0.5)  # a commit that the server had received when its driver was killed is still done
    return Cancelled(route=route, moment=moment, job=job, told=told, left_s=left_s, commits=len(here.store.generations(job)))


@contextmanager
def commanded(here: Home, _client: httpx.Client) -> Iterator[tuple[str, Callable[[str], str]]]:
    """A search that its command drives in the foreground, cancelled by a second command."""
    before = {job.id for job in here.store.jobs(limit=1000)}
    with here.popen(*here.search()):
        while not (new := {job.id for job in here.store.jobs(limit=1000)} - before):
            time.sleep(0.02)
        yield new.pop(), here.cancel


@contextmanager
def detached(here: Home, _client: httpx.Client) -> Iterator[tuple[str, Callable[[str], str]]]:
    """A search in a process of its own, cancelled by a second command."""
    yield here.says(*here.search(), "--detach")["job"], here.cancel


@contextmanager
def by_http(here: Home, client: httpx.Client) -> Iterator[tuple[str, Callable[[str], str]]]:
    """A search submitted to `coinswarm serve` and cancelled there."""
    yield here.submitted(client), lambda job: str(client.post(f"/api/v1/jobs/{job}/cancel").json()["status"])


@contextmanager
def fetch(here: Home, client: httpx.Client) -> Iterator[tuple[str, Callable[[str], str]]]:
    """A fetch whose exchange never answers, or always fails, in a real worker of a service; cancelled over HTTP."""
    yield here.fetch(), lambda job: str(client.post(f"/api/v1/jobs/{job}/cancel").json()["status"])


ROUTES = {"command": commanded, "detached": detached, "http": by_http, "fetch": fetch}


def drilled(here: Home, client: httpx.Client, route: str, moments: Iterator[str]) -> list[Cancelled]:
    done = []
    for moment in moments:
        with ROUTES[route](here, client) as (job, cancel):
            done.append(cancelled(here, route, moment, job, cancel))
        told(done[-1])
    return done


def told(one: Cancelled) -> None:
    sys.stdout.write(f"{one.route:9} {one.moment:14} {one.told:10} {one.commits:4} commits, nothing left after {one.left_s:5.1f} s\n")
    sys.stdout.flush()


def assert_all_stay_cancelled(here: Home, done: list[Cancelled], cancels: int) -> None:
    """Whatever was told holds when every lease has run out, while services look for work; and no job has gone on."""
    time.sleep(35.0)  # longer than the lease of a driver that was killed
    found = Counter(here.store.status(one.job) for one in done)
    sys.stdout.write(f"{found['cancelled']} of {cancels} are cancelled\n")
    assert Counter(one.told for one in done) == found == {"cancelled": cancels}
    assert [len(here.store.generations(one.job)) for one in done] == [one.commits for one in done]
    assert [here.left(one.job) for one in done] == [[]] * cancels


@pytest.mark.slow
def test_sixty_of_sixty_cancels_hold_on_every_route_and_nothing_is_left_running(here: Home) -> None:
    done = []
    with here.serving() as client:
        for route in ("http", "command", "detached"):
            done += drilled(here, client, route, iter(MOMENTS * 3))
        assert_all_stay_cancelled(here, done, 45)
    with here.serving("--api-only") as client:  # the services of fetches are those that know the slow exchange
        for port, moments in ((None, MOMENTS * 2), (0, MOMENTS)):
            with here.fetching(port):
                done += drilled(here, client, "fetch", iter(moments))
        with here.fetching(0):
            assert_all_stay_cancelled(here, done, 60)
