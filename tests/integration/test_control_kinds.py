"""Every kind of job over HTTP, run to its end by the service; and the library of patterns and decisions, which is only looked at."""

from __future__ import annotations

import queue as inboxes
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from cluster import bootstrap
from cluster.machine import MachineSettings
from cluster.run import worker
from cluster.run.service import JobEnding, Service
from coinswarm import patterns, play
from coinswarm.ledger.patterns import PatternRecord, pattern_id
from coinswarm.ledger.records import Lease
from coinswarm.market import providers, synthetic
from coinswarm.market.catalog import Catalog
from coinswarm.market.timeframe import Timeframe
from tests.exchanges import ReplayExchange
from tests.integration.control_world import Plane
from tests.integration.evolve_world import PLAY
from tests.jobs_world import NoCluster

ROOT = Path(__file__).resolve().parents[2]
QUICK = {"resamples": 99, "lotteries": 19, "neighbours": 10, "worlds": 1, "moments": 1, "folds": 3, "periods": 200}
PATTERNS = {"trades": 2000, "hold": "15m..1h", "depth": 1, "flips": 99}
RULES = {"segments": 4, "segment_bars": 500, "flips": 99}
RULE = ROOT / "plays" / "technical" / "rsi_oversold.yml"
RAN = ("evolve", "chaos", "rules", "honesty", "validate", "discover")
ALPHA = {"alpha": 0.05, "procedure": "lond"}


@pytest.fixture(scope="module")
def client(control: Plane) -> Iterator[httpx.Client]:
    with control.client("submit") as opened:
        yield opened


@pytest.fixture(scope="module")
def ran(control: Plane, client: httpx.Client) -> dict[str, dict[str, Any]]:
    """A job of each kind that its service has run, by kind."""
    market = control.world.markets[0]
    drawn = {"kind": "chaos", "markets": [market], "trades": 3000, "settings": {"hold_ms": [300_000, 1_200_000]}, "campaign": "kinds"}
    first = [
        control.request(campaign="kinds"),
        drawn,
        {"kind": "honesty", "settings": {"cells": [{"family": "N0"}], "worlds": 2, "patterns": PATTERNS}, "n_bars": 6000, "markets": 1},
        {"kind": "rules", "plays": [{"text": RULE.read_text()}], "markets": [market], "settings": RULES, "campaign": "kinds"},
    ]
    with control.served():
        found = [control.ended(client, submitted(client, body)["id"]) for body in first]
        search = {"depth": 1, "flips": 99, "min_trades": 30, "min_active": 10, "min_blocks": 20}
        later = [
            {"kind": "validate", "evaluation": found[0]["result"]["best"]["evaluation"], "effort": QUICK, "all_unseen": False},
            {"kind": "discover", "campaign": "kinds", "settings": search},
        ]
        found += [control.ended(client, submitted(client, body)["id"]) for body in later]
    return {job["kind"]: job for job in found}


def submitted(client: httpx.Client, body: dict[str, Any]) -> dict[str, Any]:
    answer = client.post("/api/v1/jobs", json=body)
    assert answer.status_code == 201, answer.text
    job: dict[str, Any] = answer.json()
    assert job["kind"] == body["kind"]
    return job


@pytest.mark.parametrize("kind", RAN)
def test_a_job_of_every_kind_is_run_to_its_end(ran: dict[str, dict[str, Any]], kind: str) -> None:
    assert ran[kind]["status"] == "done", ran[kind]["error"]
    assert len(ran[kind]["result_hash"]) == 64


def test_what_was_done_is_not_done_again(client: httpx.Client, ran: dict[str, dict[str, Any]]) -> None:
    chaos, discover = ran["chaos"]["config"], ran["discover"]["config"]
    again = [
        {"kind": "chaos", "markets": ran["chaos"]["markets"], "trades": 3000, "settings": chaos["chaos"], "campaign": "kinds"},
        {"kind": "discover", "jobs": discover["drawn"], "settings": discover["discover"], "campaign": "kinds"},
    ]
    assert [client.post("/api/v1/jobs", json=body).status_code for body in again] == [409, 409]


def settled(client: httpx.Client, **changes: Any) -> dict[str, Any]:
    """What a report card that is asked for would be made of; it is not computed."""
    job = submitted(client, {"kind": "validate", "effort": QUICK, "all_unseen": False, **changes})
    assert client.post(f"/api/v1/jobs/{job['id']}/cancel").json()["status"] == "cancelled"
    return {name: value for name, value in job["config"].items() if name != "settings"}


