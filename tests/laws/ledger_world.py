"""Small made-up runs to keep in a store. Every name is fresh, so that laws share a database and never meet."""

from __future__ import annotations

import itertools
import os
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np

from coinswarm.ledger.records import (
    FOUNDER,
    IN_SAMPLE,
    DataSetRecord,
    EvaluationBatch,
    GenerationRecord,
    Job,
    Lease,
    PlayRecord,
    ScoreBatch,
)
from coinswarm.ledger.store import Store
from coinswarm.metrics.figures import FIGURES, SCORE_DTYPE

CREATED = datetime(2024, 5, 6, 7, 8, 9, 123456, tzinfo=UTC)
_numbers = itertools.count()


def fresh(kind: str) -> str:
    """A name nobody else has."""
    return f"{kind}-{os.getpid()}-{next(_numbers)}"


def data_set(**changes: Any) -> DataSetRecord:
    content = fresh("bars")
    record = DataSetRecord(
        key=f"binance:{content}:5m",
        exchange="binance",
        symbol="BTC-USDT",
        timeframe="5m",
        content_hash=content,
        first_ts=1_700_000_000_001,
        last_ts=1_700_000_300_999,
        n_bars=2,
        synthetic=False,
    )
    return replace(record, **changes)


def queued(store: Store, **changes: Any) -> Job:
    """A queued job of a fresh campaign, with its play and data saved."""
    bars, play = data_set(), PlayRecord(sha256=fresh("play"), name="crossover", text="play: crossover\n")
    store.save_data_sets([bars])
    store.save_play(play)
    job = Job(
        id=fresh("evolve"),
        kind="evolve",
        campaign=fresh("campaign"),
        plays=(play.sha256,),
        data_hashes=(bars.content_hash,),
        data_hash=fresh("data"),
        config={"population": 8, "costs": {"taker_bps": 5.5}},
        config_hash="c0ffee",
        code_version="0.1.0",
        seed=7,
        synthetic=True,
        created=CREATED,
    )
    job = replace(job, **changes)
    store.create_job(job)
    return job


def running(store: Store, **changes: Any) -> tuple[Job, Lease]:
    """A job and the lease that drives it."""
    job = queued(store, **changes)
    return job, store.claim(job.id, fresh("driver"))


def generation(job: Job, number: int = 0, island: int = 0, /, **changes: Any) -> GenerationRecord:
    record = GenerationRecord(
        job=job.id,
        island=island,
        generation=number,
        best=1.5,
        median=0.5,
        diversity=0.9,
        evaluations=3,
        failures=0,
        seconds=0.25,
        state=f"state {island} {number}".encode(),
    )
    return replace(record, **changes)


def trials(job: Job, variants: list[str], /, **changes: Any) -> EvaluationBatch:
    """Variants of one island and generation with the fitness 0, 1, 2…"""
    n = len(variants)
    batch = EvaluationBatch(
        island=0,
        generation=0,
        play=job.plays[0],
        variants=tuple(variants),
        genomes=np.arange(2.0 * n).reshape(n, 2),
        params=tuple({"fast.length": row} for row in range(n)),
        indices=np.arange(n),
        fitness=np.arange(float(n)),
        objectives=np.arange(2.0 * n).reshape(n, 2),
        status=np.zeros(n, dtype=np.int8),
        reasons=("",) * n,
        parents=((),) * n,
        operators=(FOUNDER,) * n,
    )
    return replace(batch, **changes)


def scored(variants: list[str], *, data_set: str = "binance:BTC-USDT:5m", segment: str = IN_SAMPLE, **values: Any) -> ScoreBatch:
    """Figures of variants: all 0.5 but for those given."""
    table = np.zeros(len(variants), dtype=SCORE_DTYPE)
    for name in FIGURES:
        table[name] = values.get(name, 0.5)
    return ScoreBatch(data_set=data_set, segment=segment, variants=tuple(variants), figures=table)


def plain(record: Any) -> Any:
    """A record or batch as nested tuples in which NaN equals itself, to compare what was saved with what is read."""
    if isinstance(record, float):
        return repr(record)
    if isinstance(record, np.ndarray):
        return (str(record.dtype), record.shape, plain(record.tolist()))
    if isinstance(record, dict):
        return tuple(sorted((key, plain(value)) for key, value in record.items()))
    if isinstance(record, (list, tuple)):
        return tuple(plain(entry) for entry in record)
    return plain({field.name: getattr(record, field.name) for field in fields(record)}) if is_dataclass(record) else record
