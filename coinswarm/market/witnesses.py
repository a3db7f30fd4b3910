"""What the columns of a file say of each other: open and close times, the market, the length of bars. Volumes are in `volumes`.

Columns are chosen by their names, and a name may lie. So all columns that speak of one thing are heard, and where they disagree the right
one is taken aloud, or the file is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from coinswarm import errors
from coinswarm.market import columns, quality, symbols, times
from coinswarm.market.quality import QualityFinding
from coinswarm.market.tables import CellTable
from coinswarm.market.timeframe import DAY_MS, Timeframe
from coinswarm.types import BoolArray, FloatArray, IntArray

if TYPE_CHECKING:
    import polars as pl

_SECOND_MS = 1000
_QUARTER_MS = 900_000
_FARTHEST_ZONE_MS = 14 * 3_600_000
_AGREEING = 0.95
"""Share of bars in which two columns must agree: archives have a few bars that their own exchange garbled."""


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenTimes:
    """The open times of a file.

    Attributes:
        ts: (n,) milliseconds since 1970 UTC, -1 where unreadable.
        findings: what is wrong with them.
        notes: how witnesses that disagree were settled.
    """

    ts: IntArray
    findings: tuple[QualityFinding, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class _Stamps:
    """One column of times."""

    name: str
    ts: IntArray
    findings: tuple[QualityFinding, ...]


# --- times ----------------------------------------------------------------------------------------------------------------


def open_times(table: CellTable, named: columns.Times, step_ms: int, file: str) -> OpenTimes:
    """When each bar opens, by all the times that a file has.

    Args:
        table: (n,) the file's cells.
        named: which of them are times; at least one.
        step_ms: length of a bar in milliseconds where the times do not tell it; 0 when nothing does.
        file: what to call the file in messages.

    Raises:
        BadTimestamps: its times contradict each other.
    """
    opens, closes, labels = (_stamps(table.frame, names) for names in (named.opens, named.closes, named.labels))
    first, *others = [*opens, *labels, *closes]
    if first.findings:
        return OpenTimes(ts=first.ts, findings=first.findings)
    step = quality.common_step(first.ts) or step_ms
    if not opens and not labels:
        return _from_closes(first, step)
    readable = [other for other in others if not other.findings]
    ending = [other for other in readable if other.name in named.closes]
    if not opens and any(_mostly_agree(first.ts, close.ts, 0, step) for close in ending):
        return _from_closes(first, step)
    notes = [_one_bar(first, close, step, table, file) for close in ending]
    notes += [_settled(first, label, step, file, sure=bool(opens)) for label in readable if label not in ending]
    return OpenTimes(ts=first.ts, notes=tuple(note for note in notes if note))


def _stamps(frame: pl.DataFrame, names: Sequence[str]) -> list[_Stamps]:
    by_name = {columns.plain(name): name for name in names}
    joined = times.joined(frame[by_name["date"]], frame[by_name["time"]]) if {"date", "time"} <= by_name.keys() else None
    rest = [name for name in names if joined is None or columns.plain(name) not in ("date", "time")]
    read = [(name, times.read(frame[name])) for name in rest]
    if joined is not None:
        read.append((f"{by_name['date']} with {by_name['time']}", times.read(joined)))
    stamps_read = [_Stamps(name=name, ts=ts, findings=tuple(findings)) for name, (ts, findings) in read]
    # a column that holds no time at all is not meant as one, unless there is no other
    return [entry for entry in stamps_read if (entry.ts >= 0).any()] or stamps_read[:1]


def _agree(first: IntArray, other: IntArray, n_bars: int, step: int) -> BoolArray:
    """Where the other time is `n_bars` bars behind the first, or up to a second short of it: (n,)."""
    behind = other - first - n_bars * step
    return (behind >= -_SECOND_MS) & (behind <= 0) if n_bars else np.abs(behind) < _SECOND_MS


def _mostly_agree(first: IntArray, other: IntArray, n_bars: int, step: int) -> bool:
    return float(np.mean(_agree(first, other, n_bars, step))) >= _AGREEING


def _from_closes(close: _Stamps, step: int) -> OpenTimes:
    if step <= 0:
        return OpenTimes(
            ts=close.ts,
            findings=(QualityFinding(kind="close", text=f"{close.name} is the close time, and the length of a bar is unknown"),),
        )
    end = -(-close.ts // _SECOND_MS) * _SECOND_MS
    if step % 60_000 == 0 and (end % 60_000 == 59_000).all():
        end = end + _SECOND_MS
    note = f"{close.name} is the close time: bars open {Timeframe(step)} before it"
    return OpenTimes(ts=end - step, notes=(note,))


def _one_bar(first: _Stamps, close: _Stamps, step: int, table: CellTable, file: str) -> str:
    """A note on the few rows whose close time is not one bar behind the open time; raises `BadTimestamps` when they are many."""
    off = ~_agree(first.ts, close.ts, 1, step)
    if step <= 0 or not off.any():
        return ""
    text = f"{close.name} is not one bar of {Timeframe(step)} behind {first.name} in {{n}} row{{s}}"
    findings = quality.at_rows("close", text, off, first.ts, about_time=True)
    if float(np.mean(off)) > 1 - _AGREEING:
        raise table.refusal(file, findings)
    return findings[0].text


def _settled(first: _Stamps, label: _Stamps, step: int, file: str, *, sure: bool) -> str:
    """A note where another time says something else than the first; nothing where both agree."""
    apart = label.ts - first.ts
    if (
        _mostly_agree(first.ts, label.ts, 0, step)
        or _mostly_agree(first.ts, label.ts, 1, step)
        or np.array_equal(label.ts, first.ts // DAY_MS * DAY_MS)
    ):
        return ""
    if sure:
        return f"{label.name} says other times than {first.name}, which is taken"
    hours = np.unique(apart) / 3_600_000
    in_a_zone = not (apart % _QUARTER_MS).any() and (np.abs(apart) <= _FARTHEST_ZONE_MS).all()
    if in_a_zone and not (apart == -step).all():
        return f"{label.name} is {' or '.join(f'{hour:+g}' for hour in hours[:4])} h from {first.name}, which is taken as UTC"
    raise errors.BadTimestamps(
        f"{file}: {first.name} and {label.name} must be the same times",
        found=f"{quality.moment(int(first.ts[0]))} and {quality.moment(int(label.ts[0]))} in the first row",
        hint="call the one that is the open time open_time, or leave the other out",
    )


# --- the market and the length of bars ------------------------------------------------------------------------------------


def one_market(table: CellTable, stated: str | None, named: str | None, file: str) -> tuple[str, CellTable]:
    """The market of a table, and its rows: what it says itself, what the caller states and what its name says must agree.

    Args:
        table: the file's cells.
        stated: the market as the caller names it.
        named: the market by the file's name.
        file: what to call the file in messages.

    Raises:
        InvalidArgument: nothing says the market, or what the caller states is none.
        OutsideModel: the market is none that is simulated.
        BadBars: it holds several markets and none is stated, or another market than its name says.
    """
    by_name = stated or named
    meant = symbols.canonical(by_name) if by_name else None
    column = columns.one_of(table.frame.columns, columns.MARKETS)
    words = _words(table.frame[column]) if column else ([table.market] if table.market else [])
    where = f"column {column}" if column else "JSON"
    if column and len(words) > 1:
        table, words = _picked(table, column, words, _is_market(stated), f"--symbol {words[0]}", file)
    market, note = _agreed(words[0], where, meant, stated, file) if words else (meant, "")
    if market is None:
        raise errors.InvalidArgument(
            f"{file} does not tell its market", hint="name it with --symbol, or call the file like binance_BTC-USDT_5m.parquet"
        )
    return market, replace(table, notes=(*table.notes, note)) if note else table


def one_length(table: CellTable, stated: Timeframe | None, file: str) -> tuple[Timeframe | None, CellTable]:
    """The length of bars that a table tells, and its rows of that length; none where it tells none.

    Args:
        table: the file's cells.
        stated: the length as the caller or the file's name says.
        file: what to call the file in messages.

    Raises:
        BadBars: it holds several lengths and none is stated, or another length than is stated.
    """
    column = columns.one_of(table.frame.columns, columns.LENGTHS)
    words = _words(table.frame[column]) if column else []
    if column is None or not words or any(not _lengths(word) for word in words):
        return stated, table
    if len(words) > 1:
        table, words = _picked(
            table, column, words, (lambda word: stated in _lengths(word)) if stated else None, f"--timeframe {words[0]}", file
        )
    if stated is not None and stated not in _lengths(words[0]):
        raise errors.BadBars(f"{file} must hold bars of {stated}", found=f"{words[0]} in its column {column}")
    return stated or (None if words[0].isdigit() else _lengths(words[0])[0]), table


def require_one(table: CellTable, file: str) -> None:
    """Refuse a table whose bars come from several exchanges; raises `BadBars`."""
    column = columns.one_of(table.frame.columns, ("exchange",))
    words = _words(table.frame[column]) if column else []
    if len(words) > 1:
        raise errors.BadBars(f"{file} must hold bars of one exchange", found=", ".join(words[:4]), hint="write a file for each")


def _words(column: pl.Series) -> list[str]:
    import polars as pl

    texts = column.cast(pl.String).str.strip_chars().drop_nulls().unique(maintain_order=True).to_list()
    return [str(text) for text in texts if text]


def _lengths(word: str) -> tuple[Timeframe, ...]:
    """The lengths that a word may mean: a bare number may be minutes or seconds."""
    text = word.lower().removesuffix("s").replace("mins", "m").replace("min", "m").replace("hour", "h").replace("day", "d")
    try:
        return (Timeframe.parse(word), Timeframe(int(word) * 1000)) if word.isdigit() and int(word) else (Timeframe.parse(text),)
    except errors.InvalidArgument:
        return ()


def _is_market(stated: str | None) -> Callable[[str], bool] | None:
    if stated is None:
        return None
    canonical = symbols.canonical(stated)
    return lambda word: _canonical(word) == canonical


def _canonical(word: str) -> str | None:
    try:
        return symbols.canonical(word)
    except errors.InvalidArgument:
        return None


def _picked(
    table: CellTable, column: str, words: Sequence[str], fits: Callable[[str], bool] | None, option: str, file: str
) -> tuple[CellTable, list[str]]:
    """The rows of the one word that fits what is stated."""
    import polars as pl

    several = f"{', '.join(words[:4])}{' and others' if len(words) > 4 else ''}"
    chosen = [word for word in words if fits is not None and fits(word)]
    if len(chosen) != 1:
        raise errors.BadBars(f"{file} must hold one in its column {column}", found=several, hint=f"{option} reads that one alone")
    mask = (table.frame[column].cast(pl.String).str.strip_chars() == chosen[0]).fill_null(value=False).to_numpy()
    return table.kept(mask, f"only the rows with {chosen[0]} in column {column} are read, of {several}"), chosen


def _agreed(word: str, where: str, meant: str | None, stated: str | None, file: str) -> tuple[str | None, str]:
    """The market that a file's own word and what was meant agree on, with a note where they were not quite the same."""
    if meant is None:
        return symbols.canonical(word), ""
    try:
        own = symbols.canonical(word)
    except errors.OutsideModel:
        raise
    except errors.InvalidArgument:
        silent = symbols.usual_coin(word) == symbols.usual_coin(meant.partition("/")[0])
        return meant, "" if silent else f"its {where} says {word}, which names no market: it is taken as {meant}"
    if not symbols.same_pair(own, meant):
        by = "--symbol" if stated else "its name"
        raise errors.BadBars(
            f"{file} must hold {meant}, as {by} says", found=f"{word} in its {where}", hint=f"--symbol {own} stores it as that"
        )
    if ":" in own and ":" not in meant:
        return own, f"its {where} says {word}: it is taken as the perpetual {own}"
    return meant, ""


def paid_rates(named: Sequence[str], rates: Mapping[str, FloatArray], file: str) -> tuple[str, ...]:
    """A note on each column of rates that says something else than the first one, which is what was paid.

    Args:
        named: columns of rates, the preferred one first.
        rates: (n,) their numbers.
        file: what to call the file in messages.

    Raises:
        UnknownColumns: they differ, and none of them says that it was paid.
    """
    first, *others = named
    other = next((name for name in others if not np.array_equal(rates[first], rates[name], equal_nan=True)), None)
    if other is None:
        return ()
    if not columns.plain(first).startswith("realized"):
        raise errors.UnknownColumns(f"{file}: {first} and {other} could both be the rate that was paid", hint="leave the other out")
    return (f"{first} is the rate that was paid, and {other} is not: it is left out",)
