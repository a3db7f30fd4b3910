"""`coinswarm show`: one evaluation with its parameters, its figures in and out of sample, and its equity curve."""

from __future__ import annotations

import dataclasses
import io
import math
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cluster import bootstrap
from cluster.cli import client, console
from coinswarm import errors

if TYPE_CHECKING:
    import polars as pl

    from cluster.queries.replay import Visit
    from coinswarm.play.runs import Side


@dataclass(frozen=True, kw_only=True)
class Extracts:
    """What else is wanted of an evaluation: files of its trades and its equity, on which market, trading which side."""

    trades: Path | None
    equity: Path | None
    market: str | None
    side: Side | None


def command(
    evaluation: Annotated[str, typer.Argument(help="An evaluation's id or the beginning of it.")],
    trades: Annotated[Path | None, typer.Option(help="Write its trades to this Parquet or CSV file.")] = None,
    equity: Annotated[Path | None, typer.Option(help="Write equity and position at every close to this Parquet or CSV file.")] = None,
    market: Annotated[str | None, typer.Option(help="For these files: key of a data set of its job; else the first.")] = None,
    side: Annotated[
        str | None,
        typer.Option(help="For these files and the curves: long or short, as if it traded that side alone. Stored figures are of both."),
    ] = None,
    server: client.Server = None,
    as_json: console.AsJson = False,
) -> None:
    """One evaluation: parameters, figures, equity curve; its trades and its equity as files."""
    wanted = _wanted(trades, equity, market, side)
    settings = console.settings()
    remote = client.wanted(settings, server)
    if remote is not None:
        if side is not None and not (trades or equity):
            raise errors.InvalidArgument("--side goes with --trades or --equity where a server is asked", found=side)
        _remote(remote, evaluation, as_json=as_json)
        _save(wanted, *_fetched(remote, evaluation, wanted))
        return
    bootstrap.prepare(settings)
    from cluster.queries import replay

    with bootstrap.open_store(settings) as store:
        found = replay.visit(store, evaluation, settings.bars_file)
        ancestors = store.lineage(found.record.id)
    if as_json:
        console.emit_json({"evaluation": found.record, "seed": found.job.seed, "ancestors": ancestors})
    else:
        _origin(found, len(ancestors) - 1)
        _figures([dataclasses.asdict(score) for score in found.record.scores], synthetic=found.record.synthetic)
        if replay.is_scored(found.record):
            _curves(found, wanted.side)
    if trades or equity:
        _save(wanted, *_simulated(found, wanted))


def _wanted(trades: Path | None, equity: Path | None, market: str | None, side: str | None) -> Extracts:
    """Raises `InvalidArgument` for a file that is no table, a side that is none, or a market without a file."""
    if not (trades or equity or market or side):
        return Extracts(trades=None, equity=None, market=None, side=None)
    from cluster.cli import backtest

    backtest.require_tables(trades, equity)
    if market is not None and not (trades or equity):
        raise errors.InvalidArgument("--market goes with --trades or --equity", found=market)
    return Extracts(trades=trades, equity=equity, market=market, side=backtest.one_side(side))


def _simulated(found: Visit, wanted: Extracts) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Trades and equity of an evaluation of this machine over all bars of its job."""
    from cluster.queries import answers, replay
    from coinswarm.backtest import listing

    answers.require_scored(found)
    place = answers.place([source.key for source in found.plan.task.sources], wanted.market)
    run = replay.simulated(found, place, side=wanted.side)
    return run.trades, listing.curve(run.bars, run.equity, run.position)


def _fetched(remote: client.Client, evaluation: str, wanted: Extracts) -> tuple[pl.DataFrame | None, pl.DataFrame | None]:
    """Trades and equity as a control plane has them; None for what is not wanted."""
    import polars as pl

    def table(name: str) -> pl.DataFrame:
        asked = {"form": "parquet", "market": wanted.market, "side": wanted.side}
        return pl.read_parquet(io.BytesIO(remote.content(f"/api/v1/evaluations/{evaluation}/{name}", **asked)))

    curve = table("equity") if wanted.equity else None
    if curve is not None:
        time = pl.col("close_ts").cast(pl.Datetime("ms", "UTC")).alias("close_time")
        curve = curve.select(time, "equity", "position")
    return table("trades") if wanted.trades else None, curve


def _save(wanted: Extracts, trades: pl.DataFrame | None, equity: pl.DataFrame | None) -> None:
    for path, table in ((wanted.trades, trades), (wanted.equity, equity)):
        if path is not None and table is not None:
            from cluster.cli import backtest

            backtest.write_frame(table, path)
            console.note(f"wrote {console.path(path)}")


def _origin(found: Visit, ancestors: int) -> None:
    record = found.record
    facts: list[list[Any]] = [
        ["job", f"{record.job}  (campaign {record.campaign}, seed {record.seed})"],
        ["variant", record.variant],
        ["status", f"{record.status} {record.reason}".strip()],
        ["born", f"island {record.island}, generation {record.generation}, by {record.operator}, {ancestors} ancestors"],
        ["code", record.code_version],
        *([name, value] for name, value in record.params.items()),
    ]
    console.table(f"evaluation {record.id}", ["what", "value"], facts, synthetic=record.synthetic)


def _figures(scores: Sequence[Mapping[str, Any]], *, synthetic: bool) -> None:
    from coinswarm.metrics.figures import FIGURES

    headings = ["figure", *(f"{score['data_set']} {score['segment'].replace('_', ' ')}" for score in scores)]
    rows: list[list[Any]] = [[name, *(_figure(score["figures"][name]) for score in scores)] for name in FIGURES]
    console.table("figures", headings, rows, synthetic=synthetic)


def _curves(found: Visit, side: Side | None) -> None:
    from cluster.queries import replay
    from coinswarm.report import terminal

    width = min(shutil.get_terminal_size((100, 24)).columns, 120)
    for number, source in enumerate(found.plan.task.sources):
        run = replay.simulated(found, number, side=side)
        held_out = console.moment(found.plan.task.split_ts) or "nowhere"
        alone = f", {side} side alone" if side else ""
        console.text(f"\n{source.key}: equity over all bars{alone}; the part held out begins {held_out}")
        console.text(terminal.equity_curve(run.bars.close_ts, run.equity, run.account.starting_equity, width=width))


def _remote(remote: client.Client, evaluation: str, *, as_json: bool) -> None:
    """What a control plane tells of an evaluation; its curve is in the report."""
    found = remote.get(f"/api/v1/evaluations/{evaluation}")
    ancestors = remote.get(f"/api/v1/evaluations/{found['id']}/lineage")
    if as_json:
        console.emit_json({"evaluation": found, "seed": found["seed"], "ancestors": ancestors})
        return
    names = ("job", "variant", "status", "reason", "island", "generation", "operator", "code_version")
    facts: list[list[Any]] = [*([name, found[name]] for name in names), ["ancestors", len(ancestors) - 1], *found["params"].items()]
    console.table(f"evaluation {found['id']}", ["what", "value"], facts, synthetic=found["synthetic"])
    _figures(found["scores"], synthetic=found["synthetic"])


def _figure(value: float | None) -> str:
    """A figure as it is read; a dash where it has no value."""
    return f"{value:.6g}" if value is not None and math.isfinite(value) else "-"
