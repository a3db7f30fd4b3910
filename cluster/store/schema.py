"""Brings a database to the schema this code was written for, once, however many processes start at the same time."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from coinswarm import errors

HEAD = "0005"
"""The newest migration. Compared first, because asking Alembic costs a second of a warm start."""

_LOCK = 0x636F696E7377  # any number will do that no other program is likely to use: "coinsw"
_HERE = Path(__file__).resolve()


def folder() -> Path:
    """Where the migrations are: beside this module in an installed wheel, at the top of the repository in a checkout.

    Raises:
        Unavailable: they are in neither place.
    """
    for place in (_HERE.parent / "migrations", _HERE.parents[2] / "migrations"):
        if (place / "env.py").is_file():
            return place
    raise errors.Unavailable("the database's migrations must be installed with the program", hint="install coinswarm again")


def version(connection: sa.Connection) -> str | None:
    """The schema's version, or None for a database without one."""
    if connection.scalar(sa.text("SELECT to_regclass('alembic_version')")) is None:
        return None
    found: str | None = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
    return found


def migrate(connection: sa.Connection) -> None:
    """Bring the schema to `HEAD` inside the connection's transaction; others who want the same wait for it.

    Raises:
        Refused: the schema is of a later program.
    """
    if version(connection) == HEAD:
        return
    connection.execute(sa.text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    if version(connection) != HEAD:
        _upgrade(connection)


def _upgrade(connection: sa.Connection) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(folder()).replace("%", "%%"))
    config.attributes["connection"] = connection
    found = version(connection)
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if found is not None and found not in known:
        raise errors.Refused(
            f"the database's schema must be one this program knows, up to {HEAD}",
            found=found,
            hint="a later coinswarm made it: update this one, or use another COINSWARM_DATABASE_URL",
        )
    command.upgrade(config, "head")
