"""A fetch that waits for a dead exchange delays nobody: not those who list bars, not those who submit, not those who search."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.integration import cancel_world
from tests.integration.cancel_world import MARKET, Home
from tests.integration.evolve_world import PLAY

PAGES, PAGE, FETCHED = 2, 100, "slow:BTC/USDT:5m"
SMALL = {"population": 8, "generations": 3, "elitism": 1, "constraints": []}
LONGEST_S = 5.0
"""Half of what a reader waits for a writer; a machine of two processors with five times the work it can do answers in a third of it."""


@pytest.fixture(scope="module")
def here(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    with cancel_world.home(database_url, tmp_path_factory.mktemp("dead")) as made:
        yield made


def listed(client: httpx.Client) -> tuple[int, float, dict[str, int]]:
    """Status of a request for all data sets, the seconds it took, and how many bars each has."""
    began = time.monotonic()
    answer = client.get("/api/v1/data-sets")
    sizes = {entry["key"]: entry["n_bars"] for entry in answer.json()} if answer.status_code == httpx.codes.OK else {}
    return answer.status_code, time.monotonic() - began, sizes


def submitted(client: httpx.Client) -> str:
    body = {"kind": "evolve", "plays": [{"text": PLAY}], "markets": [MARKET], "baselines": False, "search": SMALL}
    answer = client.post("/api/v1/jobs", json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def ended(here: Home, job: str, patience_s: float = 120.0) -> str:
    """The status a job has when it has ended, or when the patience has."""
    deadline = time.monotonic() + patience_s
    while (status := here.store.job(job).status) in ("queued", "running") and time.monotonic() < deadline:
        time.sleep(0.1)
    return str(status)


def until_its_pages_are_listed(client: httpx.Client) -> None:
    deadline = time.monotonic() + 60.0
    while listed(client)[2].get(FETCHED) != PAGES * PAGE:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_fetch_against_a_dead_exchange_delays_nobody(here: Home) -> None:
    fetch = here.fetch()
    with here.fetching(pages=PAGES):
        assert here.running(fetch, commits=0)
        with here.serving() as client, ThreadPoolExecutor(2) as clients:
            until_its_pages_are_listed(client)
            searches = [submitted(client) for _ in range(2)]
            answers = list(clients.map(lambda _: listed(client), range(50)))
            assert {ended(here, search) for search in searches} == {"done"}
            assert str(here.store.job(fetch).status) == "running"
        here.cancel(fetch)
    assert {status for status, _, _ in answers} == {200}
    assert max(seconds for _, seconds, _ in answers) < LONGEST_S
