"""The queue of jobs in PostgreSQL. Entries are taken with SKIP LOCKED, so a writer of one does not block those who take another."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from typing_extensions import override

from cluster.store import access, quotas, reading, tables, writing
from cluster.store.database import Repository, transaction
from coinswarm.ledger import queue, transitions
from coinswarm.ledger.queue import Entry, Queue, Standing, Submission
from coinswarm.ledger.records import LEASE_S, JobStatus, Lease

_NEXT = sa.text("""
WITH held AS (
    SELECT queue.token, count(*) AS running
    FROM queue JOIN jobs ON jobs.id = queue.job
    WHERE jobs.status = 'running' AND jobs.lease_expires > clock_timestamp()
    GROUP BY queue.token
)
SELECT waiting.job
FROM queue AS waiting
JOIN jobs ON jobs.id = waiting.job
LEFT JOIN held ON held.token = waiting.token
LEFT JOIN tokens ON tokens.id = waiting.token
WHERE (jobs.status = 'queued' OR (jobs.status = 'running' AND (jobs.lease_expires IS NULL OR jobs.lease_expires <= clock_timestamp())))
    AND NOT jobs.cancel_requested
    AND waiting.not_before <= clock_timestamp()
    AND coalesce(held.running, 0) < coalesce(tokens.max_running, 2147483647)
