"""Candles from files: the source is recognised, columns are checked against each other, and a file is read whole or refused."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from coinswarm import errors
from coinswarm.market import columns, limits, lines, names, numerals, quality, sources, symbols, synthetic, tables, volumes, witnesses
from coinswarm.market.bars import COLUMNS, Bars
from coinswarm.market.quality import QualityFinding
from coinswarm.market.sources import Source
from coinswarm.market.tables import CellTable
from coinswarm.market.timeframe import Timeframe
from coinswarm.market.volumes import BaseVolume
from coinswarm.types import FloatArray, IntArray

if TYPE_CHECKING:
    import polars as pl

MADE = "world-"
"""How the exchange of made-up worlds begins (`world-n3-17`)."""
Tell = Callable[[str], None]
_TURNED = "it is newest first, and is turned round"
_HOUR_MS = 3_600_000
_SUNDAY = 6
_YEAR_2100_MS = 4_102_444_800_000


def is_made(exchange: str) -> bool:
    """Whether bars of an exchange of that name were made, not traded: they are synthetic wherever they are read from."""
    return exchange == synthetic.EXCHANGE or exchange.startswith(MADE)


def _warn(note: str) -> None:
    warnings.warn(note, stacklevel=5)  # who called `coinswarm.market.read_bars` or `bars_from`


def file_hash(path: Path) -> str:
    """SHA-256 of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def read(
    path: Path | str,
    *,
    symbol: str | None = None,
    timeframe: Timeframe | str | None = None,
    exchange: str | None = None,
    funding: Path | str | None = None,
    sort: bool = False,
    max_rows: int = limits.MAX_ROWS,
    tell: Tell = _warn,
) -> Bars:
    """Bars of one file of any kind in `sources.SOURCES`, or of one whose columns have usual names.

    Args:
        path: Parquet, Feather, JSON or text; as it is, in a gzip, or alone in a zip. Times in any of the usual units, UTC.
        symbol: the market; from the file and its name unless given. Of a file of several markets it reads that one.
        timeframe: length of a bar; from the file and its name, else from the spacing of the times.
        exchange: where they come from; from the file's name, else `unknown`.
        funding: file of funding rates; the one beside the bars unless given.
        sort: accept a file that is newest first and turn it round; disorder of any other kind is still refused.
        max_rows: how many rows the file may have; bounds the bytes that it may unpack to, too.
        tell: receives what was left out, and how columns that disagree were settled; a Python warning unless given.

    Returns:
        (n_bars,) checked bars with all funding payments of the funding file.

    Raises:
        NotFound: there is no such file.
        UnknownColumns: columns are missing or could be two things.
        BadTimestamps: times are out of order, repeated, in mixed units, or contradict each other or the timeframe.
        BadBars: other things are wrong, or the file cannot be read; all findings are listed.
        TooLarge: it has more rows or unpacks to more bytes than it may.
        OutsideModel: the market is an inverse or quanto contract, an expiring future or an option.
        InvalidArgument: the market is not known, or cannot be read as one.
    """
    file = Path(path)
    bars = _bars(tables.load(file, max_rows), file.name, symbol=symbol, timeframe=timeframe, exchange=exchange, sort=sort, tell=tell)
    return _with_funding(bars, funding, file, tell)


def of_frame(
    frame: pl.DataFrame, *, symbol: str | None = None, timeframe: Timeframe | str | None = None, exchange: str | None = None
) -> Bars:
    """Bars of a table, read and checked as those of a file; arguments, result and errors as `read`."""
    return _bars(tables.of_frame(frame), "the table", symbol=symbol, timeframe=timeframe, exchange=exchange, sort=False, tell=_warn)


