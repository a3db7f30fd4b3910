"""How fast the best of a large job are found, and by what plan: `python -m tests.benchmarks.bench_ranks [TRIALS] [MARKETS]`.

A database of its own is filled by the store's own commits. The fastest of three answers counts: the disk is not measured.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import sqlalchemy as sa

from cluster.store import embedded
from cluster.store.browse import PostgresBrowse
from cluster.store.database import Database
from cluster.store.postgres import PostgresStore
from coinswarm.ledger.browse import EvaluationFilter
from coinswarm.ledger.records import WHOLE_JOB, Job
from coinswarm.metrics.figures import FIGURES
from tests.benchmarks.test_store_speed import ROWS, made
from tests.laws.ledger_world import generation, running

ORDERS = ("-fitness", "fitness", "generation", "-generation", "id")


def filled(store: PostgresStore, trials: int, markets: int) -> tuple[Job, list[float]]:
    """A finished job with so many trials on so many markets, and how long each of its commits took."""
    job, lease = running(store)
    seconds = []
    for number in range(trials // ROWS):
        batch, scores = made(job, number, np.random.default_rng(number))
        each = [replace(scores, data_set=f"binance:M{market}-USDT:5m") for market in range(markets)]
        records = [generation(job, number, evaluations=ROWS), generation(job, number, WHOLE_JOB)]
        began = time.perf_counter()
        store.commit_generation(lease, records, [batch], each)
        seconds.append(time.perf_counter() - began)
    store.finish(lease, "done", result={"distinct": trials})
    return job, seconds


def fastest_ms(ask: Callable[[], object]) -> float:
    """Milliseconds of the fastest of three."""
    times = []
    for _ in range(3):
        began = time.perf_counter()
        ask()
        times.append(time.perf_counter() - began)
    return 1000 * min(times)


def main(trials: int = 1_000_000, markets: int = 1) -> None:
    """Fill, ask, print."""
    with tempfile.TemporaryDirectory(prefix="coinswarm-bench-") as name:
        folder = Path(name) / "pg"
        with Database(embedded.ensure(folder)) as database:
            store, browse = PostgresStore(database), PostgresBrowse(database)
            job, seconds = filled(store, trials, markets)
            tell = sys.stdout.write
            tell(f"commit of {ROWS:,} trials: median {1000 * statistics.median(seconds):,.0f} ms, last {1000 * seconds[-1]:,.0f} ms\n")
            database.run(lambda connection: connection.execute(sa.text("ANALYZE trials")))
            for by in ("fitness", *FIGURES):
                tell(f"leaderboard by {by:24} {fastest_ms(lambda by=by: store.leaderboard(job.id, by=by)):8,.0f} ms\n")  # type: ignore[misc]
            wanted = EvaluationFilter(job=job.id)
            for order in ORDERS:
                took = fastest_ms(lambda order=order: browse.evaluations(wanted, order))  # type: ignore[misc]
                tell(f"evaluations sorted by {order:18} {took:8,.0f} ms\n")
            tell(f"trials counted again              {fastest_ms(lambda: store.tally(job.id)):8,.0f} ms\n")
            tell(f"trials of the campaign            {fastest_ms(lambda: store.count_trials(job.campaign)):8,.0f} ms\n")
        embedded.stop(folder, force=True)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
