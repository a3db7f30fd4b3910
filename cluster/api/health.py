"""Whether the server is alive, whether it can work, which version it is, who asks, and what it counts."""

from __future__ import annotations

import time
from dataclasses import asdict
from importlib.metadata import version as installed
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from pydantic import Field
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cluster.api import models, problems
from cluster.api.context import ApiContext, Caller, Here, Queries
from cluster.jobs.registry import NAMES
from cluster.queries import answers
from coinswarm import errors

router = APIRouter(tags=["server"])
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_TEXT: dict[int | str, dict[str, Any]] = {200: {"description": "metrics", "content": {"text/plain": {"schema": {"type": "string"}}}}}


class Alive(models.Answer):
    """The server answers."""

    status: Literal["ok"] = "ok"


class Ready(models.Answer):
    """The server can work; `queued` and `running` are jobs of the queue."""

    status: Literal["ready"] = "ready"
    queued: int
    running: int


class VersionOut(models.Answer):
    """The release, and the fingerprint of the code that computes."""

    version: str
    code: str
    api: Annotated[str, Field(description="version of the paths below /api")] = "v1"
    kinds: list[str]


class WhoAmI(models.TokenOut, models.QuotaOut):
    """The token that asks, what its jobs may ask for together, and what they count for."""


class ClusterOut(models.Answer):
    """The cluster that larger jobs run on."""

    dashboard: Annotated[str | None, Field(description="address of Ray's dashboard; null before the first job on a cluster")]


@router.get("/health", responses=problems.responses())
async def health() -> Alive:
    """Whether the server answers. Open to everybody on its own machine."""
    return Alive()


@router.get("/ready", responses=problems.responses())
def ready(here: Here) -> Ready:
    """Whether the server can work: database, its schema and clock, disk, driver service. Open to everybody on its own machine."""
    faults = here.faults()
    if faults:
        raise errors.Unavailable("this server must be able to work", found="; ".join(faults), hint="`coinswarm doctor` says more")
    found = here.queue.standing()
    return Ready(queued=found.queued, running=found.running)


@router.get("/version", responses=problems.responses())
async def version(queries: Queries) -> VersionOut:
    """Which version this is."""
    return VersionOut(version=installed("coinswarm"), code=await queries.ask(answers.ready), kinds=list(NAMES))


@router.get("/api/v1/whoami", responses=problems.responses())
def whoami(here: Here, caller: Caller) -> WhoAmI:
    """The token that asks, without its secret, with its quota and what counts towards it."""
    quota, used = here.quotas.quota("token", caller.id), here.quotas.used("token", caller.id)
    return WhoAmI(**models.TokenOut.model_validate(caller).model_dump(), quota=quota, used=asdict(used))


@router.get("/api/v1/cluster", responses=problems.responses())
def cluster(here: Here) -> ClusterOut:
    """Where Ray's dashboard is. It asks for the token of the cluster and not for one of this server."""
    return ClusterOut(dashboard=here.dashboard())


@router.get("/metrics", response_class=Response, response_model=None, responses=_TEXT | problems.responses())
def metrics(request: Request, here: Here) -> Response:
    """What the server counts, as Prometheus reads it."""
    meters: Meters = request.app.state.meters
    return Response(meters.text(here, request.app.state.hub.watchers), media_type=CONTENT_TYPE_LATEST)


class Meters:
    """Counts of one server, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        registry = self.registry
        self.requests = Counter("coinswarm_http_requests_total", "Requests answered", ["method", "route", "status"], registry=registry)
        self.seconds = Histogram("coinswarm_http_request_seconds", "Time to the head of the answer", ["method", "route"], registry=registry)
        self.jobs = Gauge("coinswarm_jobs", "Jobs by kind and status", ["kind", "status"], registry=registry)
        self.queue = Gauge("coinswarm_queue_jobs", "Jobs of the queue that wait or run", ["status"], registry=registry)
        self.watchers = Gauge("coinswarm_event_streams", "Event streams that are open", registry=registry)

    def text(self, context: ApiContext, watchers: int) -> bytes:
        """All of it; jobs are counted in the database at each request."""
        self.jobs.clear()
        for (kind, status), number in context.browse.jobs_by_status().items():
            self.jobs.labels(kind, status).set(number)
        found = context.queue.standing()
        self.queue.labels("queued").set(found.queued)
        self.queue.labels("running").set(found.running)
        self.watchers.set(watchers)
        return generate_latest(self.registry)


class Metered:
    """Counts what `app` answers by the pattern of the path and by methods that there are: a client can think of any number of others."""

    def __init__(self, app: ASGIApp, meters: Meters) -> None:
        self._app, self._meters = app, meters

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the class."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.monotonic()

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                route = getattr(scope.get("route"), "path", "other")
                method = scope["method"] if scope["method"] in _METHODS else "other"
                self._meters.requests.labels(method, route, message["status"]).inc()
                self._meters.seconds.labels(method, route).observe(time.monotonic() - began)
            await send(message)

        await self._app(scope, receive, counted)
