"""Charts: what the page draws of one variant on one market, in one answer that is small enough for a screen."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field

from cluster.api import models, problems
from cluster.api.context import Queries
from cluster.api.evaluations import EvaluationId, Market
from cluster.jobs.settings import Moment
from cluster.queries import chart

router = APIRouter(prefix="/api/v1/evaluations", tags=["evaluations"])


class CandlesOut(models.Answer):
    """Columns of equal length. `ts` is the open time in ms; `equity` is the account's value at the candle's close."""

    ts: list[int]
    open: list[models.Figure]
    high: list[models.Figure]
    low: list[models.Figure]
    close: list[models.Figure]
    equity: list[models.Figure]


class TradeOut(models.Answer):
    """One position. `exit_ts` is null while it is open."""

    entry_ts: int
    exit_ts: int | None
    side: str
    entry_price: models.Figure
    exit_price: models.Figure
    exit_reason: str
    pnl: models.Figure
    return_: Annotated[models.Figure, Field(alias="return", serialization_alias="return")]
    bars_held: int | None


class ChartOut(models.Answer):
    """Candles and trades. `split_ts` is the time from which on the search saw nothing; trades are the newest of `n_trades`."""

    evaluation: str
    market: str
    markets: list[str]
    synthetic: bool
    bar_ms: int
    bars_per_candle: int
    split_ts: int | None
    candles: CandlesOut
    n_trades: int
    trades: list[TradeOut]


@router.get("/{evaluation}/chart", responses=problems.responses(400, 404, 409))
async def show(
    evaluation: EvaluationId,
    queries: Queries,
    market: Market = None,
    points: Annotated[int, Query(ge=10, le=5000, description="most candles; neighbours are merged")] = 1500,
    from_ts: Annotated[Moment | None, Query()] = None,
    to_ts: Annotated[Moment | None, Query(description="excluded")] = None,
) -> ChartOut:
    """A variant on one market, simulated again: merged candles, the account's value and the trades between two times."""
    found: dict[str, Any] = await queries.ask(chart.chart, evaluation, market, points, from_ts, to_ts)
    return ChartOut.model_validate(found)
