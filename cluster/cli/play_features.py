"""`coinswarm play features`: what one variant of a play sees and wants on every bar, as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer

from cluster.cli import backtest, console
from cluster.jobs import variants
from cluster.jobs.variants import Variant
from coinswarm import play
from coinswarm.config import WARMUP_TOLERANCE
from coinswarm.market.bars import Bars
from coinswarm.play import describe, model
from coinswarm.play.slots import CONDITIONS
from coinswarm.play.values import FeatureValues

if TYPE_CHECKING:
    import polars as pl


def command(
    file: Annotated[Path, typer.Argument(metavar="PLAY", help="A YAML file.", show_default=False)],
    out: Annotated[Path | None, typer.Option(help="Write all values to this Parquet or CSV file.")] = None,
    bars: backtest.OfBars = None,
    symbol: Annotated[str | None, typer.Option("--symbol", "-s", help="A stored market; with --bars, the market of the file.")] = None,
    timeframe: backtest.OfTimeframe = None,
    setting: backtest.Setting = None,
    variant: backtest.VariantRule = None,
    max_hold_bars: Annotated[int | None, typer.Option(min=1, max=100_000, help="Longest hold, in place of the play's.")] = None,
    warmup_tolerance: backtest.Tolerance = WARMUP_TOLERANCE,
    as_json: console.AsJson = False,
) -> None:
    """List the features and conditions of one variant with their ranges, and write them bar by bar. Values are known at the bar's close."""
    backtest.require_tables(out)
    loaded = backtest.on_interval(play.load(file), bars, timeframe)
    candles, others = backtest.read_files(loaded, bars or [], symbol, timeframe)
    chosen = variants.choose(backtest.for_run(loaded, candles, max_hold_bars, warmup_tolerance), setting or [], variant)
    markets = backtest.read_markets(chosen.play, others, candles)
    columns = {**_features(chosen.play, candles, markets), **_conditions(chosen.play, candles, markets)}
    if out is not None:
        backtest.write_frame(_frame(candles, columns), out)
        console.note(f"wrote {console.path(out)}")
    rows = [_row(name, values, first, candles) for name, (values, first) in columns.items()]
    if as_json:
        console.emit_json(_described(chosen, candles, rows))
    else:
        _show(chosen, candles, rows)


Columns = dict[str, tuple[np.ndarray, int]]
"""(n_bars,) values and the first warm bar, by name."""


def _features(chosen: model.Play, candles: Bars, markets: Mapping[str, Bars]) -> Columns:
    found: Columns = {}
    values = FeatureValues(play=chosen, bars=candles, markets=markets)
    for name in chosen.features:
        computed = values.of(name)
        for output, column in computed.outputs.items():
            found[_named(name if output == "value" else f"{name}.{output}")] = (column, computed.first)
    return found


def _named(name: str) -> str:
    """A feature's column; one called like a column of the table itself is told apart."""
    return f"feature.{name}" if name in (*CONDITIONS, "time") else name


def _conditions(chosen: model.Play, candles: Bars, markets: Mapping[str, Bars]) -> Columns:
    """The truth of each condition by itself, whatever sides the mode allows and whatever the other side wants.

    The reference simulator decides nothing on the last bar, so that bar has no truth.
    """
    from coinswarm.backtest.decisions import decide

    found: Columns = {}
    nothing: dict[str, Any] = dict.fromkeys(CONDITIONS)
    alone = replace(chosen, risk=model.Risk(), policy=model.Policy(), **nothing)
    for name in CONDITIONS:
        condition = getattr(chosen, name)
        if condition is not None:
            wanted = decide(replace(alone, entry_long=condition), candles, markets)
            truth = wanted.entry_long.astype(np.float64)
            truth[: wanted.first] = truth[-1:] = np.nan
            found[name] = (truth, wanted.first)
    return found


def _frame(candles: Bars, columns: Columns) -> pl.DataFrame:
    import polars as pl

    series = [pl.Series("time", candles.ts).cast(pl.Datetime("ms", "UTC"))]
    for name, (values, _) in columns.items():
        column = pl.Series(name, values, nan_to_null=True)
        series.append(column.cast(pl.Boolean) if name in CONDITIONS else column)
    return pl.DataFrame(series)


def _row(name: str, values: np.ndarray, first: int, candles: Bars) -> dict[str, Any]:
    known = values[first:][np.isfinite(values[first:])]
    return {
        "name": name,
        "condition": name in CONDITIONS,
        "warm_from": first if first < len(candles) else None,
        "warm_time": console.instant(int(candles.ts[first])) if first < len(candles) else None,
        "known": int(known.size),
        "min": float(known.min()) if known.size else None,
        "mean": float(known.mean()) if known.size else None,
        "max": float(known.max()) if known.size else None,
    }


def _described(chosen: Variant, candles: Bars, rows: Sequence[Mapping[str, Any]]) -> dict[str, object]:
    return {
        "play": chosen.play.name,
        "variant": chosen.identity,
        "parameters": chosen.parameters,
        "market": candles.key,
        "synthetic": candles.synthetic,
        "bars": len(candles),
        "columns": rows,
    }


def _show(chosen: Variant, candles: Bars, rows: Sequence[Mapping[str, Any]]) -> None:
    console.text(f"{chosen.play.name} on {candles.key}, {len(candles):,} bars")
    values = [
        [row["name"], row["warm_from"], _moment(candles, row), f"{row['known']:,}", *_numbers(row)] for row in rows if not row["condition"]
    ]
    console.table("Features", ("feature", "warm from bar", "time", "values", "min", "mean", "max"), values, synthetic=candles.synthetic)
    meanings = {name: describe.condition(getattr(chosen.play, name)) for name in CONDITIONS}
    truths = [[row["name"], row["warm_from"], _share(row), meanings[row["name"]]] for row in rows if row["condition"]]
    console.table("Conditions", ("condition", "warm from bar", "true", "meaning"), truths, synthetic=candles.synthetic)
    if chosen.parameters:
        console.prose("parameters: " + describe.parameters(chosen.parameters))


def _share(row: Mapping[str, Any]) -> str:
    return f"{100 * row['mean']:.3f} %" if row["known"] else ""


def _moment(candles: Bars, row: Mapping[str, Any]) -> str | None:
    return None if row["warm_from"] is None else console.moment(int(candles.ts[row["warm_from"]]))


def _numbers(row: Mapping[str, Any]) -> list[str]:
    return ["" if row[name] is None else f"{row[name]:.6g}" for name in ("min", "mean", "max")]
