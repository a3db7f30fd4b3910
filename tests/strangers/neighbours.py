"""A database that coinswarm shares with others, and an inventory of all that is in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import quote

import psycopg
from psycopg import sql
from typer.testing import CliRunner

from cluster.cli.app import app
from tests.laws.ledger_world import fresh

OTHERS = """
CREATE SCHEMA crm;
CREATE TYPE crm.mood AS ENUM ('glad', 'sad');
CREATE TABLE crm.customers (id serial PRIMARY KEY, mood crm.mood, note text);
INSERT INTO crm.customers (mood, note) VALUES ('glad', 'pays'), ('sad', 'owes');
CREATE VIEW crm.glad AS SELECT * FROM crm.customers WHERE mood = 'glad';
CREATE FUNCTION crm.ancestors(evaluation text) RETURNS text LANGUAGE sql RETURN evaluation;
CREATE TABLE invoices (id integer); INSERT INTO invoices VALUES (1), (2), (3);
CREATE SEQUENCE invoice_numbers START 17;
CREATE FUNCTION total() RETURNS integer LANGUAGE sql RETURN 6;
CREATE TABLE alembic_version (version_num varchar(32) NOT NULL); INSERT INTO alembic_version VALUES ('0001');
CREATE SCHEMA chaos_parts; CREATE TABLE chaos_parts.spare (id integer);
CREATE EXTENSION vector;
SELECT lo_create(4711);
"""
"""What other programs have in the database: a schema of their own and things in `public`, some of them called like ours."""

_LISTED = """
SELECT nspname AS place, 'schema' AS kind, nspname AS name FROM pg_namespace
UNION ALL SELECT nspname, CASE relkind WHEN 'S' THEN 'sequence' WHEN 'v' THEN 'view' ELSE 'table' END, relname
    FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace WHERE relkind IN ('r', 'p', 'v', 'm', 'S')
UNION ALL SELECT nspname, 'function', pg_proc.oid::regprocedure::text FROM pg_proc JOIN pg_namespace ON pg_namespace.oid = pronamespace
UNION ALL SELECT nspname, 'type', typname FROM pg_type JOIN pg_namespace ON pg_namespace.oid = typnamespace WHERE typtype IN ('e', 'b', 'd')
UNION ALL SELECT nspname, 'extension', extname FROM pg_extension JOIN pg_namespace ON pg_namespace.oid = extnamespace
UNION ALL SELECT 'cluster', 'role', rolname FROM pg_roles
UNION ALL SELECT 'database', 'large object', oid::text FROM pg_largeobject_metadata
"""


@dataclass(frozen=True, kw_only=True)
class Shared:
    """A shared database.

    Attributes:
        admin: the URL of a superuser, who sees all of it.
        url: of the role `home`, which owns the schema of that name and nothing else.
    """

    admin: str
    url: str
    home: str


@contextmanager
def shared(server: str, others: str = OTHERS) -> Iterator[Shared]:
    """A database with the things of others in it, and a role with a schema for coinswarm, gone at the end."""
    name = fresh("shared").replace("-", "_")
    host = server.rsplit("@", 1)[1].rsplit("/", 1)[0]
    admin = f"{server.rsplit('/', 1)[0]}/{name}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        connection.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'secret'")
        try:
            with psycopg.connect(admin) as inside:
                inside.execute(others)
                inside.execute(f"CREATE SCHEMA {name} AUTHORIZATION {name}")
            yield Shared(admin=admin, url=f"postgresql://{name}:secret@{host}/{name}", home=name)
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
            connection.execute(f"DROP ROLE {name}")


def in_schema(url: str, schema: str) -> str:
    """The URL with a search path of this one schema."""
    quoted = '"' + schema.replace('"', '""').replace(" ", "\\ ") + '"'
    return f"{url}?options={quote(f'-csearch_path={quoted}')}"


def inventory(admin: str) -> dict[tuple[str, str, str], int]:
    """Everything in a database, by schema, kind and name, with the rows of tables and the state of sequences."""
    with psycopg.connect(admin) as connection:
        connection.execute("SET search_path = ''")
        found = connection.execute(f"SELECT * FROM ({_LISTED}) AS found WHERE place !~ '^pg_' AND place <> 'information_schema'").fetchall()
        return {entry: _amount(connection, *entry) for entry in found}


def _amount(connection: psycopg.Connection, place: str, kind: str, name: str) -> int:
    counted = {"table": "count(*)", "sequence": "last_value"}
    if kind not in counted:
        return 1
    query = sql.SQL("SELECT {what} FROM {name}").format(what=sql.SQL(counted[kind]), name=sql.Identifier(place, name))
    row = connection.execute(query).fetchone()
    return 0 if row is None else int(row[0])


def outside(found: dict[tuple[str, str, str], int], home: str) -> dict[tuple[str, str, str], int]:
    """What is not in the schema `home`."""
    return {entry: amount for entry, amount in found.items() if entry[0] != home}


def command(url: str, home: object, *arguments: object) -> tuple[int, str]:
    """The exit code and all words of a command on a database."""
    runner = CliRunner(env={"COINSWARM_HOME": str(home), "COINSWARM_DATABASE_URL": url, "COINSWARM_DEBUG": ""})
    done = runner.invoke(app, [str(argument) for argument in arguments])
    return done.exit_code, " ".join(done.output.split())
