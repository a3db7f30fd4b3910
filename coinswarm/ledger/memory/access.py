"""Tokens and the audit log in memory."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable
from datetime import datetime

from coinswarm import codec
from coinswarm.ledger.access import AuditRow, Token, checked, find_token, fingerprint, name_taken, opens, unknown
from coinswarm.ledger.memory.store import utc_now
from coinswarm.ledger.records import Json


class MemoryAccess:
    """Keeps the contract of `Access` in memory."""

    def __init__(self, clock: Callable[[], datetime] = utc_now) -> None:
        self._clock = clock
        self._lock = threading.RLock()
        self._tokens: dict[str, Token] = {}
        self._trail: list[AuditRow] = []

    def create_token(self, token: Token, *, by: str) -> None:
        with self._lock:
            checked(token)
            if any(other.name == token.name and other.revoked is None for other in self._tokens.values()):
                raise name_taken(token.name)
            self._tokens[token.id] = token
            self.note(by, "token create", token.id, {"name": token.name, "role": token.role})

    def token(self, secret: str) -> Token:
        wanted = fingerprint(secret)
        with self._lock:
            for token in self._tokens.values():
                if token.hash == wanted and opens(token, self._clock()):
                    return token
        raise unknown()

    def tokens(self) -> tuple[Token, ...]:
        with self._lock:
            return tuple(sorted(self._tokens.values(), key=lambda token: (token.created, token.id)))

    def revoke(self, name: str, *, by: str) -> Token:
        with self._lock:
            token = find_token(self.tokens(), name)
            if token.revoked is None:
                token = self._tokens[token.id] = dataclasses.replace(token, revoked=self._clock())
                self.note(by, "token revoke", token.id, {"name": token.name})
            return token

    def note(self, token: str, action: str, target: str, detail: Json) -> None:
        with self._lock:
            row = AuditRow(id=len(self._trail) + 1, at=self._clock(), token=token, action=action, target=target, detail=codec.copy(detail))
            self._trail.append(row)

    def trail(self, *, limit: int = 100, before: int | None = None) -> tuple[AuditRow, ...]:
        with self._lock:
            rows = [row for row in reversed(self._trail) if before is None or row.id < before]
            return tuple(rows[:limit])
