"""Candles from Parquet and CSV files: recognised, checked whole, or refused with every reason on one screen."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from coinswarm import errors
from coinswarm.market import columns, quality, symbols, synthetic, times
from coinswarm.market.bars import COLUMNS, Bars
from coinswarm.market.timeframe import Timeframe
from coinswarm.types import FloatArray, IntArray

if TYPE_CHECKING:
    import polars as pl

_OWN_NAME = re.compile(r"(?P<exchange>[a-z0-9]+(?:-[a-z0-9]+)*)_(?P<symbol>[A-Za-z0-9]+-[A-Za-z0-9]+(?:-PERP)?)_(?P<timeframe>\d+[smhdw])")
_ARCHIVE_NAME = re.compile(r"(?:^|.*_)(?P<symbol>[A-Z0-9]+)-(?P<timeframe>\d+[smhdw])-\d{4}-\d{2}(?:-\d{2})?")
_PREAMBLE_LINES = 20
MADE = "world-"
"""How the exchange of made-up worlds begins (`world-n3-17`)."""


def is_made(exchange: str) -> bool:
    """Whether bars of an exchange of that name were made, not traded: they are synthetic wherever they are read from."""
    return exchange == synthetic.EXCHANGE or exchange.startswith(MADE)


@dataclass(frozen=True, kw_only=True)
class Named:
    """What a file's name tells: any of it may be missing."""

    exchange: str | None = None
    symbol: str | None = None
    timeframe: str | None = None


def named(path: Path) -> Named:
    """What the name of a file tells of its bars.

    Args:
        path: such as `binance_BTC-USDT-PERP_1m.parquet` or, from Binance's archive, `BTCUSDT-1m-2024-01.csv`.
    """
    stem = path.name.split(".", 1)[0]
    if match := _OWN_NAME.fullmatch(stem):
        return Named(**match.groupdict())
    if match := _ARCHIVE_NAME.fullmatch(stem):
        return Named(exchange="binance", **match.groupdict())
    return Named()


def funding_beside(path: Path) -> Path | None:
    """The file of funding rates that lies beside a file of bars: `…_1m.parquet` has `…_funding.parquet`."""
    match = _OWN_NAME.fullmatch(path.name.split(".", 1)[0])
    if match is None:
        return None
    beside = path.with_name(f"{match['exchange']}_{match['symbol']}_funding.parquet")
    return beside if beside.is_file() else None


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
) -> Bars:
    """Bars of one Parquet or CSV file.

    Args:
        path: `.parquet`, `.csv`, `.csv.gz`; columns by any of the usual names, times in any of the usual units, UTC.
        symbol: the market; from the file's name unless given.
        timeframe: length of a bar; from the file's name, else from the spacing of the times.
        exchange: where they come from; from the file's name, else `unknown`.
        funding: file of funding rates; the one beside the bars unless given.
        sort: accept a file that is newest first and turn it round; disorder of any other kind is still refused.

    Returns:
        (n_bars,) checked bars with all funding payments of the funding file.

    Raises:
        NotFound: there is no such file.
        UnknownColumns: columns are missing or could be two things.
        BadTimestamps: times are out of order, repeated, in mixed units, or contradict the timeframe.
        BadBars: other things are wrong, or the file cannot be read; all findings are told at once.
        InvalidArgument: the market is not known, or cannot be read as one.
    """
    file = Path(path)
    _require_file(file)
    market, told = _market(file, symbol), named(file)
    table = _load(file)
    chosen = _explained(file, table, market)
    ts, findings = times.read(table.frame[chosen["ts"]])
    numbers: dict[str, Any] = {name: _numbers(table.frame[chosen[name]]) for name in COLUMNS}
    length = _timeframe(file, ts, timeframe or told.timeframe)
    place = (exchange or told.exchange or "unknown").lower()
    bars = Bars(symbol=market, timeframe=length, exchange=place, synthetic=is_made(place), ts=ts, **numbers)
    _require(file, table, bars, findings, sort=sort)
    return _with_funding(_oldest_first(bars), funding, file)


def read_funding(path: Path | str) -> tuple[IntArray, FloatArray]:
    """Funding rates of one file.

    Args:
        path: Parquet or CSV with a time and a rate.

    Returns:
        (n,) times in milliseconds since 1970 UTC and (n,) rates as a fraction of notional, oldest first.

    Raises:
        NotFound, UnknownColumns, BadTimestamps, BadBars: as in `read`.
    """
    file = Path(path)
    table = _load(file)
    try:
        chosen = columns.of_funding(table.frame.columns)
    except errors.UnknownColumns as error:
        raise errors.UnknownColumns(f"{file.name}: {error.rule}") from None
    ts, findings = times.read(table.frame[chosen["ts"]])
    rates = _numbers(table.frame[chosen["funding_rate"]])
    steps = np.r_[False, np.diff(ts) <= 0][: ts.size]
    findings += quality.at_rows("order", "{n} time{s} not after the one before", steps, ts, about_time=True)
    findings += quality.at_rows("missing", "{n} missing or infinite rate{s}", ~np.isfinite(rates), ts)
    findings += quality.at_rows("rate", "{n} rate{s} beyond 100 %: they must be fractions, not percent", np.abs(rates) > 1, ts)
    if findings:
        raise quality.refusal(file.name, findings, first_row=table.first_row, unit=table.unit)
    return ts, rates


@dataclass(frozen=True, kw_only=True)
class _Table:
    """A file's cells, and how its reader counts rows: `first_row` is the number of the first one in `unit`s."""

    frame: pl.DataFrame
    first_row: int = 1
    unit: str = "row"


