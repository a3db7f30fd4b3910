"""Plays: check, upload, list and read. A play is text in the body, never a path."""

from __future__ import annotations

import dataclasses
import hashlib
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Response
from pydantic import Field
from starlette.concurrency import run_in_threadpool

from cluster.api import models, problems
from cluster.api.context import Caller, Here, Queries
from cluster.api.jobs import Cursor, Limit
from cluster.jobs.settings import MAX_PLAY_CHARACTERS
from cluster.queries import answers
from coinswarm import config
from coinswarm.ledger.records import PlayRecord

router = APIRouter(prefix="/api/v1/plays", tags=["plays"])


class PlayIn(config.Settings):
    """A play in YAML."""

    text: Annotated[str, Field(min_length=1, max_length=MAX_PLAY_CHARACTERS)]


class PlayChecked(models.Answer):
    """What a play says. `size` is the number of its variants, null where real numbers make it infinite, or a bound of it."""

    sha256: str
    name: str
    size: int | None
    size_is_exact: bool
    dimensions: dict[str, str]
    markets: list[str]
    notes: list[str]
    text: str


class PlayBriefOut(models.Answer):
    """A stored play without its text, which has so many `characters`. `size` is as in a check; `problem`: why it cannot be read today."""

    sha256: str
    name: str
    size: int | None
    size_is_exact: bool
    problem: str
    characters: int
    saved: datetime


class PlayOut(models.Answer):
    """A stored play."""

    sha256: str
    name: str
    text: str


@router.post("/check", responses=problems.responses(400, 413))
async def check(play: PlayIn, queries: Queries) -> PlayChecked:
    """Check a play whole, without storing it: every mistake is listed, with line, rule and the nearest names."""
    found: dict[str, Any] = await queries.ask(answers.check_play, play.text)
    return PlayChecked(sha256=_hash(play.text), **found)


@router.post("", status_code=201, responses=problems.responses(400, 409, 413))
async def upload(play: PlayIn, here: Here, queries: Queries, caller: Caller, response: Response) -> PlayOut:
    """Check a play and store it under the hash of its text; uploading it again changes nothing."""
    found: dict[str, Any] = await queries.ask(answers.check_play, play.text)
    record = PlayRecord(sha256=_hash(play.text), name=found["name"], text=play.text)
    await run_in_threadpool(here.store.save_play, record)
    await run_in_threadpool(here.access.note, caller.id, "play upload", record.sha256, {"name": record.name})
    response.headers["Location"] = f"/api/v1/plays/{record.sha256}"
    return PlayOut.model_validate(record)


@router.get("", responses=problems.responses(400))
async def list_plays(here: Here, queries: Queries, cursor: Cursor = None, limit: Limit = 100) -> models.PageOut[PlayBriefOut]:
    """Stored plays, newest first."""
    place = models.place(cursor, int)
    found = await run_in_threadpool(lambda: here.browse.plays(after=place, limit=limit))
    sizes: list[dict[str, Any]] = await queries.ask(answers.play_sizes, [row.sha256 for row in found.rows])
    rows = ({**dataclasses.asdict(row), **size} for row, size in zip(found.rows, sizes, strict=True))
    return models.PageOut[PlayBriefOut].of(found, rows)


@router.get("/{sha256}", responses=problems.responses(404, 409))
def show(sha256: Annotated[str, Path(pattern=r"^[0-9a-f]{4,64}$", description="the hash or the beginning of it")], here: Here) -> PlayOut:
    """A stored play with its text."""
    return PlayOut.model_validate(here.store.play(sha256))


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
