"""The library of patterns in PostgreSQL: an insert locks the sequence of tests, so that each test gets its place and its alpha level."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from datetime import UTC
from typing import Any

import sqlalchemy as sa
from typing_extensions import override

from cluster.store import reading, tables, writing
from cluster.store.database import Repository, transaction
from coinswarm.ledger import patterns
from coinswarm.ledger.patterns import PatternRecord, PatternStatus, PatternStore, Spent
from coinswarm.ledger.records import GenerationRecord, Json, Lease

_FIELDS = tuple(entry.name for entry in dataclasses.fields(PatternRecord))
_SPENT = tuple(entry.name for entry in dataclasses.fields(Spent))


class PostgresPatternStore(Repository, PatternStore):
    """The library of patterns in a PostgreSQL database."""

    @override
    @transaction
    def add(
        self, connection: sa.Connection, patterns: Sequence[PatternRecord], *, alpha: float, procedure: str
    ) -> tuple[PatternRecord, ...]:
        return _add(connection, patterns, alpha, procedure)

    @override
    @transaction
    def commit(
        self,
        connection: sa.Connection,
        lease: Lease,
        record: GenerationRecord,
        patterns: Sequence[PatternRecord],
        *,
        alpha: float,
        procedure: str,
    ) -> bool:
        if not writing.commit_generation(connection, lease, [record], (), ()):
            return False
        _add(connection, patterns, alpha, procedure)
        return True

    @override
    @transaction
    def pattern(self, connection: sa.Connection, pattern: str) -> PatternRecord:
        return reading.by_prefix(connection, "pattern", tables.patterns.c.id, pattern, record_of)

    @override
    @transaction
    def patterns(
        self,
        connection: sa.Connection,
        *,
        source: str | None = None,
        status: str | None = None,
        job: str | None = None,
        limit: int = 1000,
    ) -> tuple[PatternRecord, ...]:
        table = tables.patterns
        query = sa.select(table).order_by(table.c.discovered_at.desc(), table.c.id).limit(limit)
        for column, wanted in ((table.c.source, source), (table.c.status, status), (table.c.job, job)):
            query = query if wanted is None else query.where(column == wanted)
        return tuple(map(record_of, connection.execute(query)))

    @override
    @transaction
    def spent(self, connection: sa.Connection, *, synthetic: bool = False) -> tuple[Spent, ...]:
        return _spent(connection, synthetic)

    @override
    @transaction
    def amend(self, connection: sa.Connection, pattern: str, note: Json, *, status: PatternStatus | None = None) -> PatternRecord:
        table = tables.patterns
        name = reading.by_prefix(connection, "pattern", table.c.id, pattern, lambda row: str(row.id))
        before = record_of(connection.execute(sa.select(table).where(table.c.id == name).with_for_update()).one())
        after = patterns.amended(before, note, status)
        if after is not before:
            connection.execute(sa.update(table).where(table.c.id == name).values(status=after.status, evidence=after.evidence))
        return after


def _add(connection: sa.Connection, given: Sequence[PatternRecord], alpha: float, procedure: str) -> tuple[PatternRecord, ...]:
    if not given:
        return ()
    # readers do not wait; others who add do, so that they see the places that are taken
    connection.execute(sa.text("LOCK TABLE alpha_spending IN SHARE ROW EXCLUSIVE MODE"))
    ids = [record.id for record in given]
    known = set(connection.scalars(sa.select(tables.patterns.c.id).where(tables.patterns.c.id.in_(ids))))
    new = patterns.fresh(given, known)
    for synthetic in (False, True):
        _settle(connection, [record for record in new if record.synthetic is synthetic], synthetic, alpha, procedure)
    stored = connection.execute(sa.select(tables.patterns).where(tables.patterns.c.id.in_(ids)))
    records = {record.id: record for record in map(record_of, stored)}
    return tuple(records[name] for name in ids)


def _settle(connection: sa.Connection, new: Sequence[PatternRecord], synthetic: bool, alpha: float, procedure: str) -> None:
    if not new:
        return
    records, tests = patterns.settle(new, _spent(connection, synthetic), alpha=alpha, procedure=procedure)
    connection.execute(sa.insert(tables.patterns), [_row(record) for record in records])
    if tests:
        connection.execute(sa.insert(tables.alpha_spending), [dataclasses.asdict(spent) for spent in tests])


def _spent(connection: sa.Connection, synthetic: bool) -> tuple[Spent, ...]:
    table = tables.alpha_spending
    query = sa.select(*(table.c[name] for name in _SPENT)).where(table.c.synthetic.is_(synthetic)).order_by(table.c.place)
    return tuple(Spent(**row) for row in connection.execute(query).mappings())


def _row(record: PatternRecord) -> dict[str, object]:
    row = {name: getattr(record, name) for name in _FIELDS}
    return {**row, "p_confirm": None if math.isnan(record.p_confirm) else record.p_confirm, "conditions": list(record.conditions)}


def record_of(row: sa.Row[Any]) -> PatternRecord:
    """A row of the table as a record."""
    values = {name: getattr(row, name) for name in _FIELDS}
    missing = math.nan if row.p_confirm is None else row.p_confirm
    return PatternRecord(**{**values, "p_confirm": missing, "discovered_at": row.discovered_at.astimezone(UTC)})
