"""Which objects of a database are coinswarm's: those that a migration made, by name, in the schema that the connection sees.

Backups, restores, sizes and the first start all ask here, so that they speak of the same things, and of nothing else in the database.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from cluster.store import tables
from cluster.store.sessions import FORMER_VERSION_TABLE, SIGNATURE, VERSION_TABLE
from coinswarm import errors

VIEWS = (
    "chaos", "evaluated_trials", "evaluations", "leaderboard", "library", "lifecycle_states", "lineage", "operator_credit", "score_rows",
    "scores", "trial_counts",
)  # fmt: skip
"""Some were tables in earlier schemas."""
FUNCTIONS = (
    "ancestors(text)", "bar_length(text)", "evaluation_id(text,text)", "guard_job()", "guard_opening()", "guard_split()", "guard_step()",
    "guard_vetted()", "in_words(json,double precision[])", "reaches_behind(text[],timestamp with time zone)", "refuse_change()",
    "verdict_passes(text)",
)  # fmt: skip
CHAOS_TRADES = "chaos_trades"
"""The table whose partitions are ours too, whatever they are called."""
RELATIONS = (*(table.name for table in tables.metadata.sorted_tables), *VIEWS)
"""Tables that others refer to stand before those."""

_SHOWN = 6
_THINGS = sa.text("""
WITH home AS (SELECT oid FROM pg_namespace WHERE nspname = current_schema())
SELECT pg_class.oid, relname AS name,
    CASE WHEN relkind IN ('r', 'p') THEN 'table' WHEN relkind = 'v' THEN 'view' ELSE 'relation' END AS kind
FROM pg_class JOIN home ON relnamespace = home.oid
WHERE relname = ANY (:relations) AND relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
UNION ALL
SELECT pg_class.oid, oid::regclass::text, 'part' FROM pg_class
JOIN pg_inherits ON inhrelid = pg_class.oid AND inhparent = to_regclass(:chaos)
UNION ALL
SELECT pg_proc.oid, pg_proc.oid::regprocedure::text, CASE WHEN EXISTS (
    SELECT FROM pg_depend
    WHERE refclassid = 'pg_proc'::regclass AND refobjid = pg_proc.oid AND classid IN ('pg_constraint'::regclass, 'pg_trigger'::regclass)
) THEN 'guard' ELSE 'function' END
FROM pg_proc JOIN home ON pronamespace = home.oid
WHERE pg_proc.oid::regprocedure::text = ANY (:functions)
""")
_ABOVE = sa.text("""
WITH links AS (
    SELECT classid, objid, objsubid, CASE classid
        WHEN 'pg_rewrite'::regclass THEN (SELECT ev_class FROM pg_rewrite WHERE oid = objid)
        WHEN 'pg_constraint'::regclass THEN (SELECT conrelid FROM pg_constraint WHERE oid = objid)
        WHEN 'pg_trigger'::regclass THEN (SELECT tgrelid FROM pg_trigger WHERE oid = objid)
        WHEN 'pg_attrdef'::regclass THEN (SELECT adrelid FROM pg_attrdef WHERE oid = objid)
        WHEN 'pg_policy'::regclass THEN (SELECT polrelid FROM pg_policy WHERE oid = objid)
        WHEN 'pg_class'::regclass THEN coalesce((SELECT indrelid FROM pg_index WHERE indexrelid = objid), objid)
    END AS relation
    FROM pg_depend
    WHERE deptype = 'n' AND (
        (refclassid = 'pg_class'::regclass AND refobjid = ANY (:relations))
        OR (refclassid = 'pg_type'::regclass AND refobjid IN (SELECT reltype FROM pg_class WHERE oid = ANY (:relations)))
        OR (refclassid = 'pg_proc'::regclass AND refobjid = ANY (:functions))
    )
)
SELECT DISTINCT CASE classid WHEN 'pg_rewrite'::regclass THEN pg_describe_object('pg_class'::regclass, relation, 0)
    ELSE pg_describe_object(classid, objid, objsubid) END AS found
FROM links
WHERE coalesce(relation <> ALL (:relations), true) AND NOT (classid = 'pg_proc'::regclass AND objid = ANY (:functions))
ORDER BY found
""")
_OTHERS = sa.text("""
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND usesysid IS NOT NULL AND (
    application_name = 'coinswarm'
    OR left(regexp_replace(application_name, '^coinswarm [0-9]+', 'coinswarm'), 58) = left('coinswarm in ' || current_schema(), 58)
    OR pid IN (SELECT pid FROM pg_locks WHERE relation = ANY (:relations))
)
""")
"""A program of before schemas of one's own says only `coinswarm`: it may be ours. A vacuum, which has no user, gives way by itself.
A name is cut at 63 bytes, of which the version takes five."""
_OTHER_VERSIONS = sa.text("""
SELECT 'process ' || pid || ' of ' || coalesce(host(client_addr), 'this machine') || ' (' || application_name || ')' FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
    AND left(regexp_replace(application_name, '^coinswarm [0-9]+', 'coinswarm'), 58) = left('coinswarm in ' || current_schema(), 58)
    AND application_name NOT LIKE 'coinswarm ' || :version || ' in %'
