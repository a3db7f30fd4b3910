"""`coinswarm backtest`: one variant of a play in full, on a file of bars or a stored market."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer

from cluster.cli import catalogs, console
from cluster.jobs import variants, warmup
from cluster.jobs.variants import Variant
from coinswarm import errors, play
from coinswarm.backtest import listing
from coinswarm.backtest.run import Backtest, run
from coinswarm.config import LEAST_WARMUP_TOLERANCE, MOST_WARMUP_TOLERANCE, WARMUP_TOLERANCE, Costs
from coinswarm.market import files, resample
from coinswarm.market.bars import Bars
from coinswarm.market.timeframe import MINUTE_MS, Timeframe
from coinswarm.play.runs import Side
from coinswarm.printable import counted
from coinswarm.report import wording
from coinswarm.report.files import write_whole

if TYPE_CHECKING:
    import polars as pl

SHOWN_TRADES = 10
_HEADINGS = ("entry", "side", "price in", "price out", "return", "held", "exit")

Tolerance = Annotated[
    float,
    typer.Option(
        "--warmup-tolerance",
        min=LEAST_WARMUP_TOLERANCE,
        max=MOST_WARMUP_TOLERANCE,
        help="How far unknown earlier bars may move a warm feature, relative to its size; looser is warm sooner.",
    ),
]
OfBars = Annotated[
    list[Path] | None,
    typer.Option("--bars", help="A file of candles; repeat it for other markets that the play looks at, the traded one first."),
]
OfTimeframe = Annotated[
    str | None, typer.Option("--timeframe", "-t", help="Bar interval, in place of the play's; of a file: what it holds.")
]
Setting = Annotated[
    list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="A parameter that the play leaves open; repeat for several.")
]
VariantRule = Annotated[str | None, typer.Option("--variant", metavar="RULE", help="For parameters not set: first, middle or random:SEED.")]
OneSide = Annotated[
    str | None,
    typer.Option(
        "--side",
        help="long or short: trade that side alone; entries of the other are ignored.",
    ),
]


def command(
    file: Annotated[Path, typer.Argument(metavar="PLAY", help="A YAML file.", show_default=False)],
    bars: OfBars = None,
    symbol: Annotated[
        list[str] | None, typer.Option("--symbol", "-s", help="A stored market; with --bars, the market of the file.")
    ] = None,
    timeframe: OfTimeframe = None,
    setting: Setting = None,
    variant: VariantRule = None,
    start: Annotated[
        datetime | None, typer.Option("--from", metavar="TIME", help="First decision, UTC; earlier bars warm features up.")
    ] = None,
    end: Annotated[datetime | None, typer.Option("--to", metavar="TIME", help="Bars from here on are not used, UTC.")] = None,
    fee_bps: Annotated[float | None, typer.Option(min=0, max=1000, help="Fee of every fill, in place of the play's.")] = None,
    slippage_bps: Annotated[float | None, typer.Option(min=0, max=1000, help="Fixed slippage, in place of the play's.")] = None,
    max_hold_bars: Annotated[int | None, typer.Option(min=1, max=100_000, help="Longest hold, in place of the play's.")] = None,
    warmup_tolerance: Tolerance = WARMUP_TOLERANCE,
    trades: Annotated[Path | None, typer.Option(help="Write all trades to this Parquet or CSV file.")] = None,
    equity: Annotated[Path | None, typer.Option(help="Write equity and position at every close to this Parquet or CSV file.")] = None,
    report: Annotated[Path | None, typer.Option(help="Write an HTML report.")] = None,
    side: OneSide = None,
    as_json: console.AsJson = False,
) -> None:
    """Run one variant of a play in full: figures, trades and equity."""
    require_tables(trades, equity)
    loaded = on_interval(play.load(file), bars, timeframe)
    candles, others = read_files(loaded, bars or [], _only(symbol), timeframe)
    require_span(candles, _milliseconds(start), _milliseconds(end))
    wanted = for_run(loaded, candles, max_hold_bars, warmup_tolerance)
    chosen = variants.choose(wanted, setting or [], variant)
    result = run(
        chosen.play,
        candles,
        costs=_costs(loaded.costs, fee_bps, slippage_bps),
        markets=read_markets(chosen.play, others, candles),
        start_ts=_milliseconds(start),
        end_ts=_milliseconds(end),
        side=one_side(side),
    )
    _write(result, chosen, trades, equity, report)
    if as_json:
        console.emit_json(_described(result, chosen, side))
    else:
        _show(result, chosen)


# --- what it runs on ------------------------------------------------------------------------------------------------------


def on_interval(loaded: play.Play, paths: Sequence[Path] | None, timeframe: str | None) -> play.Play:
    """The play on the interval that is asked for, in place of its own, as a search has it; of files it says what they hold."""
    return loaded if paths or timeframe is None else play.with_run(loaded, timeframe=timeframe)


def read_files(loaded: play.Play, paths: Sequence[Path], symbol: str | None, timeframe: str | None) -> tuple[Bars, Sequence[Path]]:
    """The exec bars, of the first file or stored, and the files that are left for other markets."""
    return read_bars(loaded, paths[0] if paths else None, symbol, timeframe), paths[1:]


def read_bars(loaded: play.Play, file: Path | None, symbol: str | None, timeframe: str | None) -> Bars:
    """The exec bars: a file, resampled where the play's are slower, or a stored market that is named or that the play names."""
    if file is not None:
        return _slowed(loaded, files.read(file, symbol=symbol, timeframe=timeframe, tell=console.note))
    if symbol is None and not loaded.symbols:
        raise errors.InvalidArgument(f"{loaded.name} names no market", hint="give --bars FILE or --symbol BTC/USDT")
    with catalogs.catalog(read_only=True) as catalog:
        return catalog.read(*_named(symbol or loaded.symbols[0], timeframe, loaded))


