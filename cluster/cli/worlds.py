"""`coinswarm worlds`: make null and planted worlds that every other command accepts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from cluster.cli import catalogs, console, usage
from coinswarm import errors
from coinswarm.market import files
from coinswarm.market.bars import COLUMNS, Bars
from coinswarm.market.storing import Incoming
from coinswarm.validate import worlds
from coinswarm.validate.worlds import canary

app = usage.App(
    help="Simulated markets: without any signal (null), or with a known one (planted).",
    examples=["coinswarm worlds make --family N1 --like BTC/USDT --import", "coinswarm worlds leaks bars.csv"],
)


@app.command("list")
def list_families(as_json: console.AsJson = False) -> None:
    """List the families of simulated markets."""
    if as_json:
        console.emit_json([{"family": entry.name, "null": entry.null, "what": entry.text} for entry in worlds.FAMILIES.values()])
        return
    rows = [[entry.name, "null" if entry.null else "planted", entry.text] for entry in worlds.FAMILIES.values()]
    console.table("Families of worlds", ("family", "kind", "what it is"), rows)


@app.command("make")
def make(
    family: Annotated[str, typer.Option("--family", "-f", help="N0, N1, N2, N3, N3d, planted…; `worlds list` shows all.")],
    like: Annotated[list[str], typer.Option("--like", help="A stored market or a file of candles; repeat for several.")],
    seed: Annotated[int, typer.Option(help="The same seed gives the same bars.", min=0)] = 0,
    out: Annotated[Path | None, typer.Option(help="Folder for Parquet files, one a market.")] = None,
    store: Annotated[bool, typer.Option("--import", help="Store the bars.")] = False,
    effect: Annotated[float | None, typer.Option(help="Planted: mean move, in standard deviations of a trade.")] = None,
    support: Annotated[float | None, typer.Option(help="Planted: share of the bars at which the rule holds.")] = None,
    depth: Annotated[int | None, typer.Option(help="Planted: number of conditions of the rule, 1 to 3.")] = None,
    hold: Annotated[int | None, typer.Option(help="Planted: bars over which the move is spread.")] = None,
    as_json: console.AsJson = False,
) -> None:
    """Simulate markets like stored ones or files, and store or export them."""
    if out is None and not store:
        raise errors.InvalidArgument("a world is written somewhere", found="nowhere", hint="add --import, or --out FOLDER")
    changes = {"effect": effect, "support": support, "depth": depth, "hold": hold}
    given = {name: value for name, value in changes.items() if value is not None}
    markets = _like(like)
    world = worlds.make(family, markets, seed=seed, plant=_plant(family, given))
    if store:
        _import(world, [market.key for market in markets])
    written = [] if out is None else [write(bars, out) for bars in world]
    _show(world, written, as_json=as_json)


@app.command("leaks")
def leaks(
    markets: Annotated[list[str], typer.Argument(metavar="MARKET|FILE…", help="Stored markets or files.")], as_json: console.AsJson = False
) -> None:
    """Find columns that leak future data. Exit code 1 when there is one."""
    found = {bars.key: canary.leaks(bars) for bars in _like(markets)}
    if as_json:
        console.emit_json(found)
    else:
        rows = [
            [key, leak.column, f"{leak.correlation:.3f}", f"{leak.z:.1f}", "leaks the next bar" if leak.found else ""]
            for key, several in found.items()
            for leak in several
        ]
        console.table("Correlation of each column with the next bar", ("data set", "column", "rank correlation", "z", "finding"), rows)
    if any(leak.found for several in found.values() for leak in several):
        raise typer.Exit(errors.CoinswarmError.exit_code)


def write(bars: Bars, folder: Path) -> Path:
    """Write a market of a world as `world-n3-17_BTC-USDT_5m.parquet`; the name is enough to read it back as synthetic.

    Args:
        bars: (n_bars,) a market.
        folder: made when it is not there.
    """
    import polars as pl

    pair, _, settled = bars.symbol.partition(":")
    path = folder / f"{bars.exchange}_{pair.replace('/', '-')}{'-PERP' if settled else ''}_{bars.timeframe}.parquet"
    folder.mkdir(parents=True, exist_ok=True)
    columns = {"ts": pl.Series(bars.ts).cast(pl.Datetime("ms")), **{name: getattr(bars, name) for name in COLUMNS}}
    pl.DataFrame(columns).write_parquet(path)
    return path


def _plant(name: str, given: dict[str, Any]) -> worlds.Plant | None:
    if not given:
        return None
    usual = worlds.family(name).plant or worlds.Plant()
    if "effect" in given:
        given = {"gross": None, **given}
    try:
        return worlds.Plant.model_validate(usual.model_dump() | given)
    except ValidationError as error:
        first = error.errors()[0]
        raise errors.BadSetting(f"--{first['loc'][0]}: {first['msg']}", found=first["input"]) from error


def _like(names: Sequence[str]) -> list[Bars]:
    read = [files.read(name, tell=console.note) if Path(name).is_file() else None for name in names]
    if all(read):
        return [bars for bars in read if bars is not None]
    with catalogs.catalog(read_only=True) as stored:
        return [stored.read(name) if bars is None else bars for name, bars in zip(names, read, strict=True)]


def _import(world: Sequence[Bars], like: Sequence[str]) -> None:
    catalogs.store([Incoming(bars=bars, source=f"like {key}") for bars, key in zip(world, like, strict=True)])


def _show(world: Sequence[Bars], written: Sequence[Path], *, as_json: bool) -> None:
    if as_json:
        facts = [{"key": bars.key, "n_bars": len(bars), "content_hash": bars.content_hash} for bars in world]
        console.emit_json({"markets": facts, "files": [str(path) for path in written]})
        return
    rows = [
        [bars.key, len(bars), console.moment(int(bars.ts[0])), console.moment(int(bars.ts[-1])), bars.content_hash[:8]] for bars in world
    ]
    console.table("A world", ("data set", "bars", "from", "to", "hash"), rows, synthetic=True)
    for path in written:
        console.text(console.path(path))
