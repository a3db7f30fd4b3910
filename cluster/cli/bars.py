"""`coinswarm bars`: import, fetch, make, list, check, rename, export and remove candles."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.progress import BarColumn, TaskID, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Display

from cluster import settings as machine
from cluster.cli import bars_keeping, console
from coinswarm import check as arguments
from coinswarm import errors
from coinswarm.market import fetch as fetching
from coinswarm.market import files, names, providers, quality, resample, symbols, synthetic
from coinswarm.market.bars import Bars
from coinswarm.market.catalog import Catalog, DataSet, Stored
from coinswarm.market.timeframe import DAY_MS, Timeframe

if TYPE_CHECKING:
    from cluster.jobs.fetch.plan import Plan
    from cluster.settings import Settings
    from coinswarm.ledger.records import Job
    from coinswarm.ledger.store import Store

app = typer.Typer(help="Candles: import, fetch, list, check, rename, export and remove them.", no_args_is_help=True)
for _name, _command in (("remove", bars_keeping.remove), ("rename", bars_keeping.rename), ("export", bars_keeping.export)):
    app.command(_name)(_command)

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")]
OfTimeframe = Annotated[str, typer.Option("--timeframe", "-t", help="Length of a bar: 1m, 5m, 1h, 1d…")]


@app.callback()
def bars() -> None:
    """Candles: import, fetch, list, check, rename, export and remove them."""


@contextmanager
def catalog(*, read_only: bool = False) -> Iterator[Catalog]:
    """The catalog of this machine, for the length of a `with`."""
    settings = console.settings()
    if not read_only and settings.bars_path is None:
        machine.ensure_home(settings)
    with Catalog.open(settings.bars_file, read_only=read_only) as opened:
        yield opened


@app.command("import")
def import_files(
    paths: Annotated[
        list[Path],
        typer.Argument(metavar="FILE…", help="Parquet, Feather, JSON or CSV, as they are, in a gzip or in a zip.", show_default=False),
    ],
    exchange: Annotated[str | None, typer.Option(help="Where they come from; else from the file's name.")] = None,
    symbol: Annotated[
        str | None, typer.Option(help="The market; else from the file and its name. Of several in a file it reads that one.")
    ] = None,
    timeframe: Annotated[str | None, typer.Option("--timeframe", "-t", help="Length of a bar; else from the file's name or times.")] = None,
    funding: Annotated[Path | None, typer.Option(help="Funding rates; else the file `…_funding.parquet` beside the bars.")] = None,
    prefer: Annotated[
        Literal["new", "old"] | None, typer.Option(help="Which bars win where they differ from stored ones; else refuse.")
    ] = None,
    sort: Annotated[bool, typer.Option("--sort", help="Turn files that are newest first round.")] = False,
    as_json: AsJson = False,
) -> None:
    """Check files of candles and store them; all of them, or none when one is broken."""
    if funding is not None and len(paths) > 1:
        raise errors.InvalidArgument("--funding goes with one file of bars", found=f"{len(paths)} files")
    wanted = _without_funding(paths)
    read = _read_all(
        wanted,
        lambda path: files.read(path, symbol=symbol, timeframe=timeframe, exchange=exchange, funding=funding, sort=sort, tell=console.note),
    )
    with catalog() as stored, stored.transaction():
        results = [
            stored.put(entry, source=path.name, source_hash=files.file_hash(path), prefer=prefer)
            for path, entry in zip(wanted, read, strict=True)
        ]
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
    rows = [[entry.key, entry.added, entry.replaced, entry.unchanged, entry.funding_added, entry.content_hash[:8]] for entry in results]
    console.table("Stored bars", ("data set", "added", "replaced", "unchanged", "funding", "hash"), rows, synthetic=synthetic)


@app.command("list")
def list_stored(as_json: AsJson = False) -> None:
    """Show what is stored."""
    try:
        with catalog(read_only=True) as stored:
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
        columns = ("data set", "bars", "from", "to", "funding", "hash")
        console.table("Stored bars", columns, [_row(entry) for entry in entries], synthetic=any(entry.synthetic for entry in entries))


def _described(entry: DataSet) -> dict[str, object]:
    return {**console.plain(entry), "key": entry.key, "timeframe": str(entry.timeframe)}


def _row(entry: DataSet) -> list[object]:
    first, last = (console.moment(ts)[:10] for ts in (entry.first_ts, entry.last_ts))
    return [entry.key, entry.n_bars, first, last, entry.n_funding or None, entry.content_hash[:8]]


@app.command("check")
def check_bars(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[MARKET|FILE]…", help="Stored markets or files; all that is stored unless given.")
    ] = None,
    symbol: Annotated[str | None, typer.Option(help="The market of files whose name does not tell it.")] = None,
    timeframe: Annotated[str | None, typer.Option("--timeframe", "-t", help="Length of a bar.")] = None,
    as_json: AsJson = False,
) -> None:
    """Look for gaps, duplicates, disorder, impossible candles, zero volume and outliers."""
    reports = [quality.check(entry) for entry in _chosen(names or [], symbol, timeframe)]
    if as_json:
        console.emit_json(reports)
    else:
        _show_reports(reports)


def _chosen(names: Sequence[str], symbol: str | None, timeframe: str | None) -> Iterator[Bars]:
    paths = [name for name in names if Path(name).is_file()]
    for path in paths:
        yield files.read(path, symbol=symbol, timeframe=timeframe, tell=console.note)
    markets = [name for name in names if name not in paths]
    if markets or not names:
        with catalog(read_only=True) as stored:
            for market in markets or [entry.key for entry in stored.list()]:
                yield stored.read(market, timeframe)


def _show_reports(reports: Sequence[quality.Report]) -> None:
    rows: list[list[object]] = []
    for report in reports:
        rows += [[report.key, finding.kind, finding.count, finding.text, _first_time(finding)] for finding in report.findings]
        if not report.findings:
            rows.append([report.key, "sound", None, f"nothing to remark on {report.n_bars} bars", None])
    synthetic = any(report.synthetic for report in reports)
    console.table("Checked bars", ("data set", "finding", "count", "what", "first at"), rows, synthetic=synthetic)


def _first_time(finding: quality.Finding) -> str | None:
    return console.moment(finding.times[0]) if finding.times else None


@app.command("fetch")
def fetch_bars(
    exchange: Annotated[str, typer.Argument(help="Name of the exchange in ccxt: binance, bybit, kraken…")],
    markets: Annotated[list[str], typer.Argument(metavar="SYMBOL…", help="BTC/USDT, BTC-USDT-PERP…")],
    timeframe: OfTimeframe = "5m",
    days: Annotated[int, typer.Option(help="How far back, unless --since is given.", min=1, max=10_000)] = 90,
    since: Annotated[datetime | None, typer.Option(help="First day wanted, UTC.")] = None,
    patience: Annotated[float, typer.Option(help="Seconds to wait for an exchange that does not answer.", min=0.1, max=86_400)] = 60.0,
    or_synthetic: Annotated[
        bool, typer.Option("--or-synthetic", help="Use a synthetic market when the exchange cannot be reached.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Seed of that synthetic market.", min=0)] = 1,
    as_json: AsJson = False,
) -> None:
    """Fetch candles, and funding of perpetuals, through ccxt; goes on where it stopped."""
    length = Timeframe.parse(timeframe)
    wanted = [symbols.canonical(market) for market in markets]
    since_ms = _since(since, days)
    try:
        fetched = _fetch_all(exchange, wanted, length, since_ms, patience)
    except errors.Unavailable as error:
        if not or_synthetic:
            raise
        console.note(f"{error} A {console.SYNTHETIC} market is used instead.")
        _store_synthetic(wanted, length, days, seed, as_json=as_json)
        return
    if as_json:
        console.emit_json(fetched)
    else:
        rows = [[entry.key, entry.added, entry.funding_added if entry.has_funding else None] for entry in fetched]
        console.table("Fetched bars", ("data set", "bars added", "funding added"), rows)


def _since(since: datetime | None, days: int) -> int:
    now = datetime.now(UTC)
    if since is None:
        return int(now.timestamp() * 1000) - days * DAY_MS
    moment = since.replace(tzinfo=UTC) if since.tzinfo is None else since
    arguments.at_least(moment.timestamp(), "since", 0, hint="candles before 1970 do not exist")
    if moment >= now:
        raise errors.InvalidArgument("--since must lie in the past", found=moment.isoformat())
    return int(moment.timestamp() * 1000)


def _fetch_all(exchange: str, wanted: Sequence[str], timeframe: Timeframe, since_ms: int, patience_s: float) -> list[fetching.Fetched]:
    provider = providers.connect(exchange, timeout_s=min(patience_s, console.settings().fetch_timeout_s))
    patience = fetching.Patience(give_up_s=patience_s)
    with catalog() as stored, _display() as display:
        return [
            fetching.fetch(
                provider,
                stored,
                symbol,
                timeframe,
                since_ms=since_ms,
                on_progress=_shown(display, display.add_task(symbol, total=1.0, note="")),
                patience=patience,
            )
            for symbol in wanted
        ]


def plan_again(_settings: Settings, _store: Store, job: Job) -> Plan:
    """The plan of a stored fetch."""
    from cluster.jobs.fetch import plan as driving

    return driving.plan_again(job)


def go_on(settings: Settings, store: Store, plan: Plan, *, workers: int | None, as_json: bool) -> None:  # noqa: ARG001 - it takes none
    """Drive a stored fetch from behind the last page that was stored."""
    from cluster import bootstrap
    from cluster.cli import live
    from cluster.jobs.fetch import plan as driving
    from cluster.run import stopping

    job = plan.job
    if settings.bars_path is None:
        machine.ensure_home(settings)
    with live.Display() as display, stopping.stop_requests(display.on_note) as stopped:
        stages = driving.Markets(plan, settings.bars_file, timeout_s=settings.fetch_timeout_s, tell=display.on_note)
        ending = bootstrap.drive_steps(store, job.id, stages, watcher=display, stopped=stopped, workers=lambda: 1)
    if as_json:
        console.emit_json(ending.result)
    else:
        console.text(f"job {job.id} is {ending.status}: {ending.result.get('added', 0)} bars added")
    if ending.status == "cancelled":
        raise errors.Cancelled(f"job {job.id} is cancelled, what was fetched is kept", hint=f"`coinswarm jobs resume {job.id}` goes on")


def _display() -> Display:
    parts = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn(), TextColumn("{task.fields[note]}"))
    return Display(*parts, console=console.err(), transient=True)


def _shown(display: Display, task: TaskID) -> Callable[[fetching.Progress], None]:
    def show(progress: fetching.Progress) -> None:
        if progress.note and not display.console.is_terminal:
            console.note(f"{progress.symbol}: {progress.note}")
        display.update(task, completed=progress.done, note=progress.note or f"{progress.added} bars")

    return show


@app.command("resample")
def resample_stored(
    markets: Annotated[list[str], typer.Argument(metavar="MARKET…", help="Stored markets: binance:BTC/USDT:5m, BTC/USDT…")],
    timeframe: Annotated[str, typer.Option("--timeframe", "-t", help="Length of the slower bars: 15m, 1h, 1d…")],
    prefer: Annotated[
        Literal["new", "old"] | None, typer.Option(help="Which bars win where they differ from stored ones; else refuse.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make slower bars of stored ones and store them beside."""
    length = Timeframe.parse(timeframe)
    with catalog() as stored, stored.transaction():
        slow = [(market.key, resample.resample(market, length)) for market in map(stored.read, markets)]
        for key, entry in slow:
            if not len(entry):
                raise errors.SpanTooShort(f"{key} holds no whole bar of {length}", hint="`coinswarm bars list` shows its span")
        results = [stored.put(entry, source=f"resampled from {key}", prefer=prefer) for key, entry in slow]
    _show_stored(results, as_json=as_json, synthetic=any(entry.synthetic for _, entry in slow))


@app.command("synthetic")
def make_synthetic(
    markets: Annotated[list[str], typer.Argument(metavar="SYMBOL…", help="Names for the made-up markets.")],
    timeframe: OfTimeframe = "5m",
    days: Annotated[int, typer.Option(help="How many days of bars.", min=1, max=10_000)] = 90,
    seed: Annotated[int, typer.Option(help="The same seed gives the same bars on any machine.", min=0)] = 1,
    as_json: AsJson = False,
) -> None:
    """Store seeded synthetic markets, for machines without a network."""
    _store_synthetic([symbols.canonical(market) for market in markets], Timeframe.parse(timeframe), days, seed, as_json=as_json)


def _store_synthetic(wanted: Sequence[str], timeframe: Timeframe, days: int, seed: int, *, as_json: bool) -> None:
    n_bars = max(1, days * DAY_MS // timeframe.ms)
    made = [synthetic.market(symbol, timeframe, n_bars, seed=seed) for symbol in wanted]
    with catalog() as stored, stored.transaction():
        results = [stored.put(entry, source=f"synthetic, seed {seed}") for entry in made]
    _show_stored(results, as_json=as_json, synthetic=True)
