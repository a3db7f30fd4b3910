"""The gate every request passes before anything of it is read: who asks, whether it may, how often, and how much it sends how fast."""

from __future__ import annotations

import asyncio
import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable, MutableMapping
from typing import Any, TypeAlias

from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cluster.api import problems, reference
from cluster.api.context import ApiContext, Limits
from coinswarm import errors
from coinswarm.ledger import access
from coinswarm.ledger.access import Role, Token

Clock: TypeAlias = Callable[[], float]

HEALTH = ("/health", "/ready")
"""Answered without a token to a client on this machine that asks for this machine, and with one elsewhere: a page of another site whose
name leads here reads nothing."""
PAGE = ("/", "/favicon.svg", reference.SCHEMA, reference.FORMER, reference.PAGE)
PAGE_FOLDER = "/assets/"
"""The web page, a program without any data, and the description of the API."""
ADMIN = ("/api/v1/tokens", "/api/v1/quotas", "/api/v1/audit")
DATA_SETS, JOBS, EVALUATIONS = "/api/v1/data-sets/", "/api/v1/jobs/", "/api/v1/evaluations/"
_SAFE = ("GET", "HEAD", "OPTIONS")
_KNOWN_FOR_S = 1.0
_REMEMBERED = 10_000
_LOOKUPS = 8
"""Secrets that are looked up at one time; a flood of wrong ones leaves threads and connections for those who have a right one."""
_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cache-control", b"no-store"),
    (b"x-frame-options", b"DENY"),
)


class Bucket:
    """How often a caller may ask: `rate` a second in the long run, `burst` at once.

    Args:
        rate: tokens a second.
        burst: the most that is saved up.
        clock: seconds that only grow.
    """

    def __init__(self, rate: float, burst: float, clock: Clock = time.monotonic) -> None:
        self._rate, self._burst, self._clock = rate, burst, clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, name: str, cost: float = 1.0) -> bool:
        """Whether `name` may go on; if so, it has `cost` less."""
        now = self._clock()
        left, then = self._left.pop(name, (self._burst, now))
        left = min(self._burst, left + (now - then) * self._rate)
        allowed = left >= cost
        self._left[name] = (left - cost if allowed else left, now)
        if len(self._left) > _REMEMBERED:
            self._left.popitem(last=False)
        return allowed


class Callers:
    """Tokens of those who asked a moment ago, so that a busy client costs one look-up a second."""

    def __init__(self, context: ApiContext, clock: Clock = time.monotonic) -> None:
        self._context, self._clock = context, clock
        self._known: OrderedDict[str, tuple[Token, float]] = OrderedDict()
        self._looking = asyncio.Semaphore(_LOOKUPS)

    async def named(self, secret: str) -> Token:
        """The token of a secret.

        Raises:
            Unauthenticated: it opens nothing.
        """
        name, now = access.fingerprint(secret), self._clock()
        token, until = self._known.pop(name, (None, 0.0))
        if token is None or until < now:
            if not access.is_secret(secret):
                raise access.unknown()
            async with self._looking:
                token, until = await run_in_threadpool(self._context.access.token, secret), now + _KNOWN_FOR_S
        self._known[name] = (token, until)
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return token


class Gate:
    """Lets a request through to `app` with its token in the scope's state, or answers with a problem document."""

    def __init__(self, app: ASGIApp, context: ApiContext) -> None:
        limits = context.limits
        self._app, self._limits = app, limits
        self._callers = Callers(context)
        self._asked = Bucket(limits.requests_per_s, limits.burst)
        self._refused = Bucket(limits.refusals_per_min / 60, limits.refusals_per_min)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the class."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        body = Body(receive, self._limits)
        guarded = _guarded(send)
        try:
            await self._admit(scope)
            body.refuse_announced(scope)
        except errors.CoinswarmError as problem:
            await problems.answer(problems.of(problem))(scope, receive, guarded)
            return
        await self._app(scope, body.receive, guarded)

    async def _admit(self, scope: Scope) -> None:
        scope.setdefault("state", {})
        if is_open(scope):
            return
        token = await self._named(scope)
        scope["state"]["token"] = token
        if not self._asked.take(token.id):
            rule = f"a token may ask {self._limits.requests_per_s:g} times a second"
            raise errors.LimitReached(rule, hint="wait a second; to follow a job use its events")
        needed = needed_role(scope["method"], scope["path"])
        if not access.may(token, needed):
            raise errors.Forbidden(
                f"this needs a token with the role {needed}", found=token.role, hint="ask an admin of this server for one"
            )

    async def _named(self, scope: Scope) -> Token:
        address = str((scope.get("client") or ("unknown",))[0])
        try:
            return await self._callers.named(_secret(scope))
        except errors.Unauthenticated:
            if not self._refused.take(address):
                raise errors.LimitReached("too many requests without a valid token", hint="wait a minute") from None
            raise


