"""Text files as strict tables: each line has as many fields as the header names, or is refused with its number.

A download that broke off ends in the middle of a line, even in the middle of a number that still reads like one. Such a last line is left
out, aloud; the same anywhere else is refused.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from coinswarm import errors
from coinswarm.market import columns, sources
from coinswarm.market.sources import Source
from coinswarm.types import IntArray

if TYPE_CHECKING:
    import polars as pl

_PREAMBLE_LINES = 20
_SEPARATORS = ",;\t|"
_MARKS = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe\x00\x00", "utf-32"),
    (b"\x00\x00\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Lines:
    """The fields of a text file.

    Attributes:
        frame: (n_rows,) its columns as text, each name once.
        numbers: (n_rows,) number of each row's line, 1 for the first of the file.
        source: who writes such files, where the layout alone tells.
        open_end: the last line has no line end, so its last field may be cut.
        note: what was left out.
    """

    frame: pl.DataFrame
    numbers: IntArray
    source: Source | None
    open_end: bool
    note: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Head:
    """How many lines stand before the rows, the names of the columns, what separates them, and the source of rows without names."""

    skipped: int
    names: tuple[str, ...]
    separator: str
    source: Source | None = None


def decode(raw: bytes, name: str) -> str:
    """The text of a file: UTF-8, or what its byte order mark says.

    Raises:
        BadBars: it is no text.
    """
    coding = next((coding for mark, coding in _MARKS if raw.startswith(mark)), "utf-8")
    try:
        text = raw.decode(coding)
    except UnicodeDecodeError as error:
        raise errors.BadBars(f"{name} must be text in UTF-8, or in UTF-16 with a byte order mark", found=str(error)) from error
    if "\0" in text:
        raise errors.BadBars(
            f"{name} cannot be read as a table", found="zero bytes", hint="save UTF-16 text with a byte order mark, or as UTF-8"
        )
    return text.replace("\r\n", "\n").replace("\r", "\n")


def read(text: str, name: str) -> Lines:
    """The rows of a text file.

    Args:
        text: its lines end with a line feed.
        name: what to call the file in messages.

    Raises:
        BadBars: it is empty, or a line other than the last has too few or too many fields.
        UnknownColumns: no line names the columns, and the layout is none that goes without.
    """
    every = text.split("\n")
    open_end = bool(every[-1].strip())
    head = _head(every, name)
    numbers = np.array([at + 1 for at in range(head.skipped, len(every)) if every[at].strip()], dtype=np.int64)
    if not numbers.size:
        raise errors.BadBars(f"{name} must hold bars", found="no rows below its header")
    body = [every[at - 1] for at in numbers]
    rows = _quoted(body, head.separator, name) if any('"' in line for line in body) else None
    widths = np.array([len(row) for row in rows] if rows else [line.count(head.separator) + 1 for line in body])
    kept, note = _complete(widths, numbers, len(head.names), name)
    frame = _of_rows(rows[:kept], head.names) if rows else _of_lines(body[:kept], head)
    return Lines(frame=frame, numbers=numbers[:kept], source=head.source, open_end=open_end and kept == len(body), note=note)


def _head(every: Sequence[str], name: str) -> _Head:
    if not any(line.strip() for line in every):
        raise errors.BadBars(f"{name} must hold bars", found="an empty file")
    for number, line in enumerate(every[:_PREAMBLE_LINES]):
        separator = max(_SEPARATORS, key=line.count)
        fields = [field.strip() for field in next(csv.reader([line], delimiter=separator), [])]
        if columns.looks_like_header(fields):
            return _Head(skipped=number + 1, names=_distinct(fields), separator=separator)
        source = sources.by_width("lines", fields)
        if source is not None and _rest_is_numbers(fields, source):
            return _Head(skipped=number, names=source.columns, separator=separator, source=source)
    raise errors.UnknownColumns(
        f"{name} must have a line that names its columns",
        found=repr(next(line for line in every if line.strip())[:80]),
        hint=f"ts,open,high,low,close,volume; only {sources.widths('lines')} go without",
    )


def _rest_is_numbers(fields: Sequence[str], source: Source) -> bool:
    rest = fields[2:] if source.unit == "printed" else fields
    return all(sources.is_number(field) for field in rest)


def _distinct(fields: Sequence[str]) -> tuple[str, ...]:
    return tuple(field if fields.index(field) == place else f"{field} ({place + 1})" for place, field in enumerate(fields))


def _of_rows(rows: Sequence[Sequence[str]], names: Sequence[str]) -> pl.DataFrame:
    import polars as pl

    return pl.DataFrame(rows, schema=dict.fromkeys(names, pl.String), orient="row")


def _of_lines(lines: Sequence[str], head: _Head) -> pl.DataFrame:
    """Lines without quotes, each as long as the header: a third of the time that rows take."""
    import polars as pl

    text = "\n".join(lines).encode()
    return pl.read_csv(text, has_header=False, new_columns=list(head.names), separator=head.separator, quote_char=None, infer_schema=False)


def _quoted(lines: Sequence[str], separator: str, name: str) -> list[list[str]]:
    # line by line: a quote that is not closed must not swallow the lines below it
    return [_unquoted(line, separator, name, is_last=at == len(lines) - 1) for at, line in enumerate(lines)]


def _unquoted(line: str, separator: str, name: str, *, is_last: bool) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=separator, strict=True))
    except csv.Error as error:
        if is_last:
            return line.split(separator)[:-1]
        raise errors.BadBars(f"{name} cannot be read as a table", found=f"{error} in {line[:80]!r}") from error


def _complete(widths: IntArray, numbers: IntArray, width: int, name: str) -> tuple[int, str]:
    """How many rows are whole, and a note on the last one if it is not."""
    wrong = np.flatnonzero(widths != width)
    if not wrong.size:
        return widths.size, ""
    first = int(wrong[0])
    found = f"{widths[first]} field{'' if widths[first] == 1 else 's'}"
    if widths.size == 1 or first < widths.size - 1 or widths[first] > width:
        more = f", and {wrong.size - 1} more lines like it" if wrong.size > 1 else ""
        raise errors.BadBars(f"{name} must have {width} fields in each line", found=f"{found} in line {numbers[first]}{more}")
    return first, f"line {numbers[first]}, the last one, is cut short ({found} of {width}) and left out"


def is_whole(texts: Sequence[str | None]) -> bool:
    """Whether the last of a column's fields is surely not cut: all are printed with the same digits behind the point.

    Zeros at the end show that digits are fixed: `50.20` is never printed by a program that leaves them out. One digit shows nothing, for
    `50.0` may be the beginning of `50.05`.

    Args:
        texts: (n,) the fields of the last column of a file whose last line has no line end.
    """
    behind = [(text or "").strip().partition(".")[2] for text in texts]
    same = len({len(digits) for digits in behind}) == 1 and len(behind[0]) > 1
    return same and any(digits.endswith("0") for digits in behind[:-1])
