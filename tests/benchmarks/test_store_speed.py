"""How fast trials are stored and a leaderboard is read: `make bench`. The size is for a bench; the rates hold at a million rows."""

from __future__ import annotations

import hashlib
import itertools
from typing import Any

import numpy as np
import pytest

from cluster.store.database import Database
from cluster.store.postgres import PostgresStore
from coinswarm.ledger.records import EvaluationBatch, ScoreBatch
from coinswarm.metrics.figures import FIGURES, SCORE_DTYPE
from tests.laws.ledger_world import generation, running, trials

ROWS = 10_000
WORDS = {"fast.length": 12, "slow.length": 48, "stop.atr": 1.75, "target.pct": 2.25, "rsi.period": 14, "rsi.level": 30.5, "hold.max": 48}


def made(job: Any, number: int, rng: np.random.Generator) -> tuple[EvaluationBatch, ScoreBatch]:
    """One generation of `ROWS` new variants with eight genes and the figures of one market."""
    names = [hashlib.sha256(f"{number}:{row}".encode()).hexdigest() for row in range(ROWS)]
    table = np.zeros(ROWS, dtype=SCORE_DTYPE)
    for name in FIGURES:
        table[name] = rng.normal(size=ROWS)
    columns = {"genomes": rng.normal(size=(ROWS, 8)), "fitness": rng.normal(size=ROWS), "objectives": rng.normal(size=(ROWS, 3))}
    parents = tuple((names[row - 1], names[row - 2]) for row in range(ROWS))
    batch = trials(job, names, generation=number, params=tuple({**WORDS, "row": row} for row in range(ROWS)), parents=parents, **columns)
    return batch, ScoreBatch(data_set="binance:BTC-USDT:5m", segment="in_sample", variants=batch.variants, figures=table)


@pytest.mark.parametrize("markets", [0, 1])
def test_storing_a_generation(benchmark: Any, database_url: str, markets: int) -> None:
    store = PostgresStore(Database(database_url))
    job, lease = running(store)
    numbers, rng = itertools.count(), np.random.default_rng(1)

    def prepare() -> tuple[tuple[int, EvaluationBatch, ScoreBatch], dict[str, Any]]:
        number = next(numbers)
        return (number, *made(job, number, rng)), {}

    def commit(number: int, batch: EvaluationBatch, scores: ScoreBatch) -> bool:
        return store.commit_generation(lease, [generation(job, number)], [batch], [scores][:markets])

    assert benchmark.pedantic(commit, setup=prepare, rounds=10)
    benchmark.extra_info["rows_per_s"] = ROWS / benchmark.stats.stats.min
    store.database.close()


def test_reading_a_leaderboard(benchmark: Any, database_url: str) -> None:
    store = PostgresStore(Database(database_url))
    job, lease = running(store)
    for number in range(10):
        batch, scores = made(job, number, np.random.default_rng(number))
        store.commit_generation(lease, [generation(job, number)], [batch], [scores])
    assert len(benchmark(store.leaderboard, job.id)) == 20
    store.database.close()