def _only(symbols: Sequence[str] | None) -> str | None:
    """The market that was named; raises `InvalidArgument` when several were."""
    if symbols and len(symbols) > 1:
        hint = "run it once for each; `coinswarm evolve` takes several"
        raise errors.InvalidArgument("a backtest runs on one market", found=", ".join(symbols), hint=hint)
    return symbols[0] if symbols else None


def _named(market: str, timeframe: str | None, loaded: play.Play) -> tuple[str, str | None]:
    """A market and the timeframe it is meant in: of several that are stored, the play's."""
    own = None if loaded.timeframe_ms is None else str(Timeframe(loaded.timeframe_ms))
    return market, timeframe or own


def _slowed(loaded: play.Play, candles: Bars) -> Bars:
    wanted = loaded.timeframe_ms
    if wanted is None or wanted <= candles.timeframe.ms or wanted % candles.timeframe.ms:
        return candles
    slow = Timeframe(wanted)
    console.note(f"{loaded.name} trades on {slow} bars: {candles.key} is resampled to them")
    return resample.resample(candles, slow)


def require_span(candles: Bars, start_ts: int | None, end_ts: int | None) -> None:
    """Raise `InvalidArgument` when --from and --to contradict each other, `SpanTooShort` when no bar lies between them."""
    if start_ts is not None and end_ts is not None and start_ts >= end_ts:
        raise errors.InvalidArgument("--from must lie before --to", found=f"{console.moment(start_ts)} and {console.moment(end_ts)}")
    first = 0 if start_ts is None else int(np.searchsorted(candles.ts, start_ts))
    last = len(candles) if end_ts is None else int(np.searchsorted(candles.ts, end_ts))
    if len(candles) and first >= last:
        span = f"{console.moment(int(candles.ts[0]))} .. {console.moment(int(candles.ts[-1]))}"
        raise errors.SpanTooShort("a backtest needs bars between --from and --to", found=f"bars of {span}")


def read_markets(loaded: play.Play, given: Sequence[Path], candles: Bars) -> dict[str, Bars]:
    """Bars of every other market that a feature names: from the files, else from the catalog."""
    read = [files.read(path, tell=console.note) for path in given]
    markets = {candles.symbol: candles, **{entry.symbol: entry for entry in read}}
    missing = {feature.market for feature in loaded.features.values() if feature.market is not None} - markets.keys()
    if missing:
        with catalogs.catalog(read_only=True) as catalog:
            markets |= {name: catalog.read(name, candles.timeframe) for name in sorted(missing)}
    return markets


def for_run(loaded: play.Play, candles: Bars, max_hold_bars: int | None, warmup_tolerance: float = WARMUP_TOLERANCE) -> play.Play:
    """The play on the market and timeframe of these bars; raises `BadPlay` when nothing closes its positions."""
    timeframe = candles.timeframe if loaded.timeframe_ms is None else None
    wanted = play.with_run(
        loaded, symbol=candles.symbol, timeframe=timeframe, max_hold_bars=max_hold_bars, warmup_tolerance=warmup_tolerance
    )
    play.check_runnable(wanted)
    return wanted


def one_side(side: str | None) -> Side | None:
    """The side that was named; raises `InvalidArgument` when it is none."""
    if side not in (None, "long", "short"):
        raise errors.InvalidArgument("--side is long or short", found=repr(side))
    return "long" if side == "long" else "short" if side == "short" else None