def test_a_card_is_of_an_evaluation_of_one_of_the_best_of_a_job_or_of_a_play(
    control: Plane, client: httpx.Client, ran: dict[str, dict[str, Any]]
) -> None:
    job = ran["evolve"]["id"]
    best, second = client.get(f"/api/v1/jobs/{job}/leaderboard").json()["rows"][:2]
    assert settled(client, job=job) == settled(client, evaluation=best["evaluation"])
    assert settled(client, job=job, rank=2)["evaluation"] == second["evaluation"]
    played = settled(client, plays=[{"text": PLAY}], params=best["params"], markets=[control.world.markets[0]])
    bred = ran["validate"]["config"]
    assert {name: played[name] for name in ("variant", "parameters", "genome")} == {
        name: bred[name] for name in ("variant", "parameters", "genome")
    }
    assert (played["trials"]["trials"], played["source_job"]) == (None, "")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422), ({"job": "JOB", "evaluation": "abcdef"}, 422), ({"evaluation": "abcdef", "rank": 2}, 422),
        ({"job": "JOB", "params": {"x": 1}}, 422), ({"job": "JOB", "campaign": "mine"}, 422), ({"job": "JOB", "rank": 100}, 404),
        ({"job": "no-such-job"}, 404), ({"plays": [{"text": PLAY}]}, 422),
        ({"plays": [{"text": PLAY}], "params": {"fast.length": 10**400}}, 422),
        ({"plays": [{"text": PLAY}], "params": {"fast.length": [1]}}, 422), ({"plays": [{"text": PLAY}], "rank": 2}, 422),
        ({"plays": [{"text": PLAY}], "params": {"nothing": 1}, "markets": ["NOPE/USDT"]}, 422), ({"plays": [{"text": "a: ["}]}, 422),
        ({"plays": [{"sha256": "abcdef"}]}, 404), ({"plays": [{"text": PLAY}, {"text": PLAY}]}, 422),
    ],
)  # fmt: skip
def test_a_card_that_cannot_be_made_is_refused(
    control: Plane, client: httpx.Client, ran: dict[str, dict[str, Any]], body: dict[str, Any], status: int
) -> None:
    asked = {name: ran["evolve"]["id"] if value == "JOB" else value for name, value in body.items()}
    before = control.rows()["jobs"]
    answer = client.post("/api/v1/jobs", json={"kind": "validate", **asked})
    assert answer.status_code == status, answer.text
    assert control.rows()["jobs"] == before


@pytest.mark.parametrize("kind", RAN)
def test_a_report_of_a_job_is_a_page_that_reaches_nothing(client: httpx.Client, ran: dict[str, dict[str, Any]], kind: str) -> None:
    page = client.get(f"/api/v1/jobs/{ran[kind]['id']}/report")
    assert page.text.startswith("<!doctype html>")
    assert "sandbox" in page.headers["content-security-policy"]


def test_a_job_that_has_found_nothing_has_no_report(control: Plane, client: httpx.Client) -> None:
    job = submitted(client, {"kind": "chaos", "markets": [control.world.markets[0]], "campaign": "reports"})["id"]
    assert client.post(f"/api/v1/jobs/{job}/cancel").json()["status"] == "cancelled"
    assert client.get(f"/api/v1/jobs/{job}/report").status_code == 404


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"kind": "discover", "campaign": "nothing here"}, 404), ({"kind": "validate", "evaluation": "abcdef"}, 404),
        ({"kind": "honesty", "settings": {"pipeline": "evolve"}}, 413), ({"kind": "honesty", "settings": {"worlds": 0}}, 422),
        ({"kind": "fetch", "exchange": "binanse", "markets": ["BTC/USDT"]}, 404),
        ({"kind": "fetch", "exchange": "binance", "markets": ["BTC/USDT"], "timeframe": "5 parsecs"}, 422),
        ({"kind": "fetch", "exchange": "binance", "markets": ["BTC/USDT"], "since_ts": 9, "until_ts": 9}, 422),
        ({"kind": "shell", "command": "true"}, 422),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_refused_before_it_is_queued(
    control: Plane, client: httpx.Client, body: dict[str, Any], status: int
) -> None:
    before = control.rows()["jobs"]
    assert client.post("/api/v1/jobs", json=body).status_code == status
    assert control.rows()["jobs"] == before


class WorkerHere:
    """A worker that runs jobs in this process, where exchanges can be stood in for."""

    pid = 0

    def __init__(self, settings: MachineSettings, inbox: inboxes.Queue[JobEnding]) -> None:
        self._settings, self._inbox = settings, inbox

    def start(self, lease: Lease, _lease_s: float, _address: str) -> None:
        threading.Thread(target=self._run, args=(lease,)).start()

    def _run(self, lease: Lease) -> None:
        ending, error = worker.outcome(lambda: worker.run_lent(self._settings, job=lease.job, owner=lease.owner))
        self._inbox.put(JobEnding(worker=1, job=lease.job, ending=ending, error=error))

    def warm(self) -> None:
        """It is."""

    def is_spent(self) -> bool:
        return False

    def stop(self) -> None:
        """It ends with its job."""


