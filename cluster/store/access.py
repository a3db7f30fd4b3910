"""Tokens and the trail in PostgreSQL."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy import exc

from cluster.store import connect, schema, tables
from coinswarm.ledger import access, jsontext
from coinswarm.ledger.access import AuditRow, Token
from coinswarm.ledger.records import Json

_T = TypeVar("_T")
_UNIQUE = "23505"


class PostgresAccess:
    """Keeps the contract of `coinswarm.ledger.access.Access` in a PostgreSQL database, which it brings to the current schema."""

    def __init__(self, url: str | sa.Engine, *, patience_s: float = 0.0) -> None:
        self._engine = connect.engine(url) if isinstance(url, str) else url
        self._patience_s = patience_s
        self._do(schema.migrate)

    def create_token(self, token: Token, *, by: str) -> None:
        """See `Access`."""
        access.checked(token)
        self._do(lambda connection: _create(connection, token, by))

    def token(self, secret: str) -> Token:
        """See `Access`."""
        table = tables.tokens.c
        alive = sa.and_(table.revoked.is_(None), sa.or_(table.expires.is_(None), table.expires > sa.func.now()))
        query = sa.select(tables.tokens).where(table.hash == access.fingerprint(secret), alive)
        row = self._do(lambda connection: connection.execute(query).one_or_none())
        if row is None:
            raise access.unknown()
        return _token(row)

    def tokens(self) -> tuple[Token, ...]:
        """See `Access`."""
        return self._do(_tokens)

    def revoke(self, name: str, *, by: str) -> Token:
        """See `Access`."""
        return self._do(lambda connection: _revoke(connection, name, by))

    def note(self, token: str, action: str, target: str, detail: Json) -> None:
        """See `Access`."""
        self._do(lambda connection: note(connection, token, action, target, detail))

    def trail(self, *, limit: int = 100, before: int | None = None) -> tuple[AuditRow, ...]:
        """See `Access`."""
        query = sa.select(tables.audit).order_by(tables.audit.c.id.desc()).limit(limit)
        query = query if before is None else query.where(tables.audit.c.id < before)
        return self._do(lambda connection: tuple(AuditRow(**row._asdict()) for row in connection.execute(query)))

    def close(self) -> None:
        """See `Access`."""
        self._engine.dispose()

    def _do(self, work: Callable[[sa.Connection], _T]) -> _T:
        return connect.run(self._engine, work, patience_s=self._patience_s)


def note(connection: sa.Connection, token: str, action: str, target: str, detail: Json) -> None:
    """Add a row to the trail inside a transaction that changes something, so that neither is there without the other."""
    row = {"token": token, "action": action, "target": jsontext.printable(target), "detail": jsontext.copy(detail)}
    connection.execute(sa.insert(tables.audit), [row])


def _create(connection: sa.Connection, token: Token, by: str) -> None:
    try:
        with connection.begin_nested():
            connection.execute(sa.insert(tables.tokens), [dataclasses.asdict(token)])
    except exc.IntegrityError as error:
        if getattr(error.orig, "sqlstate", "") == _UNIQUE:
            raise access.taken(token.name) from error
        raise
    note(connection, by, "token create", token.id, {"name": token.name, "role": token.role})


def _tokens(connection: sa.Connection) -> tuple[Token, ...]:
    query = sa.select(tables.tokens).order_by(tables.tokens.c.created, tables.tokens.c.id)
    return tuple(_token(row) for row in connection.execute(query))


def _revoke(connection: sa.Connection, name: str, by: str) -> Token:
    token = access.chosen(_tokens(connection), name)
    table = tables.tokens
    change = (
        sa.update(table).where(table.c.id == token.id, table.c.revoked.is_(None)).values(revoked=sa.func.clock_timestamp()).returning(table)
    )
    row = connection.execute(change).one_or_none()
    if row is None:
        return token
    note(connection, by, "token revoke", token.id, {"name": token.name})
    return _token(row)


def _token(row: Any) -> Token:
    return Token(**row._asdict())
