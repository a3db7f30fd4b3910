"""Pages of PostgreSQL for those who look: each query reads an index from where the last page ended, and gives up after a few seconds."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any, TypeVar

import sqlalchemy as sa
from typing_extensions import override

from cluster.store import patterns, reading, rows, tables
from cluster.store.database import Repository, transaction
from coinswarm.ledger.browse import (
    Browse,
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
_BY_INDEX = sa.text("SET LOCAL enable_sort = off")
"""Before it has statistics of a new job, the planner sorts all of it."""
_BRIEF = (
    "id", "job", "variant", "play", "island", "generation", "index", "params", "fitness", "objectives", "status", "reason", "operator",
    "parents",
)  # fmt: skip


class PostgresBrowse(Repository, Browse):
    """Pages of a PostgreSQL database."""

    @override
    def run(self, work: Callable[[sa.Connection], _T]) -> _T:
        def limited(connection: sa.Connection) -> _T:
            connection.execute(_LIMIT)
            return work(connection)

        return super().run(limited)

    @override
    @transaction
    def jobs(self, connection: sa.Connection, wanted: JobFilter, *, after: Place | None = None, limit: int = 50) -> Page[Job]:
        table = tables.jobs
        query = sa.select(table)
        for column, value in ((table.c.campaign, wanted.campaign), (table.c.status, wanted.status), (table.c.kind, wanted.kind)):
            query = query if value is None else query.where(column == value)
        if wanted.token is not None:
            query = query.join(tables.queue, tables.queue.c.job == table.c.id).where(tables.queue.c.token == wanted.token)
        found = list(map(rows.job_of, connection.execute(_newest(query, table.c.created, table.c.id, after, limit))))
        return _page(found, limit, lambda job: (_micros(job.created), job.id))

    @override
    @transaction
    def evaluations(
        self,
        connection: sa.Connection,
        wanted: EvaluationFilter,
        order: EvaluationOrder = "-fitness",
        *,
        after: Place | None = None,
        limit: int = 100,
    ) -> Page[EvaluationBrief]:
        """By fitness and id, the rows of a page are read from an index, from where the last one ended; by generation, all are looked at."""
        reading.known_job(connection, wanted.job)
        if order.endswith("fitness"):
            connection.execute(_BY_INDEX)
        found: list[EvaluationBrief] = []
        for beyond in _beyond(order, after):
            if len(found) <= limit:
                query = _ordered(wanted, order, beyond, limit + 1 - len(found))
                found += map(_brief, connection.execute(query))
        return _page(found, limit, lambda row: (getattr(row, order.removeprefix("-")), row.id))

    @override
    @transaction
    def plays(self, connection: sa.Connection, *, after: Place | None = None, limit: int = 100) -> Page[PlayBrief]:
        table = tables.plays.c
        query = sa.select(table.sha256, table.name, sa.func.length(table.text).label("characters"), table.saved)
        found = [PlayBrief(**row._asdict()) for row in connection.execute(_newest(query, table.saved, table.sha256, after, limit))]
        return _page(found, limit, lambda play: (_micros(play.saved), play.sha256))

    @override
    @transaction
    def patterns(
        self, connection: sa.Connection, wanted: PatternFilter, *, after: Place | None = None, limit: int = 100
    ) -> Page[PatternRecord]:
        table = tables.patterns
        query = sa.select(table)
        for name in ("source", "status", "job", "synthetic"):
            value = getattr(wanted, name)
            query = query if value is None else query.where(table.c[name] == value)
        found = list(map(patterns.record_of, connection.execute(_newest(query, table.c.discovered_at, table.c.id, after, limit))))
        return _page(found, limit, lambda record: (_micros(record.discovered_at), record.id))

    @override
    @transaction
    def commits(self, connection: sa.Connection, job: str, *, after: int = -1, limit: int = 1000) -> tuple[Commit, ...]:
        """A job's drivers commit one after the other, so the time of a commit orders them; rows of one transaction share it."""
        made = tables.generations.c
        columns = [column for column in made if column.name not in ("state_hash", "synthetic")]
        query = sa.select(*columns, sa.null().label("state")).where(made.job == job, made.committed > _time(after))
        found = connection.execute(query.order_by(made.committed, made.generation, made.island).limit(limit)).all()
        grouped = [(_micros(time), tuple(map(rows.generation_of, group))) for time, group in groupby(found, key=lambda row: row.committed)]
        whole = grouped[:-1] if len(found) == limit and len(grouped) > 1 else grouped
        return tuple(Commit(number=number, generations=records) for number, records in whole)

    @override
    @transaction
    def jobs_by_status(self, connection: sa.Connection) -> Mapping[tuple[str, str], int]:
        table = tables.jobs.c
        query = sa.select(table.kind, table.status, sa.func.count()).group_by(table.kind, table.status)
        return {(kind, status): number for kind, status, number in connection.execute(query)}


