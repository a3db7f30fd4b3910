"""Files as tables of cells: Parquet, Feather, JSON and text, as they are, in a gzip or in a zip. Other modules say what the cells mean."""

from __future__ import annotations

import gzip
import io
import json
import struct
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from coinswarm import errors
from coinswarm.market import columns, limits, lines, quality, sources, symbols
from coinswarm.market.quality import QualityFinding
from coinswarm.market.sources import Source
from coinswarm.types import BoolArray, IntArray

if TYPE_CHECKING:
    import polars as pl

_DEEPEST = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class CellTable:
    """A file's cells.

    Attributes:
        frame: (n_rows,) its columns, of any type.
        numbers: (n_rows,) the number of each row in the file, counted in `unit`s.
        unit: `row` or `line`.
        source: who writes such files, where the layout alone tells.
        form: `named` or `records`, see `Source.form`.
        inside: name of the file inside a zip.
        market: what JSON calls the market around its candles.
        open_end: the last field of the last line may be cut.
        notes: what was left out.
    """

    frame: pl.DataFrame
    numbers: IntArray
    unit: str = "row"
    source: Source | None = None
    form: str = "named"
    inside: str = ""
    market: str = ""
    open_end: bool = False
    notes: tuple[str, ...] = ()

    def kept(self, mask: BoolArray, note: str) -> CellTable:
        """The rows where `mask` (n_rows,) is true, with a note on the others; its numbers stay those of the file."""
        return replace(self, frame=self.frame.filter(mask), numbers=self.numbers[mask], notes=(*self.notes, note))

    def refusal(self, name: str, findings: Sequence[QualityFinding], hint: str = "") -> errors.BadBars:
        """One error that tells every finding by the numbers of its rows in the file.

        Args:
            name: what to call the file.
            findings: what is broken, by rows of this table.
            hint: what to do about it.
        """
        placed = [replace(entry, rows=tuple(int(self.numbers[row]) for row in entry.rows)) for entry in findings]
        return quality.refusal(name, placed, first_row=0, unit=self.unit, hint=hint)


def load(path: Path, max_rows: int = limits.MAX_ROWS) -> CellTable:
    """The cells of a file.

    Args:
        path: Parquet, Feather, JSON, or text with `,`, `;`, `|` or tabs; as it is, in a gzip, or alone in a zip.
        max_rows: how many rows it may have; bounds the bytes that it may unpack to, too.

    Raises:
        NotFound: there is no such file.
        InvalidArgument: it is a folder.
        BadBars: it cannot be read; the message says as what.
        TooLarge: it has more rows or unpacks to more bytes than it may.
    """
    import polars as pl

    _require_file(path)
    limits.refuse_bytes(path.name, path.stat().st_size, max_rows)
    try:
        return _of_bytes(path.read_bytes(), path.name, max_rows)
    except errors.CoinswarmError:
        raise
    except (
        pl.exceptions.PolarsError,
        pl.exceptions.PanicException,
        EOFError,
        zipfile.BadZipFile,
        OSError,
        ValueError,
        RuntimeError,
        NotImplementedError,
        KeyError,
        MemoryError,
        struct.error,
    ) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise errors.BadBars(f"{path.name} cannot be read as Parquet, Feather, JSON or CSV", found=reason) from error


def _require_file(path: Path) -> None:
    if path.is_dir():
        kinds = [entry.suffix for entry in sorted(path.iterdir()) if entry.is_file() and entry.suffix]
        hint = f"name the files in it, such as {path}/*{kinds[0] if kinds else '.parquet'}"
        raise errors.InvalidArgument(f"{path} must be a file of bars", found="a folder", hint=hint)
    if not path.is_file():
        siblings = [entry.name for entry in path.parent.iterdir() if entry.is_file()] if path.parent.is_dir() else []
        raise errors.no_file(path, siblings)


def _of_bytes(raw: bytes, name: str, max_rows: int) -> CellTable:
    import polars as pl

    if raw[:4] == b"PAR1":
        limits.check_parquet(raw, name, max_rows)
        return of_frame(pl.read_parquet(io.BytesIO(raw)))
    if raw[:6] == b"ARROW1":
        limits.check_feather(raw, name, max_rows)
        return _of_feather(raw)
    if raw[:4] == b"FEA1":
        raise errors.BadBars(f"{name} must be Feather of version 2", found="version 1", hint="write it as Parquet")
    if raw[:4] == b"PK\x03\x04":
        return _of_zip(raw, name, max_rows)
    if raw[:2] == b"\x1f\x8b":
        inside = limits.unpacked(gzip.GzipFile(fileobj=io.BytesIO(raw)), len(raw), name, max_rows)
        return _of_bytes(inside, name.removesuffix(".gz"), max_rows)
    limits.check_text(raw, name, max_rows)
    text = lines.decode(raw, name)
    return _of_json(text, name) if text.lstrip()[:1] in ("[", "{") else _of_lines(text, name)


