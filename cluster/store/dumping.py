"""A PostgreSQL database as a stream of bytes and back, by the dump and restore programs that come with the embedded one.

A dump sees one moment of the database, the same one its rows are counted in. A restore is one transaction: what is in the database stays
until the last row of the dump is in and counted, however the restore ends.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import psycopg
import sqlalchemy as sa

from cluster.store import connect, embedded, schema
from coinswarm import errors

CHUNK_BYTES = 1 << 20
_OURS_FROM_THE_START = ("alembic_version", "lifecycle_arrows")
"""Tables that a database without anything in it has rows in."""
_TABLES = sa.text(
    "SELECT relname FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace "
    "WHERE nspname = 'public' AND relkind IN ('r', 'p') ORDER BY relname"
)
_OTHERS = sa.text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend' "
    "AND pid <> pg_backend_pid()"
)
_CLEAR = """
BEGIN;
SET LOCAL client_min_messages = warning;
DO $clear$
DECLARE
    things text[];
    thing text;
BEGIN
    SELECT array_agg(name ORDER BY place, name) INTO things FROM (
        SELECT 0 AS place, format('SCHEMA IF EXISTS %I', nspname) AS name FROM pg_namespace
        WHERE nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'public')
        UNION ALL
        SELECT strpos('vmrpS', relkind::text), format(CASE relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW'
            WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END || ' IF EXISTS public.%I', relname)
        FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('v', 'm', 'r', 'p', 'S')
        UNION ALL
        SELECT 9, 'ROUTINE IF EXISTS ' || oid::regprocedure FROM pg_proc WHERE pronamespace = 'public'::regnamespace
    ) AS found;
    FOREACH thing IN ARRAY coalesce(things, '{}') LOOP
        EXECUTE format('DROP %s CASCADE', thing);
    END LOOP;
END $clear$;
"""


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """One moment of a database: its schema's version, the rows of each table, and the name by which other connections see it."""

    name: str
    schema: str
    rows: dict[str, int]


@dataclass(frozen=True, kw_only=True)
class Contents:
    """What is in a database: bytes on disk, whether anything is in it that would be lost, and how many others are connected."""

    size_bytes: int
    empty: bool
    others: int


def contents(url: str) -> Contents:
    """Look at a database; nothing is created.

    Raises:
        Unavailable: nobody answers.
    """
    with _opened(url) as connection:
        found = schema.version(connection)
        names = list(connection.scalars(_TABLES))
        used = [name for name in names if name not in _OURS_FROM_THE_START and (found is None or _any(connection, name))]
        size = connection.scalar(sa.text("SELECT pg_database_size(current_database())"))
        return Contents(size_bytes=int(size or 0), empty=not used, others=int(connection.scalar(_OTHERS) or 0))


@contextmanager
def snapshot(url: str) -> Iterator[Snapshot]:
    """Hold on to one moment of a database.

    Raises:
        Unavailable: nobody answers; Refused: its schema is none of this program.
    """
    with _opened(url) as connection:
        connection.execute(sa.text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
        found = schema.version(connection)
        if found is None or found > schema.HEAD:
            raise errors.Refused(f"the database's schema must be one this program knows, up to {schema.HEAD}", found=found)
        connection.execute(sa.text("SET LOCAL idle_in_transaction_session_timeout = 0"))
        name = str(connection.scalar(sa.text("SELECT pg_export_snapshot()")))
        yield Snapshot(name=name, schema=found, rows={table: _count(connection, table) for table in connection.scalars(_TABLES)})


def dump(url: str, moment: Snapshot, into: Callable[[bytes], object]) -> None:
    """Hand the dump of a moment to `into`, piece by piece.

    Raises:
        Unavailable: the database went away.
    """
    address, environment = _address(url)
    command = [_program(url, "pg_dump"), "--format=custom", "--no-owner", "--no-privileges", f"--snapshot={moment.name}", address]
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=said, env=environment)
        with _ended(process):
            for piece in _pieces(process.stdout):
                into(piece)
        if process.returncode != 0:
            raise _failure("the database cannot be dumped", said)


def restore(url: str, pieces: Iterable[bytes], rows: dict[str, int]) -> None:
    """Put a dump in the place of all that a database holds, in one transaction.

    Args:
        url: the database.
        pieces: of the dump.
        rows: how many each table must have in the end.

    Raises:
        Refused: the dump is damaged or of a later PostgreSQL; StorageFull: the server's disk is full; Unavailable: it went away.
    """
    address, environment = _address(url)
    load = [_program(url, "psql"), "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--output=/dev/null", "--file=-", address]
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(load, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=said, env=environment)
        with _ended(process):
            try:
                _fill(_written(process.stdin), _program(url, "pg_restore"), pieces, rows)
            except BrokenPipeError:
                process.wait()
        if process.returncode != 0:
            raise _failure("the dump cannot be restored; the database is as it was", said)