def _costs(costs: Costs, fee_bps: float | None, slippage_bps: float | None) -> Costs:
    fees = {} if fee_bps is None else {"taker_bps": fee_bps, "maker_bps": fee_bps}
    slippage = {} if slippage_bps is None else {"slippage_bps": slippage_bps}
    return costs.model_copy(update=fees | slippage)


def _milliseconds(moment: datetime | None) -> int | None:
    if moment is None:
        return None
    return int((moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment).timestamp() * 1000)


# --- what comes of it -----------------------------------------------------------------------------------------------------


def _write(result: Backtest, chosen: Variant, trades: Path | None, equity: Path | None, report: Path | None) -> None:
    if trades is not None:
        write_frame(result.trades, trades)
    if equity is not None:
        write_frame(listing.curve(result.bars, result.equity, result.position), equity)
    if report is not None:
        _write_report(result, chosen, report)
    for path in (trades, equity, report):
        if path is not None:
            console.note(f"wrote {console.path(path)}")


def require_tables(*paths: Path | None) -> None:
    """Raise unless every path that is given is one a table can be written to."""
    for path in paths:
        if path is not None and path.suffix not in (".parquet", ".csv"):
            raise errors.InvalidArgument("a table is written as .parquet or .csv", found=path.name)


def write_frame(frame: pl.DataFrame, path: Path) -> None:
    """Write a table as Parquet or CSV, whole or not at all."""
    buffer = io.BytesIO()
    if path.suffix == ".csv":
        frame.write_csv(buffer)
    else:
        frame.write_parquet(buffer)
    write_whole(path, buffer.getvalue())


def _write_report(result: Backtest, chosen: Variant, path: Path) -> None:
    from coinswarm import report

    context = report.Context(
        variant=chosen.identity,
        parameters=chosen.parameters,
        data={result.bars.key: result.bars.content_hash},
        synthetic=result.bars.synthetic,
    )
    report.write(result, path, context=context)


def _described(result: Backtest, chosen: Variant, side: str | None) -> dict[str, object]:
    return {
        "play": result.play.name,
        "side": side,
        "variant": chosen.identity,
        "parameters": chosen.parameters,
        "market": result.bars.key,
        "synthetic": result.bars.synthetic,
        "bars": len(result.bars),
        "start": _instant(result.bars, result.start),
        "warm_up": warmup.facts(result.play, result.bars.timeframe.ms, len(result.bars)),
        "end": _instant(result.bars, len(result.bars) - 1),
        "status": result.status.name.lower(),
        "reason": result.reason,
        "unmet": result.unmet,
        "metrics": result.metrics,
        "costs": result.costs,
        "account": result.account,
        "notes": chosen.play.notes,
        "trades": result.trades.rows(named=True),
    }


def _moment(bars: Bars, index: int) -> str:
    return console.moment(int(bars.ts[index]))


def _instant(bars: Bars, index: int) -> str | None:
    return console.instant(int(bars.ts[index]))


def _show(result: Backtest, chosen: Variant) -> None:
    synthetic = result.bars.synthetic
    span = f"{_moment(result.bars, result.start)} .. {_moment(result.bars, len(result.bars) - 1)}"
    console.text(f"{result.play.name} on {result.bars.key}, {span}")
    asked = (result.play, result.bars.timeframe.ms, len(result.bars))
    for line in (warmup.told(*asked), warmup.warning(*asked)):
        if line:
            console.prose(line)
    minutes = result.bars.timeframe.ms / MINUTE_MS
    console.table("figures", ("figure", "value"), wording.rows([result.metrics], minutes), synthetic=synthetic)
    rows = [_trade_row(row) for row in result.trades.head(SHOWN_TRADES).rows(named=True)]
    if rows:
        console.table(f"the first {len(rows)} of {counted(result.trades.height, 'trade')}", _HEADINGS, rows, synthetic=synthetic)
    if chosen.parameters:
        console.prose("parameters: " + " ".join(f"{name}={wording.value(value)}" for name, value in chosen.parameters.items()))
    for line in (result.reason, *result.unmet, *(f"note: {text}" for text in chosen.play.notes)):
        if line:
            console.prose(line)


def _trade_row(row: Mapping[str, Any]) -> list[object]:
    prices = [wording.price(row[name]) for name in ("entry_price", "exit_price")]
    held = None if row["exit_time"] is None else wording.duration((row["exit_time"] - row["entry_time"]).total_seconds() / 60)
    entered = f"{row['entry_time']:%Y-%m-%d %H:%M}"
    return [entered, row["side"], *prices, wording.percent(row["return"], signed=True), held, row["exit_reason"]]
