"""`coinswarm jobs verify`: count what is stored of a job again and compare it with what the job says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from cluster import bootstrap
from cluster.cli import console
from coinswarm import errors
from coinswarm.printable import counted

if TYPE_CHECKING:
    from cluster.jobs.kind import PlanContext, Recount
    from coinswarm.ledger.records import Job

_MOST = 2**31 - 1


def command(
    job: Annotated[str, typer.Argument(metavar="JOB", help="Its id, or the beginning of it.")] = "",
    every: Annotated[bool, typer.Option("--all", help="Every job.")] = False,
    as_json: console.AsJson = False,
) -> None:
    """Recount what is stored of a job and compare it with what the job says. Exit code 1 when something differs."""
    if bool(job) == every:
        raise errors.InvalidArgument("jobs verify takes a job, or --all", found=f"{job} --all" if job else "neither")
    with bootstrap.open_plan_context(console.settings()) as context:
        jobs = context.store.jobs(limit=_MOST) if every else (context.store.job(job),)
        found = {one.id: _recounts(one, context) for one in jobs}
    wrong = {name: [each for each in recounts if each.differs] for name, recounts in found.items()}
    if as_json:
        rows = [{"job": name, "ok": not wrong[name], "recounts": recounts} for name, recounts in found.items()]
        console.emit_json(rows if every else rows[0])
    else:
        _show({name: recounts if job else wrong[name] for name, recounts in found.items()})
        console.text(f"{counted(len(found), 'job')} recounted, {sum(map(bool, wrong.values()))} with differences")
    if any(wrong.values()):
        raise typer.Exit(1)


def _recounts(job: Job, context: PlanContext) -> tuple[Recount, ...]:
    from cluster.jobs import recount, spec
    from cluster.jobs.kind import Recount

    try:
        return recount.of_job(spec.stored(context.store, job.id), context)
    except errors.CoinswarmError as problem:
        return (Recount(what="job", stored="can be counted", counted=str(problem)),)


def _show(found: dict[str, tuple[Recount, ...] | list[Recount]]) -> None:
    rows: list[list[object]] = [
        [name, each.what, each.stored, each.note if each.counted is None else each.counted, "DIFFERS" if each.differs else ""]
        for name, recounts in found.items()
        for each in recounts
    ]
    if rows:
        console.table("recounted", ["job", "what", "the job says", "counted", ""], rows)