def _bars(
    cells: CellTable, name: str, *, symbol: str | None, timeframe: Timeframe | str | None, exchange: str | None, sort: bool, tell: Tell
) -> Bars:
    table = _whole(cells, name)
    source = table.source or sources.by_names(map(columns.plain, table.frame.columns), form=table.form)
    stamps = columns.times(table.frame.columns)
    chosen = columns.prices(table.frame.columns, name, also=() if stamps.opens or stamps.labels or stamps.closes else ("time",))
    stated = _named(name, table.inside, symbol)
    market, table = _market(name, table, source, symbol, stated)
    length, table = witnesses.one_length(table, _parsed(timeframe or stated.timeframe), name)
    witnesses.require_one(table, name)
    table = _finished(table, name)
    opened = witnesses.open_times(table, stamps, length.ms if length else 0, name)
    length = length or _spacing(name, table, opened)
    venue = (exchange or stated.exchange or (source.exchange if source else None) or "unknown").lower()
    amounts = columns.volumes(table.frame.columns, name, market)
    ticks = columns.one_of(table.frame.columns, (source.ticks,)) if source and source.ticks else None
    used = dict.fromkeys((*chosen.values(), *amounts.coins, *amounts.quote, *amounts.either, *([ticks] if ticks else [])))
    numbers = numerals.read({column: table.frame[column] for column in used}, name)
    prices: dict[str, Any] = {column: numbers[chosen[column]] for column in quality.PRICES}
    first = numbers[(amounts.coins or amounts.either or amounts.quote)[0]]
    bars = Bars(symbol=market, timeframe=length, exchange=venue, synthetic=is_made(venue), ts=opened.ts, volume=first, **prices)
    turned = sort or (source is not None and source.newest_first)
    _require(name, table, bars, opened.findings, sort=turned)
    traded = _traded(amounts, numbers, bars, source, ticks, name)
    if traded.volume is not bars.volume:
        bars = replace(bars, volume=traded.volume)
        _require(name, table, bars, (), sort=turned)
    for note in (*table.notes, *opened.notes, *traded.notes, *_warnings(source, bars, sort=sort)):
        tell(f"{name}: {note}")
    return _oldest_first(bars)


def read_funding(path: Path | str, *, market: str | None = None, tell: Tell = _warn) -> tuple[IntArray, FloatArray]:
    """Funding rates of one file: those that were paid, where it has predicted ones, too. A file that is newest first is turned round.

    Args:
        path: any kind of file that `read` takes, with a time and a rate.
        market: canonical; where the file names markets, it must be this one.
        tell: as in `read`.

    Returns:
        (n,) times in milliseconds since 1970 UTC and (n,) rates as a fraction of notional, oldest first.

    Raises:
        NotFound, UnknownColumns, BadTimestamps, BadBars: as in `read`.
    """
    file = Path(path)
    table = _whole(tables.load(file), file.name)
    stamps, named = columns.funding(table.frame.columns, file.name)
    if market is not None:
        _, table = witnesses.one_market(table, market, None, file.name)
    opened = witnesses.open_times(table, stamps, 0, file.name)
    numbers = numerals.read({name: table.frame[name] for name in named}, file.name)
    ts, rates, rows = opened.ts, numbers[named[0]], table.numbers
    backwards = ts.size > 1 and bool((np.diff(ts) < 0).all())
    if backwards:
        ts, rates, rows = ts[::-1].copy(), rates[::-1].copy(), rows[::-1]
    _require_funding(file.name, replace(table, numbers=rows), ts, rates, opened.findings)
    turned = (_TURNED,) if backwards else ()
    for note in (*table.notes, *opened.notes, *turned, *witnesses.paid_rates(named, numbers, file.name)):
        tell(f"{file.name}: {note}")
    return ts, rates


# --- what the file and its name say ---------------------------------------------------------------------------------------


