"""Submissions to the queue of the service: what is looked at before a job is planned."""

from __future__ import annotations

from pathlib import Path

import pytest

from cluster.jobs import spec
from cluster.queries import answers
from cluster.run.runner import Runner
from coinswarm import errors
from coinswarm.ledger.memory import MemoryAccess, MemoryQueue, MemoryStore
from coinswarm.ledger.queue import Submission
from coinswarm.market import synthetic
from coinswarm.market.catalog import Catalog
from coinswarm.market.timeframe import Timeframe
from tests import jobs_world
from tests.laws import ledger_world as world

MARKET = "synthetic:BTC/USDT:5m"


def runner(tmp_path: Path, store: MemoryStore, queue: MemoryQueue) -> Runner:
    """A runner that only submits."""
    context = jobs_world.plan_context(tmp_path / "bars.duckdb", store=store)
    return Runner(context=context, queue=queue, compute=None, fetch_timeout_s=1.0)  # type: ignore[arg-type]


def test_a_key_that_stands_for_a_job_answers_though_the_request_could_no_longer_be_planned(tmp_path: Path) -> None:
    store = MemoryStore()
    queue = MemoryQueue(store, MemoryAccess())
    asked = jobs_world.request("chaos", markets=[MARKET], trades=1000)
    first = world.queued(MemoryStore(), plays=(), data_hashes=(), kind="chaos")
    queue.submit(Submission(job=first, key="monday", fingerprint=spec.fingerprint(asked)))
    assert runner(tmp_path, store, queue).enqueue(asked, key="monday") == first.id
    with pytest.raises(errors.Conflict, match="stands for another request"):
        runner(tmp_path, store, queue).enqueue(asked.model_copy(update={"trades": 2000}), key="monday")


def test_a_request_over_http_is_refused_too_where_it_would_fill_the_disk(tmp_path: Path) -> None:
    with Catalog.open(tmp_path / "bars.duckdb") as catalog:
        catalog.put(synthetic.market("BTC/USDT", Timeframe.parse("5m"), 4000, seed=1), source="made")
    context = jobs_world.plan_context(tmp_path / "bars.duckdb", free_bytes=lambda: 2**20)
    with pytest.raises(errors.Refused, match="GB in the database"):
        answers.plan(context, jobs_world.request("chaos", markets=[MARKET], trades=100_000))
    assert answers.plan(context, jobs_world.request("chaos", markets=[MARKET], trades=100)).job.kind == "chaos"
