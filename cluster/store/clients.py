"""How psql and other programs reach the embedded PostgreSQL: a role that reads, and a password file instead of a password in the address.

Arguments of a process can be seen by every account of a machine, and what a terminal shows stays on it. libpq, and with it psql, psycopg,
SQLAlchemy and DuckDB, looks into the file that an address names; only the file's owner reads it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal
from urllib.parse import quote

import psycopg
from psycopg import sql

from cluster import private
from cluster.store import connect

READER = "coinswarm_reader"
Role = Literal["reader", "owner"]
_LIMIT = "statement_timeout=10min"
"""A query that a person has forgotten ends; `SET statement_timeout` in a session asks for more."""


def address(folder: Path, owner: str, *, role: Role, password: bool) -> str:
    """An address of the embedded server for a person.

    Args:
        folder: of the server.
        owner: the address with which this program itself connects.
        role: `reader` sees everything and changes nothing; `owner` may do all that the server can, run programs included.
        password: write it into the address, instead of the name of the file in which it is.
    """
    folder = folder.expanduser().resolve()
    parsed = connect.parse(owner)
    reading = _introduced(folder, owner)
    name, secret = (READER, reading) if role == "reader" else (str(parsed.username), str(parsed.password))
    plain = f"{parsed.host}:{parsed.port}/{parsed.database}"
    if password:
        return f"postgresql://{name}:{secret}@{plain}"
    kept = folder / f"{role}.pgpass"
    line = f"{parsed.host}:*:*:{name}:{secret}"
    if not kept.exists() or kept.read_text().strip() != line:
        private.write_secret(kept, line)
    return f"postgresql://{name}@{plain}?passfile={quote(str(kept), safe='/')}"


def _introduced(folder: Path, owner: str) -> str:
    """The password of the role that reads; the role is made at its first use, with a hash of it."""
    kept = folder / "reader.password"
    known = kept.exists()
    password = private.kept_secret(kept)
    with psycopg.connect(owner, autocommit=True, connect_timeout=connect.CONNECT_TIMEOUT_S, require_auth="scram-sha-256") as connection:
        there = connection.execute("SELECT rolconfig FROM pg_roles WHERE rolname = %s", (READER,)).fetchone()
        if not (known and there):
            verifier = connection.pgconn.encrypt_password(password.encode(), READER.encode(), b"scram-sha-256").decode()
            change = sql.SQL("ALTER ROLE {} LOGIN PASSWORD {}" if there else "CREATE ROLE {} LOGIN PASSWORD {}")
            connection.execute(change.format(sql.Identifier(READER), sql.Literal(verifier)))
            connection.execute(sql.SQL("GRANT pg_read_all_data TO {}").format(sql.Identifier(READER)))
        if there is None or there[0] != [_LIMIT]:
            connection.execute(sql.SQL("ALTER ROLE {} SET statement_timeout = '10min'").format(sql.Identifier(READER)))
    return password
