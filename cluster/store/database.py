"""A PostgreSQL database as its repositories see it: one pool of connections, the current schema, and transactions.

A repository's method is a transaction. While the server is away it waits and is repeated, which is harmless: see `coinswarm.ledger.store`.
"""

from __future__ import annotations

import functools
import logging
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Concatenate, ParamSpec, Self, TypeVar

import sqlalchemy as sa

from cluster.store import connect, schema
from coinswarm import errors

PATIENCE_S = 300.0
"""How long a run waits for a database that went away before it gives up."""

_LOCK_S = 2.0
_END_BLOCKERS = sa.text("SELECT pg_terminate_backend(blocker) FROM unnest(pg_blocking_pids(:waiting)) AS blocker")
_log = logging.getLogger(__name__)
_T = TypeVar("_T")
_P = ParamSpec("_P")
_R = TypeVar("_R", bound="Repository")


class Database:
    """A database brought to the current schema, with the pool of connections that all of its repositories share.

    Several threads may use it. It closes at the end of a `with` block.
    """

    def __init__(self, url: str, *, patience_s: float = PATIENCE_S, answer_s: float | None = None) -> None:
        """Connect and migrate.

        Args:
            url: `postgresql://user:password@host:port/database`.
            patience_s: how long a transaction waits for a database that went away. The first connection is not waited for.
            answer_s: seconds that one statement may take; None: any.

        Raises:
            BadSetting: `url` is not one; Unavailable: no server answers there within seconds; Refused: the schema is of a later program;
            Conflict: it is of an earlier one, and programs of that work with it.
        """
        self._engine = connect.engine(url, answer_s=answer_s)
        self._patience_s = patience_s
        try:
            connect.run(self._engine, schema.migrate, patience_s=0.0)
        except BaseException:
            self._engine.dispose()
            raise

    def run(self, work: Callable[[sa.Connection], _T]) -> _T:
        """Do `work` in one transaction, again and again while the server is away; it must be safe to repeat.

        Raises:
            Unavailable, Refused, StorageFull, InvalidArgument: as `connect.run`.
        """
        return connect.run(self._engine, work, patience_s=self._patience_s)

    def insist(self, work: Callable[[sa.Connection], _T]) -> _T:
        """As `run`; connections that keep it waiting for a lock longer than two seconds are ended, and repeat what they did.

        Raises:
            Unavailable, Refused, StorageFull, InvalidArgument: as `run`.
        """

        def insisting(connection: sa.Connection) -> _T:
            done = threading.Event()
            me = connect.raw(connection).info.backend_pid
            threading.Thread(target=self._unblock, args=(me, done), name="unblock", daemon=True).start()
            try:
                return work(connection)
            finally:
                done.set()

        return self.run(insisting)

    def _unblock(self, waiting: int, done: threading.Event) -> None:
        while not done.wait(_LOCK_S):
            try:
                self.run(lambda connection: connection.execute(_END_BLOCKERS, {"waiting": waiting}))
            except errors.CoinswarmError as problem:  # such as those of another role
                _log.warning("a connection that holds a lock could not be ended: %s", problem)

    def close(self) -> None:
        """Close the connections; the database and its repositories are not used afterwards."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Repository:
    """Records of one kind in a database."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def run(self, work: Callable[[sa.Connection], _T]) -> _T:
        """Do `work` in one transaction, as `Database.run`."""
        return self.database.run(work)


def transaction(method: Callable[Concatenate[_R, sa.Connection, _P], _T]) -> Callable[Concatenate[_R, _P], _T]:
    """Make a repository's method that is given a connection one that is called without and is a transaction of its own."""

    @functools.wraps(method)
    def transacted(self: _R, /, *args: _P.args, **kwargs: _P.kwargs) -> _T:
        return self.run(lambda connection: method(self, connection, *args, **kwargs))

    return transacted


@contextmanager
def shared(url: str, *, patience_s: float = PATIENCE_S, answer_s: float | None = None) -> Iterator[Database]:
    """The one `Database` of this process at a URL and limit of time: opened for the first block that asks for it, closed with the last.

    Raises:
        BadSetting, Unavailable, Refused: as `Database`.
    """
    place = os.getpid(), url, answer_s
    with _opening:
        database, users = _opened.get(place) or (Database(url, patience_s=patience_s, answer_s=answer_s), 0)
        _opened[place] = database, users + 1
    try:
        yield database
    finally:
        with _opening:
            _, users = _opened.pop(place)
            if users > 1:
                _opened[place] = database, users - 1
            else:
                database.close()


_opening = threading.Lock()
_opened: dict[tuple[int, str, float | None], tuple[Database, int]] = {}
"""By process as well: one that was forked must not write to the sockets of the process it came from."""