class Body:
    """The body of a request: no larger and no slower than the limits say.

    Args:
        receive: where it comes from.
        limits: how much and how fast.
        clock: seconds that only grow.
    """

    def __init__(self, receive: Receive, limits: Limits, clock: Clock = time.monotonic) -> None:
        self._receive, self._limits, self._clock = receive, limits, clock
        self._until = clock() + limits.body_s
        self._size = 0
        self._whole = False

    def refuse_announced(self, scope: Scope) -> None:
        """Raise `TooLarge` for a body that says itself that it is too large."""
        said = _header(scope, b"content-length")
        if said.isdigit() and int(said) > self._limits.body_bytes:
            raise self._too_large(int(said))

    async def receive(self) -> Message:
        """The next piece.

        Raises:
            TooLarge, TimedOut: it is too much, or too slow.
        """
        if self._whole:
            return await self._receive()
        try:
            message = await asyncio.wait_for(self._receive(), max(self._until - self._clock(), 0.001))
        except TimeoutError:
            raise errors.TimedOut(f"a request must arrive within {self._limits.body_s:g} s", hint="send it at once") from None
        self._size += len(message.get("body", b""))
        self._whole = not message.get("more_body", False)
        if self._size > self._limits.body_bytes:
            raise self._too_large(self._size)
        return message

    def _too_large(self, size: int) -> errors.TooLarge:
        return errors.TooLarge(f"a request has at most {self._limits.body_bytes:,} bytes", found=f"{size:,} or more")


def is_open(scope: Scope) -> bool:
    """Whether a request needs no token."""
    path = scope["path"]
    if scope["method"] not in _SAFE:
        return False
    if path in PAGE or path.startswith(PAGE_FOLDER):
        return True
    return path in HEALTH and is_loopback(str((scope.get("client") or ("",))[0])) and _asks_for_loopback(scope)


def _asks_for_loopback(scope: Scope) -> bool:
    """Whether the Host header names this machine's own address; a client of HTTP/1.0 may leave it out, a browser does not."""
    host = _header(scope, b"host")
    name = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
    return not host or is_loopback(name)


def needed_role(method: str, path: str) -> Role:
    """The role that a request needs: looking is `read`, changing is `submit`; what cannot be undone, tokens and the audit log `admin`."""
    if (method == "DELETE" and path.startswith(DATA_SETS)) or (path.startswith(JOBS) and path.endswith("/terminate")):
        return "admin"
    if path.startswith(EVALUATIONS) and path.endswith("/opening"):
        return "admin"
    if any(path == start or path.startswith(f"{start}/") for start in ADMIN):
        return "admin"
    return "read" if method in _SAFE or path == "/api/v1/plays/check" else "submit"


def is_loopback(host: str) -> bool:
    """Whether an address or name is this machine's own and reachable from nowhere else."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def refuse_open_server(host: str, tokens: tuple[Token, ...], local: str) -> None:
    """Raise `Refused` when a server would listen beyond this machine although there is no token for it.

    Args:
        host: where it would listen.
        tokens: those there are.
        local: name of the token that a server makes for its own machine; it does not count.
    """
    if is_loopback(host):
        return
    if not any(token.revoked is None and token.name not in (local, f"{local}-page") for token in tokens):
        raise errors.Refused(
            "a server that others reach needs a token first",
            found=f"--host {host} and none",
            hint="`coinswarm token create NAME --role submit`",
        )


def refuse_foreign(token: Token, owner: str | None, job: str) -> None:
    """Raise `Forbidden` unless a token has submitted the job, or is an admin's."""
    if token.role != "admin" and owner != token.id:
        raise errors.Forbidden(f"job {job} was submitted with another token", hint="its own token, or one of an admin, may change it")


def _secret(scope: Scope) -> str:
    kind, _, secret = _header(scope, b"authorization").partition(" ")
    if kind.lower() != "bearer" or not secret.strip():
        raise access.unknown()
    return secret.strip()


def _header(scope: Scope, name: bytes) -> str:
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")


def _guarded(send: Send) -> Send:
    async def sender(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            there = {key.lower() for key, _ in message.get("headers", [])}
            message["headers"] = [*message.get("headers", []), *(pair for pair in _HEADERS if pair[0] not in there)]
        await send(message)

    return sender
