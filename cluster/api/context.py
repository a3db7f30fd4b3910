"""What the endpoints work with: protocols only, filled in by `cluster.bootstrap`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Protocol, TypeVar

from fastapi import Depends, Request

from coinswarm import errors
from coinswarm.ledger.access import Access, Token
from coinswarm.ledger.browse import Browse
from coinswarm.ledger.campaigns import Campaigns
from coinswarm.ledger.patterns import PatternStore
from coinswarm.ledger.queue import Queue
from coinswarm.ledger.quotas import Quota, Quotas
from coinswarm.ledger.store import Store

_T = TypeVar("_T")


async def never() -> None:
    """Wait for what does not come."""
    await asyncio.Event().wait()


@dataclass(frozen=True, kw_only=True, slots=True)
class QueryClient:
    """Who asks for an answer: the id of a token, and what ends once its client has hung up."""

    token: str = ""
    hung_up: Callable[[], Coroutine[Any, Any, object]] = never


class QueryPool(Protocol):
    """Computes in processes of its own, which tokens use in turn."""

    async def ask(self, client: QueryClient, function: Callable[..., _T], *values: Any) -> _T:
        """The answer of a function of `cluster.queries`.

        Raises:
            TimedOut: it took too long; LimitReached: the token has too many waiting; Cancelled: the client hung up;
            Unavailable: its process died, or too many wait; else whatever the function raises.
        """
        ...

    async def start(self) -> None:
        """Have the processes import what they need; on a machine that is busy that may take longer than any answer.

        Raises:
            Unavailable: they died.
        """
        ...

    def close(self) -> None:
        """End the processes."""
        ...


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How much one may ask for.

    Attributes:
        body_bytes: largest body of a request.
        body_s, header_s: how long a client may take to send its body, and the head of a request.
        requests_per_s, burst: of one token.
        refusals_per_min: failed attempts of one address to name a token.
        job: the most that one job may ask for.
        watchers: event streams that one token may have open.
    """

    body_bytes: int = 4_000_000
    body_s: float = 15.0
    header_s: float = 10.0
    requests_per_s: float = 200.0
    burst: int = 400
    refusals_per_min: int = 60
    job: Quota = field(default_factory=lambda: Quota(trials=10_000_000))
    watchers: int = 500


@dataclass(frozen=True, kw_only=True)
class ApiContext:
    """Everything an endpoint may use.

    `dashboard` says where Ray's own page is, while that is known; `faults` what keeps the server from working, besides a database that does
    not answer, which raises.
    """

    store: Store
    queue: Queue
    access: Access
    quotas: Quotas
    browse: Browse
    library: PatternStore
    campaigns: Campaigns
    pool: QueryPool
    dashboard: Callable[[], str | None] = lambda: None
    faults: Callable[[], Sequence[str]] = lambda: ()
    limits: Limits = field(default_factory=Limits)
    event_poll_s: float = 0.5


class RequestQueries:
    """The processes that compute, as one request asks them: for its token, until its client hangs up."""

    def __init__(self, pool: QueryPool, client: QueryClient) -> None:
        self._pool, self._client = pool, client

    async def ask(self, function: Callable[..., _T], *values: Any) -> _T:
        """As `QueryPool.ask`."""
        return await self._pool.ask(self._client, function, *values)


def _context(request: Request) -> ApiContext:
    found: ApiContext = request.app.state.context
    return found


def _queries(request: Request) -> RequestQueries:
    async def hung_up() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass

    return RequestQueries(_context(request).pool, QueryClient(token=_caller(request).id, hung_up=hung_up))


def _caller(request: Request) -> Token:
    """The token that `security.Gate` has found; of open paths there is none."""
    found: Token = request.scope["state"]["token"]
    return found


def refuse_unknown_parameters(request: Request) -> None:
    """A parameter that an endpoint does not have is a mistake, such as a filter that is misspelt, and never ignored.

    Raises:
        InvalidArgument: there is one.
    """
    known = _parameters(request.scope["route"].dependant)
    for name in request.query_params:
        if name not in known:
            raise errors.InvalidArgument(f"there is no parameter {name[:80]!r} here", hint=f"there is {', '.join(known) or 'none'}")


def _parameters(dependant: Any) -> list[str]:
    own = [field.alias for field in dependant.query_params]
    return own + [name for inner in dependant.dependencies for name in _parameters(inner)]


Here = Annotated[ApiContext, Depends(_context)]
Queries = Annotated[RequestQueries, Depends(_queries)]
Caller = Annotated[Token, Depends(_caller)]
