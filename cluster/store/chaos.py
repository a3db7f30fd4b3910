"""Chaos trades in PostgreSQL: a partition a job, filled by binary COPY in the transaction that records the step."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any, TypeVar

import psycopg
import psycopg.sql
import sqlalchemy as sa

from cluster.store import chaos_rows, connect, reading, schema, tables, writing
from cluster.store.postgres import PATIENCE_S
from coinswarm.ledger import transitions
from coinswarm.ledger.chaos import ChaosFrame, ChaosSummary, ChaosTrades, check_frame, no_trades
from coinswarm.ledger.records import GenerationRecord, Lease

_T = TypeVar("_T")
_LONGEST_NAME = 63

_SUMMARIES = """
SELECT jobs.id, jobs.campaign, cardinality(frame.markets) AS markets, made.*
FROM jobs
JOIN chaos_frames AS frame ON frame.job = jobs.id
CROSS JOIN LATERAL (
    SELECT coalesce(sum(evaluations), 0)::bigint AS trades,
           sum((figures->>'wins')::float8) / nullif(sum(evaluations), 0) AS win_rate,
           sum((figures->>'gross')::float8) / nullif(sum(evaluations), 0) AS gross,
           sum((figures->>'net')::float8) / nullif(sum(evaluations), 0) AS net
    FROM generations WHERE job = jobs.id
) AS made
WHERE jobs.campaign = coalesce(:campaign, jobs.campaign)
ORDER BY jobs.created DESC, jobs.id DESC LIMIT :limit
"""


class PostgresChaosStore:
    """Keeps the contract of `coinswarm.ledger.chaos.ChaosStore` in the database of a `PostgresStore`."""

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

    def prepare(self, job: str, frame: ChaosFrame) -> None:
        """See `ChaosStore`."""
        self._do(lambda connection: _prepare(connection, job, frame))

    def commit(self, lease: Lease, record: GenerationRecord, trades: ChaosTrades) -> bool:
        """See `ChaosStore`."""
        return self._do(lambda connection: _commit(connection, lease, record, trades))

    def frame(self, job: str) -> ChaosFrame:
        """See `ChaosStore`."""
        return self._do(lambda connection: _frame(connection, reading.job(connection, job).id))

    def trades(self, job: str) -> ChaosTrades:
        """See `ChaosStore`."""
        return self._do(lambda connection: _trades(connection, reading.job(connection, job).id))

    def summaries(self, *, campaign: str | None = None, limit: int = 100) -> tuple[ChaosSummary, ...]:
        """See `ChaosStore`."""
        return self._do(lambda connection: _summaries(connection, campaign, limit))

    def drop(self, job: str) -> None:
        """See `ChaosStore`."""
        self._do(lambda connection: _drop(connection, reading.job(connection, job).id))

    def close(self) -> None:
        """Let go of the connections."""
        self._engine.dispose()

    def _do(self, work: Callable[[sa.Connection], _T]) -> _T:
        return connect.run(self._engine, work, patience_s=self._patience_s)


def _prepare(connection: sa.Connection, job: str, frame: ChaosFrame) -> None:
    reading.known_job(connection, job, lock=True)
    stored = _find_frame(connection, job)
    if stored is not None:
        check_frame(job, stored, frame)
        return
    values = {"job": job, "markets": list(frame.markets), "features": list(frame.features), "bar_ms": frame.bar_ms}
    connection.execute(sa.insert(tables.chaos_frames), [values])
    create_part(connection, job)


def create_part(connection: sa.Connection, job: str) -> None:
    """Make the partition of a job."""
    part = psycopg.sql.Identifier(part_of(job))
    _raw(connection).execute(psycopg.sql.SQL("CREATE TABLE {part} (LIKE chaos_trades)").format(part=part))
    attach(connection, job)


def attach(connection: sa.Connection, job: str) -> None:
    """Make a table under the partition's name one; it is made apart, so that nobody who reads other jobs' trades is waited for."""
    part = psycopg.sql.Identifier(part_of(job))
    for statement in (
        psycopg.sql.SQL("CREATE UNIQUE INDEX ON {part} (number)").format(part=part),
        psycopg.sql.SQL("ALTER TABLE chaos_trades ATTACH PARTITION {part} FOR VALUES IN ({job})").format(part=part, job=job),
    ):
        _raw(connection).execute(statement)


def _commit(connection: sa.Connection, lease: Lease, record: GenerationRecord, trades: ChaosTrades) -> bool:
    stored = _frame(connection, lease.job)
    check_frame(lease.job, stored, trades.frame)
    if not writing.commit_generation(connection, lease, [record], (), ()):
        return False
    names = ", ".join(chaos_rows.COLUMNS)
    into = psycopg.sql.SQL("COPY {part} ({names}) FROM STDIN (FORMAT BINARY)").format(
        part=psycopg.sql.Identifier(part_of(lease.job)), names=psycopg.sql.SQL(names)
    )
    with _raw(connection).cursor() as cursor, cursor.copy(into) as copy:
        for part in chaos_rows.written(lease.job, trades):
            copy.write(part)
    return True


def _frame(connection: sa.Connection, job: str) -> ChaosFrame:
    found = _find_frame(connection, job)
    if found is None:
        raise no_trades(reading.known_job(connection, job))
    return found


def _find_frame(connection: sa.Connection, job: str) -> ChaosFrame | None:
    row = connection.execute(sa.select(tables.chaos_frames).where(tables.chaos_frames.c.job == job)).one_or_none()
    return None if row is None else ChaosFrame(markets=tuple(row.markets), features=tuple(row.features), bar_ms=row.bar_ms)


def _trades(connection: sa.Connection, job: str) -> ChaosTrades:
    frame = _frame(connection, job)
    part = psycopg.sql.Identifier(part_of(job)).as_string()
    out = f"COPY ({chaos_rows.query(frame, part)}) TO STDOUT (FORMAT BINARY)"
    with _raw(connection).cursor() as cursor, cursor.copy(out.encode()) as copy:
        return chaos_rows.read(frame, copy)


def _summaries(connection: sa.Connection, campaign: str | None, limit: int) -> tuple[ChaosSummary, ...]:
    rows = connection.execute(
        sa.text(_SUMMARIES).bindparams(sa.bindparam("campaign", type_=sa.Text())), {"campaign": campaign, "limit": limit}
    )
    return tuple(_summary(row) for row in rows)


def _summary(row: Any) -> ChaosSummary:
    means = {name: float("nan") if getattr(row, name) is None else float(getattr(row, name)) for name in ("win_rate", "gross", "net")}
    return ChaosSummary(job=row.id, campaign=row.campaign, trades=row.trades, markets=row.markets, **means)


def _drop(connection: sa.Connection, job: str) -> None:
    transitions.refuse_going(reading.known_job(connection, job, lock=True))
    connection.execute(sa.delete(tables.chaos_frames).where(tables.chaos_frames.c.job == job))
    part = psycopg.sql.Identifier(part_of(job))
    _raw(connection).execute(psycopg.sql.SQL("DROP TABLE IF EXISTS {part}").format(part=part))


def _raw(connection: sa.Connection) -> psycopg.Connection[Any]:
    raw: psycopg.Connection[Any] = connection.connection.driver_connection  # type: ignore[assignment]
    return raw


def part_of(job: str) -> str:
    """The partition's name: the table's and the job's, unless that is longer than a name may be."""
    name = f"chaos_trades_{job}"
    return name if len(name.encode()) <= _LONGEST_NAME else hashlib.sha256(name.encode()).hexdigest()[:_LONGEST_NAME]