def of_frame(frame: pl.DataFrame) -> CellTable:
    """The cells of a frame, its rows counted from 1."""
    return CellTable(frame=frame, numbers=np.arange(1, len(frame) + 1, dtype=np.int64))


def _of_feather(raw: bytes) -> CellTable:
    import polars as pl
    import pyarrow as pa

    # not by Polars, which panics on damaged files
    table = pa.ipc.open_file(pa.BufferReader(raw)).read_all()
    table.validate(full=True)
    return of_frame(pl.DataFrame(pl.from_arrow(table)))


def _of_zip(raw: bytes, name: str, max_rows: int) -> CellTable:
    with zipfile.ZipFile(io.BytesIO(raw)) as packed:
        members = [entry for entry in packed.infolist() if not entry.is_dir() and not entry.filename.startswith("__MACOSX/")]
        if len(members) != 1:
            shown = ", ".join(entry.filename for entry in members[:3]) or "none"
            raise errors.BadBars(
                f"{name} must hold one file", found=f"{len(members)} ({shown})", hint="unpack it and name the files of bars"
            )
        (member,) = members
        limits.refuse_bytes(name, member.file_size, max_rows)
        with packed.open(member) as stream:
            table = _of_bytes(limits.unpacked(stream, len(raw), name, max_rows), member.filename, max_rows)
    return replace(table, inside=Path(member.filename).name)


def _of_lines(text: str, name: str) -> CellTable:
    found = lines.read(text, name)
    notes = (found.note,) if found.note else ()
    return CellTable(frame=found.frame, numbers=found.numbers, unit="line", source=found.source, open_end=found.open_end, notes=notes)


# --- JSON ------------------------------------------------------------------------------------------------------------------


def _of_json(text: str, name: str) -> CellTable:
    rows, around = _rows(json.loads(text), name)
    kinds = {type(row) for row in rows}
    if kinds == {list}:
        table = _of_lists(rows, name)
    elif kinds == {dict}:
        table = _of_records(rows)
    else:
        raise errors.BadBars(f"{name} must hold a list of candles", found="candles of several shapes in one list")
    return replace(table, market=around)


def _rows(document: Any, name: str) -> tuple[list[Any], str]:
    """The list of candles in a JSON document, and what the market around it is called."""
    found: list[tuple[list[Any], str]] = []
    _search(document, "", found, 0)
    if not found:
        raise errors.BadBars(f"{name} must hold a list of candles", found="none in its JSON")
    if len(found) > 1:
        raise errors.BadBars(f"{name} must hold one list of candles", found=f"{len(found)}", hint="put each market into a file of its own")
    return found[0]


def _search(document: Any, market: str, found: list[tuple[list[Any], str]], depth: int) -> None:
    if isinstance(document, list):
        if document and all(isinstance(row, list | dict) for row in document):
            found.append((document, market))
    elif isinstance(document, dict) and depth < _DEEPEST:
        named = next((str(value) for key, value in document.items() if columns.plain(key) in columns.MARKETS), market)
        if document.get("category") in ("inverse", "option"):
            raise symbols.outside(named or "this market", "an inverse contract" if document["category"] == "inverse" else "an option")
        for key, value in document.items():
            is_market = depth > 0 and isinstance(value, list) and key.isupper()
            _search(value, str(key) if is_market else named, found, depth + 1)


def _of_lists(rows: Sequence[Sequence[Any]], name: str) -> CellTable:
    widths = {len(row) for row in rows}
    cells = [_cell(value) or "" for value in rows[0]]
    source = sources.by_width("lists", cells) if len(widths) == 1 else None
    if source is None:
        found = " and ".join(map(str, sorted(widths)))
        raise errors.UnknownColumns(f"{name} holds lists of {found} values without names", hint=f"known are {sources.widths('lists')}")
    return _of_columns(dict(zip(source.columns, zip(*rows, strict=True), strict=True)), source)


def _of_records(rows: Sequence[Mapping[str, Any]]) -> CellTable:
    names = dict.fromkeys(name for row in rows for name in row)
    table = _of_columns({name: tuple(row.get(name) for row in rows) for name in names}, None)
    return replace(table, form="records")


def _of_columns(cells: Mapping[str, Sequence[Any]], source: Source | None) -> CellTable:
    import polars as pl

    # as text: JSON mixes numbers and strings, and each number keeps all of its digits
    frame = pl.DataFrame({name: pl.Series(name, [_cell(value) for value in column], dtype=pl.String) for name, column in cells.items()})
    return replace(of_frame(frame), source=source)


def _cell(value: Any) -> str | None:
    if value is None or isinstance(value, list | dict):
        return None
    return str(value).lower() if isinstance(value, bool) else str(value)
