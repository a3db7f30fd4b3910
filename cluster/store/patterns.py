"""The library of patterns in PostgreSQL: whoever adds to it holds the stream of tests until its places and levels are written."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from datetime import UTC
from typing import Any, TypeVar

import sqlalchemy as sa

from cluster.store import connect, schema, tables, writing
from cluster.store.postgres import PATIENCE_S
from coinswarm.ledger import identity, patterns
from coinswarm.ledger.patterns import PatternRecord, PatternStatus, Spent
from coinswarm.ledger.records import GenerationRecord, Json, Lease

_T = TypeVar("_T")
_FIELDS = tuple(entry.name for entry in dataclasses.fields(PatternRecord))
_SPENT = tuple(entry.name for entry in dataclasses.fields(Spent))


class PostgresPatternStore:
    """Keeps the contract of `coinswarm.ledger.patterns.PatternStore` in the database of a `PostgresStore`."""

    def __init__(self, url: str, *, patience_s: float = PATIENCE_S) -> None:
        """Connect and migrate.

        Args:
            url: `postgresql://user:password@host:port/database`.
            patience_s: how long a call waits for a database that went away. The first connection is not waited for.

        Raises:
            BadSetting: `url` is not one; Unavailable: nobody answers there within seconds; Refused: the schema is of a later program.
        """
        self._engine = connect.engine(url)
        self._patience_s = 0.0
        try:
            self._do(schema.migrate)
        except BaseException:
            self._engine.dispose()
            raise
        self._patience_s = patience_s

    def add(self, patterns: Sequence[PatternRecord], *, alpha: float, procedure: str) -> tuple[PatternRecord, ...]:
        """See `PatternStore`."""
        return self._do(lambda connection: _add(connection, patterns, alpha, procedure))

    def commit(self, lease: Lease, record: GenerationRecord, patterns: Sequence[PatternRecord], *, alpha: float, procedure: str) -> bool:
        """See `PatternStore`."""
        return self._do(lambda connection: _commit(connection, lease, record, patterns, alpha, procedure))

    def pattern(self, pattern: str) -> PatternRecord:
        """See `PatternStore`."""
        return self._do(lambda connection: _pattern(connection, pattern))

    def patterns(
        self, *, source: str | None = None, status: str | None = None, job: str | None = None, limit: int = 1000
    ) -> tuple[PatternRecord, ...]:
        """See `PatternStore`."""
        return self._do(lambda connection: _patterns(connection, {"source": source, "status": status, "job": job}, limit))

    def spent(self, *, synthetic: bool = False) -> tuple[Spent, ...]:
        """See `PatternStore`."""
        return self._do(lambda connection: _spent(connection, synthetic))

    def amend(self, pattern: str, note: Json, *, status: PatternStatus | None = None) -> PatternRecord:
        """See `PatternStore`."""
        return self._do(lambda connection: _amend(connection, pattern, note, status))

    def close(self) -> None:
        """Let go of the connections."""
        self._engine.dispose()

    def _do(self, work: Callable[[sa.Connection], _T]) -> _T:
        return connect.run(self._engine, work, patience_s=self._patience_s)


def _add(connection: sa.Connection, given: Sequence[PatternRecord], alpha: float, procedure: str) -> tuple[PatternRecord, ...]:
    if not given:
        return ()
    # readers go on; others who add wait here, so that they see the places that are taken
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


def _commit(
    connection: sa.Connection, lease: Lease, record: GenerationRecord, given: Sequence[PatternRecord], alpha: float, procedure: str
) -> bool:
    if not writing.commit_generation(connection, lease, [record], (), ()):
        return False
    _add(connection, given, alpha, procedure)
    return True


def _pattern(connection: sa.Connection, prefix: str) -> PatternRecord:
    return record_of(connection.execute(sa.select(tables.patterns).where(tables.patterns.c.id == _only(connection, prefix))).one())


def _only(connection: sa.Connection, prefix: str) -> str:
    """The id that starts with a prefix; one that is the prefix is always meant."""
    column = tables.patterns.c.id
    fits = list(connection.scalars(sa.select(column).where(column.startswith(prefix, autoescape=True)).order_by(column).limit(10)))
    known = () if fits else connection.scalars(sa.select(column).limit(100))
    return identity.only_match("pattern", prefix, [prefix] if prefix in fits else fits, known)


def _patterns(connection: sa.Connection, where: dict[str, str | None], limit: int) -> tuple[PatternRecord, ...]:
    table = tables.patterns
    wanted = [table.c[name] == value for name, value in where.items() if value is not None]
    query = sa.select(table).where(*wanted).order_by(table.c.discovered_at.desc(), table.c.id).limit(limit)
    return tuple(record_of(row) for row in connection.execute(query))


def _spent(connection: sa.Connection, synthetic: bool) -> tuple[Spent, ...]:
    table = tables.alpha_spending
    query = sa.select(*(table.c[name] for name in _SPENT)).where(table.c.synthetic.is_(synthetic)).order_by(table.c.place)
    return tuple(Spent(**row) for row in connection.execute(query).mappings())


def _amend(connection: sa.Connection, prefix: str, note: Json, status: PatternStatus | None) -> PatternRecord:
    table = tables.patterns
    name = _only(connection, prefix)
    before = record_of(connection.execute(sa.select(table).where(table.c.id == name).with_for_update()).one())
    after = patterns.amended(before, note, status)
    if after is not before:
        connection.execute(sa.update(table).where(table.c.id == name).values(status=after.status, evidence=after.evidence))
    return after


def _row(record: PatternRecord) -> dict[str, object]:
    row = {name: getattr(record, name) for name in _FIELDS}
    return {**row, "p_confirm": None if math.isnan(record.p_confirm) else record.p_confirm, "conditions": list(record.conditions)}


def record_of(row: sa.Row[Any]) -> PatternRecord:
    """A row of the table as a record."""
    values = {name: getattr(row, name) for name in _FIELDS}
    missing = math.nan if row.p_confirm is None else row.p_confirm
    return PatternRecord(**{**values, "p_confirm": missing, "discovered_at": row.discovered_at.astimezone(UTC)})
