"""Following a job: server-sent events, resumable from the last one that arrived.

However many follow a job, one reader asks the database about it. An event's id is the number of the commit it tells of; who reconnects with
`Last-Event-ID` gets what was committed since, in the order it was committed.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import Context
from dataclasses import dataclass, field, replace
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from cluster.api import models, problems
from cluster.api.context import ApiContext, Caller, Here
from cluster.api.jobs import JobId
from cluster.jobs import brief
from coinswarm import errors
from coinswarm.ledger.records import FINAL_STATUSES

router = APIRouter(prefix="/api/v1", tags=["jobs"])
_log = logging.getLogger(__name__)

_QUIET_S = 15.0
_PAGE = 1000
_KEPT = 5000
_STREAM: dict[int | str, dict[str, Any]] = {
    200: {"description": "events `job`, `commit` and `end`", "content": {"text/event-stream": {"schema": {"type": "string"}}}}
}


@dataclass(frozen=True, kw_only=True)
class Event:
    """One event: `number` is its id, 0 for one that every follower gets."""

    number: int
    name: str
    data: str

    def text(self) -> str:
        """As it travels."""
        head = f"id: {self.number}\n" if self.number else ""
        return f"{head}event: {self.name}\ndata: {self.data}\n\n"


@dataclass(frozen=True, kw_only=True, slots=True)
class News:
    """What a reader finds: events, the newest commit and the status that are known then, and whether nothing follows."""

    events: tuple[Event, ...] = ()
    last: int = -1
    status: str = ""
    ended: bool = False


@dataclass(kw_only=True)
class Channel:
    """What is known of one job while it is followed."""

    job: str
    events: list[Event] = field(default_factory=list)
    ended: bool = False
    followers: int = 0
    dropped: int = 0
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    reader: asyncio.Task[None] | None = None


class Hub:
    """One reader a job that is followed.

    Args:
        context: where to read.
    """

    def __init__(self, context: ApiContext) -> None:
        self._context = context
        self._channels: dict[str, Channel] = {}
        self._following: Counter[str] = Counter()

    @asynccontextmanager
    async def following(self, job: str, token: str) -> AsyncIterator[Channel]:
        """The channel of a job; its reader stops with the last follower.

        Raises:
            LimitReached: the token follows as many as it may.
        """
        quota = await run_in_threadpool(self._context.quotas.quota, "token", token)
        most = self._context.limits.watchers if quota.streams is None else quota.streams
        if self._following[token] >= most:
            raise errors.LimitReached(f"a token may follow {most} jobs at once", hint="close some")
        channel = self._channels.setdefault(job, Channel(job=job))
        self._following[token] += 1
        channel.followers += 1
        if channel.reader is None:
            # in a context of its own: it reads for all followers, not for the first, who may leave (`coinswarm.ledger.asking`)
            channel.reader = asyncio.create_task(self._read(channel), context=Context())
        try:
            yield channel
        finally:
            self._following[token] -= 1
            channel.followers -= 1
            if not channel.followers:
                self._channels.pop(job, None)
                channel.reader.cancel()

    @property
    def watchers(self) -> int:
        """How many event streams are open."""
        return sum(self._following.values())

    async def _read(self, channel: Channel) -> None:
        """Append what happens to the channel until its job has ended. A reader that fails ends the streams, and clients connect again."""
        news = News()
        while not channel.ended:
            try:
                news = await run_in_threadpool(_news, self._context, channel.job, news)
            except errors.Unavailable:
                news = replace(news, events=())
            except Exception:  # noqa: BLE001 - followers would wait for ever
                _log.exception("events cannot be read", extra={"job": channel.job})
                news = News(ended=True)
            if news.events or news.ended:
                async with channel.changed:
                    channel.events += news.events
                    channel.ended = news.ended
                    surplus = max(0, len(channel.events) - _KEPT)
                    del channel.events[:surplus]
                    channel.dropped += surplus
                    channel.changed.notify_all()
            await asyncio.sleep(self._context.event_poll_s)


def _news(context: ApiContext, name: str, before: News) -> News:
    """What happened since `before`: the status is read first, so that a job that ended has nothing left to tell after it."""
    job = context.store.job(name)
    events: list[Event] = []
    last, status, ended = before.last, brief.standing(job), job.status in FINAL_STATUSES
    while commits := context.browse.commits(name, after=last, limit=_PAGE):
        for commit in commits:
            rows = [models.GenerationOut.model_validate(record).model_dump() for record in commit.generations]
            events.append(
                Event(number=commit.number, name="commit", data=_json({"job": job.id, "number": commit.number, "generations": rows}))
            )
            last = commit.number
    if status != before.status:
        events.append(Event(number=0, name="job", data=models.JobBrief(**brief.brief(job)).model_dump_json()))
    if ended:
        ending = {"job": job.id, "status": job.status, "error": job.error, "result_hash": job.result_hash}
        events.append(Event(number=0, name="end", data=_json(ending)))
    return News(events=tuple(events), last=last, status=status, ended=ended)


@router.get("/jobs/{job}/events", response_class=StreamingResponse, responses=_STREAM | problems.responses(404, 409))
async def events(
    job: JobId,
    here: Here,
    caller: Caller,
    request: Request,
    last: Annotated[str | None, Header(alias="Last-Event-ID", pattern=r"^[0-9]{1,19}$", description="go on after this event")] = None,
    after: Annotated[int, Query(ge=0, le=2**63 - 1, description="the same, for clients that cannot send the header")] = 0,
) -> StreamingResponse:
    """Follow a job until it ends: `job` tells its status, `commit` what its driver stored, `end` how it ended; then the stream closes."""
    found = await run_in_threadpool(here.store.job, job)
    hub: Hub = request.app.state.hub
    since = max(int(last) if last else 0, after)
    stream = _stream(hub, found.id, caller.id, since)
    first = await anext(stream)
    return StreamingResponse(_after(first, stream), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


async def _after(first: str, rest: AsyncIterator[str]) -> AsyncIterator[str]:
    yield first
    async for text in rest:
        yield text


async def _stream(hub: Hub, job: str, token: str, since: int) -> AsyncIterator[str]:
    async with hub.following(job, token) as channel:
        yield "retry: 2000\n\n"
        place = 0
        while True:
            fresh, place = channel.events[max(place - channel.dropped, 0) :], channel.dropped + len(channel.events)
            text = "".join(event.text() for event in fresh if not event.number or event.number > since)
            if text:
                yield text
            if channel.ended and place == channel.dropped + len(channel.events):
                return
            yield await _wait(channel, place)


async def _wait(channel: Channel, place: int) -> str:
    """Wait for something new; a comment now and then keeps the connection from being taken for dead."""
    try:
        async with asyncio.timeout(_QUIET_S), channel.changed:
            await channel.changed.wait_for(lambda: channel.ended or place < channel.dropped + len(channel.events))
    except TimeoutError:
        return ": still here\n\n"
    return ""


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
