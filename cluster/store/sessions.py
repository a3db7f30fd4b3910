"""What a server must be, asked when a connection is made, and what a connection is set to before anything is asked of it.

A connection sees one schema, the first of its `search_path`, and nothing behind it. So two coinswarms in two schemas of a database never
meet, and a name means our table or nothing. What the protocol says of a server by itself costs no question.
"""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import sql

from coinswarm import errors

OLDEST_SERVER = 14
"""Functions with a body of standard SQL, which keeps to the tables it was made with, came with PostgreSQL 14."""
VERSION_TABLE = "coinswarm_version"
FORMER_VERSION_TABLE = "alembic_version"
"""Up to schema 0005 the version stood in Alembic's own table, which every other program with Alembic calls the same."""
SIGNATURE = ("checkpoints", "data_sets", "generations", "jobs", "plays")
"""Tables of every schema there was: `alembic_version` beside them is ours."""

_WHERE = "SELECT current_schema(), current_schemas(false), current_setting('search_path')"
_HOLDERS = """
SELECT nspname FROM pg_namespace AS place
WHERE nspname = ANY (%s)
    AND EXISTS (SELECT FROM pg_class WHERE relnamespace = place.oid AND relname = ANY (%s) AND has_table_privilege(oid, 'SELECT'))
    AND (SELECT count(*) FROM pg_class WHERE relnamespace = place.oid AND relname = ANY (%s)) = %s
"""
_SETTINGS = """
SET search_path = {schema}; SET application_name = {name};
SET tcp_keepalives_idle = 15; SET tcp_keepalives_interval = 5; SET tcp_keepalives_count = 3;
SET idle_in_transaction_session_timeout = '60s'; SET statement_timeout = {limit_ms};
SET timezone = 'UTC'; SET datestyle = 'ISO'; SET intervalstyle = 'postgres';
SET extra_float_digits = 1; SET bytea_output = 'hex'; SET standard_conforming_strings = on;
SET default_transaction_isolation = 'read committed'
"""
"""A driver whose machine died in the middle of a commit must not hold its job's row for the two hours that TCP would give it.
A role or a database may have settings of its own for how numbers, times and texts are written; here they are what we read."""
_URL = "add ?options=-csearch_path%3D{name} to COINSWARM_DATABASE_URL"


def prepare(connection: psycopg.Connection[Any], version: str, answer_s: float | None) -> None:
    """Refuse a server that cannot be used, and set a new connection to what every other part expects.

    Args:
        connection: the connection.
        version: the schema that this program is made for. The connection is called by it, so that a newer program sees who is there.
        answer_s: seconds that one statement may take; None: any, whatever the role or the database says.

    Raises:
        Refused: the encoding, the server's age, or a `search_path` that names no schema or the wrong one.
    """
    _check_server(connection)
    autocommit, connection.autocommit = connection.autocommit, True
    schema = _schema(connection)
    name, limit_ms = sql.Literal(f"coinswarm {version} in {schema}"), sql.Literal(int(1000 * (answer_s or 0)))
    settings = sql.SQL(_SETTINGS).format(schema=sql.Identifier(schema), name=name, limit_ms=limit_ms)
    connection.execute(settings)
    connection.autocommit = autocommit


def _check_server(connection: psycopg.Connection[Any]) -> None:
    said = connection.info.parameter_status
    if said("server_encoding") != "UTF8":
        raise errors.Refused(
            f"the database {connection.info.dbname} must be encoded in UTF8",
            found=said("server_encoding"),
            hint="CREATE DATABASE coinswarm ENCODING 'UTF8' LOCALE 'C' TEMPLATE template0 makes one that is",
        )
    if connection.info.server_version < OLDEST_SERVER * 10_000:
        raise errors.Refused(f"the server must be PostgreSQL {OLDEST_SERVER} or later", found=said("server_version"))


def _schema(connection: psycopg.Connection[Any]) -> str:
    """The schema of our tables: the first of the search path, unless a coinswarm is further down, for then one of the two is meant."""
    ((first, schemas, path),) = connection.execute(_WHERE)
    if first is None or first.startswith("pg_") or first == "information_schema":
        hint = f"CREATE SCHEMA coinswarm AUTHORIZATION {connection.info.user}, then {_URL.format(name='coinswarm')}"
        raise errors.Refused("search_path must name a schema that exists and that the role may use", found=path or "empty", hint=hint)
    if len(schemas) > 1:
        tables = [VERSION_TABLE, FORMER_VERSION_TABLE]
        holders = {name for (name,) in connection.execute(_HOLDERS, [schemas, tables, list(SIGNATURE), len(SIGNATURE)])}
        if holders and first not in holders:
            there = next(name for name in schemas if name in holders)
            raise errors.Refused(
                "search_path must say which schema is meant",
                found=f"{path}, where {first} holds no coinswarm and {there} after it holds one",
                hint=f"{_URL.format(name=there)}, or ={first} to begin a new one there",
            )
    return str(first)
