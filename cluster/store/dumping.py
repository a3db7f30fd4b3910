"""What a coinswarm has in a database, as tables of rows and back.

Only our tables are read, as of one moment, and only they are replaced. A restore is one transaction: ours are dropped, made again by the
migrations up to the version of the dump, filled, counted, and brought to the newest version; until its end everything stays as it was,
however it ends. No name of a schema is in the rows, so they go into whatever schema the connection sees.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

import sqlalchemy as sa
from psycopg import sql

from cluster.store import chaos, connect, inventory, schema
from cluster.store.inventory import CHAOS_TRADES, Inventory
from coinswarm import errors

CHUNK_BYTES = 1 << 20
_OURS_FROM_THE_START = ("lifecycle_arrows",)
"""Tables that a coinswarm in which nothing was done has rows in."""
_PART = "chaos_trades_restored"
_UNHURRIED = "SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = '10s'"
_KEYS = """
SELECT conrelid::regclass::text AS child, quote_ident(conname) AS name FROM pg_constraint
WHERE contype = 'f' AND conrelid = ANY (SELECT to_regclass(quote_ident(name)) FROM unnest(CAST(:names AS text[])) AS name)
"""
_COUNTERS = """
SELECT pg_get_serial_sequence(quote_ident(table_name), column_name) AS sequence, table_name AS table, column_name AS column
FROM information_schema.columns WHERE table_schema = current_schema() AND is_identity = 'YES' AND table_name = ANY (:names)
"""


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Rows of a table, as COPY writes them.

    Attributes:
        table: which; rows of `chaos_trades` are those of one partition.
        columns: in the order of the values.
        form: of the text.
        pieces: the bytes.
    """

    table: str
    columns: tuple[str, ...]
    form: Literal["csv", "text"]
    pieces: Iterable[bytes]


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """One moment of a coinswarm: its schema's version, and the rows of each table."""

    schema: str
    rows: dict[str, int]
    connection: sa.Connection
    inventory: Inventory

    def tables(self) -> Iterator[tuple[str, Iterator[bytes]]]:
        """Each table's name, the partition's place after it, and its rows as CSV with a line of names; read one before the next."""
        for name in self.inventory.data:
            if name == CHAOS_TRADES:
                for place, part in enumerate(self.inventory.names("part")):
                    yield f"{name}/{place}", _read(self.connection, sql.SQL(part))  # quoted by the server
            else:
                yield name, _read(self.connection, sql.Identifier(name))


@dataclass(frozen=True, kw_only=True)
class Contents:
    """What a coinswarm has in a database.

    Attributes:
        schema: the version of its schema; None where none has started.
        size_bytes: on the server's disk.
        empty: whether nothing of it would be lost.
        others: how many others of it are connected.
        above: what others have built on its tables.
    """

    schema: str | None
    size_bytes: int
    empty: bool
    others: int
    above: tuple[str, ...]


def contents(url: str) -> Contents:
    """Look at what a coinswarm has in a database; nothing is created, and nothing else in it counts.

    Raises:
        Unavailable: no server answers; Refused: things of another program have the names of ours.
    """
    with connect.opened(url) as connection:
        found = schema.version(connection)
        if found is None:
            inventory.refuse_taken(connection)
        ours = inventory.take(connection)
        return Contents(
            schema=found,
            size_bytes=inventory.size_bytes(connection, ours),
            empty=not any(_any(connection, name) for name in ours.data if name not in _OURS_FROM_THE_START),
            others=inventory.others(connection, ours),
            above=tuple(inventory.above(connection, ours)),
        )


