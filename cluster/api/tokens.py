"""Tokens and the audit log, for admins."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Path, Query
from pydantic import Field

from cluster.api import models, problems
from cluster.api.context import Caller, Here
from cluster.api.jobs import Limit
from cluster.jobs.settings import Name
from coinswarm import config
from coinswarm.ledger import access
from coinswarm.ledger.access import MAX_QUEUED, MAX_RUNNING, Role
from coinswarm.ledger.quotas import ANY, Quota, Scope

router = APIRouter(prefix="/api/v1", tags=["access"])
Owner = Annotated[str, Path(pattern=r"^[^\x00-\x1f\x7f/]{1,200}$", description="id of a token, or name of a campaign")]


class TokenIn(config.Settings):
    """A token to be made."""

    name: Name
    role: Role = "read"
    days: Annotated[float, Field(gt=0, le=36_500, description="until it expires; none: never")] | None = None
    max_queued: Annotated[int, Field(ge=0, le=1_000_000, description="jobs that may wait at one time")] = MAX_QUEUED
    max_running: Annotated[int, Field(ge=0, le=1_000_000, description="jobs that may run at one time")] = MAX_RUNNING
    quota: Annotated[Quota, Field(description="what all of its jobs may ask for together")] = ANY


class TokenMade(models.TokenOut):
    """A new token. Its secret is shown this once."""

    secret: str


class AuditOut(models.Answer):
    """One change."""

    id: int
    at: datetime
    token: str
    action: str
    target: str
    detail: models.Json


@router.post("/tokens", status_code=201, responses=problems.responses(400, 409, 413))
def create(wanted: TokenIn, here: Here, caller: Caller) -> TokenMade:
    """Make a token."""
    secret, now = access.new_secret(), datetime.now(UTC)
    expires = None if wanted.days is None else now + timedelta(days=wanted.days)
    token = access.new_token(
        wanted.name, wanted.role, secret, created=now, expires=expires, max_queued=wanted.max_queued, max_running=wanted.max_running
    )
    here.access.create_token(token, by=caller.id)
    if wanted.quota != ANY:
        here.quotas.set_quota("token", token.id, wanted.quota, by=caller.id)
    return TokenMade(**models.TokenOut.model_validate(token).model_dump(), secret=secret)


@router.get("/tokens", responses=problems.responses())
def list_tokens(here: Here) -> list[models.TokenOut]:
    """All tokens, revoked ones included."""
    return [models.TokenOut.model_validate(token) for token in here.access.tokens()]


@router.delete("/tokens/{token}", responses=problems.responses(404))
def revoke(
    token: Annotated[str, Path(pattern=r"^[^\x00-\x1f\x7f/]{1,200}$", description="id or name")], here: Here, caller: Caller
) -> models.TokenOut:
    """Revoke a token (effective within a second)."""
    return models.TokenOut.model_validate(here.access.revoke(token, by=caller.id))


@router.get("/quotas/{scope}/{name}", responses=problems.responses())
def show_quota(scope: Scope, name: Owner, here: Here) -> models.QuotaOut:
    """What a token, by its id, or a campaign may have, and what its jobs count for."""
    return models.QuotaOut(quota=here.quotas.quota(scope, name), used=asdict(here.quotas.used(scope, name)))


@router.put("/quotas/{scope}/{name}", responses=problems.responses(400, 413))
def set_quota(scope: Scope, name: Owner, wanted: Quota, here: Here, caller: Caller) -> models.QuotaOut:
    """Set what a token or a campaign may have, in the place of what was set before."""
    here.quotas.set_quota(scope, name, wanted, by=caller.id)
    return show_quota(scope, name, here)


@router.get("/audit", responses=problems.responses())
def audit(
    here: Here,
    before: Annotated[int | None, Query(ge=1, le=2**63 - 1, description="only rows with a smaller id")] = None,
    limit: Limit = 100,
) -> list[AuditOut]:
    """Every change made through this API, newest first."""
    return [AuditOut.model_validate(row) for row in here.access.trail(limit=limit, before=before)]
