"""Chaos trades as the bytes of PostgreSQL's binary COPY, in both directions.

Rows that lack the same values have one layout of fixed width, so NumPy lays out and reads all of them at once. Asked for with missing
values as NaN, every row of a job has the same layout.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from cluster.store import copying
from coinswarm.ledger.chaos import ChaosFrame, ChaosTrades, concatenate, empty
from coinswarm.types import BoolArray

FLOATS = ("entry_price", "exit_price", "size", "gross", "net", "fees", "slippage", "funding")
STATE = ("momentum_1", "momentum_5", "sma_distance_10", "volume_ratio_20", "volatility_20", "hour_of_day", "day_of_week", "funding_rate")
"""The columns of the base features, in the order of `ChaosFrame.features`."""
CLOCK = ("hour_of_day", "day_of_week")
NULLABLE = tuple(name for name in STATE if name not in CLOCK)
TIMES = {"entered": "entry_ts", "exited": "exit_ts"}
SMALL = ("market", "side", "reason", *CLOCK)

COLUMNS = ("number", *TIMES, *FLOATS, *NULLABLE, "decision", "hold", *SMALL, "job", "named", "exit_state")
_READ = ("number", *TIMES, *FLOATS, *NULLABLE, "decision", "hold", *SMALL)
_KINDS = {"number": ">i8", "decision": ">i4", "hold": ">i4", **dict.fromkeys(TIMES, ">i8"), **dict.fromkeys(SMALL, ">i2")}
_EPOCH_MS = 946_684_800_000
"""2000-01-01, from which PostgreSQL counts microseconds."""
_OIDS = {">f8": 701, ">f4": 700}
_READ_AT_ONCE = 16 * 2**20


def written(job: str, trades: ChaosTrades) -> Iterator[bytes]:
    """A whole COPY into `COLUMNS`; the order of rows is not kept."""
    yield copying.HEADER
    missing = np.isnan(np.column_stack([trades.state[:, STATE.index(name)] for name in NULLABLE]))
    patterns, group = np.unique(np.packbits(missing, axis=1), axis=0, return_inverse=True)
    for number in range(len(patterns)):
        rows = np.flatnonzero(group.ravel() == number)
        yield _alike(job, trades if len(patterns) == 1 else trades.select(rows), missing[rows[0]]).tobytes()
    yield copying.TRAILER


def query(frame: ChaosFrame, table: str) -> str:
    """A SELECT whose rows all have the layout that `read` knows."""
    floats = {name: f"coalesce({name}, 'NaN')" for name in NULLABLE}
    arrays = (["named"] if _n_named(frame) else []) + ["exit_state"]
    return f"SELECT {', '.join(floats.get(name, name) for name in _READ)}, {', '.join(arrays)} FROM {table}"  # noqa: S608


def read(frame: ChaosFrame, parts: Iterable[bytes | bytearray | memoryview]) -> ChaosTrades:
    """The trades of a COPY of `query`, in order of number."""
    layout = _layout(frame)
    found = [_trades(frame, rows) for rows in _rows(layout, parts)]
    joined = concatenate(found) if found else empty(frame)
    return joined.select(np.argsort(joined.number, kind="stable"))


def _alike(job: str, trades: ChaosTrades, missing: BoolArray) -> npt.NDArray[np.void]:
    """Rows that all lack the same values."""
    lacking = {name for name, gone in zip(NULLABLE, missing.tolist(), strict=True) if gone}
    name = job.encode()
    fields: list[tuple[Any, ...]] = [("count", ">i2")]
    for column in _READ:
        fields += [(f"length {column}", ">i4")] + ([] if column in lacking else [(column, _KINDS.get(column, ">f8"))])
    fields += [("length job", ">i4"), ("job", f"V{len(name)}")]
    named = trades.state[:, len(STATE) :]
    fields += _array_fields("named", ">f8", named.shape[1]) + _array_fields("exit_state", ">f4", len(trades.features))
    out = np.empty(len(trades), dtype=np.dtype(fields))
    out["count"], out["length job"], out["job"] = len(COLUMNS), len(name), np.void(name)
    for column in _READ:
        out[f"length {column}"] = -1 if column in lacking else np.dtype(_KINDS.get(column, ">f8")).itemsize
        if column not in lacking:
            out[column] = _column(trades, column)
    _enter_array(out, "named", ">f8", named)
    _enter_array(out, "exit_state", ">f4", trades.exit_state)
    return out


def _column(trades: ChaosTrades, column: str) -> npt.NDArray[Any]:
    if column in TIMES:
        return np.asarray((getattr(trades, TIMES[column]) - _EPOCH_MS) * 1000)
    if column in STATE:
        return trades.state[:, STATE.index(column)]
    return np.asarray(getattr(trades, column))


def _array_fields(name: str, kind: str, width: int) -> list[tuple[Any, ...]]:
    """Length, head and elements of an array column; an empty array has no dimensions and no elements."""
    head = [(f"length {name}", ">i4"), (f"head {name}", "V20" if width else "V12")]
    return [*head, (name, [("length", ">i4"), ("value", kind)], (width,))] if width else head


def _enter_array(out: npt.NDArray[np.void], name: str, kind: str, values: npt.NDArray[Any]) -> None:
    width, size = values.shape[1], np.dtype(kind).itemsize
    out[f"length {name}"] = 20 + (4 + size) * width if width else 12
    out[f"head {name}"] = np.void(struct.pack("!iiIii", 1, 0, _OIDS[kind], width, 1) if width else struct.pack("!iiI", 0, 0, _OIDS[kind]))
    if width:
        out[name]["length"], out[name]["value"] = size, values


def _layout(frame: ChaosFrame) -> np.dtype[np.void]:
    fields: list[tuple[Any, ...]] = [("count", ">i2")]
    for column in _READ:
        fields += [(f"length {column}", ">i4"), (column, _KINDS.get(column, ">f8"))]
    if _n_named(frame):
        fields += _array_fields("named", ">f8", _n_named(frame))
    return np.dtype([*fields, *_array_fields("exit_state", ">f4", len(frame.features))])


def _rows(layout: np.dtype[np.void], parts: Iterable[bytes | bytearray | memoryview]) -> Iterator[npt.NDArray[np.void]]:
    """Rows as they come in, some megabytes at a time: a part may hold the header, the trailer, or pieces of rows."""
    waiting = bytearray()
    skip = len(copying.HEADER)
    for part in parts:
        waiting += part
        if len(waiting) > _READ_AT_ONCE:
            whole = (len(waiting) - skip) // layout.itemsize
            yield np.frombuffer(bytes(waiting), dtype=layout, count=whole, offset=skip)
            del waiting[: skip + whole * layout.itemsize]
            skip = 0
    whole = (len(waiting) - skip) // layout.itemsize
    if whole > 0:
        yield np.frombuffer(bytes(waiting), dtype=layout, count=whole, offset=skip)


def _trades(frame: ChaosFrame, rows: npt.NDArray[np.void]) -> ChaosTrades:
    state = np.empty((rows.size, len(frame.features)))
    for place, name in enumerate(STATE):
        state[:, place] = rows[name]
    if _n_named(frame):
        state[:, len(STATE) :] = rows["named"]["value"]
    whole: dict[str, Any] = {name: rows[name].astype(np.int64) for name in ("number", "market", "decision", "hold")}
    small: dict[str, Any] = {name: rows[name].astype(np.int8) for name in ("side", "reason")}
    times: dict[str, Any] = {name: rows[column].astype(np.int64) // 1000 + _EPOCH_MS for column, name in TIMES.items()}
    floats: dict[str, Any] = {name: rows[name].astype(np.float64) for name in FLOATS}
    return ChaosTrades(
        markets=frame.markets, features=frame.features, bar_ms=frame.bar_ms, **whole, **small, **times, **floats,
        volatility=state[:, STATE.index("volatility_20")].copy(), state=state, exit_state=rows["exit_state"]["value"].astype(np.float32),
    )  # fmt: skip


def _n_named(frame: ChaosFrame) -> int:
    return len(frame.features) - len(STATE)
