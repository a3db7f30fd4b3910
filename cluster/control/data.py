"""Data sets: the bars that jobs can be run on."""

from __future__ import annotations

from fastapi import APIRouter

from cluster.control import models, problems
from cluster.control.context import Here
from cluster.driver import desk

router = APIRouter(prefix="/api/v1/data-sets", tags=["data sets"])


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
async def list_data_sets(here: Here) -> list[DataSetOut]:
    """All bars of this server."""
    return [DataSetOut.model_validate(entry) for entry in await here.desk.ask(desk.data_sets)]