def _load(path: Path) -> _Table:
    import polars as pl

    _require_file(path)
    try:
        with path.open("rb") as stream:
            head = stream.read(4)
        return _Table(frame=pl.read_parquet(path)) if head == b"PAR1" else _load_text(path)
    except (pl.exceptions.PolarsError, pl.exceptions.ComputeError, UnicodeDecodeError, EOFError, gzip.BadGzipFile, OSError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise errors.BadBars(f"{path.name} cannot be read as Parquet or CSV", found=reason) from error


def _require_file(path: Path) -> None:
    if path.is_dir():
        hint = f"name the files in it, such as {path / '*.parquet'}"
        raise errors.InvalidArgument(f"{path} must be a file of bars", found="a folder", hint=hint)
    if not path.is_file():
        siblings = [entry.name for entry in path.parent.iterdir() if entry.is_file()] if path.parent.is_dir() else []
        close = errors.nearest(path.name, siblings)
        raise errors.NotFound(f"there is no file {path}", hint=f"did you mean {', '.join(close)}?" if close else "")


def _load_text(path: Path) -> _Table:
    import polars as pl

    raw = path.read_bytes()
    text = (gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw).decode("utf-8-sig")
    skipped, names, separator = _header(path, text)
    body = io.StringIO("".join(text.splitlines(keepends=True)[skipped:]))
    frame = (
        pl.read_csv(body.getvalue().encode(), has_header=False, new_columns=names, separator=separator, infer_schema=False)
        if body.getvalue().strip()
        else None
    )
    if frame is None:
        raise errors.BadBars(f"{path.name} must hold bars", found="no rows below its header" if names else "an empty file")
    return _Table(frame=frame, first_row=skipped + 1, unit="line")


def _header(path: Path, text: str) -> tuple[int, list[str], str]:
    """How many lines stand before the numbers, the names of the columns, and what separates them."""
    lines = text.splitlines()[:_PREAMBLE_LINES]
    if not any(line.strip() for line in lines):
        raise errors.BadBars(f"{path.name} must hold bars", found="an empty file")
    for number, line in enumerate(lines):
        separator = max(",;\t", key=line.count)
        fields = [field.strip() for field in next(csv.reader([line], delimiter=separator), [])]
        if columns.looks_like_header(fields):
            return number + 1, _distinct(fields), separator
        if len(fields) == len(columns.BINANCE_ARCHIVE) and all(_is_number(field) for field in fields):
            return number, list(columns.BINANCE_ARCHIVE), separator
    raise errors.UnknownColumns(
        f"{path.name} must have a line that names its columns",
        found=repr(lines[0][:80]),
        hint="ts,open,high,low,close,volume; only Binance's 12 columns go without",
    )


def _distinct(fields: Sequence[str]) -> list[str]:
    return [field if fields.index(field) == place else f"{field} ({place + 1})" for place, field in enumerate(fields)]


def _is_number(field: str) -> bool:
    try:
        float(field)
    except ValueError:
        return False
    return True


def _explained(path: Path, table: _Table, market: str) -> dict[str, str]:
    try:
        return columns.of_bars(table.frame.columns, symbol=market)
    except errors.UnknownColumns as error:
        raise errors.UnknownColumns(f"{path.name}: {error.rule}", hint=error.hint) from None


def _numbers(column: pl.Series) -> FloatArray:
    """(n,) numbers; NaN where there is none, or where text is no number."""
    import polars as pl

    values = column.str.strip_chars().cast(pl.Float64, strict=False) if column.dtype == pl.String else column.cast(pl.Float64, strict=False)
    return np.ascontiguousarray(values.fill_null(np.nan).to_numpy().astype(np.float64))


def _market(path: Path, symbol: str | None) -> str:
    told = symbol or named(path).symbol
    if told is None:
        raise errors.InvalidArgument(
            f"{path.name} does not tell its market", hint="name it with --symbol, or call the file like binance_BTC-USDT_5m.parquet"
        )
    return symbols.canonical(told)


def _timeframe(path: Path, ts: IntArray, told: Timeframe | str | None) -> Timeframe:
    if told is not None:
        return told if isinstance(told, Timeframe) else Timeframe.parse(told)
    usual = quality.common_step(ts)
    if usual <= 0:
        raise errors.InvalidArgument(f"{path.name} does not tell its timeframe", found=f"{ts.size} bars", hint="name it with --timeframe")
    return Timeframe(usual)


def _require(path: Path, table: _Table, bars: Bars, findings: Sequence[quality.Finding], *, sort: bool) -> None:
    # a time that could not be read is told once, not again as a repeated or impossible one
    told = {"range", "duplicate", "order"} if any(finding.kind == "missing" for finding in findings) else set()
    told |= {"newest first"} if sort else set()
    broken = [*findings, *(entry for entry in quality.check(bars).broken if entry.kind not in told)]
    if not broken:
        return
    newest_first = any(finding.kind == "newest first" for finding in broken)
    hint = "--sort turns a file that is newest first round" if newest_first else ""
    raise quality.refusal(path.name, broken, first_row=table.first_row, unit=table.unit, hint=hint)


def _oldest_first(bars: Bars) -> Bars:
    if bars.ts[0] <= bars.ts[-1]:
        return bars
    turned: dict[str, Any] = {name: np.ascontiguousarray(getattr(bars, name)[::-1]) for name in ("ts", *COLUMNS)}
    return replace(bars, **turned)


def _with_funding(bars: Bars, funding: Path | str | None, path: Path) -> Bars:
    source = Path(funding) if funding is not None else funding_beside(path)
    if source is None:
        return bars
    if ":" not in bars.symbol:
        raise errors.InvalidArgument(
            "only perpetuals have funding", found=bars.symbol, hint=f"call the market {bars.symbol}:{bars.symbol.partition('/')[2]}"
        )
    ts, rates = read_funding(source)
    return replace(bars, funding_ts=ts, funding_rate=rates)
