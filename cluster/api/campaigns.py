"""What was decided about campaigns and variants: splits, openings of the vault, verdicts of the gates, the library.

All of it is to look at only, but for opening a vault.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import BeforeValidator, Field
from starlette.concurrency import run_in_threadpool

from cluster.api import models, problems
from cluster.api.context import Caller, Here, Queries
from cluster.api.evaluations import EvaluationId
from cluster.queries import answers
from coinswarm import config, errors
from coinswarm.ledger import lifecycle
from coinswarm.ledger.campaigns import SplitMarket, VettedPlay
from coinswarm.ledger.lifecycle import State, Transition

router = APIRouter(prefix="/api/v1", tags=["campaigns"])

CampaignName = Annotated[str, Path(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f/]+$")]


def _keys(markets: Iterable[SplitMarket]) -> list[str]:
    return [market.key for market in markets]


class SpanOut(models.Answer):
    """A span of time in ms; `end_ts` is excluded."""

    start_ts: int
    end_ts: int


class CampaignOut(models.Answer):
    """How a campaign's time is cut. No job of it sees a bar of its vault."""

    campaign: str
    markets: Annotated[list[str], BeforeValidator(_keys)]
    train: SpanOut
    validation: SpanOut
    vault: SpanOut
    purge_bars: int
    embargo_bars: int
    who: str
    when: datetime


class OpeningOut(models.Answer):
    """One look at a vault.

    `passed` says whether the variant's newest card kept the gates then, null where that is not known; `seen_by` counts jobs of other
    campaigns that had seen its bars before.
    """

    id: str
    campaign: str
    evaluation: str
    who: str
    when: datetime
    why: str
    passed: bool | None
    seen_by: int
    figures: models.Json


class OpeningIn(config.Settings):
    """Why a vault is opened; `anyway`: also for a variant that has not passed its gates, and the log says so."""

    why: Annotated[str, Field(min_length=1, max_length=2000)]
    anyway: bool = False


class VerdictOut(models.Answer):
    """What the gates said of a variant; `document` is the verdict in full."""

    hash: str
    evaluation: str
    campaign: str
    gates_hash: str
    card_hash: str
    passed: bool
    document: Annotated[dict[str, Any], BeforeValidator(json.loads)]
    who: str
    when: datetime


class StepOut(models.Answer):
    """One step of a variant's life."""

    source: State
    target: State
    who: str
    when: datetime
    why: str


class StandingOut(models.Answer):
    """Where a variant stands, what the gates said of it, and how it got there."""

    evaluation: str
    state: State
    verdicts: list[VerdictOut]
    steps: list[StepOut]


class VettedOut(models.Answer):
    """A play of the library, and where its variant stands now."""

    sha256: str
    name: str
    state: State
    evaluation: str
    verdict: str
    tags: models.Json
    text: str
    who: str
    when: datetime


@router.get("/campaigns", responses=problems.responses())
def list_campaigns(here: Here) -> list[CampaignOut]:
    """Campaigns that have a vault, by name."""
    return [CampaignOut.model_validate(split) for split in here.campaigns.splits()]


@router.get("/campaigns/{campaign}", responses=problems.responses(404, 409))
def show(campaign: CampaignName, here: Here) -> CampaignOut:
    """How a campaign's time is cut."""
    found = here.campaigns.split(campaign)
    if found is None:
        raise errors.NotFound(f"campaign {campaign} has no vault", hint="`coinswarm vault declare` cuts one, before its first search")
    return CampaignOut.model_validate(found)


@router.get("/campaigns/{campaign}/openings", responses=problems.responses())
def openings(campaign: CampaignName, here: Here) -> list[OpeningOut]:
    """Every look at a campaign's vault, oldest first."""
    return [OpeningOut.model_validate(opening) for opening in here.campaigns.openings(campaign)]


@router.post("/evaluations/{evaluation}/opening", status_code=201, responses=problems.responses(400, 404, 409))
async def open_vault(evaluation: EvaluationId, wanted: OpeningIn, here: Here, queries: Queries, caller: Caller) -> OpeningOut:
    """Judge one variant that passed its gates on its campaign's vault, as an admin: logged, charged as a trial, never taken back."""
    found = OpeningOut.model_validate(await queries.ask(answers.open_vault, evaluation, caller.name, wanted.why, wanted.anyway))
    await run_in_threadpool(here.access.note, caller.id, "vault opening", found.id, {"evaluation": found.evaluation})
    return found


@router.get("/evaluations/{evaluation}/standing", responses=problems.responses(404, 409))
def standing(evaluation: EvaluationId, here: Here) -> StandingOut:
    """Where a variant stands on its way to the library."""
    name = here.store.evaluation(evaluation).id
    steps = here.campaigns.steps(name)
    return StandingOut.model_validate(
        {"evaluation": name, "state": lifecycle.standing(steps), "verdicts": here.campaigns.verdicts(name), "steps": steps}
    )


@router.get("/library", responses=problems.responses())
def library(here: Here) -> list[VettedOut]:
    """The plays that passed the gates, oldest first."""
    return [_vetted(play, here.campaigns.steps(play.evaluation)) for play in here.campaigns.vetted()]


def _vetted(play: VettedPlay, steps: tuple[Transition, ...]) -> VettedOut:
    plain = {name: getattr(play, name) for name in VettedOut.model_fields if name != "state"}
    return VettedOut.model_validate({**plain, "state": lifecycle.standing(steps)})
