"""`coinswarm top`: the best variants of a job, in and out of sample."""

from __future__ import annotations

from typing import Annotated

import typer

from cluster import bootstrap
from cluster.cli import client, console, winners


def command(
    job: Annotated[str, typer.Argument(help="A job's id or the beginning of it; the newest when left out.")] = "",
    by: Annotated[str, typer.Option(help="`fitness` or a figure.")] = "fitness",
    limit: Annotated[int, typer.Option("--limit", "-n", help="How many.", min=1, max=10_000)] = 10,
    server: client.Server = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")] = False,
) -> None:
    """The best variants of a job, in and out of sample."""
    from coinswarm import errors

    remote = client.wanted(console.settings(), server)
    if remote is not None:
        _remote(remote, job, by, limit, as_json=as_json)
        return
    with bootstrap.open_store(console.settings()) as store:
        found = store.job(job) if job else next((each for each in store.jobs(limit=10_000) if each.kind == "evolve"), None)
        if found is None:
            raise errors.NotFound("there is no search yet", hint="start one with `coinswarm evolve`")
        if found.kind != "evolve":
            raise errors.Refused("only a search has a leaderboard", found=f"{found.id} of kind {found.kind}", hint=_hint(found.kind))
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
        winners.show(found, rows, trials=trials, by=by)


def _hint(kind: str) -> str:
    return {
        "chaos": "`coinswarm chaos show JOB` shows its trades", "discover": "`coinswarm patterns list` shows what was found",
        "validate": "`coinswarm gates check EVALUATION` judges its card",
    }.get(kind, "`coinswarm jobs show JOB` shows what it came to")  # fmt: skip


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
        winners.show_remote(remote.get(f"/api/v1/jobs/{found['job']}"), found, by=by)
