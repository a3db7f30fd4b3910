"""What a file of candles may unpack to, found out before it is unpacked: a megabyte can hold a gigabyte of zeros, or a billion rows.

Parquet, Feather and zip say in their headers what they hold. A gzip does not, so it is unpacked only up to the limit.
"""

from __future__ import annotations

import io
import struct
from typing import Any

from coinswarm import errors

MAX_ROWS = 20_000_000
"""Rows that a file may have: four times those of ten years of 1-minute bars."""
_ROW_BYTES = 200
"""Unpacked bytes a row may have on average: a dozen numbers as text."""
_MAX_RATIO, _SMALL_BYTES = 100, 64 * 2**20
"""Candles as text shrink to a tenth, so a stream that unpacks to a hundred times its size is none; below 64 MiB that does not matter."""
_DICTIONARIES, _RECORD_BATCHES, _CONTINUED = 2, 3, b"\xff\xff\xff\xff"


def refuse_rows(name: str, rows: int, max_rows: int) -> None:
    """Raise `TooLarge` when a file has more rows than it may."""
    if rows > max_rows:
        hint = "`bars import --max-rows` takes more, or split it"
        raise errors.TooLarge(f"{name} must have at most {max_rows:,} rows", found=f"{rows:,}", hint=hint)


def refuse_bytes(name: str, size: int, max_rows: int) -> None:
    """Raise `TooLarge` when what a file unpacks to is larger than its rows could be."""
    if size > max_rows * _ROW_BYTES:
        rule = f"{name} must have at most {max_rows * _ROW_BYTES:,} bytes unpacked, {_ROW_BYTES} for each of {max_rows:,} rows"
        raise errors.TooLarge(rule, found=f"{size:,}", hint="`bars import --max-rows` takes more, or split it")


def unpacked(stream: Any, packed: int, name: str, max_rows: int) -> bytes:
    """The content of a compressed stream, of which no more than the limit is unpacked.

    Args:
        stream: a gzip, or the file inside a zip.
        packed: its size, in bytes.
        name: what to call the file.
        max_rows: how many rows it may have.

    Raises:
        TooLarge: there is more.
    """
    most = min(max_rows * _ROW_BYTES, max(_MAX_RATIO * packed, _SMALL_BYTES))
    raw: bytes = stream.read(most + 1)
    if len(raw) <= most:
        return raw
    refuse_bytes(name, len(raw), max_rows)
    rule = f"{name} must unpack to at most {_MAX_RATIO} times its size"
    raise errors.TooLarge(rule, found=f"more than {most:,} bytes from {packed:,}", hint="unpack it first, if it is right")


def check_text(raw: bytes, name: str, max_rows: int) -> None:
    """Raise `TooLarge` when a text has more lines, or JSON more lists and objects, than a file may have rows."""
    rows = raw.count(b"[") + raw.count(b"{") if raw.lstrip()[:1] in (b"[", b"{") else max(raw.count(b"\n"), raw.count(b"\r"))
    refuse_rows(name, rows, max_rows)


def check_parquet(raw: bytes, name: str, max_rows: int) -> None:
    """Raise `TooLarge` by what the footer of a Parquet file says: rows, values of nested columns, and bytes as they lie in memory."""
    import pyarrow.parquet as pq

    footer = pq.read_metadata(io.BytesIO(raw))
    refuse_rows(name, footer.num_rows, max_rows)
    groups = [footer.row_group(number) for number in range(footer.num_row_groups)]
    chunks = [group.column(number) for group in groups for number in range(group.num_columns)]
    refuse_bytes(name, sum(max(8 * chunk.num_values, chunk.total_uncompressed_size) for chunk in chunks), max_rows)


def check_feather(raw: bytes, name: str, max_rows: int) -> None:
    """Raise `TooLarge` by what the batches of a Feather file say of themselves: rows, and bytes of each buffer when it is unpacked.

    pyarrow tells neither before it has unpacked a batch, so the tables `Footer`, `Message`, `DictionaryBatch` and `RecordBatch` of Arrow's
    format (File.fbs, Message.fbs) are read here.
    """
    footer = _follow(raw, len(raw) - 10 - struct.unpack_from("<i", raw, len(raw) - 10)[0])
    rows = size = 0
    for number, wraps in ((_DICTIONARIES, True), (_RECORD_BATCHES, False)):
        for start, head, _body in _structs(raw, _field(raw, footer, number), "<qi4xq"):
            message = _follow(raw, start + (8 if raw[start : start + 4] == _CONTINUED else 4))
            batch = _follow(raw, _field(raw, message, 2))
            found_rows, found_bytes = _batch(raw, _follow(raw, _field(raw, batch, 1)) if wraps else batch, start + head)
            rows, size = rows + found_rows, size + found_bytes
    refuse_rows(name, rows, max_rows)
    refuse_bytes(name, size, max_rows)


def _batch(raw: bytes, batch: int, body: int) -> tuple[int, int]:
    """Rows and unpacked bytes of a batch; a compressed buffer begins with its unpacked size, or with -1 where it is as it was."""
    length, listed, packed = (_field(raw, batch, number) for number in (0, 2, 3))
    rows = int(struct.unpack_from("<q", raw, length)[0]) if length else 0
    size = 0
    for offset, stored in _structs(raw, listed, "<qq"):
        unpacked_size = struct.unpack_from("<q", raw, body + offset)[0] if packed and stored >= 8 else -1
        size += stored if unpacked_size < 0 else unpacked_size
    return rows, size


def _structs(raw: bytes, field: int, form: str) -> list[tuple[int, ...]]:
    """The structs of a flatbuffer's vector; none of a field that is not there."""
    if not field:
        return []
    start = _follow(raw, field)
    end = start + 4 + struct.calcsize(form) * int(struct.unpack_from("<I", raw, start)[0])
    return list(struct.iter_unpack(form, raw[start + 4 : end]))


def _field(raw: bytes, table: int, number: int) -> int:
    """Where a field of a flatbuffer's table is; 0 when it is not there."""
    listed = table - int(struct.unpack_from("<i", raw, table)[0])
    at = 4 + 2 * number
    shift = struct.unpack_from("<H", raw, listed + at)[0] if at < struct.unpack_from("<H", raw, listed)[0] else 0
    return table + int(shift) if shift else 0


def _follow(raw: bytes, at: int) -> int:
    return at + int(struct.unpack_from("<I", raw, at)[0])