ORDER BY pid
""")
_DRIVEN = sa.text("""
SELECT 'job ' || id || ' driven by ' || lease_owner FROM jobs WHERE status = 'running' AND lease_expires > clock_timestamp() ORDER BY id
""")
"""A lease that holds on a schema of before is of a program of before, wherever that is connected now."""
_SIZE = sa.text("SELECT coalesce(sum(pg_total_relation_size(oid)), 0) FROM pg_class WHERE oid = ANY (:relations) AND relkind IN ('r', 'p')")
_FORMER_PARTS = """
DO $$ BEGIN
    DROP SCHEMA chaos_parts;
EXCEPTION WHEN invalid_schema_name OR dependent_objects_still_exist OR insufficient_privilege THEN NULL;
END $$
"""
"""Up to schema 0005 partitions were in a schema beside ours; one that others use stays."""


@dataclass(frozen=True, kw_only=True)
class Thing:
    """An object of ours.

    `kind` is table, part (of `chaos_trades`), view, function, guard (a function that a table asks), or relation for any other kind that has
    one of our names.
    """

    oid: int
    kind: str
    name: str


@dataclass(frozen=True, kw_only=True)
class Inventory:
    """All objects of ours in a database."""

    things: tuple[Thing, ...]

    def names(self, *kinds: str) -> list[str]:
        """Names of objects of some kinds."""
        return [thing.name for thing in self.things if thing.kind in kinds]

    @property
    def functions(self) -> list[int]:
        """Object ids of functions."""
        return [thing.oid for thing in self.things if thing.kind in ("function", "guard")]

    @property
    def relations(self) -> list[int]:
        """Object ids of all else: tables, partitions and views."""
        return [thing.oid for thing in self.things if thing.kind not in ("function", "guard")]

    @property
    def data(self) -> list[str]:
        """Tables with rows of a person, those that others refer to first: all but the version's."""
        return [name for name in RELATIONS if name in self.names("table")]


def take(connection: sa.Connection) -> Inventory:
    """Look which objects of ours are there; in a schema where no coinswarm has started, those with our names."""
    asked = {"relations": [*RELATIONS, VERSION_TABLE, FORMER_VERSION_TABLE], "functions": list(FUNCTIONS), "chaos": CHAOS_TRADES}
    found = [Thing(**row) for row in connection.execute(_THINGS, asked).mappings()]
    ours = {thing.name for thing in found}.issuperset(SIGNATURE) and VERSION_TABLE not in {thing.name for thing in found}
    return Inventory(things=tuple(thing for thing in found if ours or thing.name != FORMER_VERSION_TABLE))


def refuse_taken(connection: sa.Connection) -> None:
    """Refuse a schema in which others have things with our names.

    Raises:
        Refused: which.
    """
    found = take(connection).things
    if found:
        where = connection.scalar(sa.text("SELECT current_schema()"))
        listed = _listed([f"{thing.kind} {thing.name}" for thing in found])
        raise errors.Refused(
            f"the schema {where} must hold coinswarm's version, {VERSION_TABLE}, or nothing with the names of its tables",
            found=listed,
            hint="another program made them: give coinswarm a database or a schema of its own",
        )


def others(connection: sa.Connection, found: Inventory) -> int:
    """How many other connections are of a coinswarm in this schema, or hold something of ours."""
    return int(connection.scalar(_OTHERS, {"relations": found.relations}) or 0)


def refuse_used(connection: sa.Connection, version: str) -> None:
    """Refuse to change the schema under programs that are made for another version than `version`.

    Raises:
        Conflict: they are connected to it, or drive a job; which.
    """
    used = [*connection.scalars(_OTHER_VERSIONS, {"version": version}), *connection.scalars(_DRIVEN)]
    if used:
        raise errors.Conflict(
            f"a database is brought to schema {version} when no program of another schema works with it",
            found=_listed(used),
            hint="stop those programs, or use their release here; upgrades are in docs/running.md",
        )


def size_bytes(connection: sa.Connection, found: Inventory) -> int:
    """What our tables take on the server's disk, with their indexes."""
    return int(connection.scalar(_SIZE, {"relations": found.relations}) or 0)


def above(connection: sa.Connection, found: Inventory) -> list[str]:
    """What others have built on our tables, views and functions, such as `view lab.best`."""
    return list(connection.scalars(_ABOVE, {"relations": found.relations, "functions": found.functions}))


def refuse_above(built: Sequence[str]) -> None:
    """Refuse to replace tables that others have built on.

    Raises:
        Refused: which they are.
    """
    if built:
        hint = "keep their definitions, drop them, restore, and create them again"
        raise errors.Refused("only coinswarm's own views may read tables that are replaced", found=_listed(built), hint=hint)


def clear(connection: sa.Connection) -> None:
    """Drop everything of ours, in the connection's transaction; what depends on it from outside stops that."""
    found = take(connection)
    for kind, word in (("view", "VIEW"), ("function", "FUNCTION"), ("table", "TABLE"), ("guard", "FUNCTION")):
        names = found.names(kind)
        if names:
            connection.exec_driver_sql(f"DROP {word} {', '.join(names)}")
    if FORMER_VERSION_TABLE in found.names("table"):
        drop_former_parts(connection)


def drop_former_parts(connection: sa.Connection) -> None:
    """Drop the schema in which a coinswarm up to 0005 had its partitions, when nothing is left in it."""
    connection.exec_driver_sql(_FORMER_PARTS)


def _listed(names: Collection[str]) -> str:
    shown = ", ".join(sorted(names)[:_SHOWN])
    return shown if len(names) <= _SHOWN else f"{shown} and {len(names) - _SHOWN} more"
