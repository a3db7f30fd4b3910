"""Jobs: submit, list, look at, follow, cancel and resume."""

from __future__ import annotations

import logging
from typing import Annotated, Any, TypeAlias

from fastapi import APIRouter, Header, Path, Query, Request, Response
from fastapi.responses import HTMLResponse
from starlette.concurrency import run_in_threadpool

from cluster.api import models, problems, security, web
from cluster.api.context import ApiContext, Caller, Here, Queries
from cluster.api.counting import Trials
from cluster.jobs import brief, registry, spec
from cluster.jobs.settings import Name
from cluster.queries import answers
from cluster.run import terminate
from coinswarm import codec
from coinswarm.ledger import quotas
from coinswarm.ledger.access import Token
from coinswarm.ledger.browse import JobFilter
from coinswarm.ledger.queue import MAX_KEY, MAX_PRIORITY, Submission
from coinswarm.ledger.records import JobStatus
from coinswarm.metrics.figures import FIGURES

router = APIRouter(prefix="/api/v1", tags=["jobs"])
_log = logging.getLogger(__name__)

HTML_POLICY = (
    "sandbox allow-scripts allow-downloads; default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; "
    "font-src data:"
)
"""Of pages that are made of what people wrote: their own scripts run, in an origin that reaches nothing; what they hold can be saved."""
ID = r"^[A-Za-z0-9_.:+-]{1,200}$"
JobId = Annotated[str, Path(pattern=ID, description="a job's id or the beginning of it")]
Cursor = Annotated[str | None, Query(max_length=500, description="`next` of the page before")]
Limit = Annotated[int, Query(ge=1, le=1000, description="most rows")]
Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=MAX_KEY,
        pattern=r"^[\x20-\x7e]+$",
        description="repeating a request with it changes nothing",
    ),
]
Priority = Annotated[int, Query(ge=-MAX_PRIORITY, le=MAX_PRIORITY, description="queue priority; higher runs first")]


_REPEATED: dict[int | str, dict[str, Any]] = {200: {"model": models.JobOut, "description": "the key was used before: the job it made"}}
JobRequest: TypeAlias = registry.requests()  # type: ignore[valid-type] # a union that is made of the registry


@router.post("/jobs", status_code=201, responses=_REPEATED | problems.responses(400, 404, 409, 413))
async def submit(
    wanted: JobRequest, here: Here, queries: Queries, caller: Caller, response: Response, key: Key = None, priority: Priority = 0
) -> models.JobOut:
    """Submit a job. It is planned at once, so that what cannot be done is refused here; a driver runs it when its turn comes."""
    quotas.refuse_job(registry.asked(wanted).amounts(wanted), here.limits.job, "have the server started with greater limits")
    request = await run_in_threadpool(spec.resolved, wanted, here.store)
    fingerprint, made = spec.fingerprint(request), ""
    job = await run_in_threadpool(here.queue.keyed, caller.id, key or "", fingerprint)
    if job is None:
        planned = await queries.ask(answers.plan, request)
        made = planned.job.id
        submission = Submission(
            job=planned.job, plays=planned.plays, data_sets=planned.data_sets, token=caller.id, priority=priority, key=key or "",
            fingerprint=fingerprint, max_queued=_most_queued(caller),
        )  # fmt: skip
        job = await run_in_threadpool(here.queue.submit, submission)
        for line in planned.notes:
            _log.info("%s", line, extra={"job": job})
    if job == made:
        _log.info("a job was submitted", extra={"job": job, "token": caller.id})
    else:
        response.status_code = 200  # the key was used before, or another was faster with it
    response.headers["Location"] = f"/api/v1/jobs/{job}"
    return await run_in_threadpool(_shown, here, job)


@router.get("/defaults", responses=problems.responses())
def defaults() -> dict[str, models.Json]:
    """What a job of each kind does where its request says nothing; a request that says a part keeps the rest."""
    return dict(registry.defaults())


@router.get("/kinds", responses=problems.responses())
def kinds() -> list[models.KindOut]:
    """Every kind of job: what it does, the schema of its request, and what it does where a request says nothing."""
    usual = registry.defaults()
    return [
        models.KindOut(
            name=name, summary=registry.summary(name), command=f"coinswarm {' '.join(words)}",
            request=registry.options(name).settings.model_json_schema(), defaults=usual[name], script=f"kinds/{name}.js" in web.assets(),
        )
        for words, name in registry.commands().items()
    ]  # fmt: skip


