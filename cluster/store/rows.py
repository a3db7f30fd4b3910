"""Rows of the tables as records, and records as rows."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from coinswarm.ledger import batches
from coinswarm.ledger.parameters import ParameterDecoder
from coinswarm.ledger.records import (
    Ancestor,
    DataSetRecord,
    EvaluationRecord,
    GenerationRecord,
    Job,
    ScoreRecord,
)
from coinswarm.metrics.figures import FIGURES

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NULLABLE = ("best", "median", "diversity", "seconds")


def time_of(ts: int) -> datetime:
    """Milliseconds since 1970 as a time in UTC."""
    return _EPOCH + timedelta(milliseconds=ts)


def ts_of(time: datetime) -> int:
    """A time as milliseconds since 1970."""
    return (time - _EPOCH) // timedelta(milliseconds=1)


def data_set_of(row: Any) -> DataSetRecord:
    """The data set in a row of `data_sets`."""
    named = {name: getattr(row, name) for name in ("key", "exchange", "symbol", "timeframe", "content_hash", "n_bars", "synthetic")}
    return DataSetRecord(**named, first_ts=ts_of(row.first_bar), last_ts=ts_of(row.last_bar))


def data_set_row(record: DataSetRecord) -> dict[str, object]:
    """A row of `data_sets`."""
    row = dataclasses.asdict(record)
    return {**row, "first_bar": time_of(row.pop("first_ts")), "last_bar": time_of(row.pop("last_ts"))}


def job_of(row: Any) -> Job:
    """The job in a row of `jobs`."""
    fields = {**row._asdict(), "plays": tuple(row.plays), "data_hashes": tuple(row.data_hashes)}
    return Job(**fields)


def job_row(job: Job) -> dict[str, object]:
    """A row of `jobs`."""
    row = {field.name: getattr(job, field.name) for field in dataclasses.fields(job)}
    return {**row, "plays": list(job.plays), "data_hashes": list(job.data_hashes)}


def generation_of(row: Any) -> GenerationRecord:
    """The generation in a row of `generations` with its `state`."""
    fields: dict[str, Any] = {name: getattr(row, name) for name in ("job", "island", "generation", "evaluations", "failures", "figures")}
    fields |= {name: _float(getattr(row, name)) for name in _NULLABLE}
    return GenerationRecord(**fields, state=b"" if row.state is None else bytes(row.state))


def generation_row(job: Job, record: GenerationRecord) -> dict[str, object]:
    """A row of `generations`, which has a hash of the state and not the state itself."""
    row = {field.name: getattr(record, field.name) for field in dataclasses.fields(record) if field.name != "state"}
    for name in _NULLABLE:
        row[name] = None if math.isnan(row[name]) else float(row[name])
    return {**row, "state_hash": batches.state_hash(record.state), "synthetic": job.synthetic}


def evaluation_of(row: Any, known: Job, scores: Iterable[ScoreRecord]) -> EvaluationRecord:
    """The evaluation in a row of `reading.trials`; `known` is its job."""
    same = ("id", "job", "variant", "play", "island", "generation", "index", "reason", "operator")
    return EvaluationRecord(
        **{name: getattr(row, name) for name in same},
        **{name: getattr(known, name) for name in ("campaign", "seed", "config_hash", "data_hash", "code_version", "synthetic")},
        genome=tuple(row.genome),
        params=row.params if row.words is None or row.params is not None else ParameterDecoder.parse(row.words).decode(row.genome),
        fitness=_float(row.fitness),
        objectives=tuple(row.objectives),
        status=batches.STATUS_NAMES[row.status],
        parents=tuple(row.parents),
        scores=tuple(scores),
    )


def score_of(row: Any) -> ScoreRecord:
    """The score in a row of `score_rows`."""
    status, *found = row.figures
    figures = dict(zip(FIGURES, found, strict=True))
    return ScoreRecord(data_set=row.data_set, segment=row.segment, status=batches.STATUS_NAMES[int(status)], figures=figures)


def ancestor_of(row: Any) -> Ancestor:
    """The ancestor in a row of `trials` with its `depth`."""
    named = {name: getattr(row, name) for name in ("depth", "variant", "operator", "island", "generation")}
    return Ancestor(**named, evaluation=row.id, parents=tuple(row.parents), fitness=_float(row.fitness))


def _float(value: float | None) -> float:
    return float("nan") if value is None else value
