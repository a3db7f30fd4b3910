"""Plays: check, upload, list and read. A play is text in the body, never a path."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Response
from pydantic import Field
from starlette.concurrency import run_in_threadpool

from cluster.control import models, problems
from cluster.control.context import Caller, Here
from cluster.control.jobs import Cursor, Limit
from cluster.driver import desk
from cluster.driver.requests import MAX_PLAY_CHARACTERS
from coinswarm import config
from coinswarm.ledger.records import PlayRecord

router = APIRouter(prefix="/api/v1/plays", tags=["plays"])


class PlayIn(config.Settings):
    """A play in YAML."""

    text: Annotated[str, Field(min_length=1, max_length=MAX_PLAY_CHARACTERS)]


class PlayChecked(models.Answer):
    """What a play says. `size` is the number of its variants, null where real numbers make it infinite."""

    sha256: str
    name: str
    size: int | None
    dimensions: dict[str, str]
    markets: list[str]
    notes: list[str]
    text: str


class PlayBriefOut(models.Answer):
    """A stored play without its text."""

    sha256: str
    name: str
    size: int
    saved: datetime


class PlayOut(models.Answer):
    """A stored play."""

    sha256: str
    name: str
    text: str


@router.post("/check", responses=problems.responses(400, 413))
async def check(play: PlayIn, here: Here) -> PlayChecked:
    """Check a play whole, without storing it: every mistake is listed, with line, rule and the nearest names."""
    found: dict[str, Any] = await here.desk.ask(desk.check_play, play.text)
    return PlayChecked(sha256=_hash(play.text), **found)


@router.post("", status_code=201, responses=problems.responses(400, 409, 413))
async def upload(play: PlayIn, here: Here, caller: Caller, response: Response) -> PlayOut:
    """Check a play and store it under the hash of its text; uploading it again changes nothing."""
    found: dict[str, Any] = await here.desk.ask(desk.check_play, play.text)
    record = PlayRecord(sha256=_hash(play.text), name=found["name"], text=play.text)
    await run_in_threadpool(here.store.save_play, record)
    await run_in_threadpool(here.access.note, caller.id, "play upload", record.sha256, {"name": record.name})
    response.headers["Location"] = f"/api/v1/plays/{record.sha256}"
    return PlayOut.model_validate(record)


@router.get("", responses=problems.responses(400))
def list_plays(here: Here, cursor: Cursor = None, limit: Limit = 100) -> models.PageOut[PlayBriefOut]:
    """Stored plays, newest first."""
    found = here.browse.plays(after=models.place(cursor, int), limit=limit)
    return models.PageOut[PlayBriefOut](**models.page(found, [PlayBriefOut.model_validate(row) for row in found.rows]))


@router.get("/{sha256}", responses=problems.responses(404, 409))
def show(sha256: Annotated[str, Path(pattern=r"^[0-9a-f]{4,64}$", description="the hash or the beginning of it")], here: Here) -> PlayOut:
    """A stored play with its text."""
    return PlayOut.model_validate(here.store.play(sha256))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
