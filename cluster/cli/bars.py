"""`coinswarm bars`: import, fetch, make, list, check, rename, export and remove candles."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Literal

import typer

from cluster.cli import bars_keeping, catalogs, console, job_commands, usage
from cluster.jobs import fetch
from coinswarm import codec, errors
from coinswarm.market import files, limits, names, quality, resample, symbols, synthetic
from coinswarm.market.bars import Bars
from coinswarm.market.catalog import DataSet, Stored
from coinswarm.market.storing import Incoming
from coinswarm.market.timeframe import DAY_MS, Timeframe
from coinswarm.printable import counted

app = usage.App(
    help="Import, fetch, list, check, rename, export and remove candles.",
    examples=["coinswarm bars fetch binance BTC/USDT ETH/USDT --days 365", "coinswarm bars import BTCUSDT-5m-2024-02.zip"],
)
app.command("fetch", examples=fetch.EXAMPLES)(job_commands.command(fetch.NAME))
for _name, _command in (("remove", bars_keeping.remove), ("rename", bars_keeping.rename), ("export", bars_keeping.export)):
    app.command(_name)(_command)

OfTimeframe = Annotated[str, typer.Option("--timeframe", "-t", help="Bar interval: 1m, 5m, 1h, 1d…")]


@app.command("import")
def import_files(
    paths: Annotated[
        list[Path],
        typer.Argument(metavar="FILE…", help="Parquet, Feather, JSON or CSV; plain, gzip or zip.", show_default=False),
    ],
    exchange: Annotated[str | None, typer.Option(help="Exchange the bars are of; else from the file's name.")] = None,
    symbol: Annotated[
        str | None, typer.Option(help="The market; else from the file or its name. Selects one of several in a file.")
    ] = None,
    timeframe: Annotated[str | None, typer.Option("--timeframe", "-t", help="Bar interval; else from the file's name or times.")] = None,
    funding: Annotated[Path | None, typer.Option(help="Funding rates; else `…_funding.parquet` beside the bars.")] = None,
    prefer: Annotated[
        Literal["new", "old"] | None, typer.Option(help="Which bars to keep where new and stored ones differ; else the import is refused.")
    ] = None,
    sort: Annotated[bool, typer.Option("--sort", help="Sort files whose newest row comes first.")] = False,
    max_rows: Annotated[int, typer.Option(help="Most rows that a file may have.", min=1)] = limits.MAX_ROWS,
    as_json: console.AsJson = False,
) -> None:
    """Check files of candles and store them: all, or none when one is broken."""
    if funding is not None and len(paths) > 1:
        raise errors.InvalidArgument("--funding goes with one file of bars", found=f"{len(paths)} files")
    wanted = _without_funding(paths)
    read = _read_all(
        wanted,
        lambda path: files.read(
            path, symbol=symbol, timeframe=timeframe, exchange=exchange, funding=funding, sort=sort, max_rows=max_rows, tell=console.note
        ),
    )
    incoming = [Incoming(bars=entry, source=path.name, source_hash=files.file_hash(path)) for path, entry in zip(wanted, read, strict=True)]
    results = catalogs.store(incoming, prefer=prefer)
    for path, entry in zip(wanted, read, strict=True):
        _tell_odd(path.name, entry)
    _show_stored(results, as_json=as_json, synthetic=any(entry.synthetic for entry in read))


def _read_all(paths: Sequence[Path], read: Callable[[Path], Bars]) -> list[Bars]:
    """The bars of all files; where some are refused, one error tells every refusal and that nothing is stored."""
    good: list[Bars] = []
    refused: list[errors.CoinswarmError] = []
    for path in paths:
        try:
            good.append(read(path))
        except (errors.BadInput, errors.NotFound) as refusal:
            refused.append(refusal)
    if len(paths) == 1 and refused:
        raise refused[0]
    if refused:
        reasons = "\n".join(f"- {refusal}" for refusal in refused)
        raise errors.BadBars(f"{len(refused)} of {len(paths)} files are refused, so none of them is stored:\n{reasons}")
    return good


def _without_funding(paths: Sequence[Path]) -> list[Path]:
    """The files of bars among the paths; a file of funding goes with the bars beside it."""
    taken = {names.funding_beside(path) for path in paths}
    rest = [path for path in dict.fromkeys(paths) if path not in taken]
    lonely = [path.name for path in rest if path.stem.endswith("_funding")]
    if lonely:
        raise errors.InvalidArgument(
            "funding is imported together with its bars", found=", ".join(lonely), hint="bars import BARS --funding FILE"
        )
    return rest


def _tell_odd(name: str, entry: Bars) -> None:
    odd = "; ".join(finding.text for finding in quality.check(entry).odd)
    if odd:
        console.note(f"{name}: {odd}")


def _show_stored(results: Sequence[Stored], *, as_json: bool, synthetic: bool) -> None:
    if as_json:
        console.emit_json(results)
        return
    rows = [
        [entry.key, *(f"{n:,}" for n in (entry.added, entry.replaced, entry.unchanged, entry.funding_added)), entry.content_hash[:8]]
        for entry in results
    ]
    console.table("Stored bars", ("data set", "added", "replaced", "unchanged", "funding", "hash"), rows, synthetic=synthetic)


@app.command("list")
def list_stored(as_json: console.AsJson = False) -> None:
    """List the stored data sets."""
    try:
        with catalogs.catalog(read_only=True) as stored:
            entries = stored.list()
    except errors.NotFound as nothing:
        entries = ()
        console.note(str(nothing))
    else:
        if not entries:
            console.note("no bars are stored yet: start with `coinswarm bars import` or `coinswarm bars fetch`")
    if as_json:
        console.emit_json([_described(entry) for entry in entries])
    elif entries:
        made = any(entry.synthetic for entry in entries)
        columns = ("data set", "bars", "from", "to", "funding", *(("",) if made else ()))
        rows = [[*_row(entry), *((console.SYNTHETIC if entry.synthetic else None,) if made else ())] for entry in entries]
        console.table(counted(len(rows), "data set"), columns, rows)


def _described(entry: DataSet) -> dict[str, object]:
    known = codec.plain(entry)
    times = {"from": console.instant(known.pop("first_ts")), "to": console.instant(known.pop("last_ts"))}
    return {**known, "key": entry.key, "timeframe": str(entry.timeframe), **times}


def _row(entry: DataSet) -> list[object]:
    first, last = (console.moment(ts)[:10] for ts in (entry.first_ts, entry.last_ts))
    return [entry.key, f"{entry.n_bars:,}", first, last, f"{entry.n_funding:,}" if entry.n_funding else None]


@app.command("check")
def check_bars(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="MARKET|FILE…", help="Stored markets or files; else all that is stored.")
    ] = None,
    symbol: Annotated[str | None, typer.Option(help="The market of files whose name does not say it.")] = None,
    timeframe: Annotated[str | None, typer.Option("--timeframe", "-t", help="Bar interval.")] = None,
    as_json: console.AsJson = False,
) -> None:
    """Find gaps, duplicates, disorder, impossible candles, zero volume and outliers."""
    reports = [quality.check(entry) for entry in _chosen(names or [], symbol, timeframe)]
    if as_json:
        console.emit_json([_plain(report) for report in reports])
    else:
        _show_reports(reports)


def _chosen(names: Sequence[str], symbol: str | None, timeframe: str | None) -> Iterator[Bars]:
    paths = [name for name in names if Path(name).is_file()]
    for path in paths:
        yield files.read(path, symbol=symbol, timeframe=timeframe, tell=console.note)
    markets = [name for name in names if name not in paths]
    if markets or not names:
        with catalogs.catalog(read_only=True) as stored:
            for market in markets or [entry.key for entry in stored.list()]:
                yield stored.read(market, timeframe)


def _plain(report: quality.QualityReport) -> dict[str, object]:
    """A check as JSON, the times of its findings as text."""
    findings = [{**codec.plain(each), "times": [console.instant(ts) for ts in each.times]} for each in report.findings]
    return {**codec.plain(report), "findings": findings}


def _show_reports(reports: Sequence[quality.QualityReport]) -> None:
    rows: list[list[object]] = []
    for report in reports:
        rows += [[report.key, finding.kind, f"{finding.count:,}", _first_time(finding), finding.text] for finding in report.findings]
        if not report.findings:
            rows.append([report.key, "sound", None, None, f"no problem in {report.n_bars:,} bars"])
    made = all(report.synthetic for report in reports)
    console.table("Checked bars", ("data set", "finding", "count", "first at", "what"), rows, synthetic=made, below=True)


def _first_time(finding: quality.QualityFinding) -> str | None:
    return console.moment(finding.times[0]) if finding.times else None


@app.command("resample")
def resample_stored(
    markets: Annotated[list[str], typer.Argument(metavar="MARKET…", help="Stored markets: binance:BTC/USDT:5m, BTC/USDT…")],
    timeframe: Annotated[str, typer.Option("--timeframe", "-t", help="The longer interval: 15m, 1h, 1d…")],
    prefer: Annotated[
        Literal["new", "old"] | None, typer.Option(help="Which bars to keep where new and stored ones differ; else the import is refused.")
    ] = None,
    as_json: console.AsJson = False,
) -> None:
    """Resample stored bars to a longer interval."""
    length = Timeframe.parse(timeframe)
    with catalogs.catalog(read_only=True) as stored:
        fast = [stored.read(market) for market in markets]
    slow = [(bars.key, resample.resample(bars, length)) for bars in fast]
    for key, entry in slow:
        if not len(entry):
            raise errors.SpanTooShort(f"{key} holds no whole bar of {length}", hint="`coinswarm bars list` shows its span")
    results = catalogs.store([Incoming(bars=entry, source=f"resampled from {key}") for key, entry in slow], prefer=prefer)
    _show_stored(results, as_json=as_json, synthetic=any(entry.synthetic for _, entry in slow))


@app.command("synthetic")
def make_synthetic(
    markets: Annotated[list[str], typer.Argument(metavar="SYMBOL…", help="Names for the synthetic markets.")],
    timeframe: OfTimeframe = "5m",
    days: Annotated[int, typer.Option(help="Days of bars.", min=1, max=10_000)] = 90,
    seed: Annotated[int, typer.Option(help="The same seed gives the same bars on any machine.", min=0)] = 1,
    as_json: console.AsJson = False,
) -> None:
    """Store seeded synthetic markets, for machines without a network."""
    length = Timeframe.parse(timeframe)
    n_bars = max(1, days * DAY_MS // length.ms)
    made = [synthetic.market(symbols.canonical(market), length, n_bars, seed=seed) for market in markets]
    results = catalogs.store([Incoming(bars=entry, source=f"synthetic, seed {seed}") for entry in made])
    _show_stored(results, as_json=as_json, synthetic=True)
