"""`coinswarm top`: the best variants of a job, in and out of sample."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from cluster import bootstrap
from cluster.cli import client, console, reports
from cluster.jobs import evolve


def command(
    job: Annotated[str, typer.Argument(help="A job's id or the beginning of it; the newest when left out.")] = "",
    by: Annotated[str, typer.Option(help="`fitness` or a figure.")] = "fitness",
    limit: Annotated[int, typer.Option("--limit", "-n", help="How many.", min=1, max=10_000)] = 10,
    server: client.Server = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")] = False,
) -> None:
    """The best variants of a job, in and out of sample."""
    from cluster.jobs.evolve.report import leaderboard
    from coinswarm import errors

    remote = client.wanted(console.settings(), server)
    if remote is not None:
        _remote(remote, job, by, limit, as_json=as_json)
        return
    with bootstrap.open_store(console.settings()) as store:
        found = store.job(job) if job else next((each for each in store.jobs(limit=10_000) if each.kind == evolve.NAME), None)
        if found is None:
            raise errors.NotFound("there is no search yet", hint="start one with `coinswarm evolve`")
        if found.kind != evolve.NAME:
            raise errors.Refused(
                "only a search has a leaderboard",
                found=f"{found.id} of kind {found.kind}",
                hint=f"`coinswarm jobs report {found.id}` shows what it came to",
            )
        rows = store.leaderboard(found.id, by=by, limit=limit)
        trials = store.count_trials(found.campaign).trials
    if as_json:
        console.emit_json(
            {
                "job": found.id,
                "status": found.status,
                "synthetic": found.synthetic,
                "distinct": (found.result or {}).get("distinct"),
                "trials": trials,
                "rows": rows,
            }
        )
    else:
        reports.show_parts(leaderboard(found, rows, trials=trials, by=by), synthetic=found.synthetic)


def _remote(remote: client.Client, job: str, by: str, limit: int, *, as_json: bool) -> None:
    from coinswarm import errors

    newest = remote.get("/api/v1/jobs", limit=1)["rows"]
    if not job and not newest:
        raise errors.NotFound("there is no job yet", hint="start one with `coinswarm submit`")
    name = job or newest[0]["id"]
    found = remote.get(f"/api/v1/jobs/{name}/leaderboard", by=by, limit=min(limit, 1000))
    if as_json:
        console.emit_json(found)
    else:
        _show_remote(remote.get(f"/api/v1/jobs/{found['job']}"), found, by=by)


def _show_remote(job: Mapping[str, Any], found: Mapping[str, Any], *, by: str) -> None:
    """Print the leaderboard that a control plane answered with, as `show` would."""
    from cluster.jobs.evolve.report import leaderboard
    from coinswarm.ledger.records import Job, LeaderboardRow

    names = {field.name for field in dataclasses.fields(LeaderboardRow)}
    rows = [LeaderboardRow(**{name: _back(value) for name, value in row.items() if name in names}) for row in found["rows"]]
    known = {field.name for field in dataclasses.fields(Job)} - {"plays", "data_hashes", "status"}
    shown = Job(**{name: value for name, value in job.items() if name in known}, plays=(), data_hashes=())
    reports.show_parts(leaderboard(shown, rows, trials=int(found["trials"]), by=by), synthetic=shown.synthetic)


def _back(value: Any) -> Any:
    """A missing number as the records have it."""
    if value is None:
        return math.nan
    return {name: _back(entry) for name, entry in value.items()} if isinstance(value, Mapping) else value
