"""`coinswarm top`: the best variants of a job, in and out of sample."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cluster import bootstrap
from cluster.cli import client, console, reports, subjects
from cluster.jobs import evolve
from coinswarm import errors

if TYPE_CHECKING:
    from coinswarm.ledger.records import Job


def command(
    job: Annotated[str, typer.Argument(metavar="JOB", help="Id of a search, or its beginning; the newest search when left out.")] = "",
    by: Annotated[str, typer.Option(metavar="FIGURE", help="What to sort by: fitness or a figure, such as sharpe or calmar.")] = "fitness",
    limit: Annotated[int, typer.Option("--limit", "-n", help="How many rows.", min=1, max=10_000)] = 10,
    server: client.Server = None,
    as_json: console.AsJson = False,
) -> None:
    """List the best variants of a search, in and out of sample."""
    from cluster.jobs.evolve.report import leaderboard

    remote = client.wanted(console.settings(), server)
    found, answer = _here(job, by, limit) if remote is None else _there(remote, job, by, limit)
    if as_json:
        console.emit_json(answer)
    else:
        reports.show_parts(leaderboard(found, answer["rows"], trials=answer["trials"], by=by), synthetic=found.synthetic)


def _here(job: str, by: str, limit: int) -> tuple[Job, dict[str, Any]]:
    """A search of this machine and its leaderboard."""
    with bootstrap.open_store(console.settings()) as store:
        found = store.job(job) if job else _first(store.jobs(kind=evolve.NAME, limit=1))
        subjects.require_search(found.id, found.kind)
        rows = store.leaderboard(found.id, by=by, limit=limit)
        trials = store.count_trials(found.campaign).trials
    distinct = (found.result or {}).get("distinct")
    facts = {"job": found.id, "status": found.status, "synthetic": found.synthetic, "distinct": distinct}
    return found, {**facts, "trials": trials, "rows": rows}


def _there(remote: client.Client, job: str, by: str, limit: int) -> tuple[Job, dict[str, Any]]:
    """A search of a server and its leaderboard, as records of the ledger."""
    from coinswarm.ledger.records import Job, LeaderboardRow

    name = job or _first(remote.get("/api/v1/jobs", limit=1, kind=evolve.NAME)["rows"])["id"]
    found = remote.get(f"/api/v1/jobs/{name}")
    subjects.require_search(found["id"], found["kind"])
    answer = remote.get(f"/api/v1/jobs/{found['id']}/leaderboard", by=by, limit=min(limit, 1000))
    names = {field.name for field in dataclasses.fields(LeaderboardRow)}
    rows = [LeaderboardRow(**{name: _back(value) for name, value in row.items() if name in names}) for row in answer["rows"]]
    known = {field.name for field in dataclasses.fields(Job)} - {"plays", "data_hashes", "status"}
    shown = Job(**{name: value for name, value in found.items() if name in known}, plays=(), data_hashes=())
    return shown, {**answer, "rows": rows}


def _first(searches: Any) -> Any:
    if not searches:
        raise errors.NotFound("there is no search yet", hint="start one with `coinswarm evolve`")
    return searches[0]


def _back(value: Any) -> Any:
    """A missing number as the records have it."""
    if value is None:
        return math.nan
    return {name: _back(entry) for name, entry in value.items()} if isinstance(value, Mapping) else value
