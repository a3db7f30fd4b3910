"""Chaos trades in PostgreSQL: a partition a job, filled by binary COPY in the transaction that records the step."""

from __future__ import annotations

import hashlib
from typing import Any

import psycopg
import psycopg.sql
import sqlalchemy as sa
from typing_extensions import override

from cluster.store import chaos_rows, connect, copying, reading, tables, writing
from cluster.store.database import Repository, transaction
from coinswarm.ledger import transitions
from coinswarm.ledger.chaos import ChaosFrame, ChaosStore, ChaosSummary, ChaosTrades, check_frame, no_trades
from coinswarm.ledger.records import GenerationRecord, Lease

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


class PostgresChaosStore(Repository, ChaosStore):
    """Chaos trades in a PostgreSQL database."""

    @override
    @transaction
    def prepare(self, connection: sa.Connection, job: str, frame: ChaosFrame) -> None:
        reading.known_job(connection, job, lock=True)
        stored = _find_frame(connection, job)
        if stored is not None:
            check_frame(job, stored, frame)
            return
        values = {"job": job, "markets": list(frame.markets), "features": list(frame.features), "bar_ms": frame.bar_ms}
        connection.execute(sa.insert(tables.chaos_frames), [values])
        create_part(connection, job)

    @override
    @transaction
    def commit(self, connection: sa.Connection, lease: Lease, record: GenerationRecord, trades: ChaosTrades) -> bool:
        check_frame(lease.job, _frame(connection, lease.job), trades.frame)
        if not writing.commit_generation(connection, lease, [record], (), ()):
            return False
        part = part_of(lease.job)
        copying.copy(connection, part, chaos_rows.COLUMNS, lambda piece: chaos_rows.trades(lease.job, trades.select(piece)), len(trades))
        return True

    @override
    @transaction
    def frame(self, connection: sa.Connection, job: str) -> ChaosFrame:
        return _frame(connection, reading.job(connection, job).id)

    @override
    @transaction
    def trades(self, connection: sa.Connection, job: str) -> ChaosTrades:
        name = reading.job(connection, job).id
        frame = _frame(connection, name)
        part = psycopg.sql.Identifier(part_of(name)).as_string()
        out = f"COPY ({chaos_rows.query(frame, part)}) TO STDOUT (FORMAT BINARY)"
        with connect.raw(connection).cursor() as cursor, cursor.copy(out.encode()) as copy:
            return chaos_rows.read(frame, copy)

    @override
    @transaction
    def count(self, connection: sa.Connection, job: str) -> int:
        name = reading.job(connection, job).id
        _frame(connection, name)
        return int(connection.scalar(sa.select(sa.func.count()).where(tables.chaos_trades.c.job == name)) or 0)

    @override
    @transaction
    def summaries(self, connection: sa.Connection, *, campaign: str | None = None, limit: int = 100) -> tuple[ChaosSummary, ...]:
        query = sa.text(_SUMMARIES).bindparams(sa.bindparam("campaign", type_=sa.Text()))
        return tuple(map(_summary, connection.execute(query, {"campaign": campaign, "limit": limit})))

    @override
    @transaction
    def drop(self, connection: sa.Connection, job: str) -> None:
        name = reading.job(connection, job).id
        transitions.refuse_going(reading.known_job(connection, name, lock=True))
        connection.execute(sa.delete(tables.chaos_frames).where(tables.chaos_frames.c.job == name))
        part = psycopg.sql.Identifier(part_of(name))
        connect.raw(connection).execute(psycopg.sql.SQL("DROP TABLE IF EXISTS {part}").format(part=part))


def create_part(connection: sa.Connection, job: str) -> None:
    """Make the partition of a job."""
    part = psycopg.sql.Identifier(part_of(job))
    connect.raw(connection).execute(psycopg.sql.SQL("CREATE TABLE {part} (LIKE chaos_trades)").format(part=part))
    attach(connection, job)


def attach(connection: sa.Connection, job: str) -> None:
    """Make a table under the partition's name one; it is made apart, so that it waits for no reader of other jobs' trades."""
    part = psycopg.sql.Identifier(part_of(job))
    for statement in (
        psycopg.sql.SQL("CREATE UNIQUE INDEX ON {part} (number)").format(part=part),
        psycopg.sql.SQL("ALTER TABLE chaos_trades ATTACH PARTITION {part} FOR VALUES IN ({job})").format(part=part, job=job),
    ):
        connect.raw(connection).execute(statement)


def _frame(connection: sa.Connection, job: str) -> ChaosFrame:
    found = _find_frame(connection, job)
    if found is None:
        raise no_trades(reading.known_job(connection, job))
    return found


def _find_frame(connection: sa.Connection, job: str) -> ChaosFrame | None:
    row = connection.execute(sa.select(tables.chaos_frames).where(tables.chaos_frames.c.job == job)).one_or_none()
    return None if row is None else ChaosFrame(markets=tuple(row.markets), features=tuple(row.features), bar_ms=row.bar_ms)


def _summary(row: Any) -> ChaosSummary:
    means = {name: float("nan") if getattr(row, name) is None else float(getattr(row, name)) for name in ("win_rate", "gross", "net")}
    return ChaosSummary(job=row.id, campaign=row.campaign, trades=row.trades, markets=row.markets, **means)


def part_of(job: str) -> str:
    """The partition's name: the table's and the job's, unless that is longer than a name may be."""
    name = f"chaos_trades_{job}"
    return name if len(name.encode()) <= _LONGEST_NAME else hashlib.sha256(name.encode()).hexdigest()[:_LONGEST_NAME]
