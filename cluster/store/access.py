"""Tokens and the audit log in PostgreSQL."""

from __future__ import annotations

import dataclasses
from typing import Any

import sqlalchemy as sa
from sqlalchemy import exc
from typing_extensions import override

from cluster.store import tables
from cluster.store.database import Repository, transaction
from coinswarm import codec
from coinswarm.ledger import access
from coinswarm.ledger.access import Access, AuditRow, Token
from coinswarm.ledger.records import Json

_UNIQUE = "23505"


class PostgresAccess(Repository, Access):
    """Tokens and the audit log in a PostgreSQL database."""

    @override
    @transaction
    def create_token(self, connection: sa.Connection, token: Token, *, by: str) -> None:
        access.checked(token)
        try:
            with connection.begin_nested():
                connection.execute(sa.insert(tables.tokens), [dataclasses.asdict(token)])
        except exc.IntegrityError as error:
            if getattr(error.orig, "sqlstate", "") == _UNIQUE:
                raise access.name_taken(token.name) from error
            raise
        note(connection, by, "token create", token.id, {"name": token.name, "role": token.role})

    @override
    @transaction
    def token(self, connection: sa.Connection, secret: str) -> Token:
        table = tables.tokens.c
        alive = sa.and_(table.revoked.is_(None), sa.or_(table.expires.is_(None), table.expires > sa.func.now()))
        row = connection.execute(sa.select(tables.tokens).where(table.hash == access.fingerprint(secret), alive)).one_or_none()
        if row is None:
            raise access.unknown()
        return _token(row)

    @override
    @transaction
    def tokens(self, connection: sa.Connection) -> tuple[Token, ...]:
        return _tokens(connection)

    @override
    @transaction
    def revoke(self, connection: sa.Connection, name: str, *, by: str) -> Token:
        token = access.find_token(_tokens(connection), name)
        table = tables.tokens
        alive = sa.update(table).where(table.c.id == token.id, table.c.revoked.is_(None))
        row = connection.execute(alive.values(revoked=sa.func.clock_timestamp()).returning(table)).one_or_none()
        if row is None:
            return token
        note(connection, by, "token revoke", token.id, {"name": token.name})
        return _token(row)

    @override
    @transaction
    def note(self, connection: sa.Connection, token: str, action: str, target: str, detail: Json) -> None:
        note(connection, token, action, target, detail)

    @override
    @transaction
    def trail(self, connection: sa.Connection, *, limit: int = 100, before: int | None = None) -> tuple[AuditRow, ...]:
        query = sa.select(tables.audit).order_by(tables.audit.c.id.desc()).limit(limit)
        query = query if before is None else query.where(tables.audit.c.id < before)
        return tuple(AuditRow(**row._asdict()) for row in connection.execute(query))


def note(connection: sa.Connection, token: str, action: str, target: str, detail: Json) -> None:
    """Add a row to the audit log inside a transaction that changes something, so that neither is there without the other."""
    row = {"token": token, "action": action, "target": codec.printable(target), "detail": codec.copy(detail)}
    connection.execute(sa.insert(tables.audit), [row])


def _tokens(connection: sa.Connection) -> tuple[Token, ...]:
    query = sa.select(tables.tokens).order_by(tables.tokens.c.created, tables.tokens.c.id)
    return tuple(_token(row) for row in connection.execute(query))


def _token(row: Any) -> Token:
    return Token(**row._asdict())
