"""Why a variant never entered: which part of its entry conditions never held, and what its operands were instead."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from coinswarm.backtest.decisions import Decisions, Reading
from coinswarm.market.bars import Bars
from coinswarm.play import describe, slots
from coinswarm.play.expressions import All, Arithmetic, Between, Column, Compare, Condition, Cross, Member, Near, Operand, Output, Shift
from coinswarm.play.model import Mode, Play
from coinswarm.play.values import FeatureValues
from coinswarm.types import BoolArray, FloatArray

_MODES = {"entry_long": Mode.SHORT_ONLY, "entry_short": Mode.LONG_ONLY}
"""The mode in which each entry is never taken."""
_OPERANDS = (Output, Column, Shift, Arithmetic)
_COMPARISONS = (Compare, Between, Near, Cross, Member)


def of(play: Play, bars: Bars, markets: Mapping[str, Bars], decided: Decisions) -> tuple[str, ...]:
    """Lines that say why there was no entry: of each side that may be entered its condition, part by part.

    Args:
        play: one variant, of which no entry was decided.
        bars: (n_bars,) candles it ran on.
        markets: bars of other markets that features name, by canonical symbol.
        decided: its decisions; what is said is said of the bars from the first decision to the last but one.
    """
    reading = Reading(bars, FeatureValues(play=play, bars=bars, markets=markets))
    span = slice(decided.first, len(bars) - 1)
    entries = {name: getattr(play, name) for name, without in _MODES.items() if play.policy.mode is not without}
    return tuple(line for name, entry in entries.items() if entry is not None for line in _of_entry(name, entry, reading, span))


def _of_entry(name: str, entry: Condition, reading: Reading, span: slice) -> Iterator[str]:
    truth = reading.truth(entry)[span]
    if truth.any():
        yield f"{name} held on {_bars(truth)}, each time together with the other side's entry: they cancel"
        return
    parts = list(_parts(entry))
    truths = [reading.truth(part)[span] for part in parts]
    yield f"{name} never held on {truth.size:,} bars{':' if len(parts) > 1 else ''}"
    for part, held in zip(parts, truths, strict=True):
        if held.any():
            yield f"  `{describe.condition(part)}` held on {_bars(held)}"
        else:
            yield f"  `{describe.condition(part)}` never held{_ranges(part, reading, span)}"
    if len(parts) > 1 and all(held.any() for held in truths):
        yield "  all of them on one bar: never"


def _parts(condition: Condition) -> Iterator[Condition]:
    """What must hold together; lists within lists are one list."""
    if isinstance(condition, All):
        for inner in condition.conditions:
            yield from _parts(inner)
    else:
        yield condition


def _bars(held: BoolArray) -> str:
    return f"{int(held.sum()):,} of {held.size:,} bars"


def _ranges(condition: Condition, reading: Reading, span: slice) -> str:
    """What the operands of a condition were: `; rsi ranged from 31.2 to 68`."""
    named = {describe.operand(operand): reading.value(operand)[span] for operand in _operands(condition)}
    return "".join(f"; {name} {_range(values)}" for name, values in named.items())


def _operands(condition: Condition) -> Iterator[Operand]:
    """What is compared in a condition, however deep, numbers left out."""
    for part in slots.parts(condition):
        if isinstance(part, _COMPARISONS):
            sides = (getattr(part, name, None) for name in ("operand", "left", "right", "low", "high"))
            yield from (side for side in sides if isinstance(side, _OPERANDS))


def _range(values: FloatArray) -> str:
    known = values[np.isfinite(values)]
    if not known.size:
        return "had no value"
    low, high = float(known.min()), float(known.max())
    return f"was always {low:.6g}" if low == high else f"ranged from {low:.6g} to {high:.6g}"
