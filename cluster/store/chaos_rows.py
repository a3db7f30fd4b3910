"""Chaos trades as rows of a binary COPY, and back: read with missing values as NaN, all rows of a job have one layout of fixed width."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from cluster.store import copying
from coinswarm.ledger.chaos import ChaosFrame, ChaosTrades, concatenate, empty
from coinswarm.types import FloatArray

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
_READ_AT_ONCE = 16 * 2**20


def trades(job: str, made: ChaosTrades) -> bytes:
    """Rows of `COLUMNS`; their order is not kept."""
    return copying.rows(
        len(COLUMNS),
        copying.numbers(made.number, ">i8"),
        *(copying.numbers((getattr(made, field) - _EPOCH_MS) * 1000, ">i8") for field in TIMES.values()),
        *(copying.numbers(getattr(made, name), ">f8") for name in FLOATS),
        *(copying.nullable(_state(made, name)) for name in NULLABLE),
        *(copying.numbers(getattr(made, name), ">i4") for name in ("decision", "hold")),
        *(copying.numbers(_state(made, name) if name in CLOCK else getattr(made, name), ">i2") for name in SMALL),
        copying.constant(copying.text(job)),
        copying.float_arrays(made.state[:, len(STATE) :]),
        copying.float_arrays(made.exit_state, ">f4"),
    )


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


def _state(made: ChaosTrades, name: str) -> FloatArray:
    return made.state[:, STATE.index(name)]


def _array_fields(name: str, kind: str, width: int) -> list[tuple[Any, ...]]:
    """Length, head and elements of an array column; an empty array has no dimensions and no elements."""
    head = [(f"length {name}", ">i4"), (f"head {name}", "V20" if width else "V12")]
    return [*head, (name, [("length", ">i4"), ("value", kind)], (width,))] if width else head


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
