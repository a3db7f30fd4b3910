"""Who may do what through the control plane: tokens, of which only the hash is kept, and the audit log of every change.

A token is shown once, when it is made. What is stored is its SHA-256: the secret has 160 random bits, so there is nothing to guess and
a slow hash would only slow down every request.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol, TypeAlias, get_args, runtime_checkable

from coinswarm import check, codec, errors
from coinswarm.ledger.records import Json

Role: TypeAlias = Literal["read", "submit", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)
"""Each may do what those before it may: look at everything; submit jobs and plays, cancel its own; cancel any job, read the audit log."""

PREFIX, SECRET_BYTES = "swarm_", 20
MAX_QUEUED, MAX_RUNNING = 2_000, 64
_MOST = 1_000_000
_NAME_LIMIT = 200


@dataclass(frozen=True, kw_only=True, slots=True)
class Token:
    """A bearer token as it is stored.

    `id` names it in the queue and in the audit log; `hash` is the SHA-256 of the secret. `max_queued` and `max_running` bound the jobs that
    wait and run on its behalf at one time. Times are in UTC; one that has expired or is revoked opens nothing.
    """

    id: str
    name: str
    role: Role
    hash: str
    max_queued: int = MAX_QUEUED
    max_running: int = MAX_RUNNING
    created: datetime
    expires: datetime | None = None
    revoked: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditRow:
    """One change: when, by which token (its id, or the name of a command on the machine itself), what was done to what."""

    id: int
    at: datetime
    token: str
    action: str
    target: str
    detail: Json


@runtime_checkable
class Access(Protocol):
    """Where tokens and the audit log are kept. Each method is one transaction; a store may be used by several threads."""

    def create_token(self, token: Token, *, by: str) -> None:
        """Keep a token, and note it in the audit log.

        Raises:
            Conflict: a token that is not revoked has this name; InvalidArgument: a value lies outside its domain.
        """

    def token(self, secret: str) -> Token:
        """The token of this secret, if it opens anything now.

        Raises:
            Unauthenticated: no token has it, it has expired, or it was revoked: the error does not say which.
        """

    def tokens(self) -> tuple[Token, ...]:
        """All tokens, oldest first, revoked ones included."""

    def revoke(self, name: str, *, by: str) -> Token:
        """Take a token back, by its id or its name. One that was revoked stays as it is.

        Raises:
            NotFound: there is none.
        """

    def note(self, token: str, action: str, target: str, detail: Json) -> None:
        """Add a row to the audit log."""

    def trail(self, *, limit: int = 100, before: int | None = None) -> tuple[AuditRow, ...]:
        """The newest rows of the audit log, newest first; with `before`, only those with a smaller id."""


def new_secret() -> str:
    """A fresh secret: recognisable in a file by its beginning, 160 random bits."""
    return PREFIX + secrets.token_hex(SECRET_BYTES)


def is_secret(text: str) -> bool:
    """Whether a text looks like a secret; what does not is no token's, and need not be looked up."""
    return len(text) == len(PREFIX) + 2 * SECRET_BYTES and text.startswith(PREFIX)


def fingerprint(secret: str) -> str:
    """SHA-256 of a secret, as it is stored."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def new_token(
    name: str,
    role: Role,
    secret: str,
    *,
    created: datetime,
    expires: datetime | None = None,
    max_queued: int = MAX_QUEUED,
    max_running: int = MAX_RUNNING,
) -> Token:
    """The record of a fresh secret."""
    return Token(
        id=secrets.token_hex(4), name=name, role=role, hash=fingerprint(secret), created=created, expires=expires,
        max_queued=max_queued, max_running=max_running,
    )  # fmt: skip


def checked(token: Token) -> Token:
    """The token, if it can be kept.

    Raises:
        InvalidArgument: a value lies outside its domain.
    """
    if not token.name.strip() or len(token.name) > _NAME_LIMIT or not token.name.isprintable():
        raise errors.InvalidArgument(f"a token's name has 1 to {_NAME_LIMIT} printable characters", found=repr(token.name))
    if token.role not in ROLES:
        raise errors.InvalidArgument(f"a token's role is one of {', '.join(ROLES)}", found=token.role)
    check.within(token.max_queued, "max_queued", 0, _MOST)
    check.within(token.max_running, "max_running", 0, _MOST)
    codec.storable(token.name, "name")
    return token


def opens(token: Token, now: datetime) -> bool:
    """Whether a token opens anything at `now`."""
    return token.revoked is None and (token.expires is None or token.expires > now)


def may(token: Token, role: Role) -> bool:
    """Whether a token may do what `role` may."""
    return ROLES.index(token.role) >= ROLES.index(role)


def unknown() -> errors.Unauthenticated:
    """The error of a secret that opens nothing."""
    return errors.Unauthenticated(
        "a request needs a token that is valid", hint="`coinswarm token create NAME` makes one; send it as `Authorization: Bearer TOKEN`"
    )


def name_taken(name: str) -> errors.Conflict:
    """The error of a name that a living token has."""
    return errors.Conflict(f"a token called {name!r} exists", hint="revoke it first, or take another name")


def find_token(tokens: Sequence[Token], name: str) -> Token:
    """The token that is meant by an id or a name: one that lives before one that was revoked, the newest of those.

    Raises:
        NotFound: there is none.
    """
    fitting = [token for token in tokens if name in (token.id, token.name)]
    if not fitting:
        raise errors.not_found("token", name, [token.name for token in tokens], listed="`coinswarm token list` shows all")
    return max(fitting, key=lambda token: (token.revoked is None, token.created))
