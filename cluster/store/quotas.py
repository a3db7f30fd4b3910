"""Quotas of tokens and campaigns in PostgreSQL, and the check that every transaction makes which stores a job."""

from __future__ import annotations

import dataclasses

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from typing_extensions import override

from cluster.store import access, tables
from cluster.store.database import Repository, transaction
from coinswarm.ledger import quotas
from coinswarm.ledger.quotas import ANY, JobAmounts, Quota, Quotas, Scope
from coinswarm.ledger.records import Job

_NAMES = tuple(field.name for field in dataclasses.fields(JobAmounts))
_THEIRS = {
    "token": "jobs JOIN queue ON queue.job = jobs.id WHERE queue.token = :name",
    "campaign": "jobs WHERE jobs.campaign = :name",
}  # fmt: skip
_MADE = {"trials": "made.trials", "generations": "made.generations * greatest(cardinality(theirs.plays), 1)"}


def _counted(name: str) -> str:
    """As `coinswarm.ledger.quotas.counted`."""
    asked = f"coalesce((theirs.asked->>'{name}')::bigint, 0)"
    made = f"coalesce({_MADE[name]}, 0)" if name in _MADE else asked
    return f"coalesce(sum(CASE WHEN NOT theirs.ended THEN {asked} WHEN theirs.began THEN {made} ELSE 0 END), 0)::bigint AS {name}"


_USED = {
    scope: sa.text(f"""
WITH theirs AS (
    SELECT jobs.id, jobs.plays, jobs.config->'asked' AS asked, jobs.started IS NOT NULL AS began,
           jobs.status IN ('done', 'failed', 'cancelled') AS ended
    FROM {of_scope} AND jobs.id <> :but
), made AS (
    SELECT generations.job, sum(evaluations) AS trials, count(DISTINCT generation) FILTER (WHERE island >= 0) AS generations
    FROM generations JOIN theirs ON theirs.id = generations.job
    WHERE theirs.ended
    GROUP BY generations.job
)
SELECT {", ".join(map(_counted, _NAMES))} FROM theirs LEFT JOIN made ON made.job = theirs.id
""")  # noqa: S608 - constants
    for scope, of_scope in _THEIRS.items()
}
_ALONE = sa.text("SELECT pg_advisory_xact_lock(hashtextextended(CAST(:name AS text) || ' in ' || current_schema(), 0))")


class PostgresQuotas(Repository, Quotas):
    """Quotas in a PostgreSQL database."""

    @override
    @transaction
    def set_quota(self, connection: sa.Connection, scope: Scope, name: str, quota: Quota, *, by: str) -> None:
        limits = quota.model_dump(exclude_none=True)
        new = insert(tables.quotas)
        kept = new.on_conflict_do_update(index_elements=["scope", "name"], set_={"quota": new.excluded.quota})
        connection.execute(kept, [{"scope": scope, "name": name, "quota": limits}])
        access.note(connection, by, "quota", f"{scope} {name}", limits)

    @override
    @transaction
    def quota(self, connection: sa.Connection, scope: Scope, name: str) -> Quota:
        return _quota(connection, scope, name)

    @override
    @transaction
    def used(self, connection: sa.Connection, scope: Scope, name: str) -> JobAmounts:
        return _used(connection, scope, name, but="")


def admitted(connection: sa.Connection, scope: Scope, name: str, job: Job) -> Job:
    """The job with its limit of time.

    Others that would store a job of the same token or campaign wait until this transaction ends.

    Raises:
        LimitReached: the job would go beyond a quota.
    """
    quota = _quota(connection, scope, name)
    if quota == ANY:
        return job
    connection.execute(_ALONE, {"name": f"coinswarm quota {scope} {name}"})
    quotas.refuse_more(scope, name, quota, _used(connection, scope, name, but=job.id), quotas.asked_of(job))
    return quotas.timed(job, quota)


def _quota(connection: sa.Connection, scope: Scope, name: str) -> Quota:
    table = tables.quotas.c
    found = connection.scalar(sa.select(table.quota).where(table.scope == scope, table.name == name))
    return ANY if found is None else Quota.model_validate(found)


def _used(connection: sa.Connection, scope: Scope, name: str, *, but: str) -> JobAmounts:
    return JobAmounts(**connection.execute(_USED[scope], {"name": name, "but": but}).one()._asdict())
