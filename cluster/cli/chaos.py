"""`coinswarm chaos`: trade at random on real bars and record what happened, for patterns to be mined from."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cluster import bootstrap
from cluster.cli import console, warming
from coinswarm import errors
from coinswarm.config import WARMUP_TOLERANCE

if TYPE_CHECKING:
    from cluster.compute.executor import Crew
    from cluster.jobs.chaos.plan import Estimate, Plan
    from cluster.settings import Settings
    from coinswarm.ledger.chaos import ChaosStore, ChaosSummary, ChaosTrades
    from coinswarm.ledger.records import Job
    from coinswarm.ledger.store import Store

app = typer.Typer(help="Trade at random and record what happened.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")]
OfJob = Annotated[str, typer.Argument(help="A job's id or the beginning of it.")]


@app.callback()
def chaos() -> None:
    """Trade at random and record what happened."""


@app.command("run")
def run_job(
    trades: Annotated[int, typer.Option("--trades", "-n", help="How many random trades.")] = 100_000,
    symbol: Annotated[list[str] | None, typer.Option("--symbol", "-s", help="A stored market; repeat for several.")] = None,
    bars: Annotated[list[Path] | None, typer.Option("--bars", help="A file of candles to import and use; repeat for several.")] = None,
    timeframe: Annotated[str | None, typer.Option("--timeframe", "-t", help="Length of a bar, where a market has several.")] = None,
    start: Annotated[str | None, typer.Option("--from", help="First day or time, UTC.")] = None,
    end: Annotated[str | None, typer.Option("--to", help="Day or time before which bars open, UTC.")] = None,
    hold: Annotated[str, typer.Option(help="Shortest and longest hold.")] = "5m..24h",
    hold_law: Annotated[str, typer.Option(help="log: each doubling of the hold as often; uniform: each number of bars.")] = "log",
    side: Annotated[str, typer.Option(help="long, short or both.")] = "both",
    size: Annotated[str, typer.Option(help="Notional in quote currency, or its bounds A..B; uniform between.")] = "1000",
    feature: Annotated[
        list[str] | None,
        typer.Option("--feature", "-f", help="Describe trades by this too, as known at the decision: rsi(14)@1h, BTC/USDT:roc(5)."),
    ] = None,
    fee_bps: Annotated[float | None, typer.Option(help="Fee of every fill, in basis points.")] = None,
    slippage_bps: Annotated[float | None, typer.Option(help="Slippage of every fill, in basis points.")] = None,
    slippage_volatility: Annotated[float | None, typer.Option(help="More slippage, times volatility(20).")] = None,
    slippage_participation: Annotated[float | None, typer.Option(help="More slippage, times sqrt(quantity / bar volume).")] = None,
    warmup_tolerance: warming.Tolerance = WARMUP_TOLERANCE,
    seed: Annotated[int, typer.Option(help="The same seed draws the same trades, with any number of workers.")] = 0,
    campaign: Annotated[str, typer.Option(help="Jobs whose trades are mined together; a further job adds its trades to them.")] = "default",
    workers: Annotated[int | None, typer.Option("--workers", "-w", help="Processes of the local cluster; else one a core.", min=1)] = None,
    address: Annotated[str | None, typer.Option(help="A running Ray cluster; else RAY_ADDRESS, else a local one.")] = None,
    *,
    estimate: Annotated[bool, typer.Option("--estimate", help="Say what it would take, and stop.")] = False,
    detach: Annotated[bool, typer.Option("--detach", help="Run on in the background; watch it with `coinswarm jobs watch`.")] = False,
    as_json: AsJson = False,
) -> None:
    """Draw random trades: market, entry bar, hold and side at random, priced with fees, slippage and funding, and described."""
    settings = console.settings()
    settings = settings.model_copy(update={"ray_address": address}) if address else settings
    bootstrap.prepare(settings)
    costs = {
        "taker_bps": fee_bps, "maker_bps": fee_bps, "slippage_bps": slippage_bps,
        "slippage_volatility": slippage_volatility, "slippage_participation": slippage_participation,
    }  # fmt: skip
    drawn = {
        "hold": hold, "hold_law": hold_law, "side": side, "size": _size(size), "features": feature or [], "seed": seed,
        "warmup_tolerance": warmup_tolerance,
    }  # fmt: skip
    asked = {"trades": trades, "timeframe": timeframe, "campaign": campaign}
    plan = _planned(settings, symbol or [], bars or [], (start, end), costs, drawn, asked)
    if estimate:
        _estimate(settings, plan, workers=workers, as_json=as_json)
    else:
        _run(settings, plan, workers=workers, detach=detach, as_json=as_json)


@app.command("list")
def list_jobs(
    campaign: Annotated[str | None, typer.Option(help="Of this campaign only.")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", help="How many, newest first.", min=1, max=10_000)] = 20,
    *,
    as_json: AsJson = False,
) -> None:
    """Jobs that have chaos trades, newest first."""
    with bootstrap.open_chaos(console.settings()) as kept:
        found = kept.summaries(campaign=campaign, limit=limit)
    if as_json:
        console.emit_json(found)
        return
    rows: list[list[Any]] = [_line(summary) for summary in found]
    console.table(f"{len(rows)} job(s)", ["job", "campaign", "trades", "markets", "won %", "gross %", "net %"], rows)


@app.command("show")
def show_job(
    job: OfJob, limit: Annotated[int, typer.Option("--limit", "-n", help="How many trades, the first ones.", min=0, max=1000)] = 5,
    *, as_json: AsJson = False,
) -> None:  # fmt: skip
    """What a job's trades came to by market and side, and the first of them."""
    from coinswarm.chaos import summary

    settings = console.settings()
    with bootstrap.open_store(settings) as store, bootstrap.open_chaos(settings) as kept:
        found = store.job(job)
        trades = kept.trades(found.id)
    groups = summary.by_market_and_side(trades)
    if as_json:
        first = trades.select(slice(0, limit)).to_polars().to_dicts()
        stands = {"status": found.status, "trades": len(trades), "of": found.config["trades"]}
        console.emit_json({"job": found.id, "synthetic": found.synthetic, **stands, "groups": groups, "first": first})
        return
    headings = ["market", "side", "trades", "won %", "gross %", "net %", "net sigmas", "hold bars"]
    rows: list[list[Any]] = [_group(group) for group in groups]
    console.table(f"{len(trades):,} chaos trades of {found.id}", headings, rows, synthetic=found.synthetic)
    _first(trades, limit, found)
    _unfinished(found, len(trades))


