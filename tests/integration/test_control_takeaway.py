"""What was found, and what it was found on, taken home over HTTP: plays, tables, data sets; and data sets taken away."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import polars as pl
import pytest

from cluster.jobs import registry
from coinswarm import play
from coinswarm.market import files
from coinswarm.market.catalog import Catalog
from tests.integration.control_world import Plane
from tests.integration.evolve_world import PLAY
from tests.unit.market.tapes import tape


@pytest.fixture(scope="module")
def submitter(control: Plane) -> Iterator[httpx.Client]:
    with control.client("submit") as client:
        yield client


@pytest.fixture(scope="module")
def admin(control: Plane) -> Iterator[httpx.Client]:
    with control.client("admin") as client:
        yield client


@pytest.fixture(scope="module")
def done(control: Plane, submitter: httpx.Client) -> dict[str, Any]:
    """A finished search."""
    with control.served():
        job = submitter.post("/api/v1/jobs", json=control.request(campaign="home")).json()["id"]
        return control.ended(submitter, job)


@pytest.fixture
def spare(control: Plane) -> Iterator[str]:
    """The key of a data set that no job has used; the catalog of all tests is left as it was."""
    with Catalog.open(control.world.catalog) as catalog:
        key = catalog.put(tape(60, symbol="AAA/USDT", exchange="spare"), source="made").key
    yield key
    with Catalog.open(control.world.catalog) as catalog:
        if key in {entry.key for entry in catalog.list()}:
            catalog.remove(key)


def test_an_evaluation_is_a_play_that_may_be_read_and_submitted(submitter: httpx.Client, done: dict[str, Any]) -> None:
    best = done["result"]["best"]
    answer = submitter.get(f"/api/v1/evaluations/{best['evaluation']}/play")
    assert answer.headers["content-type"].startswith("application/yaml")
    assert play.identity(play.loads(answer.text)) == best["variant"]
    assert "No gate has passed it" in answer.text
    assert submitter.post("/api/v1/plays/check", json={"text": answer.text}).json()["size"] == 1


@pytest.mark.parametrize("name", ["trades", "equity"])
def test_tables_are_csv_too_and_of_one_side(submitter: httpx.Client, done: dict[str, Any], name: str) -> None:
    address = f"/api/v1/evaluations/{done['result']['best']['evaluation']}/{name}"
    told = submitter.get(address, params={"form": "csv"})
    assert told.headers["content-type"].startswith("text/csv")
    whole = pl.read_csv(told.content)
    assert whole.columns == list(pl.DataFrame(submitter.get(address).json(), infer_schema_length=None).columns)
    # the play of the search is long only: its long side is the whole, its short side is none
    assert submitter.get(address, params={"form": "csv", "side": "long"}).content == told.content
    assert submitter.get(address, params={"side": "short"}).status_code == 422


def test_the_number_of_variants_is_that_of_the_play_and_not_of_its_letters(submitter: httpx.Client, done: dict[str, Any]) -> None:
    # 36 lengths of the fast average, 22 of the slow one, 3 stops, 11 targets: 36 * 22 * 3 * 11 = 26,136; the text has 500 letters
    listed = next(row for row in submitter.get("/api/v1/plays").json()["rows"] if row["sha256"] == done["play_hashes"][0])
    assert (listed["size"], listed["size_is_exact"], listed["problem"]) == (26_136, True, "")
    assert listed["size"] == submitter.post("/api/v1/plays/check", json={"text": PLAY}).json()["size"]
    assert listed["characters"] == len(PLAY)


def test_a_leaderboard_says_how_many_its_job_tried_and_how_many_the_campaign(submitter: httpx.Client, done: dict[str, Any]) -> None:
    board = submitter.get(f"/api/v1/jobs/{done['id']}/leaderboard").json()
    assert board["distinct"] == done["result"]["distinct"]
    assert board["trials"] >= 1


def test_a_data_set_comes_as_a_file_that_holds_the_same_bars(spare: str, submitter: httpx.Client, tmp_path: Any) -> None:
    answer = submitter.get(f"/api/v1/data-sets/{spare.replace('/', '%2F')}/file", params={"form": "csv"})
    path = tmp_path / answer.headers["content-disposition"].partition('filename="')[2].rstrip('"')
    path.write_bytes(answer.content)
    listed = next(each for each in submitter.get("/api/v1/data-sets").json() if each["key"] == spare)
    assert files.read(path).content_hash == listed["content_hash"]
    assert submitter.get(f"/api/v1/data-sets/{spare}/file", params={"part": "funding"}).status_code == 404


def test_only_an_admin_takes_a_data_set_away(spare: str, submitter: httpx.Client, admin: httpx.Client) -> None:
    assert submitter.delete(f"/api/v1/data-sets/{spare}").status_code == 403
    assert admin.delete(f"/api/v1/data-sets/{spare}").json() == {"removed": spare, "jobs": [], "campaigns": []}
    assert admin.delete(f"/api/v1/data-sets/{spare}").status_code == 404
    assert admin.get("/api/v1/audit").json()[0]["action"] == "data set removal"


def test_bars_that_a_job_used_are_taken_away_only_when_that_is_said(control: Plane, admin: httpx.Client, done: dict[str, Any]) -> None:
    answer = admin.delete(f"/api/v1/data-sets/{control.world.markets[0]}")
    assert answer.status_code == 409
    assert done["id"] in answer.text or "more" in answer.text


def test_defaults_are_told_and_a_bare_request_has_them(submitter: httpx.Client) -> None:
    usual = submitter.get("/api/v1/defaults").json()
    assert usual["evolve"]["search"]["population"] == 200
    assert set(usual) == set(registry.NAMES)
