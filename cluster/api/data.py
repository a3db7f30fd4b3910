"""Data sets: the bars that jobs can be run on; listed, taken home as files, taken away by an admin."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Response
from starlette.concurrency import run_in_threadpool

from cluster.api import models, problems
from cluster.api.context import Caller, Here, Queries
from cluster.api.evaluations import MEDIA, PARQUET
from cluster.queries import answers

router = APIRouter(prefix="/api/v1/data-sets", tags=["data sets"])


Key = Annotated[str, Path(pattern=r"^[A-Za-z0-9_.-]+:[A-Za-z0-9_/:.-]{1,150}$", description="such as binance:BTC/USDT:5m")]
_FILE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "a file",
        "content": {PARQUET: {"schema": {"type": "string", "format": "binary"}}, "text/csv": {"schema": {"type": "string"}}},
    }
}


class DataSetOut(models.Answer):
    """Bars of one market. `first_ts` and `last_ts` are the open times of the first and last bar in ms since 1970, UTC."""

    key: str
    exchange: str
    symbol: str
    timeframe: str
    first_ts: int | None
    last_ts: int | None
    n_bars: int
    n_funding: int
    content_hash: str
    synthetic: bool


@router.get("", responses=problems.responses(409))
async def list_data_sets(queries: Queries) -> list[DataSetOut]:
    """All bars of this server."""
    return [DataSetOut.model_validate(entry) for entry in await queries.ask(answers.data_sets)]


class RemovedOut(models.Answer):
    """A data set that was taken away, the jobs that can no longer be replayed, and the campaigns whose vault was declared on it."""

    removed: str
    jobs: list[str]
    campaigns: list[str]


@router.get("/{key:path}/file", response_model=None, responses=_FILE | problems.responses(404, 409))
async def export(
    key: Key,
    queries: Queries,
    form: Annotated[Literal["parquet", "csv"], Query(description="of the file")] = "parquet",
    part: Annotated[Literal["bars", "funding"], Query(description="what is in it")] = "bars",
) -> Response:
    """A data set as a file; importing it, with its funding, gives the same bars and the same hash."""
    name, content = await queries.ask(answers.export_bars, key, form, part)
    return Response(content, media_type=MEDIA[form], headers={"Content-Disposition": f'attachment; filename="{name}"'})


@router.delete("/{key:path}", responses=problems.responses(404, 409))
async def remove(
    key: Key,
    here: Here,
    queries: Queries,
    caller: Caller,
    anyway: Annotated[bool, Query(description="although jobs that used it can then no longer be replayed")] = False,
) -> RemovedOut:
    """Take a data set away, as an admin. What jobs found on it stays; they cannot be replayed, reported or resumed."""
    found = RemovedOut.model_validate(await queries.ask(answers.remove_bars, key, anyway))
    await run_in_threadpool(here.access.note, caller.id, "data set removal", found.removed, {"jobs": len(found.jobs)})
    return found