@app.command("export")
def export_job(
    job: OfJob, out: Annotated[Path, typer.Option(help="Write the trades to this Parquet or CSV file.", show_default=False)],
    *, as_json: AsJson = False,
) -> None:  # fmt: skip
    """Write a job's trades as a table: one row a trade, each feature under its name."""
    from cluster.cli import backtest

    backtest.require_tables(out)
    settings = console.settings()
    with bootstrap.open_store(settings) as store, bootstrap.open_chaos(settings) as kept:
        found = store.job(job)
        trades = kept.trades(found.id)
    backtest.write_frame(trades.to_polars(), out)
    if as_json:
        console.emit_json({"job": found.id, "synthetic": found.synthetic, "trades": len(trades), "file": str(out)})
    else:
        console.text(f"{len(trades):,} trades of {found.id} written to {console.path(out)}")


@app.command("drop")
def drop_job(job: OfJob, *, as_json: AsJson = False) -> None:
    """Forget the trades of a job that has ended; the job stays on record, and its trades can be drawn again by its seed."""
    settings = console.settings()
    with bootstrap.open_store(settings) as store, bootstrap.open_chaos(settings) as kept:
        found = store.job(job)
        kept.drop(found.id)
    if as_json:
        console.emit_json({"job": found.id, "dropped": True})
    else:
        console.text(f"the trades of {found.id} are dropped")


def plan_again(settings: Settings, store: Store, job: Job) -> Plan:
    """The plan of a stored job."""
    from cluster.jobs.chaos import plan as driving

    return driving.plan_again(job, store.data_sets(job.data_hashes), settings.bars_file)


