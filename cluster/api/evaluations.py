"""Evaluations: pages of them, one with all its figures, its family tree, its report, trades and equity."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Response
from fastapi.responses import HTMLResponse

from cluster.api import models, problems
from cluster.api.context import Here, Queries, RequestQueries
from cluster.api.jobs import HTML_POLICY, ID, Cursor, Limit
from cluster.api.patterns import A_PLAY, YAML
from cluster.jobs.settings import Name
from cluster.queries import answers
from coinswarm.ledger.browse import EvaluationFilter, EvaluationOrder

router = APIRouter(prefix="/api/v1/evaluations", tags=["evaluations"])

EvaluationId = Annotated[str, Path(pattern=r"^[0-9a-z]{4,64}$", description="an evaluation's id or the beginning of it")]
Market = Annotated[Name | None, Query(description="key of a data set of its job; else the first")]
Form = Annotated[answers.Form, Query(description="of the answer")]
Side = Annotated[
    Literal["long", "short"] | None, Query(description="as if the play traded this side alone: the other side's entries are ignored")
]
Number = Annotated[int | None, Query(ge=0, le=2**31 - 1)]
Fitness = Annotated[float | None, Query(allow_inf_nan=False)]
Word = Annotated[str | None, Query(pattern=r"^[A-Za-z0-9_ .:+-]{1,80}$")]

PARQUET = "application/vnd.apache.parquet"
MEDIA = {"json": "application/json", "parquet": PARQUET, "csv": "text/csv; charset=utf-8"}
_ROWS = {"schema": {"type": "array", "items": {"type": "object"}}}
_FILE = {"schema": {"type": "string", "format": "binary"}}
_TABLE: dict[int | str, dict[str, Any]] = {
    200: {"description": "rows", "content": {"application/json": _ROWS, PARQUET: _FILE, "text/csv": {"schema": {"type": "string"}}}}
}


@router.get("", responses=problems.responses(400, 404, 409))
def list_evaluations(
    here: Here,
    job: Annotated[str, Query(pattern=ID, description="a job's id or the beginning of it")],
    play: Annotated[str | None, Query(pattern=r"^[0-9a-f]{64}$")] = None,
    status: Word = None,
    operator: Word = None,
    island: Number = None,
    from_generation: Number = None,
    to_generation: Number = None,
    min_fitness: Fitness = None,
    max_fitness: Fitness = None,
    sort: Annotated[
        EvaluationOrder, Query(description="a leading minus: greatest first; equal ones by id; `fitness` leaves out those without one")
    ] = "-fitness",
    cursor: Cursor = None,
    limit: Limit = 100,
) -> models.PageOut[models.EvaluationBriefOut]:
    """Evaluations of a job, filtered and sorted, page by page."""
    wanted = EvaluationFilter(
        job=here.store.job(job).id, play=play, status=status, operator=operator, island=island, from_generation=from_generation,
        to_generation=to_generation, min_fitness=min_fitness, max_fitness=max_fitness,
    )  # fmt: skip
    kind: type[int | float | str] = {"fitness": float, "generation": int}.get(sort.removeprefix("-"), str)
    found = here.browse.evaluations(wanted, sort, after=models.place(cursor, kind), limit=limit)
    return models.PageOut[models.EvaluationBriefOut].of(found)


@router.get("/{evaluation}", responses=problems.responses(404, 409))
def show(evaluation: EvaluationId, here: Here) -> models.EvaluationOut:
    """One evaluation with its parameters, its origin and its figures on every data set and segment."""
    return models.EvaluationOut.model_validate(here.store.evaluation(evaluation))


@router.get("/{evaluation}/lineage", responses=problems.responses(404, 409))
def lineage(evaluation: EvaluationId, here: Here) -> list[models.AncestorOut]:
    """An evaluation and all its ancestors within its job, nearest first."""
    return [models.AncestorOut.model_validate(ancestor) for ancestor in here.store.lineage(evaluation)]


@router.get("/{evaluation}/report", response_class=HTMLResponse, responses=problems.responses(404, 409))
async def report(evaluation: EvaluationId, queries: Queries) -> HTMLResponse:
    """The report of an evaluation: one HTML page that needs nothing else."""
    return HTMLResponse(await queries.ask(answers.report, evaluation), headers={"Content-Security-Policy": HTML_POLICY})


@router.get("/{evaluation}/play", response_model=None, responses=A_PLAY | problems.responses(404, 409))
async def play(evaluation: EvaluationId, queries: Queries) -> Response:
    """An evaluation as a play in YAML in which nothing varies. It says where it comes from; no gate has passed it."""
    return Response(await queries.ask(answers.play_of, evaluation), media_type=YAML)


@router.get("/{evaluation}/rules", responses=problems.responses(404, 409))
async def rules(evaluation: EvaluationId, queries: Queries) -> models.RulesOut:
    """The rules of an evaluation in words, with every number fixed."""
    return models.RulesOut(text=await queries.ask(answers.rules_of, evaluation))


@router.get("/{evaluation}/trades", response_model=None, responses=_TABLE | problems.responses(404, 409))
async def trades(evaluation: EvaluationId, queries: Queries, market: Market = None, form: Form = "json", side: Side = None) -> Response:
    """The trades of an evaluation on one market, simulated again over all bars of its job."""
    return await _table(queries, answers.trades, evaluation, market, form, side)


@router.get("/{evaluation}/equity", response_model=None, responses=_TABLE | problems.responses(404, 409))
async def equity(evaluation: EvaluationId, queries: Queries, market: Market = None, form: Form = "json", side: Side = None) -> Response:
    """The account value and the position at the close of each bar, with the time of the close in ms."""
    return await _table(queries, answers.equity, evaluation, market, form, side)


@router.get("/{evaluation}/bars", response_model=None, responses=_TABLE | problems.responses(404, 409))
async def bars(evaluation: EvaluationId, queries: Queries, market: Market = None, form: Form = "json") -> Response:
    """The bars that an evaluation was made on, with their open times in ms."""
    return await _table(queries, answers.bars, evaluation, market, form)


async def _table(
    queries: RequestQueries, function: Callable[..., Any], evaluation: str, market: str | None, form: answers.Form, *more: str | None
) -> Response:
    content: bytes = await queries.ask(function, evaluation, market, form, *more)
    return Response(content, media_type=MEDIA[form])
