"""Operands of conditions: columns, features and their outputs, numbers, looks back, and arithmetic over them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from coinswarm import errors
from coinswarm.play.expressions import Arithmetic, Column, Literal, Operand, Output, Shift
from coinswarm.play.reading import numbers
from coinswarm.play.reading.features import COLUMNS
from coinswarm.play.reading.problems import Place
from coinswarm.play.reading.state import ReadingState

OPERATORS = ("+", "-", "*", "/", "%")
_LIVE_PRICES = ("last_price", "mark_price")
REFERENCE_KEYS = ("feature_id", "feature", "field", "output", "offset")
_LOOKING_BACK = re.compile(r"(.+)\[(\d{1,9})\]")
_OFFSET = numbers.Domain(0, 100_000, integer=True)


def operand(place: Place, state: ReadingState, name: str) -> Operand | None:
    """The operand here; None after a problem, or where it leans on a feature that has one.

    `name` is what a number here is called if it varies.
    """
    value = place.node.value
    if isinstance(value, bool):
        return Literal(float(value))
    if isinstance(value, (int, float)):
        return Literal(numbers.number(place, state, name=name))
    if isinstance(value, str):
        return by_name(place, state, value)
    if place.is_list():
        return _listed(place, state, name)
    if place.is_map():
        return _mapped(place, state, name)
    place.refuse("expected an operand: a feature, a column, a number or arithmetic")
    return None


def is_arithmetic(place: Place) -> bool:
    """Whether a list here reads `[left, operator, right]`."""
    items = place.items()
    return len(items) == 3 and items[1].node.value in OPERATORS


def _listed(place: Place, state: ReadingState, name: str) -> Operand | None:
    if is_arithmetic(place):
        left, middle, right = place.items()
        return _arithmetic(left, str(middle.node.value), right, state, name)
    if any(isinstance(item.node.value, str) for item in place.items()):
        place.refuse(f"a list here is arithmetic, [left, one of {' '.join(OPERATORS)}, right], or a list of numbers to choose from")
        return None
    return Literal(numbers.number(place, state, name=name))


def _arithmetic(left: Place, operator: str, right: Place, state: ReadingState, name: str) -> Operand | None:
    sides = operand(left, state, name), operand(right, state, name)
    return None if sides[0] is None or sides[1] is None else Arithmetic(operator, sides[0], sides[1])


def _mapped(place: Place, state: ReadingState, name: str) -> Operand | None:
    if numbers.is_range(place):
        return Literal(numbers.number(place, state, name=name))
    entries = dict(place.entries())
    if len(entries) == 1:
        key, inner = next(iter(entries.items()))
        if key in OPERATORS and len(inner.items()) == 2:
            return _arithmetic(inner.items()[0], key, inner.items()[1], state, name)
        if key in OPERATORS:
            inner.refuse(f"{key} takes a list of two operands")
            return None
        if key == "value":
            return Literal(numbers.number(inner, state, name=name))
    return _reference(place, state, name)


def _reference(place: Place, state: ReadingState, name: str) -> Operand | None:
    if not place.check_map(REFERENCE_KEYS, "an operand"):
        return None
    entry = place.at("feature_id") or place.at("feature")
    if entry is None:
        place.refuse("an operand needs a feature_id")
        return None
    text = entry.word("a feature")
    field = place.at("field") or place.at("output")
    output = field.word("an output") if field else None
    if text is None or (field is not None and output is None):
        return None
    found = by_name(entry, state, text) if output is None else _output(field or entry, state, text, output)
    offset = place.at("offset")
    if offset is None:
        return found
    bars = numbers.number(offset, state, _OFFSET, name=f"{name}.offset")
    return found if found is None or bars == 0.0 else Shift(found, bars)


def by_name(place: Place, state: ReadingState, text: str) -> Operand | None:
    """What a name stands for: a declared feature, one of its outputs after a dot, or a column; `[1]` behind it looks one bar back."""
    name, offset = looked_back(text)
    found = _by_name(place, state, name)
    if not _OFFSET.admits(offset):
        place.refuse(f"an offset is {_OFFSET.text()}", text)
    return found if found is None or offset == 0.0 else Shift(found, offset)


def looked_back(text: str) -> tuple[str, float]:
    """A name without the offset in brackets behind it, and the offset: `dc.upper[1]` looks one bar back."""
    match = _LOOKING_BACK.fullmatch(text)
    return (match[1], float(match[2])) if match else (text, 0.0)


def _by_name(place: Place, state: ReadingState, text: str) -> Operand | None:
    if text not in state.declared and text in COLUMNS:
        return Column(text)
    if text not in state.declared and text in _LIVE_PRICES:
        place.warn(f"{text} is read as close: decisions are taken at the close of a bar")
        return Column("close")
    feature, dot, output = text.partition(".")
    return _output(place, state, feature, output if dot else None)


def _output(place: Place, state: ReadingState, name: str, output: str | None) -> Operand | None:
    if name in COLUMNS and name not in state.declared:
        if output in (None, "value"):
            return Column(name)
        place.refuse("a column has no outputs", f"{name}.{output}")
        return None
    declared = state.declared.get(name)
    if declared is None:
        known = (*state.declared, *COLUMNS)
        place.refuse("a condition names features that are declared", name, names=errors.nearest(name, known) or known[:6])
        return None
    if declared.feature is None or declared.indicator is None:
        return None
    chosen = declared.indicator.default_output if output is None else output
    if chosen not in declared.indicator.outputs:
        outputs = declared.indicator.outputs
        rule = f"{declared.indicator.name} has the outputs {', '.join(outputs)}"
        near = errors.nearest(chosen or "", outputs) or outputs[:4]
        place.refuse(rule, f"{name}.{output}" if output else name, names=[f"{name}.{entry}" for entry in near])
        return None
    return Output(name, chosen)


def leaves(operand: Operand) -> Iterator[Operand]:
    """The outputs, columns and numbers an operand is made of."""
    if isinstance(operand, Arithmetic):
        yield from leaves(operand.left)
        yield from leaves(operand.right)
    elif isinstance(operand, Shift):
        yield from leaves(operand.operand)
    else:
        yield operand


def label(operand: Operand | None) -> str:
    """A short name for what a threshold is compared with: `rsi`, `macd.histogram`, `close`, or `value`."""
    leaf = operand.operand if isinstance(operand, Shift) else operand
    if isinstance(leaf, Output):
        return leaf.feature if leaf.output == "value" else f"{leaf.feature}.{leaf.output}"
    return leaf.name if isinstance(leaf, Column) else "value"