def go_on(settings: Settings, store: Store, plan: Plan, *, workers: int | None, as_json: bool) -> None:
    """Drive a stored job from the first batch that is missing."""
    with bootstrap.open_chaos(settings) as kept:
        _drive(settings, store, kept, plan, workers=workers, as_json=as_json)


def _planned(
    settings: Settings,
    symbols: Sequence[str],
    files: Sequence[Path],
    span: tuple[str | None, str | None],
    costs: dict[str, float | None],
    drawn: dict[str, Any],
    asked: dict[str, Any],
) -> Plan:
    """The plan of what was typed; settings are checked before a file is imported."""
    from cluster.cli import asking, goals
    from cluster.jobs.chaos import plan as driving
    from coinswarm import chaos as trading
    from coinswarm.config import Costs

    made = trading.make(**drawn, costs=asking.settled(Costs, {name: value for name, value in costs.items() if value is not None}))
    first, last = goals.span(*span)
    markets = (*symbols, *asking.imported(files, settings))
    with bootstrap.open_campaigns(settings) as campaigns:
        split = campaigns.split(asked["campaign"])
    request = driving.Request(markets=markets, settings=made, start_ts=first, end_ts=last, split=split, **asked)
    return driving.plan(request, settings.bars_file)


def _run(settings: Settings, plan: Plan, *, workers: int | None, detach: bool, as_json: bool) -> None:
    """Queue a plan and drive it here, or in a process of its own."""
    from cluster.jobs.chaos import plan as driving

    with bootstrap.open_store(settings) as store, bootstrap.open_chaos(settings) as kept:
        _refuse_too_large(settings, plan)
        earlier = driving.submit_plan(store, kept, plan)
        if earlier:
            console.note(f"campaign {plan.job.campaign} has chaos trades of {earlier} job(s): these are added to them and mined with them")
        if not detach:
            _drive(settings, store, kept, plan, workers=workers, as_json=as_json)
            return
    pid = bootstrap.detach(settings, plan.job.id)
    if as_json:
        console.emit_json({"job": plan.job.id, "pid": pid})
    else:
        console.text(f"job {plan.job.id} runs in the background (process {pid}); watch it with `coinswarm jobs watch {plan.job.id}`")


def _drive(settings: Settings, store: Store, kept: ChaosStore, plan: Plan, *, workers: int | None, as_json: bool) -> None:
    with bootstrap.open_crew(settings, workers=workers, tell=console.note) as (crew, session):
        console.note(f"job {plan.job.id} with {session.cpus} processors; dashboard: {session.dashboard or 'could not be started'}")
        if plan.job.synthetic:
            console.note(f"{console.SYNTHETIC} DATA: these prices were made, not traded")
        _present(_driven(store, kept, crew, plan), as_json=as_json)


def _driven(store: Store, kept: ChaosStore, crew: Crew, plan: Plan) -> Job:
    from cluster.cli import live
    from cluster.jobs.chaos import plan as driving
    from cluster.run import stopping

    batches = driving.Batches(plan, crew, kept)
    with live.Display() as display, stopping.stop_requests(display.on_note) as stopped:
        ending = bootstrap.drive_steps(
            store, plan.job.id, batches, watcher=display, stopped=stopped, workers=lambda: crew.workers
        )  # fmt: skip
        return store.job(ending.job)


def _present(job: Job, *, as_json: bool) -> None:
    """Print what a job came to; a cancelled one raises `Cancelled` after that."""
    result = job.result or {}
    if as_json:
        console.emit_json(result)
    elif job.status == "done":
        facts: list[list[Any]] = [
            ["trades", f"{result['trades']:,} on {result['markets']} market(s)"],
            ["won", f"{100 * result['win_rate']:.2f} %"],
            ["mean gross", f"{100 * result['gross']:+.4f} %"],
            ["mean net", f"{100 * result['net']:+.4f} %"],
        ]
        console.table(f"job {job.id}", ["what", "value"], facts, synthetic=job.synthetic)
        console.text(f"next: `coinswarm patterns discover --job {job.id}`, `coinswarm chaos export {job.id} --out trades.parquet`")
    if job.status == "cancelled":
        raise errors.Cancelled(f"job {job.id} is cancelled, what was drawn is kept", hint=f"`coinswarm jobs resume {job.id}` goes on")


