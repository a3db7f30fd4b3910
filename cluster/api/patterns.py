"""Patterns of the library: pages of them, one with all its evidence, and each as a play that trades it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Response
from pydantic import BeforeValidator
from starlette.concurrency import run_in_threadpool

from cluster.api import models, problems
from cluster.api.context import Here, Queries
from cluster.api.jobs import ID, Cursor, Limit
from cluster.queries import answers
from coinswarm import codec
from coinswarm.ledger.browse import PatternFilter
from coinswarm.ledger.patterns import PatternSource, PatternStatus

router = APIRouter(prefix="/api/v1/patterns", tags=["patterns"])

PatternId = Annotated[str, Path(pattern=r"^[0-9a-f]{4,64}$", description="a pattern's id or the beginning of it")]
YAML = "application/yaml"
A_PLAY: dict[int | str, dict[str, Any]] = {200: {"description": "a play", "content": {YAML: {"schema": {"type": "string"}}}}}


class PatternOut(models.Answer):
    """A pattern. `figures` are by segment; `evidence` says how it was found, at which level it was tested, and what became of it."""

    id: str
    source: PatternSource
    name: str
    status: PatternStatus
    job: str
    conditions: Annotated[list[dict[str, Any]], BeforeValidator(codec.plain)]
    figures: models.Json
    p_confirm: models.Figure
    discovered_at: datetime
    evidence: models.Json
    synthetic: bool


@router.get("", responses=problems.responses(400))
def list_patterns(
    here: Here,
    source: PatternSource | None = None,
    status: PatternStatus | None = None,
    job: Annotated[str | None, Query(pattern=ID, description="id of the job that found them")] = None,
    synthetic: Annotated[bool | None, Query(description="whether the bars behind them were made")] = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> models.PageOut[PatternOut]:
    """Patterns, newest first."""
    wanted = PatternFilter(source=source, status=status, job=job, synthetic=synthetic)
    found = here.browse.patterns(wanted, after=models.place(cursor, int), limit=limit)
    return models.PageOut[PatternOut].of(found)


@router.get("/{pattern}", responses=problems.responses(404, 409))
def show(pattern: PatternId, here: Here) -> PatternOut:
    """One pattern with all that is known of it."""
    return PatternOut.model_validate(here.library.pattern(pattern))


@router.get("/{pattern}/play", response_model=None, responses=A_PLAY | problems.responses(404, 409))
async def play(
    pattern: PatternId,
    here: Here,
    queries: Queries,
    hold_bars: Annotated[int | None, Query(ge=1, le=100_000, description="none: the median hold of its trades")] = None,
    side: Annotated[Literal["long", "short"] | None, Query(description="where the pattern does not say; none: what made more")] = None,
) -> Response:
    """A pattern as a play in YAML that enters where it holds; submit it as any other."""
    record = await run_in_threadpool(here.library.pattern, pattern)
    return Response(await queries.ask(answers.pattern_play, record, hold_bars, side), media_type=YAML)
