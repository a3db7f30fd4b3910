"""`coinswarm patterns test`: known rules, of books and of papers, against random trades of their own kind."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cluster import bootstrap
from cluster.cli import console, warming
from coinswarm import errors
from coinswarm.config import WARMUP_TOLERANCE

if TYPE_CHECKING:
    from cluster.jobs.rules.plan import Plan
    from cluster.settings import Settings
    from coinswarm.ledger.patterns import PatternSource
    from coinswarm.ledger.records import Job
    from coinswarm.ledger.store import Store


def try_rules(
    plays: Annotated[
        list[Path] | None, typer.Argument(metavar="[PLAY…]", help="YAML files to test in place of those of the source.")
    ] = None,
    source: Annotated[str, typer.Option(help="technical or academic: the rules that come with the program.")] = "technical",
    symbol: Annotated[list[str] | None, typer.Option("--symbol", "-s", help="A stored market; repeat for several.")] = None,
    bars: Annotated[list[Path] | None, typer.Option("--bars", help="A file of candles to import and use; repeat for several.")] = None,
    timeframe: Annotated[str | None, typer.Option("--timeframe", "-t", help="Length of a bar, where a market has several.")] = None,
    start: Annotated[str | None, typer.Option("--from", help="First day or time, UTC.")] = None,
    end: Annotated[str | None, typer.Option("--to", help="Day or time before which bars open, UTC.")] = None,
    segments: Annotated[int, typer.Option(help="Random stretches of time that trades are taken from.")] = 30,
    segment_bars: Annotated[int, typer.Option(help="Bars of each.")] = 2016,
    alpha: Annotated[float, typer.Option(help="Chance that any rule is called better by luck.")] = 0.05,
    flips: Annotated[int, typer.Option(help="Sign flips behind each p.")] = 4999,
    seed: Annotated[int, typer.Option(help="Of the stretches and the flips.")] = 0,
    warmup_tolerance: warming.Tolerance = WARMUP_TOLERANCE,
    campaign: Annotated[str, typer.Option(help="Jobs whose trials are counted together.")] = "default",
    workers: Annotated[int | None, typer.Option("--workers", "-w", help="Processes; one is this one.", min=1)] = 1,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")] = False,
) -> None:
    """Test known rules, each as it was published, against random trades of the same market, side and hold: nobody is assumed to work."""
    from cluster.cli import asking, goals
    from cluster.jobs.rules import plan as driving

    if source not in ("technical", "academic"):
        raise errors.InvalidArgument("--source is technical or academic", found=source)
    settings = console.settings()
    bootstrap.prepare(settings)
    asked = {
        "segments": segments, "segment_bars": segment_bars, "alpha": alpha, "flips": flips, "seed": seed,
        "warmup_tolerance": warmup_tolerance,
    }  # fmt: skip
    wanted = asking.settled(driving.RulingSettings, asked)
    kind: PatternSource = "technical" if source == "technical" else "academic"
    files = asking.checked(plays) if plays else driving.catalogue(kind)
    span = goals.span(start, end)
    with bootstrap.open_campaigns(settings) as campaigns:
        split = campaigns.split(campaign)
    request = driving.Request(
        source=kind, plays=tuple(files), markets=(*(symbol or []), *asking.imported(bars or [], settings)), settings=wanted,
        timeframe=timeframe, start_ts=span[0], end_ts=span[1], campaign=campaign, split=split,
    )  # fmt: skip
    plan = driving.plan(request, settings.bars_file)
    with bootstrap.open_store(settings) as store:
        driving.submit_plan(store, plan)
        _drive(settings, store, plan, workers=workers, as_json=as_json)


def plan_again(settings: Settings, store: Store, job: Job) -> Plan:
    """The plan of a stored test."""
    from cluster.jobs.rules import plan as driving

    return driving.plan_again(store, job, settings.bars_file)


def go_on(settings: Settings, store: Store, plan: Plan, *, workers: int | None, as_json: bool) -> None:
    """Drive a stored test from the first rule that is missing."""
    _drive(settings, store, plan, workers=workers or 1, as_json=as_json)


def _drive(settings: Settings, store: Store, plan: Plan, *, workers: int | None, as_json: bool) -> None:
    if workers == 1:
        with bootstrap.local_crew(settings) as crew:
            job = _driven(settings, store, plan, crew)
    else:
        with bootstrap.open_crew(settings, workers=workers, tell=console.note) as (crew, session):
            console.note(f"job {plan.job.id} with {session.cpus} processors")
            job = _driven(settings, store, plan, crew)
    _present(job, as_json=as_json)


def _driven(settings: Settings, store: Store, plan: Plan, crew: Any) -> Job:
    from cluster.cli import live
    from cluster.jobs.rules import plan as driving
    from cluster.run import stopping

    with (
        bootstrap.open_patterns(settings) as library,
        live.Display() as display,
        stopping.stop_requests(display.on_note) as stopped,
    ):
        rules = driving.Rules(plan, crew, library)
        ending = bootstrap.drive_steps(store, plan.job.id, rules, watcher=display, stopped=stopped, workers=lambda: crew.workers)
    return store.job(ending.job)


def _present(job: Job, *, as_json: bool) -> None:
    """Print what became of each rule; a cancelled job raises `Cancelled` after that."""
    result: Any = job.result or {}
    if as_json:
        console.emit_json(result)
    elif job.status == "done":
        headings = ["rule", "side", "trades", "blocks", "net %", "random %", "excess %", "95 % of it", "naive p", "p", "verdict"]
        ranked = sorted(result["rulings"], key=lambda entry: (entry["p_adjusted"], entry["p_value"]))
        title = f"{len(ranked)} sides of rules, {result['better']} better than random trades of their kind"
        console.table(title, headings, [_line(entry) for entry in ranked], synthetic=job.synthetic)
        for rule, why in result["refused"].items():
            console.text(f"{rule} was not tested: {why}")
        console.text(
            "naive p takes every trade for independent and any profit for an edge; p is family-wise, by sign flips of blocks of time"
        )
        source = job.config["source"]
        console.text(f"next: `coinswarm patterns report {job.id}`, `coinswarm patterns list --source {source}`")
    if job.status == "cancelled":
        raise errors.Cancelled(f"job {job.id} is cancelled", hint=f"`coinswarm jobs resume {job.id}` goes on")


def _line(entry: dict[str, Any]) -> list[Any]:
    judged = entry["verdict"] in ("better", "no better")
    return [
        entry["rule"], entry["side"], f"{entry['n_trades']:,}", f"{entry['active_blocks']}/{entry['n_blocks']}", _percent(entry["net"]),
        _percent(entry["random"]), _percent(entry["excess"]), f"{_percent(entry['low'])}..{_percent(entry['high'])}".strip("."),
        "" if math.isnan(entry["naive_p"]) else f"{entry['naive_p']:.3f}", f"{entry['p_adjusted']:.3f}" if judged else "", entry["verdict"],
    ]  # fmt: skip


def _percent(value: float) -> str:
    return "" if math.isnan(value) else f"{100 * value:+.3f}"
