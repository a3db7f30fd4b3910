"""The line of jobs in PostgreSQL: an entry is taken with SKIP LOCKED, so that whoever changes one holds up nobody who takes another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from cluster.store import access, connect, schema, tables, writing
from coinswarm.ledger import identity, queue, transitions
from coinswarm.ledger.queue import Entry, Standing, Submission
from coinswarm.ledger.records import JobStatus

_T = TypeVar("_T")

_TAKE = sa.text("""
WITH held AS (
    SELECT token, count(*) AS running FROM queue WHERE lease_expires > clock_timestamp() GROUP BY token
), next AS (
    SELECT line.job
    FROM queue AS line
    JOIN jobs ON jobs.id = line.job
    LEFT JOIN held ON held.token = line.token
    LEFT JOIN tokens ON tokens.id = line.token
    WHERE (jobs.status = 'queued' OR (jobs.status = 'running' AND (jobs.lease_expires IS NULL OR jobs.lease_expires <= clock_timestamp())))
        AND NOT jobs.cancel_requested
        AND (line.lease_expires IS NULL OR line.lease_expires <= clock_timestamp())
        AND line.not_before <= clock_timestamp()
        AND coalesce(held.running, 0) < coalesce(tokens.max_running, 2147483647)
    ORDER BY line.priority DESC, coalesce(held.running, 0), line.submitted, line.job
    LIMIT 1
    FOR UPDATE OF line SKIP LOCKED
)
UPDATE queue
SET owner = :owner, lease_expires = clock_timestamp() + make_interval(secs => :lease_s), attempts = attempts + 1
FROM next WHERE queue.job = next.job
RETURNING queue.*
""")
_HOLD = sa.text("""
UPDATE queue SET lease_expires = clock_timestamp() + make_interval(secs => :lease_s) WHERE owner = :owner AND lease_expires IS NOT NULL
RETURNING job
""")
_LEAVE = sa.text("""
UPDATE queue SET owner = '', lease_expires = NULL, not_before = clock_timestamp() + make_interval(secs => :delay_s)
WHERE job = :job AND owner = :owner
""")
_STANDING = sa.text("""
SELECT count(*) FILTER (WHERE jobs.status = 'queued'), count(*) FILTER (WHERE jobs.status = 'running')
FROM queue JOIN jobs ON jobs.id = queue.job
WHERE jobs.status IN ('queued', 'running') AND (CAST(:token AS text) IS NULL OR queue.token = :token)
""")
_ONE_AT_A_TIME = sa.text("SELECT pg_advisory_xact_lock(hashtextextended(CAST(:name AS text) || ' in ' || current_schema(), 0))")


class PostgresQueue:
    """Keeps the contract of `coinswarm.ledger.queue.Queue` in a PostgreSQL database, which it brings to the current schema."""

    def __init__(self, url: str | sa.Engine, *, patience_s: float = 0.0) -> None:
        self._engine = connect.engine(url) if isinstance(url, str) else url
        self._patience_s = patience_s
        self._do(schema.migrate)

    def submit(self, submission: Submission) -> str:
        """See `Queue`."""
        queue.check_submission(submission)
        for record in (*submission.plays, *submission.data_sets):
            identity.check_text(record)
        return self._do(lambda connection: _submit(connection, submission))

    def keyed(self, token: str, key: str, fingerprint: str) -> str | None:
        """See `Queue`."""
        return self._do(lambda connection: _keyed(connection, token, key, fingerprint))

    def again(self, job: str, *, by: str, max_queued: int | None = None) -> Entry:
        """See `Queue`."""
        return self._do(lambda connection: _again(connection, job, by, max_queued))

    def cancel(self, job: str, *, by: str) -> JobStatus:
        """See `Queue`."""
        return self._do(lambda connection: _cancel(connection, job, by))

    def take(self, owner: str, *, lease_s: float = queue.LEASE_S) -> Entry | None:
        """See `Queue`."""
        row = self._do(lambda connection: _take(connection, owner, lease_s))
        return None if row is None else Entry(**row._asdict())

    def hold(self, owner: str, *, lease_s: float = queue.LEASE_S) -> tuple[str, ...]:
        """See `Queue`."""
        return self._do(lambda connection: tuple(sorted(connection.scalars(_HOLD, {"owner": owner, "lease_s": lease_s}))))

    def leave(self, owner: str, job: str, *, delay_s: float = 0.0) -> None:
        """See `Queue`."""
        self._do(lambda connection: connection.execute(_LEAVE, {"owner": owner, "job": job, "delay_s": delay_s}))

    def entry(self, job: str) -> Entry | None:
        """See `Queue`."""
        return self._do(lambda connection: _entry(connection, job))

    def standing(self, token: str | None = None) -> Standing:
        """See `Queue`."""
        return self._do(lambda connection: _standing(connection, token))

    def close(self) -> None:
        """See `Queue`."""
        self._engine.dispose()

    def _do(self, work: Callable[[sa.Connection], _T]) -> _T:
        return connect.run(self._engine, work, patience_s=self._patience_s)


def _submit(connection: sa.Connection, submission: Submission) -> str:
    job, token = submission.job, submission.token
    connection.execute(_ONE_AT_A_TIME, {"name": f"coinswarm queue {token}"})
    known = _keyed(connection, token, submission.key, submission.fingerprint)
    if known is not None:
        return known
    _refuse_more(connection, token, submission.max_queued)
    writing.save_data_sets(connection, submission.data_sets)
    for play in submission.plays:
        writing.save_play(connection, play)
    writing.create_job(connection, identity.checked_job(job))
    _enter(connection, job.id, token, submission.priority)
    if submission.key:
        row = {"token": token, "key": submission.key, "fingerprint": submission.fingerprint, "job": job.id}
        connection.execute(sa.insert(tables.idempotency_keys), [row])
    access.note(connection, token, "job submit", job.id, {"kind": job.kind, "priority": submission.priority})
    return job.id


def _keyed(connection: sa.Connection, token: str, key: str, fingerprint: str) -> str | None:
    table = tables.idempotency_keys.c
    query = sa.select(table.fingerprint, table.job).where(table.token == token, table.key == key)
    row = connection.execute(query).one_or_none() if key else None
    if row is None:
        return None
    queue.refuse_other(key, row.fingerprint, fingerprint)
    return str(row.job)


def _again(connection: sa.Connection, job: str, by: str, max_queued: int | None) -> Entry:
    connection.execute(_ONE_AT_A_TIME, {"name": f"coinswarm queue {by}"})
    _refuse_more(connection, by, max_queued)
    stored = writing.change_job(connection, job, transitions.resumed)
    before = _entry(connection, stored.id)
    token, priority = (by, 0) if before is None else (before.token, before.priority)
    access.note(connection, by, "job resume", stored.id, {})
    return _enter(connection, stored.id, token, priority)


def _cancel(connection: sa.Connection, job: str, by: str) -> JobStatus:
    status = writing.change_job(connection, job, transitions.cancelled).status
    access.note(connection, by, "job cancel", job, {"status": status})
    return status


def _take(connection: sa.Connection, owner: str, lease_s: float) -> sa.Row[Any] | None:
    """One service at a time looks, so that the number of running jobs of a token is right; it takes a few milliseconds."""
    connection.execute(_ONE_AT_A_TIME, {"name": "coinswarm queue take"})
    return connection.execute(_TAKE, {"owner": owner, "lease_s": lease_s}).one_or_none()


def _refuse_more(connection: sa.Connection, token: str, limit: int | None) -> None:
    if limit is not None:
        queue.refuse_more(token, _standing(connection, token).queued, limit)


def _enter(connection: sa.Connection, job: str, token: str, priority: int) -> Entry:
    now = sa.func.clock_timestamp()
    fresh = {"submitted": now, "attempts": 0, "not_before": now, "owner": "", "lease_expires": None}
    row = insert(tables.queue).values(job=job, token=token, priority=priority, **fresh)
    entered = connection.execute(row.on_conflict_do_update(index_elements=["job"], set_=fresh).returning(tables.queue)).one()
    return Entry(**entered._asdict())


def _entry(connection: sa.Connection, job: str) -> Entry | None:
    row = connection.execute(sa.select(tables.queue).where(tables.queue.c.job == job)).one_or_none()
    return None if row is None else Entry(**row._asdict())


def _standing(connection: sa.Connection, token: str | None) -> Standing:
    counts: Sequence[int] = connection.execute(_STANDING, {"token": token}).one()
    return Standing(queued=counts[0], running=counts[1])