@contextmanager
def served_here(settings: MachineSettings) -> Iterator[None]:
    stopped = threading.Event()

    def spawn(_number: int, inbox: inboxes.Queue[JobEnding]) -> WorkerHere:
        return WorkerHere(settings, inbox)

    with bootstrap.open_store(settings) as store, bootstrap.open_queue(settings) as (queue, _):
        service = Service(store, queue, spawn=spawn, slots=1, cluster=NoCluster(), stopped=stopped.is_set)
        thread = threading.Thread(target=service.run)
        thread.start()
        try:
            yield
        finally:
            stopped.set()
            thread.join()


def connected(exchange: ReplayExchange) -> Callable[..., ReplayExchange]:
    return lambda *_: exchange


def test_candles_are_fetched_by_a_job(control: Plane, client: httpx.Client, tmp_path: Path) -> None:
    bars = synthetic.market("XRP/USDT", Timeframe.parse("5m"), 120, seed=3)
    providers.CONNECTORS["binance"] = connected(ReplayExchange(bars, failing=lambda call: call == 2))
    body = {"kind": "fetch", "exchange": "binance", "markets": ["XRPUSDT"], "since_ts": int(bars.ts[0]), "until_ts": int(bars.close_ts[-1])}
    try:
        with served_here(control.settings.model_copy(update={"bars_path": tmp_path / "bars.duckdb"})):
            done = control.ended(client, submitted(client, body)["id"])
    finally:
        del providers.CONNECTORS["binance"]
    assert (done["status"], done["result"]["added"]) == ("done", 120), done["error"]
    with Catalog.open(tmp_path / "bars.duckdb", read_only=True) as catalog:
        assert list(catalog.read("XRP/USDT").close) == list(bars.close)


@pytest.fixture(scope="module")
def stored(control: Plane) -> tuple[PatternRecord, ...]:
    """Three patterns in the library."""
    return control.context.library.add([made(f"job-{number}", number) for number in range(3)], **ALPHA)


def made(job: str, number: int) -> PatternRecord:
    pattern = patterns.Pattern((patterns.Band(feature="rsi(14)", low=55.0 + number),))
    plain, figures = patterns.to_json(pattern), {"hold_bars": 3.0, "trades": 200, "net": 0.001}
    return PatternRecord(
        id=pattern_id("chaos", job, plain), source="chaos", name=str(pattern), conditions=plain, job=job, p_confirm=0.5 if number else 1e-9,
        figures={"discovery": figures, "confirmation": None, "slices": []}, discovered_at=datetime(2025, 1, 1, 0, number, tzinfo=UTC),
        evidence={"bar_ms": 300_000},
    )  # fmt: skip


def test_patterns_are_listed_in_pages_and_filtered(client: httpx.Client, stored: tuple[PatternRecord, ...]) -> None:
    rows, cursor = [], ""
    while cursor is not None:
        page = client.get(f"/api/v1/patterns?source=chaos&synthetic=false&limit=1{f'&cursor={cursor}' if cursor else ''}").json()
        rows += page["rows"]
        cursor = page["next"]
    assert rows == client.get("/api/v1/patterns?synthetic=false").json()["rows"]
    assert {record.id for record in stored} <= {row["id"] for row in rows}
    (own,) = client.get("/api/v1/patterns?job=job-0&status=confirmed").json()["rows"]
    assert own["name"] == stored[0].name
    assert client.get("/api/v1/patterns?job=job-0&status=rejected").json()["rows"] == []


def test_a_pattern_is_shown_and_traded(client: httpx.Client, stored: tuple[PatternRecord, ...]) -> None:
    shown = client.get(f"/api/v1/patterns/{stored[1].id[:12]}").json()
    assert (shown["status"], shown["p_confirm"], shown["conditions"]) == ("rejected", 0.5, list(stored[1].conditions))
    text = client.get(f"/api/v1/patterns/{stored[1].id}/play?side=long&hold_bars=7").text
    assert play.loads(text).risk.max_hold_bars == 7
    assert client.post("/api/v1/plays/check", json={"text": text}).status_code == 200
    assert client.get("/api/v1/patterns/ffffffffffff").status_code == 404


def test_decisions_are_there_to_be_looked_at(client: httpx.Client, ran: dict[str, dict[str, Any]]) -> None:
    best = ran["evolve"]["result"]["best"]["evaluation"]
    assert client.get(f"/api/v1/evaluations/{best}/standing").json() == {
        "evaluation": best, "state": "candidate", "verdicts": [], "steps": [],
    }  # fmt: skip
    assert client.get("/api/v1/campaigns/kinds").status_code == 404
    assert [client.get(f"/api/v1/{place}").json() for place in ("campaigns", "campaigns/kinds/openings", "library")] == [[], [], []]
