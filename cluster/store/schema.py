"""Brings a database to the schema this code was written for, once, however many processes start at the same time."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import sqlalchemy as sa

from cluster.store import inventory, sessions
from coinswarm import errors

HEAD = "0012"
"""The newest migration. Compared first, because asking Alembic costs a second of a warm start."""

_LOCK = sa.text("SELECT pg_advisory_xact_lock(hashtextextended('coinswarm schema ' || current_schema(), 0))")
_FIND = sa.text(
    "SELECT 1 FROM pg_class JOIN pg_namespace AS place ON place.oid = relnamespace WHERE relname = :table AND nspname = current_schema()"
)
"""Not `to_regclass`: its cache may still say that there is no table, to a connection that has just waited for the one that made it."""


def folder() -> Path:
    """Where the migrations are: in this package, which in a checkout has a link to the folder at the top of the repository."""
    return Path(str(resources.files("cluster.store") / "migrations"))


def version(connection: sa.Connection) -> str | None:
    """The schema's version, or None where no coinswarm has started.

    Another program's `alembic_version` says nothing of ours: it counts only beside tables of every schema we ever had.

    Raises:
        Refused: the table that holds it was emptied, or holds more than one.
    """
    table = _version_table(connection)
    if table is None:
        return None
    found = list(connection.scalars(sa.text(f"SELECT version_num FROM {table}")))  # noqa: S608 - one of two constants
    if len(found) != 1:
        hint = "it was changed by hand or by another program: restore a backup into another schema, or write the right version into it"
        raise errors.Refused(f"the table {table} must hold one version", found=f"{len(found)} of them", hint=hint)
    return str(found[0])


def hold(connection: sa.Connection) -> None:
    """Have others who would change the schema wait until the connection's transaction ends."""
    connection.execute(_LOCK)


def migrate(connection: sa.Connection, *, to: str = HEAD) -> None:
    """Bring the schema to a version, the newest, inside the connection's transaction; others who want the same wait for it.

    Raises:
        Refused: the schema is of a later program, or something of another program is in the way.
        Conflict: programs that are made for the schema of before work with it.
    """
    if version(connection) == to:
        return
    connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
    hold(connection)
    if version(connection) != to:
        _upgrade(connection, to)


def _version_table(connection: sa.Connection) -> str | None:
    if _exists(connection, sessions.VERSION_TABLE):
        return sessions.VERSION_TABLE
    former = (sessions.FORMER_VERSION_TABLE, *sessions.SIGNATURE)
    return sessions.FORMER_VERSION_TABLE if all(_exists(connection, name) for name in former) else None


def _exists(connection: sa.Connection, table: str) -> bool:
    return connection.scalar(_FIND, {"table": table}) is not None


def _upgrade(connection: sa.Connection, to: str) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(folder()).replace("%", "%%"))
    config.attributes |= {"connection": connection, "version_table": sessions.VERSION_TABLE}
    found = version(connection)
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if found is None:
        inventory.refuse_taken(connection)
    elif found not in known:
        raise _unknown(found, _version_table(connection))
    else:
        inventory.refuse_used(connection, HEAD)
    former = _version_table(connection) == sessions.FORMER_VERSION_TABLE
    if former:
        _rename(connection)
    command.upgrade(config, to)
    if former and str(found) >= "0002":
        inventory.drop_former_parts(connection)


def _rename(connection: sa.Connection) -> None:
    """Put the version into a table of our own name, made as Alembic makes it; another program can then have Alembic's beside it."""
    before, after = sessions.FORMER_VERSION_TABLE, sessions.VERSION_TABLE
    connection.exec_driver_sql(f"CREATE TABLE {after} (version_num varchar(32) NOT NULL, CONSTRAINT {after}_pkc PRIMARY KEY (version_num))")
    connection.exec_driver_sql(f"INSERT INTO {after} SELECT version_num FROM {before}")  # noqa: S608 - two constants
    connection.exec_driver_sql(f"DROP TABLE {before}")


def _unknown(found: str, table: str | None) -> errors.Refused:
    hint = "a later coinswarm made it: update this one, or use another COINSWARM_DATABASE_URL"
    if table == sessions.FORMER_VERSION_TABLE:
        hint = f"{table} is beside coinswarm's tables and does not hold a version of theirs; another program may have written it"
    return errors.Refused(f"the database's schema must be one this program knows, up to {HEAD}", found=found, hint=hint)