ORDER BY waiting.priority DESC, coalesce(held.running, 0), waiting.submitted, waiting.job
LIMIT 1
FOR UPDATE OF waiting, jobs SKIP LOCKED
""")
_TAKE = sa.text("UPDATE queue SET attempts = attempts + 1 WHERE job = :job RETURNING queue.*")
_DELAY = sa.text("UPDATE queue SET not_before = clock_timestamp() + make_interval(secs => :delay_s) WHERE job = :job")
_STANDING = sa.text("""
SELECT count(*) FILTER (WHERE jobs.status = 'queued'), count(*) FILTER (WHERE jobs.status = 'running')
FROM queue JOIN jobs ON jobs.id = queue.job
WHERE jobs.status IN ('queued', 'running') AND (CAST(:token AS text) IS NULL OR queue.token = :token)
""")
_ONE_AT_A_TIME = sa.text("SELECT pg_advisory_xact_lock(hashtextextended(CAST(:name AS text) || ' in ' || current_schema(), 0))")


class PostgresQueue(Repository, Queue):
    """The queue of jobs in a PostgreSQL database."""

    @override
    @transaction
    def submit(self, connection: sa.Connection, submission: Submission) -> str:
        queue.check_submission(submission)
        job, token = submission.job, submission.token
        connection.execute(_ONE_AT_A_TIME, {"name": f"coinswarm queue {token}"})
        known = _keyed(connection, token, submission.key, submission.fingerprint)
        if known is not None:
            return known
        _refuse_more(connection, token, submission.max_queued)
        writing.save_data_sets(connection, submission.data_sets)
        for play in submission.plays:
            writing.save_play(connection, play)
        writing.create_job(connection, quotas.admitted(connection, "token", token, job))
        _enter(connection, job.id, token, submission.priority)
        if submission.key:
            row = {"token": token, "key": submission.key, "fingerprint": submission.fingerprint, "job": job.id}
            connection.execute(sa.insert(tables.idempotency_keys), [row])
        access.note(connection, token, "job submit", job.id, {"kind": job.kind, "priority": submission.priority})
        return job.id

    @override
    @transaction
    def keyed(self, connection: sa.Connection, token: str, key: str, fingerprint: str) -> str | None:
        return _keyed(connection, token, key, fingerprint)

    @override
    @transaction
    def again(self, connection: sa.Connection, job: str, *, by: str, max_queued: int | None = None) -> Entry:
        connection.execute(_ONE_AT_A_TIME, {"name": f"coinswarm queue {by}"})
        _refuse_more(connection, by, max_queued)
        stored = writing.change_job(connection, job, transitions.resumed)
        before = _entry(connection, stored.id)
        token, priority = (by, 0) if before is None else (before.token, before.priority)
        quotas.admitted(connection, "token", token, stored)
        quotas.admitted(connection, "campaign", stored.campaign, stored)
        access.note(connection, by, "job resume", stored.id, {})
        return _enter(connection, stored.id, token, priority)

    @override
    @transaction
    def cancel(self, connection: sa.Connection, job: str, *, by: str) -> JobStatus:
        status = writing.change_job(connection, job, transitions.cancelled).status
        access.note(connection, by, "job cancel", job, {"status": status})
        return status

    @override
    def terminate(self, job: str, *, by: str) -> tuple[JobStatus, str]:
        def ended(connection: sa.Connection) -> tuple[JobStatus, str]:
            owner = reading.known_job(connection, job, lock=True).lease_owner
            status = writing.change_job(connection, job, transitions.terminated).status
            access.note(connection, by, "job terminate", job, {"status": status, "owner": owner})
            return status, owner

        return self.database.insist(ended)

    @override
    @transaction
    def take(self, connection: sa.Connection, owner: str, *, lease_s: float = LEASE_S) -> tuple[Entry, Lease] | None:
        """One service at a time looks, so that the number of running jobs of a token is right; it takes a few milliseconds."""
        connection.execute(_ONE_AT_A_TIME, {"name": "coinswarm queue take"})
        job = connection.scalar(_NEXT)
        if job is None:
            return None
        claimed = writing.change_job(connection, job, lambda stored, now: transitions.claimed(stored, owner, now, lease_s))
        row = connection.execute(_TAKE, {"job": job}).one()
        return Entry(**row._asdict()), transitions.lease_of(claimed)

    @override
    @transaction
    def leave(self, connection: sa.Connection, lease: Lease, *, delay_s: float = 0.0) -> None:
        if queue.may_delay(reading.known_job(connection, lease.job, lock=True), lease):
            connection.execute(_DELAY, {"job": lease.job, "delay_s": delay_s})
        writing.change_job(connection, lease.job, lambda stored, _: transitions.released(stored, lease))

    @override
    @transaction
    def entry(self, connection: sa.Connection, job: str) -> Entry | None:
        return _entry(connection, job)

    @override
    @transaction
    def standing(self, connection: sa.Connection, token: str | None = None) -> Standing:
        return _standing(connection, token)


def _keyed(connection: sa.Connection, token: str, key: str, fingerprint: str) -> str | None:
    table = tables.idempotency_keys.c
    query = sa.select(table.fingerprint, table.job).where(table.token == token, table.key == key)
    row = connection.execute(query).one_or_none() if key else None
    if row is None:
        return None
    queue.refuse_other(key, row.fingerprint, fingerprint)
    return str(row.job)


def _refuse_more(connection: sa.Connection, token: str, limit: int | None) -> None:
    if limit is not None:
        queue.refuse_more(token, _standing(connection, token).queued, limit)


def _enter(connection: sa.Connection, job: str, token: str, priority: int) -> Entry:
    now = sa.func.clock_timestamp()
    fresh = {"submitted": now, "attempts": 0, "not_before": now}
    row = insert(tables.queue).values(job=job, token=token, priority=priority, **fresh)
    entered = connection.execute(row.on_conflict_do_update(index_elements=["job"], set_=fresh).returning(tables.queue)).one()
    return Entry(**entered._asdict())


def _entry(connection: sa.Connection, job: str) -> Entry | None:
    row = connection.execute(sa.select(tables.queue).where(tables.queue.c.job == job)).one_or_none()
    return None if row is None else Entry(**row._asdict())


def _standing(connection: sa.Connection, token: str | None) -> Standing:
    counts: Sequence[int] = connection.execute(_STANDING, {"token": token}).one()
    return Standing(queued=counts[0], running=counts[1])