def _named(name: str, inside: str, symbol: str | None) -> names.NameFacts:
    """What the names of the file and of the one inside it tell; raises `BadBars` when they contradict each other."""
    outer, inner = names.parse(name), names.parse(inside)
    if outer.symbol and inner.symbol and symbol is None and symbols.canonical(outer.symbol) != symbols.canonical(inner.symbol):
        found = f"{inside} in it"
        raise errors.BadBars(f"{name} must hold {outer.symbol}, as its name says", found=found, hint="say which it is with --symbol")
    pairs = {key: getattr(outer, key) or getattr(inner, key) for key in ("exchange", "symbol", "timeframe")}
    return names.NameFacts(**pairs)


def _market(name: str, table: CellTable, source: Source | None, symbol: str | None, named: names.NameFacts) -> tuple[str, CellTable]:
    market, table = witnesses.one_market(table, symbol, named.symbol, name)
    if source is None or not source.perpetual or symbol is not None or ":" in market:
        return market, table
    perpetual = f"{market}:{market.partition('/')[2]}"
    note = f"it has the header of {source.name}: it is taken as the perpetual {perpetual}, unless --symbol says {market}"
    return perpetual, replace(table, notes=(*table.notes, note))


def _parsed(timeframe: Timeframe | str | None) -> Timeframe | None:
    return timeframe if timeframe is None or isinstance(timeframe, Timeframe) else Timeframe.parse(timeframe)


def _spacing(name: str, table: CellTable, opened: witnesses.OpenTimes) -> Timeframe:
    # times that cannot be read come first: they are why nothing tells the timeframe
    usual = quality.common_step(opened.ts[opened.ts >= 0])
    if usual > 0:
        return Timeframe(usual)
    if opened.findings:
        raise table.refusal(name, opened.findings)
    raise errors.InvalidArgument(
        f"{name} does not tell its timeframe",
        found=f"{opened.ts.size} bar{'' if opened.ts.size == 1 else 's'}",
        hint="name it with --timeframe",
    )


# --- rows that are left out ------------------------------------------------------------------------------------------------


def _whole(table: CellTable, name: str) -> CellTable:
    """The table without a last line that may be cut inside its last number; raises `BadBars` when nothing is left of it."""
    last = table.frame.columns[-1] if table.frame.columns else ""
    if table.open_end and columns.has_meaning(last) and not lines.is_whole(table.frame[last].to_list()):
        mask = np.arange(len(table.frame)) < len(table.frame) - 1
        note = f"line {table.numbers[-1]}, the last one, has no line end, so its {last} may be cut: it is left out"
        table = table.kept(mask, note)
    if not len(table.frame):
        raise errors.BadBars(f"{name} must hold bars", found="; ".join(("no whole row", *table.notes)))
    return table


def _finished(table: CellTable, name: str) -> CellTable:
    """The table without candles that were not over yet."""
    import polars as pl

    column = columns.one_of(table.frame.columns, columns.UNFINISHED)
    if column is None:
        return table
    open_words = ("0", "0.0", "false")
    still_open = (
        table.frame[column].cast(pl.String).str.strip_chars().str.to_lowercase().is_in(open_words).fill_null(value=False).to_numpy()
    )
    if still_open.all():
        raise errors.BadBars(f"{name} must hold candles that are over", found=f"{column} is false in all of them")
    n_open = int(still_open.sum())
    return table.kept(~still_open, f"{n_open} unfinished bar{'' if n_open == 1 else 's'} left out, by its {column}") if n_open else table


# --- volumes --------------------------------------------------------------------------------------------------------------


def _traded(
    named: columns.Volumes, numbers: dict[str, FloatArray], bars: Bars, source: Source | None, ticks: str | None, name: str
) -> BaseVolume:
    if source is not None and source.volume_unit == "quote":
        quote = bars.symbol.partition(":")[0].partition("/")[2]
        note = f"{source.name} counts volume in {quote}: coins are volume / close"
        return BaseVolume(volume=bars.volume / bars.close, notes=(note,))
    if not named.coins and not named.either:
        rule = f"{name} has only a volume in quote currency ({', '.join(named.quote)}), and bars need it in base currency"
        raise errors.UnknownColumns(rule, hint="add a column volume in coins")
    if ticks is not None and not bars.volume.any():
        return BaseVolume(volume=numbers[ticks], notes=(f"{ticks} is taken as the volume: it counts ticks, not coins",))
    return volumes.coins(volumes.Amounts(named=named, numbers=numbers, low=bars.low, high=bars.high, file=name))


