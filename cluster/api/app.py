"""The application: routes, the gate before them, and the description that clients are made from."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from fastapi import Depends, FastAPI, Security
from fastapi.security import HTTPBearer

from cluster.api import (
    campaigns,
    charts,
    data,
    evaluations,
    events,
    health,
    jobs,
    leaving,
    patterns,
    plays,
    problems,
    reference,
    security,
    tokens,
    web,
)
from cluster.api.context import ApiContext, refuse_unknown_parameters
from cluster.api.counting import Trials
from coinswarm import errors

DESCRIPTION = """Submit jobs, follow them, and query what they found.

Every request carries `Authorization: Bearer TOKEN`; `/health` and `/ready` are open on the server's own machine, and this description is
everywhere. Errors are problem documents (RFC 9457). Lists come in pages: `next` of one is the `cursor` of the next."""

_WARM_AFTER_S = 3.0
"""Seconds after which the processes that compute answers are started, so that the first page does not wait for them."""
_log = logging.getLogger(__name__)
_bearer = HTTPBearer(auto_error=False, description="`coinswarm token create NAME --role read|submit|admin`")


def create(context: ApiContext) -> FastAPI:
    """The application over what it works with."""

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        warming = asyncio.create_task(_warmed(context))
        yield
        warming.cancel()

    app = FastAPI(
        title="coinswarm", version=version("coinswarm"), description=DESCRIPTION, lifespan=lifespan, license_info={"name": "MIT"},
        openapi_url=None, docs_url=None, redoc_url=None, redirect_slashes=False,
    )  # fmt: skip
    app.state.context = context
    app.state.hub = events.Hub(context)
    app.state.trials = Trials(lambda campaign: context.store.count_trials(campaign).trials)
    app.state.meters = health.Meters()
    problems.install(app)
    for module in (jobs, events, plays, data, evaluations, charts, patterns, campaigns, tokens):
        app.include_router(module.router, dependencies=[Security(_bearer), Depends(refuse_unknown_parameters)])
    app.include_router(health.router, dependencies=[Depends(refuse_unknown_parameters)])
    app.include_router(web.router())
    app.include_router(reference.router(app.openapi))
    app.add_middleware(leaving.Leaving)
    app.add_middleware(security.Gate, context=context)
    app.add_middleware(health.Metered, meters=app.state.meters)
    app.openapi = lambda: _described(app)  # type: ignore[method-assign]
    return app


async def _warmed(context: ApiContext) -> None:
    """Start the processes that compute answers a little later; one that is asked for earlier starts itself."""
    await asyncio.sleep(_WARM_AFTER_S)
    try:
        await context.pool.start()
    except errors.CoinswarmError as problem:
        _log.warning("the processes that compute answers did not start: %s", problem)


def _described(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI description, with problem documents in the place of FastAPI's own form of errors."""
    if app.openapi_schema is None:
        found = FastAPI.openapi(app)
        schemas = found["components"]["schemas"]
        problem = problems.Problem.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas |= problem.pop("$defs") | {"Problem": problem}
        for name in ("HTTPValidationError", "ValidationError"):
            schemas.pop(name, None)
        app.openapi_schema = found
    return app.openapi_schema or {}
