"""`coinswarm evolve`: search the variants of plays on bars, on all cores or a cluster."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cluster import bootstrap
from cluster.cli import client, console, goals, warming
from coinswarm.config import WARMUP_TOLERANCE
from coinswarm.evolve.settings import OUT_OF_SAMPLE, WINNERS, SearchSettings

if TYPE_CHECKING:
    from cluster.compute.evaluator import Evaluator
    from cluster.compute.ray.session import Session
    from cluster.jobs.evolve.plan import Plan, Request
    from cluster.settings import Settings
    from coinswarm.ledger.records import Job
    from coinswarm.ledger.store import Store

_USUAL = SearchSettings()
Objectives = Annotated[
    list[str] | None,
    typer.Option("--objective", "-o", help=f"FIGURE[:max|min][:mean|worst]; repeat for several. Default: {_USUAL.objectives[0].name}."),
]
_LIMITS = goals.limits(_USUAL.constraints)
Constraints = Annotated[
    list[str] | None,
    typer.Option("--constraint", "-c", help=f"FIGURE>=N or FIGURE<=N[:mean|worst]; `none` for none. Default: {_LIMITS}."),
]


def command(
    plays: Annotated[list[Path], typer.Argument(metavar="PLAY…", help="YAML files; each is searched with its own population.")],
    symbol: Annotated[
        list[str] | None, typer.Option("--symbol", "-s", help="A market; repeat for several. Else those of the play.")
    ] = None,
    bars: Annotated[list[Path] | None, typer.Option("--bars", help="A file of candles to import and use; repeat for several.")] = None,
    timeframe: Annotated[str | None, typer.Option("--timeframe", "-t", help="Length of a bar; else the play's.")] = None,
    start: Annotated[str | None, typer.Option("--from", help="First day or time, UTC.")] = None,
    end: Annotated[str | None, typer.Option("--to", help="Day or time before which bars open, UTC.")] = None,
    population: Annotated[int, typer.Option("--population", "-p", help="Variants over all islands.")] = _USUAL.population,
    generations: Annotated[int, typer.Option("--generations", "-g", help="Generations, with the first random one.")] = _USUAL.generations,
    islands: Annotated[int, typer.Option(help="Populations that exchange copies of their best.")] = _USUAL.islands,
    objective: Objectives = None,
    constraint: Constraints = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same populations, with any number of workers.")] = _USUAL.seed,
    stagnation: Annotated[int, typer.Option(help="Stop after so many generations without progress; 0: never.")] = _USUAL.stagnation,
    max_evaluations: Annotated[int | None, typer.Option(help="Stop when so many variants were evaluated.")] = _USUAL.max_evaluations,
    max_seconds: Annotated[float | None, typer.Option(help="Stop after so many seconds.")] = _USUAL.max_seconds,
    out_of_sample: Annotated[float, typer.Option(help="Share of the bars, the newest, that the search never sees.")] = OUT_OF_SAMPLE,
    winners: Annotated[int, typer.Option(help="How many of the best are scored out of sample.", min=1, max=1000)] = WINNERS,
    baselines: Annotated[bool, typer.Option(help="Try random parameters at equal cost.")] = True,
    racing: Annotated[bool, typer.Option(help="Drop most new variants of a generation after a part of the bars.")] = _USUAL.racing.enabled,
    race: Annotated[list[str] | None, typer.Option(help="A setting of racing as NAME=VALUE, such as keep=0.3; repeatable.")] = None,
    fee_bps: Annotated[float | None, typer.Option(help="Fee of every fill, in basis points; else the play's.")] = None,
    slippage_bps: Annotated[float | None, typer.Option(help="Slippage of market and stop fills; else the play's.")] = None,
    max_hold_bars: Annotated[int | None, typer.Option(help="Close a position after so many bars.")] = None,
    stop_loss_pct: Annotated[float | None, typer.Option(help="A stop, in percent of margin; else the play's.")] = None,
    take_profit_pct: Annotated[float | None, typer.Option(help="A target, in percent of margin; else the play's.")] = None,
    warmup_tolerance: warming.Tolerance = WARMUP_TOLERANCE,
    campaign: Annotated[str, typer.Option(help="Jobs whose trials are counted together.")] = "default",
    workers: Annotated[int | None, typer.Option("--workers", "-w", help="Processes of the local cluster; else one a core.", min=1)] = None,
    address: Annotated[str | None, typer.Option(help="A running Ray cluster; else RAY_ADDRESS, else a local one.")] = None,
    estimate: Annotated[bool, typer.Option("--estimate", help="Say what it would take, and stop.")] = False,
    detach: Annotated[bool, typer.Option("--detach", help="Run on in the background; watch it with `coinswarm jobs watch`.")] = False,
    server: client.Server = None,
    priority: Annotated[int, typer.Option(help="In the line of a driver service: greater is sooner.", min=-100, max=100)] = 0,
    key: Annotated[str | None, typer.Option(help="Handing in again with the same key changes nothing.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")] = False,
    queued: Annotated[bool, typer.Option("--queued", hidden=True)] = False,
) -> None:
    """Search the variants of plays: evolve them in sample, judge the winners out of sample, keep every trial."""
    settings = _settings(address)
    bootstrap.prepare(settings)
    from cluster.cli import asking, handing

    overrides = {
        "taker_bps": fee_bps, "maker_bps": fee_bps, "slippage_bps": slippage_bps, "warmup_tolerance": warmup_tolerance,
        "max_hold_bars": max_hold_bars, "stop_loss_pct": stop_loss_pct, "take_profit_pct": take_profit_pct,
    }  # fmt: skip
    search = {
        "population": population, "generations": generations, "islands": islands, "seed": seed,
        "stagnation": stagnation, "max_evaluations": max_evaluations, "max_seconds": max_seconds, "racing": _racing(race, on=racing),
    }  # fmt: skip
    handing.refuse_files(server or settings.server, bars)
    request = asking.request(
        plays, symbol or [], timeframe, (start, end), asking.search(search, objective, constraint), overrides,
        {"out_of_sample": out_of_sample, "winners": winners, "baselines": baselines, "campaign": campaign},
    )  # fmt: skip
    request = dataclasses.replace(request, markets=(*request.markets, *asking.imported(bars or [], settings)))
    if queued or server or settings.server:
        _hand_in(settings, server, request, priority=priority, key=key, as_json=as_json)
    elif detach:
        _detach(settings, request, as_json=as_json)
    else:
        run(settings, request, workers=workers, estimate=estimate, as_json=as_json)


def _hand_in(settings: Settings, server: str | None, request: Request, *, priority: int, key: str | None, as_json: bool) -> None:
    from cluster.cli import handing
    from cluster.jobs.requests import EvolveRequest

    handing.hand_in(settings, server, EvolveRequest.of(request), priority=priority, key=key, as_json=as_json)


def run(settings: Settings, request: Request, *, workers: int | None = None, estimate: bool = False, as_json: bool = False) -> None:
    """Plan a request, drive it to its end and print what it found, or only what it would take."""
    from cluster.jobs.evolve import plan as planning

    plan = planning.plan(inherited(settings, request), settings.bars_file)
    with (
        bootstrap.open_store(settings) as store,
        bootstrap.open_cluster(settings, workers=workers, tell=console.note) as (evaluator, session),
    ):
        if estimate:
            _estimate(evaluator, plan, as_json=as_json)
            return
        announce(plan, session)
        present(settings, store, plan, drive(store, evaluator, plan, new=True), as_json=as_json)


def plan_again(settings: Settings, store: Store, job: Job) -> Plan:
    """The plan of a stored job."""
    from cluster.jobs import spec as submit

    return submit.resumed(store, job.id, settings.bars_file)


def go_on(settings: Settings, store: Store, plan: Plan, *, workers: int | None, as_json: bool) -> None:
    """Drive a stored job from its last committed generation and print what it found."""
    with bootstrap.open_cluster(settings, workers=workers, tell=console.note) as (evaluator, session):
        announce(plan, session)
        present(settings, store, plan, drive(store, evaluator, plan, new=False), as_json=as_json)


def inherited(settings: Settings, request: Request) -> Request:
    """The request with the split of its campaign, if one was declared; says on stderr what that means."""
    with bootstrap.open_campaigns(settings) as campaigns:
        split = campaigns.split(request.campaign)
    if split is None:
        console.note(f"campaign {request.campaign} has no vault: nothing it finds can be promoted (`coinswarm vault declare`)")
    else:
        console.note(f"campaign {request.campaign}: its own split decides what is held out, and its vault stays closed")
    return dataclasses.replace(request, split=split)


def drive(store: Store, evaluator: Evaluator, plan: Plan, *, new: bool) -> Job:
    """Drive a plan to its end with a live display; a new one is handed to the store first."""
    from cluster.cli import live
    from cluster.jobs import spec as submit
    from cluster.run import stopping

    with live.Display() as display, stopping.stop_requests(display.on_note) as stopped:
        if new:
            submit.submit(store, plan)
        return store.job(bootstrap.drive(store, evaluator, plan, watcher=display, stopped=stopped).job)


def present(settings: Settings, store: Store, plan: Plan, job: Job, *, as_json: bool, more: Mapping[str, str] | None = None) -> None:
    """Print what a job found and what `more` says; a cancelled one raises `Cancelled` after that."""
    from cluster.cli import winners
    from coinswarm import errors

    if as_json:
        console.emit_json({**(job.result or {}), **(more or {})})
    else:
        rows = store.leaderboard(job.id, limit=plan.winners)
        winners.show(job, rows, trials=store.count_trials(job.campaign).trials)
        winners.next_steps(job, rows, settings)
        for name, value in (more or {}).items():
            console.text(f"{name}:  {value}")
    if job.status == "cancelled":
        raise errors.Cancelled(f"job {job.id} is cancelled, what was evaluated is kept", hint=f"`coinswarm jobs resume {job.id}` goes on")


def _racing(given: list[str] | None, *, on: bool) -> dict[str, Any]:
    """The settings of racing, to be checked with the others."""
    pairs = [text.partition("=") for text in given or []]
    return {"enabled": on, **{name.strip(): value.strip() for name, _, value in pairs}}


def _settings(address: str | None) -> Settings:
    settings = console.settings()
    return settings.model_copy(update={"ray_address": address}) if address else settings


def announce(plan: Plan, session: Session) -> None:
    """Say on stderr where a job runs and on what."""
    where = "local Ray cluster" if session.local else f"Ray cluster at {session.address}"
    console.note(f"job {plan.job.id} on a {where} with {session.cpus} processors; dashboard: {session.dashboard or 'could not be started'}")
    for setup in plan.task.setups:
        warming.note(setup.play, plan.bar_ms, plan.in_sample_bars)
    if plan.job.synthetic:
        console.note(f"{console.SYNTHETIC} DATA: these prices were made, not traded")


def _detach(settings: Settings, request: Request, *, as_json: bool) -> None:
    from cluster.jobs import spec as submit
    from cluster.jobs.evolve import plan as planning

    plan = planning.plan(inherited(settings, request), settings.bars_file)
    with bootstrap.open_store(settings) as store:
        submit.submit(store, plan)
    pid = bootstrap.detach(settings, plan.job.id)
    if as_json:
        console.emit_json({"job": plan.job.id, "pid": pid})
    else:
        console.text(f"job {plan.job.id} runs in the background (process {pid}); watch it with `coinswarm jobs watch {plan.job.id}`")


def _estimate(evaluator: Evaluator, plan: Plan, *, as_json: bool) -> None:
    from cluster.cli import live
    from cluster.jobs.evolve import estimate as estimating

    found = estimating.estimate(evaluator, plan)
    plays = [setup.play for setup in plan.task.setups]
    if as_json:
        warm = [{"play": play.name, **warming.facts(play, plan.bar_ms, plan.in_sample_bars)} for play in plays]
        console.emit_json({**dataclasses.asdict(found), "warm_up": warm})
        return
    facts: list[list[Any]] = [
        ["variants", f"{found.variants:,}"],
        ["time", f"{live.span(found.seconds)}{' without racing, which may take less' if found.raced else ''}"],
        ["speed", f"{found.variants_per_s:,.0f} variants/s on {found.workers} processors"],
        ["bars", f"{found.bars:,} in sample, {found.bars_bytes / 2**20:,.1f} MB a node"],
        ["memory", f"about {found.memory_bytes / 2**20:,.0f} MB a node with its workers"],
        ["database", f"about {found.database_bytes / 2**20:,.1f} MB"],
        *warming.rows(plays, plan.bar_ms, plan.in_sample_bars),
        ["luck", f"the best of so many worthless variants shows a Sharpe of about {found.sharpe_by_luck:.2f} a year in sample"],
    ]
    console.table("estimate", ["what", "how much"], facts, synthetic=plan.job.synthetic)
