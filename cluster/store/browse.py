"""Pages of PostgreSQL for those who look: each query reads an index from where the last page ended, and gives up after a few seconds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any, TypeVar

import sqlalchemy as sa

from cluster.store import connect, patterns, reading, schema, tables
from coinswarm.ledger.browse import (
    Commit,
    EvaluationBrief,
    EvaluationFilter,
    EvaluationOrder,
    JobFilter,
    Page,
    PatternFilter,
    Place,
    PlayBrief,
)
from coinswarm.ledger.patterns import PatternRecord
from coinswarm.ledger.records import Job

_T = TypeVar("_T")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LIMIT = sa.text("SET LOCAL statement_timeout = '10s'")
_BRIEF = (
    "id",
    "job",
    "variant",
    "play",
    "island",
    "generation",
    "index",
    "params",
    "fitness",
    "objectives",
    "status",
    "reason",
    "operator",
    "parents",
)


class PostgresBrowse:
    """Keeps the contract of `coinswarm.ledger.browse.Browse` on a PostgreSQL database, which it brings to the current schema."""

    def __init__(self, url: str | sa.Engine, *, patience_s: float = 0.0) -> None:
        self._engine = connect.engine(url) if isinstance(url, str) else url
        self._patience_s = patience_s
        connect.run(self._engine, schema.migrate, patience_s=patience_s)

    def jobs(self, wanted: JobFilter, *, after: Place | None = None, limit: int = 50) -> Page[Job]:
        """See `Browse`."""
        return self._do(lambda connection: _jobs(connection, wanted, after, limit))

    def evaluations(
        self, wanted: EvaluationFilter, order: EvaluationOrder = "-fitness", *, after: Place | None = None, limit: int = 100
    ) -> Page[EvaluationBrief]:
        """See `Browse`."""
        return self._do(lambda connection: _evaluations(connection, wanted, order, after, limit))

    def plays(self, *, after: Place | None = None, limit: int = 100) -> Page[PlayBrief]:
        """See `Browse`."""
        return self._do(lambda connection: _plays(connection, after, limit))

    def patterns(self, wanted: PatternFilter, *, after: Place | None = None, limit: int = 100) -> Page[PatternRecord]:
        """See `Browse`."""
        return self._do(lambda connection: _patterns(connection, wanted, after, limit))

    def commits(self, job: str, *, after: int = -1, limit: int = 1000) -> tuple[Commit, ...]:
        """See `Browse`."""
        return self._do(lambda connection: _commits(connection, job, after, limit))

    def jobs_by_status(self) -> Mapping[tuple[str, str], int]:
        """See `Browse`."""
        table = tables.jobs.c
        query = sa.select(table.kind, table.status, sa.func.count()).group_by(table.kind, table.status)
        return self._do(lambda connection: {(kind, status): number for kind, status, number in connection.execute(query)})

    def close(self) -> None:
        """See `Browse`."""
        self._engine.dispose()

    def _do(self, work: Callable[[sa.Connection], _T]) -> _T:
        def limited(connection: sa.Connection) -> _T:
            connection.execute(_LIMIT)
            return work(connection)

        return connect.run(self._engine, limited, patience_s=self._patience_s)


def _jobs(connection: sa.Connection, wanted: JobFilter, after: Place | None, limit: int) -> Page[Job]:
    table = tables.jobs
    query = sa.select(table).order_by(table.c.created.desc(), table.c.id.desc()).limit(limit + 1)
    for column, value in ((table.c.campaign, wanted.campaign), (table.c.status, wanted.status), (table.c.kind, wanted.kind)):
        query = query if value is None else query.where(column == value)
    if wanted.token is not None:
        query = query.join(tables.queue, tables.queue.c.job == table.c.id).where(tables.queue.c.token == wanted.token)
    if after is not None:
        query = query.where(sa.tuple_(table.c.created, table.c.id) < sa.tuple_(_time(after[0]), sa.literal(after[1])))
    rows = [reading.job_of(row) for row in connection.execute(query)]
    return _page(rows, limit, lambda job: (_micros(job.created), job.id))


def _evaluations(
    connection: sa.Connection, wanted: EvaluationFilter, order: EvaluationOrder, after: Place | None, limit: int
) -> Page[EvaluationBrief]:
    reading.known_job(connection, wanted.job)
    table, name, falling = tables.evaluations.c, order.removeprefix("-"), order.startswith("-")
    column = table[name]
    query = sa.select(*(table[each] for each in _BRIEF)).where(*_fits(wanted), *([column.is_not(None)] if name == "fitness" else []))
    query = query.order_by(column.desc() if falling else column, *([] if name == "id" else [table.id])).limit(limit + 1)
    if after is not None:
        query = query.where(_beyond(column, table.id, after, falling=falling))
    rows = [_brief(row) for row in connection.execute(query)]
    return _page(rows, limit, lambda row: (getattr(row, name), row.id))


def _fits(wanted: EvaluationFilter) -> Sequence[sa.ColumnElement[bool]]:
    table = tables.evaluations.c
    equal = {"play": wanted.play, "status": wanted.status, "operator": wanted.operator, "island": wanted.island}
    tests = [table.job == wanted.job, *(table[name] == value for name, value in equal.items() if value is not None)]
    bounds = (
        (wanted.from_generation, table.generation.__ge__), (wanted.to_generation, table.generation.__le__),
        (wanted.min_fitness, table.fitness.__ge__), (wanted.max_fitness, table.fitness.__le__),
    )  # fmt: skip
    return [*tests, *(compare(value) for value, compare in bounds if value is not None)]


def _beyond(column: sa.Column[Any], name: sa.Column[Any], after: Place, *, falling: bool) -> sa.ColumnElement[bool]:
    value, last = after
    further = column < value if falling else column > value
    return sa.or_(further, sa.and_(column == value, name > last)) if column is not name else further


def _plays(connection: sa.Connection, after: Place | None, limit: int) -> Page[PlayBrief]:
    table = tables.plays.c
    query = sa.select(table.sha256, table.name, sa.func.length(table.text).label("characters"), table.saved)
    query = query.order_by(table.saved.desc(), table.sha256.desc()).limit(limit + 1)
    if after is not None:
        query = query.where(sa.tuple_(table.saved, table.sha256) < sa.tuple_(_time(after[0]), sa.literal(after[1])))
    rows = [PlayBrief(**row._asdict()) for row in connection.execute(query)]
    return _page(rows, limit, lambda play: (_micros(play.saved), play.sha256))


def _patterns(connection: sa.Connection, wanted: PatternFilter, after: Place | None, limit: int) -> Page[PatternRecord]:
    table = tables.patterns
    query = sa.select(table).order_by(table.c.discovered_at.desc(), table.c.id.desc()).limit(limit + 1)
    for name in ("source", "status", "job", "synthetic"):
        value = getattr(wanted, name)
        query = query if value is None else query.where(table.c[name] == value)
    if after is not None:
        query = query.where(sa.tuple_(table.c.discovered_at, table.c.id) < sa.tuple_(_time(after[0]), sa.literal(after[1])))
    rows = [patterns.record_of(row) for row in connection.execute(query)]
    return _page(rows, limit, lambda record: (_micros(record.discovered_at), record.id))


def _commits(connection: sa.Connection, job: str, after: int, limit: int) -> tuple[Commit, ...]:
    """A job's drivers commit one after the other, so the time of a commit orders them; rows of one transaction share it."""
    made = tables.generations.c
    columns = [column for column in made if column.name not in ("state_hash", "synthetic")]
    query = sa.select(*columns, sa.null().label("state")).where(made.job == job, made.committed > _time(after))
    rows = connection.execute(query.order_by(made.committed, made.generation, made.island).limit(limit)).all()
    grouped = [
        (_micros(time), tuple(reading.generation_of(row) for row in group)) for time, group in groupby(rows, key=lambda row: row.committed)
    ]
    whole = grouped[:-1] if len(rows) == limit and len(grouped) > 1 else grouped
    return tuple(Commit(number=number, generations=records) for number, records in whole)


def _page(rows: Sequence[_T], limit: int, place: Callable[[_T], Place]) -> Page[_T]:
    return Page(rows=tuple(rows[:limit]), next=place(rows[limit - 1]) if len(rows) > limit else None)


def _brief(row: Any) -> EvaluationBrief:
    fields = row._asdict()
    fields |= {"fitness": float("nan") if row.fitness is None else row.fitness}
    return EvaluationBrief(**{**fields, "objectives": tuple(row.objectives), "parents": tuple(row.parents)})


def _micros(time: datetime) -> int:
    return (time - _EPOCH) // timedelta(microseconds=1)


def _time(micros: int) -> sa.BindParameter[datetime]:
    return sa.literal(_EPOCH + timedelta(microseconds=micros))