# --- checks ---------------------------------------------------------------------------------------------------------------


def _require(name: str, table: CellTable, bars: Bars, findings: Sequence[QualityFinding], *, sort: bool) -> None:
    # a time that could not be read is reported once, not again as a repeated or impossible one
    reported = {"range", "duplicate", "order"} if any(finding.kind == "missing" for finding in findings) else set()
    reported |= {"newest first"} if sort else set()
    broken = [*findings, *(entry for entry in quality.check(bars).broken if entry.kind not in reported)]
    if broken:
        raise table.refusal(name, broken, _hint(broken, bars.ts))


def _hint(broken: Sequence[QualityFinding], ts: IntArray) -> str:
    kinds = {finding.kind for finding in broken}
    if "newest first" in kinds:
        return "--sort sorts a file whose newest row comes first"
    if "missing" in kinds and any(finding.about_time for finding in broken):
        return "times read like 2024-01-31 23:05:00, in UTC, or are Unix times"
    if kinds & {"order", "duplicate"} and _sets_clocks_back(ts):
        return "an hour that comes twice on a Sunday in autumn is local time: write times in UTC"
    return ""


def _sets_clocks_back(ts: IntArray) -> bool:
    """Whether times repeat up to an hour in the night of a Sunday in a month in which clocks are set back somewhere."""
    steps = np.diff(ts)
    back = np.flatnonzero((steps <= 0) & (steps >= -_HOUR_MS))
    if not back.size:
        return False
    repeated = int(ts[back[0] + 1])
    if not 0 <= repeated < _YEAR_2100_MS:
        return False
    moment = datetime.fromtimestamp(repeated / 1000, UTC)
    return moment.weekday() == _SUNDAY and moment.month in (4, 10, 11) and moment.hour <= 3


def _require_funding(name: str, table: CellTable, ts: IntArray, rates: FloatArray, unreadable: Sequence[QualityFinding]) -> None:
    steps = np.r_[False, np.diff(ts) <= 0][: ts.size]
    findings = list(unreadable) or quality.at_rows("order", "{n} time{s} not after the one before", steps, ts, about_time=True)
    findings += quality.at_rows("missing", "{n} missing or infinite rate{s}", ~np.isfinite(rates), ts)
    findings += quality.at_rows("rate", "{n} rate{s} beyond 100 %: they must be fractions, not percent", np.abs(rates) > 1, ts)
    if findings:
        raise table.refusal(name, findings)


def _warnings(source: Source | None, bars: Bars, *, sort: bool) -> tuple[str, ...]:
    turned = (_TURNED,) if bars.ts[0] > bars.ts[-1] and not sort else ()
    return (*turned, source.warning) if source is not None and source.warning else turned


def _oldest_first(bars: Bars) -> Bars:
    if bars.ts[0] <= bars.ts[-1]:
        return bars
    turned: dict[str, Any] = {name: np.ascontiguousarray(getattr(bars, name)[::-1]) for name in ("ts", *COLUMNS)}
    return replace(bars, **turned)


def _with_funding(bars: Bars, funding: Path | str | None, path: Path, tell: Tell) -> Bars:
    source = Path(funding) if funding is not None else names.funding_beside(path)
    if source is None:
        return bars
    if ":" not in bars.symbol:
        raise errors.InvalidArgument(
            "only perpetuals have funding", found=bars.symbol, hint=f"call the market {bars.symbol}:{bars.symbol.partition('/')[2]}"
        )
    ts, rates = read_funding(source, market=bars.symbol, tell=tell)
    return replace(bars, funding_ts=ts, funding_rate=rates)
