"""`coinswarm honesty`: run the pipelines on worlds where nothing is to be found, and on worlds where something is, and count."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cluster import bootstrap
from cluster.cli import console
from coinswarm import errors

if TYPE_CHECKING:
    from cluster.compute.executor import Crew
    from cluster.jobs.honesty.plan import HonestySettings, Plan
    from cluster.settings import Settings
    from coinswarm.ledger.records import Job
    from coinswarm.ledger.store import Store

app = typer.Typer(help="How often nothing is promoted where there is nothing: the benchmark.", invoke_without_command=True)

PLAY = Path("plays/examples/band_reversion.yml")
PLANTED_PLAY = Path("plays/worlds/volume_surge.yml")
_PROBES = 3
_THREE_YEARS = 315_576


@app.callback()
def run(
    context: typer.Context,
    pipeline: Annotated[str, typer.Option(help="patterns: chaos trades and discovery; evolve: a search of a play.")] = "patterns",
    families: Annotated[str, typer.Option(help="Kinds of worlds, with commas; `coinswarm worlds list` shows all.")] = "N0,N1,N2,N3",
    worlds: Annotated[int, typer.Option("--worlds", "-n", help="Worlds of each kind.", min=1)] = 400,
    planted: Annotated[bool, typer.Option("--planted", help="The power curve: planted worlds over effect, support and depth.")] = False,
    like: Annotated[
        list[str] | None, typer.Option("--like", help="A stored market or a file that worlds are made like; repeat. Else synthetic ones.")
    ] = None,
    n_bars: Annotated[int | None, typer.Option("--bars", help="How many of its bars, the oldest.", min=1000)] = None,
    trades: Annotated[int | None, typer.Option(help="Chaos trades a world.")] = None,
    hold: Annotated[str | None, typer.Option(help="Shortest and longest hold of a chaos trade.")] = None,
    depth: Annotated[int | None, typer.Option(help="Conditions a pattern may have.")] = None,
    flips: Annotated[int | None, typer.Option(help="Sign flips.")] = None,
    play: Annotated[Path | None, typer.Option(help="The play to evolve.")] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same worlds and verdicts, with any number of workers.", min=0)] = 0,
    workers: Annotated[int | None, typer.Option("--workers", "-w", help="Processes of the local cluster; else one a core.", min=1)] = None,
    estimate: Annotated[bool, typer.Option("--estimate", help="Say what it would take, and stop.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")] = False,
) -> None:
    """Make worlds, run a pipeline on each, and count what it promotes, beside the usual ways of selecting on the same worlds."""
    if context.invoked_subcommand is not None:
        return
    settings = console.settings()
    bootstrap.prepare(settings)
    from cluster.jobs.honesty import plan as driving

    given = {"trades": trades, "hold": hold, "depth": depth, "flips": flips}
    wanted = _wanted(pipeline, families, worlds, seed, {name: value for name, value in given.items() if value is not None}, planted=planted)
    names = _stored(like or [], settings)
    bars = n_bars or (_THREE_YEARS if planted else driving.USUAL_BARS)
    played = (play or (PLANTED_PLAY if planted else PLAY)) if wanted.pipeline == "evolve" else None
    plan = driving.plan(wanted, settings.bars_file, names, n_bars=bars, play=played, markets=1 if planted else driving.USUAL_MARKETS)
    if estimate:
        _estimate(settings, plan, workers=workers, as_json=as_json)
        return
    with bootstrap.open_store(settings) as store:
        driving.submit(store, plan)
        _drive(settings, store, plan, workers=workers, as_json=as_json)


@app.command("page")
def page(
    out: Annotated[Path, typer.Option(help="Where to write the page; its picture is written beside it.")] = Path("docs/honesty.md"),
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")] = False,
) -> None:
    """Write a page of the newest finished run of each part."""
    from cluster.cli import honesty_page

    with bootstrap.open_store(console.settings()) as store:
        jobs = [job for job in store.jobs(limit=10_000) if job.kind == "honesty" and job.status == "done"]
    if not jobs:
        raise errors.NotFound("no run of the benchmark has ended yet", hint="coinswarm honesty")
    written = honesty_page.write(jobs, out)
    if as_json:
        console.emit_json({"files": [str(path) for path in written]})
    else:
        for path in written:
            console.text(console.path(path))


def plan_again(settings: Settings, _store: Store, job: Job) -> Plan:
    """The plan of a stored run."""
    from cluster.jobs.honesty import plan as driving

    return driving.plan_again(job, settings.bars_file)


def go_on(settings: Settings, store: Store, plan: Plan, *, workers: int | None, as_json: bool) -> None:
    """Drive a stored run from the first world that is missing."""
    _drive(settings, store, plan, workers=workers, as_json=as_json)


def _wanted(pipeline: str, families: str, worlds: int, seed: int, given: Mapping[str, Any], *, planted: bool) -> HonestySettings:
    from pydantic import ValidationError

    from cluster.jobs.honesty import plan as driving

    names = [name.strip() for name in families.split(",") if name.strip()]
    hiding = driving.power_cells() if pipeline == "patterns" else driving.planted_play_cells()
    cells = hiding if planted else tuple(driving.cell(name) for name in names)
    usual = driving.POWER if planted else driving.PatternSettings()
    try:
        patterns = driving.PatternSettings.model_validate({**usual.model_dump(), **given})
        asked = {"pipeline": pipeline, "cells": cells, "worlds": worlds, "seed": seed, "patterns": patterns}
        return driving.HonestySettings.model_validate(asked)
    except ValidationError as error:
        first = error.errors()[0]
        raise errors.BadSetting(f"{'.'.join(map(str, first['loc']))}: {first['msg']}", found=first["input"]) from error


def _stored(like: Sequence[str], settings: Settings) -> list[str]:
    """Names of stored markets; files are imported first."""
    from cluster.cli import asking

    files = {name for name in like if Path(name).is_file()}
    keys = asking.imported([Path(name) for name in like if name in files], settings)
    return [*keys, *(name for name in like if name not in files)]


def _drive(settings: Settings, store: Store, plan: Plan, *, workers: int | None, as_json: bool) -> None:
    with bootstrap.open_crew(settings, workers=workers, tell=console.note) as (crew, session):
        console.note(f"job {plan.job.id} with {session.cpus} processors; dashboard: {session.dashboard or 'could not be started'}")
        _present(_driven(store, crew, plan), as_json=as_json)


def _driven(store: Store, crew: Crew, plan: Plan) -> Job:
    from cluster.cli import live
    from cluster.jobs.honesty import plan as driving
    from cluster.jobs.honesty.work import judge
    from cluster.run import stopping

    stages = driving.Worlds(plan, crew, judge)
    with live.Display() as display, stopping.stop_requests(display.on_note) as stopped:
        ending = bootstrap.drive_steps(store, plan.job.id, stages, watcher=display, stopped=stopped, workers=lambda: crew.workers)
    return store.job(ending.job)


def _present(job: Job, *, as_json: bool) -> None:
    if as_json:
        console.emit_json(job.result or {})
    else:
        for cell in (job.result or {}).get("cells", []):
            _show(cell)
    if job.status == "cancelled":
        raise errors.Cancelled(f"job {job.id} is cancelled, judged worlds are kept", hint=f"`coinswarm jobs resume {job.id}` goes on")


def _show(cell: Mapping[str, Any]) -> None:
    own = [(name, cell[name]) for name in ("promoted", "recovered", "false") if name in cell]
    rows = [[name, rate["count"], rate["of"], *_shares(rate)] for name, rate in (*own, *cell["flags"].items())]
    console.table(
        f"{cell['cell']}: worlds in which something was", ("judged by", "worlds", "of", "share", "95 % from", "to"), rows, synthetic=True
    )


def _shares(rate: Mapping[str, float]) -> list[str]:
    return [f"{100 * rate[name]:.1f} %" for name in ("rate", "low", "high")]


def _estimate(settings: Settings, plan: Plan, *, workers: int | None, as_json: bool) -> None:
    """Judge a few worlds of each kind and say what all of them will take."""
    import time

    from cluster.cli import live
    from cluster.jobs.honesty import plan as driving
    from cluster.jobs.honesty.work import judge

    few = min(_PROBES, plan.settings.worlds)
    probe = driving.shortened(plan, few)
    with bootstrap.open_crew(settings, workers=workers, tell=console.note) as (crew, _):
        stages = driving.Worlds(probe, crew, judge)
        figures = [step.figures for step in stages.steps([], lambda: False)]
        began = time.monotonic()
        list(stages.steps([], lambda: False))
        seconds = (time.monotonic() - began) / stages.total * plan.settings.worlds * len(plan.settings.cells)
    facts = {
        "worlds": plan.settings.worlds * len(plan.settings.cells),
        "time": live.span(seconds), "seconds": round(seconds, 1),
        "cpu_s_per_world": round(sum(entry["cpu_s"] for entry in figures) / len(figures), 3),
    }  # fmt: skip
    if as_json:
        console.emit_json(facts)
    else:
        console.table("estimate", ["what", "how much"], [[name, value] for name, value in facts.items()], synthetic=True)