def _fill(script: IO[bytes], program: str, pieces: Iterable[bytes], rows: dict[str, int]) -> None:
    """Write the whole restore as SQL; its last word is COMMIT, so that nothing that ends early changes anything."""
    script.write(_CLEAR.encode())
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            [program, "--no-owner", "--no-privileges", "--file=-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=said
        )
        with _ended(process):
            feeder = threading.Thread(target=_feed, args=(_written(process.stdin), pieces), daemon=True)
            feeder.start()
            for piece in _pieces(process.stdout):
                script.write(piece)
            feeder.join()
        if process.returncode != 0:
            raise _failure("the dump cannot be read; the database is as it was", said)
    script.write("".join(_counted(table, count) for table, count in rows.items()).encode())
    script.write(b"COMMIT;\n")
    script.close()


def _counted(table: str, count: int) -> str:
    name = table.replace('"', '""')
    counting = f'SELECT count(*) FROM public."{name}"'  # noqa: S608 - a name of the dump's own database, quoted
    return (
        f"DO $count$ BEGIN IF ({counting}) <> {count} THEN "
        f"RAISE EXCEPTION 'a table of the dump does not have its {count} rows'; END IF; END $count$;\n"
    )


def _feed(into: IO[bytes], pieces: Iterable[bytes]) -> None:
    try:
        with into:
            for piece in pieces:
                into.write(piece)
    except BrokenPipeError:
        # the program has said why it stopped reading, and its exit code is looked at
        return


def _pieces(stream: IO[bytes] | None) -> Iterator[bytes]:
    if stream is not None:
        while piece := stream.read(CHUNK_BYTES):
            yield piece


def _written(stream: IO[bytes] | None) -> IO[bytes]:
    if stream is None:
        raise errors.Unavailable("a program of PostgreSQL has no input")
    return stream


@contextmanager
def _ended(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Wait for a process at the end; one that is left because something went wrong is killed."""
    try:
        yield
        process.wait()
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None and not stream.closed:
                _close(stream)


def _close(stream: IO[bytes]) -> None:
    try:
        stream.close()
    except BrokenPipeError:
        return


@contextmanager
def _opened(url: str) -> Iterator[sa.Connection]:
    made = connect.engine(url)
    try:
        with made.begin() as connection:
            yield connection
    except (sa.exc.DBAPIError, psycopg.Error) as error:
        raise connect.explained(error, made.url) from error
    finally:
        made.dispose()


def _count(connection: sa.Connection, table: str) -> int:
    return int(connection.scalar(sa.select(sa.func.count()).select_from(sa.table(table))) or 0)


def _any(connection: sa.Connection, table: str) -> bool:
    return connection.execute(sa.select(sa.literal(1)).select_from(sa.table(table)).limit(1)).one_or_none() is not None


def _address(url: str) -> tuple[str, dict[str, str]]:
    """The address without its password, and all variables of a program that is started with it."""
    shown, secret = connect.split(url)
    return shown, {"PATH": os.defpath, "LC_ALL": "C", "PGCONNECT_TIMEOUT": str(connect.CONNECT_TIMEOUT_S), **secret}


def _program(url: str, name: str) -> str:
    """A program that is no older than the server."""
    with _opened(url) as connection:
        server = int(connection.scalar(sa.text("SHOW server_version_num")) or 0) // 10_000
    fitting = {version: folder for version, folder in embedded.installations().items() if version >= server}
    if not fitting:
        found, hint = f"PostgreSQL {server}", f"use its own {name}, or the backups of whoever runs it"
        raise errors.Refused(f"the server must be of PostgreSQL {max(embedded.installations())} or before", found=found, hint=hint)
    return str(Path(fitting[min(fitting)]) / "bin" / name)


def _failure(rule: str, said: IO[bytes]) -> errors.CoinswarmError:
    said.seek(0)
    lines = [line for line in said.read().decode(errors="replace").splitlines() if line.strip()]
    found = lines[0][:500] if lines else "no word"
    if any("No space left" in line for line in lines):
        return errors.StorageFull(rule, found=found, hint="free disk space and try again")
    if any(("connection" in line and "failed" in line) or "terminating connection" in line for line in lines):
        return errors.Unavailable(rule, found=found, hint="see `coinswarm db status`")
    return errors.Refused(rule, found=found)
