"""`coinswarm show`: one evaluation with its parameters, its figures in and out of sample, and its equity curve."""

from __future__ import annotations

import dataclasses
import io
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cluster import bootstrap
from cluster.cli import client, console, subjects
from coinswarm import errors
from coinswarm.market.timeframe import MINUTE_MS, Timeframe
from coinswarm.printable import counted
from coinswarm.report import wording

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
    evaluation: subjects.OfEvaluation,
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
    """Show one evaluation, or the best of a search: parameters, figures, equity curve; its trades and equity as files."""
    wanted = _wanted(trades, equity, market, side)
    settings = console.settings()
    remote = client.wanted(settings, server)
    if remote is not None:
        evaluation = subjects.there(remote, evaluation)
        if side is not None and not (trades or equity):
            raise errors.InvalidArgument("--side goes with --trades or --equity where a server is asked", found=side)
        _remote(remote, evaluation, as_json=as_json)
        _save(wanted, *_fetched(remote, evaluation, wanted))
        return
    bootstrap.prepare(settings)
    from cluster.queries import replay

    with bootstrap.open_store(settings) as store:
        found = replay.visit(store, subjects.here(store, evaluation), settings.bars_file)
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
    """Trades and equity as a server has them; None for what is not wanted."""
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
    described = {name: getattr(record, name) for name in _DESCRIBED}
    _describe({**described, "id": record.id, "seed": found.job.seed}, ancestors, record.params)


_DESCRIBED = ("job", "campaign", "variant", "status", "reason", "island", "generation", "operator", "code_version", "synthetic")
"""What is said of an evaluation, from the ledger and from a server alike."""


def _describe(record: Mapping[str, Any], ancestors: int, params: Mapping[str, object]) -> None:
    """Where an evaluation comes from, and its parameters."""
    bred = f"generation {record['generation']} of island {record['island']}, operator {record['operator']}"
    status = f"{record['status']} {record['reason'] or ''}".strip()
    console.facts(
        f"evaluation {record['id']}",
        [
            ["job", record["job"]], ["campaign", record["campaign"]], ["seed", record["seed"]], ["variant", record["variant"][:12]],
            ["status", status], ["bred in", f"{bred}; {counted(ancestors, 'ancestor')}"], ["code version", record["code_version"]],
        ],
        synthetic=record["synthetic"],
    )  # fmt: skip
    if params:
        console.table("parameters", ["parameter", "value"], [[name, wording.value(value)] for name, value in params.items()])


def _figures(scores: Sequence[Mapping[str, Any]], *, synthetic: bool) -> None:
    """A table for each market: a figure a line, its value in each segment of time."""
    for key in dict.fromkeys(score["data_set"] for score in scores):
        segments = {score["segment"]: score["figures"] for score in scores if score["data_set"] == key}
        columns = ["figure", *(name.replace("_", " ") for name in segments)]
        minutes = Timeframe.parse(key.rpartition(":")[2]).ms / MINUTE_MS
        console.table(key, columns, wording.rows(segments.values(), minutes), synthetic=synthetic)


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
    """What a server tells of an evaluation; its curve is in the report."""
    found = remote.get(f"/api/v1/evaluations/{evaluation}")
    ancestors = remote.get(f"/api/v1/evaluations/{found['id']}/lineage")
    if as_json:
        console.emit_json({"evaluation": found, "seed": found["seed"], "ancestors": ancestors})
        return
    _describe(found, len(ancestors) - 1, found["params"])
    _figures(found["scores"], synthetic=found["synthetic"])
