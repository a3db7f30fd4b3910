"""Bars as plain columns, the form in which they travel between processes without being copied."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy.typing as npt

from cluster.compute.memory import Memory
from coinswarm.market.bars import COLUMNS, Bars
from coinswarm.market.timeframe import Timeframe

Columns = Mapping[str, Any]
_ARRAYS = ("ts", *COLUMNS, "funding_ts", "funding_rate", "known_ts")

_memory = Memory()


def columns(bars: Bars) -> dict[str, Any]:
    """The arrays of bars by name, and what else it takes to make the bars again."""
    facts = {"symbol": bars.symbol, "timeframe_ms": bars.timeframe.ms, "exchange": bars.exchange, "synthetic": bars.synthetic}
    return {**facts, "id": bars.content_hash, **{name: getattr(bars, name) for name in _ARRAYS}}


def rebuilt(parts: Columns) -> Bars:
    """The bars of such columns: the same object each time in one process, so that what was computed of them is found again."""
    bars: Bars = _memory.get(parts["id"], lambda: _bars(parts))
    return bars


def _bars(parts: Columns) -> Bars:
    arrays: dict[str, Any] = {name: _frozen(parts[name]) for name in _ARRAYS}
    facts = {name: parts[name] for name in ("symbol", "exchange", "synthetic")}
    return Bars(timeframe=Timeframe(parts["timeframe_ms"]), **facts, **arrays)


def _frozen(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """A read-only view: Ray's arrays are read-only, and compiled code must see the same type everywhere."""
    view = array.view()
    view.flags.writeable = False
    return view
