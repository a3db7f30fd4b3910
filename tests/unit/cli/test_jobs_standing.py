"""A job whose driver died is shown as lost, and one that is driven is not resumed a second time."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from cluster.cli import jobs
from cluster.jobs import brief, registry
from cluster.run import runner
from coinswarm import errors
from coinswarm.ledger.memory import MemoryStore
from tests import jobs_world
from tests.laws import ledger_world


def driven(seconds_left: float) -> Any:
    job = ledger_world.queued(MemoryStore())
    return replace(job, status="running", lease_owner="host:1", lease_expires=datetime.now(UTC) + timedelta(seconds=seconds_left))


def test_a_running_job_with_a_lapsed_lease_is_lost() -> None:
    assert brief.standing(driven(-5)) == brief.LOST
    assert brief.standing(driven(20)) == "running"


def test_a_driven_job_is_refused_before_a_cluster_is_started() -> None:
    with pytest.raises(errors.Conflict, match="driven by host:1"):
        runner.refuse_driven(driven(20), datetime.now(UTC))
    runner.refuse_driven(driven(-5), datetime.now(UTC))
    assert brief.standing(replace(driven(20), status="queued")) == "queued"


BROKEN = [
    {}, {"plays": None}, {"markets": ["x"]}, {"plays": [], "markets": [{"key": 1}], "search": "wide"}, {"markets": [], "split_ts": "x"},
]  # fmt: skip


@pytest.mark.parametrize("config", BROKEN)
@pytest.mark.parametrize("kind", registry.NAMES)
def test_a_job_whose_config_cannot_be_read_is_shown_and_its_report_refused_in_words(kind: str, config: Any) -> None:
    broken = replace(driven(20), kind=kind, config=config)
    assert jobs._told(broken)["kind"] == kind
    with suppress(errors.CoinswarmError):
        registry.report(broken, jobs_world.plan_context(Path("bars.duckdb")))


def test_plays_are_shown_as_they_are_listed() -> None:
    market = {"key": "binance:BTC/USDT:5m", "n_bars": 9}
    told = jobs._told(replace(driven(20), config={"plays": [{"name": "one"}, {"name": "two"}], "markets": [market]}))
    assert (told["plays"], told["markets"], told["bars"]) == ("one, two", "binance:BTC/USDT:5m", "binance:BTC/USDT:5m (9 bars)")


def test_the_report_of_a_job_that_is_not_done_begins_with_how_it_stands() -> None:
    job = driven(20)
    assert jobs._standing(job) == f"job {job.id} is running; `coinswarm watch {job.id}` follows it"
    assert jobs._standing(driven(-5)).endswith("resumes it")
    failed = replace(job, status="failed", error="the disk is full")
    assert jobs._standing(failed) == f"job {job.id} is failed: the disk is full; `coinswarm jobs resume {job.id}` resumes it"
