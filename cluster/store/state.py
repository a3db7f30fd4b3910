"""What a database holds and how big it is, for those who look after it."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa

from cluster.store import connect, inventory, schema
from cluster.store.database import Database

CLOCK_S = 5.0
"""Seconds by which the clocks of a database and of a program may differ: leases last 30."""
_LEAST_BYTES = 200 * 2**20
_COUNTED = ("data_sets", "plays", "jobs", "generations")
_ESTIMATED = {"evaluations": "trials", "later scores": "later_scores"}
"""What the server's statistics count, by the table it is in; counting a hundred million rows takes minutes."""


@dataclass(frozen=True, kw_only=True)
class DatabaseState:
    """A database that answers.

    Size, connections and rows are of coinswarm alone, whatever else the database holds. `namespace` is the schema its tables are in. `rows`
    are counts, of large tables the server's own estimate, and empty for a schema that is not ours; `schema` is None before the first use.
    """

    place: str
    server: str
    namespace: str
    schema: str | None
    newest_schema: str
    size_bytes: int
    connections: int
    rows: dict[str, int]


@dataclass(frozen=True, kw_only=True, slots=True)
class Pulse:
    """Whether a database and what runs on it are well; jobs by their ids.

    Attributes:
        schema: its version; None before the first use.
        newest_schema: the one this program is made for; jobs are looked at where both are equal.
        clock: the time there.
        uneven: of the newest jobs with trials, those whose trials are more than their generations made, or not as many as they say.
        lost: running jobs whose lease ran out.
        waiting: jobs of the queue that could have been taken for a minute while no service runs one.
    """

    schema: str | None
    newest_schema: str
    clock: datetime
    uneven: tuple[str, ...] = ()
    lost: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()


_UNEVEN = """
SELECT newest.id FROM (SELECT * FROM jobs ORDER BY created DESC, id DESC LIMIT 50) AS newest
CROSS JOIN LATERAL (SELECT count(*) AS stored FROM trials WHERE job = newest.id) AS trial
CROSS JOIN LATERAL (SELECT coalesce(sum(evaluations), 0) AS made FROM generations WHERE job = newest.id) AS generation
WHERE trial.stored > generation.made OR (newest.result ->> 'distinct')::bigint <> trial.stored
ORDER BY newest.created DESC
"""
_LOST = "SELECT id FROM jobs WHERE status = 'running' AND lease_expires < clock_timestamp() ORDER BY id"
_WAITING = """
SELECT waiting.job FROM queue AS waiting JOIN jobs ON jobs.id = waiting.job
WHERE jobs.status = 'queued' AND greatest(waiting.submitted, waiting.not_before) < clock_timestamp() - interval '1 minute'
    AND NOT EXISTS (
        SELECT FROM queue JOIN jobs ON jobs.id = queue.job WHERE jobs.status = 'running' AND jobs.lease_expires > clock_timestamp()
    )
ORDER BY waiting.submitted, waiting.job
"""


def pulse(connection: sa.Connection, *, jobs: bool = True) -> Pulse:
    """Ask a database whether it is well, and, which takes longer, what runs on it; nothing is changed."""
    found, clock = schema.version(connection), connection.scalar(sa.text("SELECT clock_timestamp()"))
    known: dict[str, tuple[str, ...]] = {}
    if jobs and found == schema.HEAD:
        known = {name: tuple(connection.scalars(sa.text(query))) for name, query in _QUERIES.items()}
    return Pulse(schema=found, newest_schema=schema.HEAD, clock=clock, **known)


def faults(database: Database, free_bytes: int | None) -> list[str]:
    """What keeps a server from working although its database answers.

    Args:
        database: that answers; one that does not raises.
        free_bytes: room on its disk; None: that is on another machine.
    """
    found = database.run(functools.partial(pulse, jobs=False))
    skew_s = abs((found.clock - datetime.now(UTC)).total_seconds())
    known = {
        f"the database has schema {found.schema}, this program is made for {found.newest_schema}": found.schema != found.newest_schema,
        f"the clocks of the database and of this machine differ by {skew_s:.0f} s": skew_s > CLOCK_S,
        f"the disk of the database has {(free_bytes or 0) / 2**20:.0f} MB left": free_bytes is not None and free_bytes < _LEAST_BYTES,
    }
    return [fault for fault, is_there in known.items() if is_there]


_QUERIES = {"uneven": _UNEVEN, "lost": _LOST, "waiting": _WAITING}


def describe(url: str) -> DatabaseState:
    """Ask the database at `url` about itself; nothing is created.

    Raises:
        BadSetting: `url` is not a PostgreSQL URL; Unavailable: no server answers there.
    """
    with connect.opened(url) as connection:
        found = schema.version(connection)
        ours = inventory.Inventory(things=()) if found is None else inventory.take(connection)
        return DatabaseState(
            place=connect.where(connection.engine.url),
            server=str(connection.scalar(sa.text("SHOW server_version"))),
            namespace=str(connection.scalar(sa.text("SELECT current_schema()"))),
            schema=found,
            newest_schema=schema.HEAD,
            size_bytes=inventory.size_bytes(connection, ours),
            connections=1 + inventory.others(connection, ours),
            rows=_rows(connection) if found == schema.HEAD else {},
        )


def _rows(connection: sa.Connection) -> dict[str, int]:
    counted = {name: int(connection.scalar(sa.select(sa.func.count()).select_from(sa.table(name))) or 0) for name in _COUNTED}
    live = sa.text("SELECT n_live_tup FROM pg_stat_user_tables WHERE relid = to_regclass(:name)")
    return counted | {name: int(connection.scalar(live, {"name": table}) or 0) for name, table in _ESTIMATED.items()}