@contextmanager
def snapshot(url: str) -> Iterator[Snapshot]:
    """Hold on to one moment of a coinswarm.

    Raises:
        Unavailable: no server answers; Refused: its schema is none of this program.
    """
    with connect.opened(url) as connection:
        connection.execute(sa.text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
        connection.exec_driver_sql(_UNHURRIED)
        found = schema.version(connection)
        if found is None or found > schema.HEAD:
            hint = "no coinswarm has started there" if found is None else "a later coinswarm made it: update this one"
            raise errors.Refused(f"the database's schema must be one this program knows, up to {schema.HEAD}", found=found, hint=hint)
        ours = inventory.take(connection)
        rows = {name: _count(connection, name) for name in ours.data}
        yield Snapshot(schema=found, rows=rows, connection=connection, inventory=ours)


def restore(url: str, dump: Iterable[Rows], *, version: str, rows: dict[str, int]) -> None:
    """Put a dump in the place of all that a coinswarm has in a database, in one transaction, and bring it to the newest schema.

    Args:
        url: the database.
        dump: rows of tables; the frame of a chaos job may come before or after its trades.
        version: of the schema they are of.
        rows: how many each table must have in the end.

    Raises:
        Refused: the dump does not fit, or others have built on what is replaced; Conflict: others hold it; StorageFull: the server's disk
        is full; Unavailable: it went away.
    """
    with connect.opened(url) as connection:
        connection.exec_driver_sql(_UNHURRIED)
        schema.hold(connection)
        inventory.refuse_above(inventory.above(connection, inventory.take(connection)))
        inventory.clear(connection)
        schema.migrate(connection, to=version)
        with _unguarded(connection) as names:
            for table in dump:
                _fill(connection, table, names)
            _complete(connection)
        _check(connection, rows)
        schema.migrate(connection)


@contextmanager
def _unguarded(connection: sa.Connection) -> Iterator[Sequence[str]]:
    """Empty tables that take rows in any order and as they were: triggers and references hold again at the end."""
    names = inventory.take(connection).data
    keys = [(row.child, row.name) for row in connection.execute(sa.text(_KEYS), {"names": names})]
    for name in names:
        connection.exec_driver_sql(f"ALTER TABLE {name} DISABLE TRIGGER USER")
    for child, key in keys:
        connection.exec_driver_sql(f"ALTER TABLE {child} ALTER CONSTRAINT {key} DEFERRABLE INITIALLY DEFERRED")
    connection.exec_driver_sql(f"TRUNCATE {', '.join(names)}")
    yield names
    connection.exec_driver_sql("SET CONSTRAINTS ALL IMMEDIATE")
    for child, key in keys:
        connection.exec_driver_sql(f"ALTER TABLE {child} ALTER CONSTRAINT {key} NOT DEFERRABLE")
    for name in names:
        connection.exec_driver_sql(f"ALTER TABLE {name} ENABLE TRIGGER USER")


def _fill(connection: sa.Connection, rows: Rows, names: Sequence[str]) -> None:
    if rows.table not in names:
        raise errors.Refused("a backup must hold tables of coinswarm alone", found=rows.table)
    if rows.table != CHAOS_TRADES:
        _write(connection, rows, rows.table)
        return
    connection.exec_driver_sql(f"CREATE TABLE {_PART} (LIKE {CHAOS_TRADES})")
    _write(connection, rows, _PART)
    job = connection.scalar(sa.text(f"SELECT job FROM {_PART} LIMIT 1"))  # noqa: S608 - a name of this module
    if job is None:
        connection.exec_driver_sql(f"DROP TABLE {_PART}")
    else:
        part = sql.Identifier(chaos.part_of(job)).as_string()
        connection.exec_driver_sql(f"ALTER TABLE {_PART} RENAME TO {part}")
        chaos.attach(connection, job)


def _complete(connection: sa.Connection) -> None:
    """Partitions of jobs without trades, and counters that continue after the last number."""
    ours = inventory.take(connection)
    if CHAOS_TRADES in ours.data:
        there = set(ours.names("part"))
        for job in connection.scalars(sa.text("SELECT job FROM chaos_frames")).all():
            if not there & {chaos.part_of(job), sql.Identifier(chaos.part_of(job)).as_string()}:
                chaos.create_part(connection, job)
    for counter in connection.execute(sa.text(_COUNTERS), {"names": ours.data}).all():
        last = f"(SELECT max({counter.column}) FROM {counter.table})"  # noqa: S608 - names of ours
        connection.execute(sa.text(f"SELECT setval(:sequence, coalesce({last}, 1), {last} IS NOT NULL)"), {"sequence": counter.sequence})


def _check(connection: sa.Connection, rows: dict[str, int]) -> None:
    for table, count in rows.items():
        found = _count(connection, table)
        if found != count:
            raise errors.Refused(f"the table {table} of a backup must have its {count} rows; the database is as it was", found=found)


def _read(connection: sa.Connection, table: sql.Composable) -> Iterator[bytes]:
    query = sql.SQL("COPY (SELECT * FROM {table}) TO STDOUT (FORMAT csv, HEADER)").format(table=table)
    with connect.raw(connection).cursor() as cursor, cursor.copy(query) as copy:
        for piece in copy:
            yield bytes(piece)


def _write(connection: sa.Connection, rows: Rows, table: str) -> None:
    query = sql.SQL("COPY {table} ({columns}) FROM STDIN (FORMAT {form})").format(
        table=sql.Identifier(table), columns=sql.SQL(", ").join(map(sql.Identifier, rows.columns)), form=sql.SQL(rows.form)
    )
    with connect.raw(connection).cursor() as cursor, cursor.copy(query) as copy:
        for piece in rows.pieces:
            copy.write(piece)


def _count(connection: sa.Connection, table: str) -> int:
    return int(connection.scalar(sa.select(sa.func.count()).select_from(sa.table(table))) or 0)


def _any(connection: sa.Connection, table: str) -> bool:
    return connection.execute(sa.select(sa.literal(1)).select_from(sa.table(table)).limit(1)).one_or_none() is not None