def _estimate(settings: Settings, plan: Plan, *, workers: int | None, as_json: bool) -> None:
    from cluster.jobs.chaos import plan as driving

    with bootstrap.open_crew(settings, workers=workers, tell=console.note) as (crew, _):
        found = driving.estimate(crew, plan)
    free = _free_bytes(settings)
    if as_json:
        console.emit_json({**asdict(found), "disk_free_bytes": free})
    else:
        _show_estimate(found, free, synthetic=plan.job.synthetic)
    _refuse_too_large(settings, plan)


def _show_estimate(found: Estimate, free: int | None, *, synthetic: bool) -> None:
    from cluster.cli import live

    shares = sorted(found.shares.values())
    parts = f", each with {100 * shares[0]:.1f} to {100 * shares[-1]:.1f} % of the trades" if found.markets > 1 else ""
    facts: list[list[Any]] = [
        ["rows", f"{found.trades:,}"],
        ["time", live.span(found.seconds)],
        ["speed", f"{found.trades_per_s:,.0f} trades/s on {found.workers} processors"],
        ["markets", f"{found.markets}{parts}"],
        ["memory", f"about {found.memory_bytes / 2**20:,.0f} MB a node with its workers"],
        ["database", f"about {found.database_bytes / 2**20:,.1f} MB" + ("" if free is None else f" of {free / 2**20:,.0f} MB free")],
    ]
    console.table("estimate", ["what", "how much"], facts, synthetic=synthetic)


def _refuse_too_large(settings: Settings, plan: Plan) -> None:
    from cluster.jobs.chaos import plan as driving

    free = _free_bytes(settings)
    if free is not None:
        driving.refuse_too_large(plan, free)


def _free_bytes(settings: Settings) -> int | None:
    """Room on the disk of the embedded database; None when the database is elsewhere."""
    if settings.database_address is not None:
        return None
    place = settings.postgres_folder
    return shutil.disk_usage(next(folder for folder in (place, *place.parents) if folder.exists())).free


def _size(text: str) -> tuple[float, float]:
    low, _, high = text.partition("..")
    try:
        return float(low), float(high or low)
    except ValueError:
        raise errors.InvalidArgument("--size reads A or A..B in quote currency", found=repr(text), hint="such as 100..10000") from None


def _line(summary: ChaosSummary) -> list[Any]:
    means = [_percent(value) for value in (summary.win_rate, summary.gross, summary.net)]
    return [summary.job, summary.campaign, f"{summary.trades:,}", summary.markets, *means]


def _group(group: Any) -> list[Any]:
    means = [_percent(value) for value in (group.win_rate, group.gross, group.net)]
    return [group.market, group.side, f"{group.trades:,}", *means, f"{group.net_sigmas:+.4f}", f"{group.hold:.1f}"]


def _percent(value: float) -> str:
    return "" if value != value else f"{100 * value:.3f}"


def _first(trades: ChaosTrades, limit: int, job: Job) -> None:
    if not limit or not len(trades):
        return
    names = ["number", "market", "side", "entry_ts", "hold", "reason", "gross", "net", *trades.features]
    first = trades.select(slice(0, limit)).to_polars()
    rows = [[_cell(row[name]) for name in names] for row in first.to_dicts()]
    console.table(f"the first {len(rows)}, described as known at the decision", names, rows, synthetic=job.synthetic)


def _unfinished(job: Job, drawn: int) -> None:
    """Say how much of a job is missing and how to go on with it."""
    total = int(job.config["trades"])
    follow = f"`coinswarm jobs watch {job.id}` follows it, " if job.status == "running" else ""
    if drawn < total:
        goes_on = f"{follow}`coinswarm jobs resume {job.id}` goes on with it"
        console.note(f"{drawn:,} of {total:,} trades are drawn: the job is {job.status}, {goes_on}")


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return "" if value is None else value.strftime("%Y-%m-%d %H:%M") if hasattr(value, "strftime") else str(value)