def _fits(wanted: EvaluationFilter) -> Sequence[sa.ColumnElement[bool]]:
    table = tables.evaluations.c
    equal = {"play": wanted.play, "status": wanted.status, "operator": wanted.operator, "island": wanted.island}
    tests = [table.job == wanted.job, *(table[name] == value for name, value in equal.items() if value is not None)]
    bounds = (
        (wanted.from_generation, table.generation.__ge__), (wanted.to_generation, table.generation.__le__),
        (wanted.min_fitness, table.fitness.__ge__), (wanted.max_fitness, table.fitness.__le__),
    )  # fmt: skip
    return [*tests, *(compare(value) for value, compare in bounds if value is not None)]


def _ordered(wanted: EvaluationFilter, order: EvaluationOrder, beyond: Sequence[sa.ColumnElement[bool]], limit: int) -> sa.Select[Any]:
    """The first rows of an order that are beyond a place."""
    table = tables.evaluations.c
    column, ties = table[order.removeprefix("-")], table.id.desc() if order == "fitness" else table.id
    there = [column.is_not(None)] if column is table.fitness else []
    query = sa.select(*(table[each] for each in _BRIEF)).where(*_fits(wanted), *there, *beyond)
    return query.order_by(*([] if column is table.id else [column.desc() if order.startswith("-") else column]), ties).limit(limit)


def _beyond(order: EvaluationOrder, after: Place | None) -> Sequence[Sequence[sa.ColumnElement[bool]]]:
    """Where the rows after a place are: by fitness in two parts, each in one piece of the index, those with an equal value first."""
    if after is None:
        return [[]]
    table, (value, last) = tables.evaluations.c, after
    if order == "id":
        return [[table.id > last]]
    column = table[order.removeprefix("-")]
    equal = [column == value, table.id < last if order == "fitness" else table.id > last]
    further = column < value if order.startswith("-") else column > value
    return [equal, [further]] if column is table.fitness else [[sa.or_(further, sa.and_(*equal))]]


def _page(found: Sequence[_T], limit: int, place: Callable[[_T], Place]) -> Page[_T]:
    return Page(rows=tuple(found[:limit]), next=place(found[limit - 1]) if len(found) > limit else None)


def _brief(row: Any) -> EvaluationBrief:
    fields = row._asdict()
    fields |= {"fitness": float("nan") if row.fitness is None else row.fitness}
    return EvaluationBrief(**{**fields, "objectives": tuple(row.objectives), "parents": tuple(row.parents)})


def _newest(query: sa.Select[Any], time: sa.Column[Any], name: sa.Column[Any], after: Place | None, limit: int) -> sa.Select[Any]:
    """The rows of a query that come after a place, newest first, and one more than the page takes."""
    query = query.order_by(time.desc(), name.desc()).limit(limit + 1)
    return query if after is None else query.where(sa.tuple_(time, name) < sa.tuple_(_time(after[0]), sa.literal(after[1])))


def _micros(time: datetime) -> int:
    return (time - _EPOCH) // timedelta(microseconds=1)


def _time(micros: int) -> sa.BindParameter[datetime]:
    return sa.literal(_EPOCH + timedelta(microseconds=micros))
