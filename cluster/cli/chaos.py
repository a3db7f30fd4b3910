"""`coinswarm chaos`: trade at random on real bars and record what happened, for patterns to be mined from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cluster import bootstrap
from cluster.cli import console, job_commands, usage
from cluster.jobs import chaos
from coinswarm.printable import counted

if TYPE_CHECKING:
    from coinswarm.ledger.chaos import ChaosSummary, ChaosTrades
    from coinswarm.ledger.records import Job

app = usage.App(
    help="Sample random trades and record their outcomes.",
    examples=["coinswarm chaos run --trades 100000 --symbol BTC/USDT --feature 'rsi(14)@1h'", "coinswarm chaos list"],
)

OfJob = Annotated[str, typer.Argument(metavar="JOB", help="Its id, or the beginning of it.")]


app.command("run", examples=chaos.EXAMPLES)(job_commands.command(chaos.NAME))


@app.command("list")
def list_jobs(
    campaign: Annotated[str | None, typer.Option(help="Only jobs of this campaign.")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", help="How many rows.", min=1, max=10_000)] = 20,
    as_json: console.AsJson = False,
) -> None:
    """List jobs that have chaos trades, newest first."""
    with bootstrap.open_chaos(console.settings()) as kept:
        found = kept.summaries(campaign=campaign, limit=limit)
    if as_json:
        console.emit_json(found)
        return
    rows: list[list[Any]] = [_line(summary) for summary in found]
    console.table(
        f"{counted(len(rows), 'job')} with chaos trades", ["job", "trades", "won %", "gross %", "net %", "drawn"], rows, below=True
    )
    if not rows and campaign is None:
        console.text("next: `coinswarm chaos run --symbol MARKET` samples trades")


@app.command("show")
def show_job(
    job: OfJob, limit: Annotated[int, typer.Option("--limit", "-n", help="How many of the trades to show.", min=0, max=1000)] = 5,
    as_json: console.AsJson = False,
) -> None:  # fmt: skip
    """Show the outcomes of a job's trades by market and side, and the first trades."""
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
    headings = ["market", "side", "trades", "won %", "gross %", "net %", "sigmas", "hold bars"]
    rows: list[list[Any]] = [_group(group) for group in groups]
    console.table(f"{len(trades):,} chaos trades of {found.id}", headings, rows, synthetic=found.synthetic)
    _first(trades, limit, found)
    _unfinished(found, len(trades))


@app.command("export")
def export_job(
    job: OfJob, out: Annotated[Path, typer.Option(help="The Parquet or CSV file to write.", show_default=False)],
    as_json: console.AsJson = False,
) -> None:  # fmt: skip
    """Export a job's trades as a table: one row per trade, one column per feature."""
    from cluster.cli import backtest

    backtest.require_tables(out)
    settings = console.settings()
    with bootstrap.open_store(settings) as store, bootstrap.open_chaos(settings) as kept:
        found = store.job(job)
        trades = kept.trades(found.id)
    backtest.write_frame(trades.to_polars(), out)
    said = f"{len(trades):,} trades of {found.id} written to {console.path(out)}"
    console.answer({"job": found.id, "synthetic": found.synthetic, "trades": len(trades), "file": str(out)}, said, as_json=as_json)


@app.command("drop")
def drop_job(job: OfJob, as_json: console.AsJson = False) -> None:
    """Delete the trades of a finished job. The job stays, and its seed gives the same trades again."""
    settings = console.settings()
    with bootstrap.open_store(settings) as store, bootstrap.open_chaos(settings) as kept:
        found = store.job(job)
        kept.drop(found.id)
    console.answer({"job": found.id, "dropped": True}, f"the trades of {found.id} are dropped", as_json=as_json)


def _line(summary: ChaosSummary) -> list[Any]:
    means = [_percent(value) for value in (summary.win_rate, summary.gross, summary.net)]
    return [summary.job, f"{summary.trades:,}", *means, f"campaign {summary.campaign}, {counted(summary.markets, 'market')}"]


def _group(group: Any) -> list[Any]:
    means = [_percent(value) for value in (group.win_rate, group.gross, group.net)]
    return [group.market, group.side, f"{group.trades:,}", *means, f"{group.net_sigmas:+.4f}", f"{group.hold:.1f}"]


def _percent(value: float) -> str:
    return "" if value != value else f"{100 * value:.3f}"


def _first(trades: ChaosTrades, limit: int, job: Job) -> None:
    if not limit or not len(trades):
        return
    names = ["number", "market", "side", "entry_ts", "hold", "reason", "gross", "net"]
    first = trades.select(slice(0, limit)).to_polars().to_dicts()
    known = [" ".join(f"{name}={_cell(row[name])}" for name in trades.features) for row in first]
    rows = [[*(_cell(row[name]) for name in names), features] for row, features in zip(first, known, strict=True)]
    headings = ["#", "market", "side", "entry", "hold", "exit", "gross", "net", "features"]
    console.table(f"the first {len(rows)}, with features as known at the decision", headings, rows, synthetic=job.synthetic, below=True)


def _unfinished(job: Job, drawn: int) -> None:
    """Say how much of a job is missing and how to resume it."""
    total = int(job.config["trades"])
    follow = f"`coinswarm jobs watch {job.id}` follows it, " if job.status == "running" else ""
    if drawn < total:
        resume = f"{follow}`coinswarm jobs resume {job.id}` resumes it"
        console.note(f"{drawn:,} of {total:,} trades are drawn: the job is {job.status}, {resume}")


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    return "" if value is None else value.strftime("%Y-%m-%d %H:%M") if hasattr(value, "strftime") else str(value)