@router.get("/jobs", responses=problems.responses(400))
def list_jobs(
    here: Here,
    campaign: Annotated[Name | None, Query()] = None,
    status: Annotated[JobStatus | None, Query()] = None,
    kind: Annotated[str | None, Query(pattern=r"^[a-z]{1,40}$")] = None,
    token: Annotated[str | None, Query(pattern=r"^[0-9a-f]{1,40}$", description="id of the token that submitted them")] = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> models.PageOut[models.JobBrief]:
    """Jobs, newest first."""
    wanted = JobFilter(campaign=campaign, status=status, kind=kind, token=token)
    found = here.browse.jobs(wanted, after=models.place(cursor, int), limit=limit)
    return models.PageOut[models.JobBrief].of(found, map(brief.brief, found.rows))


@router.get("/jobs/{job}", responses=problems.responses(404, 409))
def show(job: JobId, here: Here) -> models.JobOut:
    """A job with all that it was asked to do, where it stands and what it found."""
    return _shown(here, job)


@router.post("/jobs/{job}/cancel", responses=problems.responses(404, 409))
def cancel(job: JobId, here: Here, caller: Caller) -> models.StatusOut:
    """Cancel a job, whether it waits or runs. What was evaluated is kept, and it can be resumed."""
    found = here.store.job(job)
    _refuse_foreign(here, caller, found.id)
    return models.StatusOut(job=found.id, status=here.queue.cancel(found.id, by=caller.id))


@router.post("/jobs/{job}/terminate", responses=problems.responses(404, 409))
def end(job: JobId, here: Here, caller: Caller) -> models.TerminationOut:
    """Cancel a job, take its lease away and end the process that works for it, also when that does not answer. For admins."""
    return models.TerminationOut.model_validate(terminate.terminate(here.queue, here.store.job(job).id, by=caller.id))


@router.post("/jobs/{job}/resume", responses=problems.responses(404, 409))
def resume(job: JobId, here: Here, caller: Caller) -> models.JobOut:
    """Put a job that failed, was cancelled or lost its driver back in the queue; it goes on from its last commit."""
    found = here.store.job(job)
    _refuse_foreign(here, caller, found.id)
    spec.unchanged(registry.of(found), here.store, found)
    here.queue.again(found.id, by=caller.id, max_queued=_most_queued(caller))
    return _shown(here, found.id)


@router.get("/jobs/{job}/generations", responses=problems.responses(404, 409))
def generations(job: JobId, here: Here) -> list[models.GenerationOut]:
    """All generations, or steps, of a job so far, by generation and island; island -1 is the job as a whole."""
    return [models.GenerationOut.model_validate(record) for record in here.store.generations(here.store.job(job).id)]


@router.get("/jobs/{job}/leaderboard", responses=problems.responses(404, 409))
def leaderboard(
    job: JobId,
    here: Here,
    request: Request,
    by: Annotated[str, Query(json_schema_extra={"enum": ["fitness", *FIGURES]}, description="`fitness` or a figure")] = "fitness",
    limit: Limit = 20,
) -> models.Leaderboard:
    """The best variants of a job, in and out of sample, beside the trials of its campaign as they were counted a moment ago."""
    found = here.store.job(job)
    rows = [models.LeaderOut.model_validate(row) for row in here.store.leaderboard(found.id, by=by, limit=limit)]
    counted: Trials = request.app.state.trials
    trials = counted.of(found.campaign)
    distinct = (found.result or {}).get("distinct")
    return models.Leaderboard(
        job=found.id, status=brief.standing(found), synthetic=found.synthetic, distinct=distinct, trials=trials, rows=rows
    )


@router.get("/jobs/{job}/archive", responses=problems.responses(404, 409))
async def archive(job: JobId, queries: Queries) -> list[dict[str, Any]]:
    """The best variant of each kind that a job found: an entry a play, with the cells of the map."""
    found: list[dict[str, Any]] = codec.plain(await queries.ask(answers.archive, job))
    return found


@router.get("/jobs/{job}/report", response_class=HTMLResponse, responses=problems.responses(404, 409))
async def report(job: JobId, queries: Queries) -> HTMLResponse:
    """What a job came to as one HTML page that needs nothing else."""
    return HTMLResponse(await queries.ask(answers.job_report, job), headers={"Content-Security-Policy": HTML_POLICY})


def _most_queued(caller: Token) -> int | None:
    return None if caller.role == "admin" else caller.max_queued


def _refuse_foreign(here: ApiContext, caller: Caller, job: str) -> None:
    entry = here.queue.entry(job)
    security.refuse_foreign(caller, None if entry is None else entry.token, job)


def _shown(here: ApiContext, job: str) -> models.JobOut:
    found = here.store.job(job)
    return models.job_out(found, here.queue.entry(found.id))
