"""Constraints between parameters: `[ema_fast.length, "<", ema_slow.length]`, with numbers and arithmetic on either side."""

from __future__ import annotations

import math

import numpy as np

from coinswarm import errors
from coinswarm.play.constraint import Expression, ParameterConstraint
from coinswarm.play.expressions import Arithmetic, Literal, Slot
from coinswarm.play.reading.comparisons import ALIASES
from coinswarm.play.reading.operands import OPERATORS
from coinswarm.play.reading.problems import Place, shown
from coinswarm.play.reading.state import ReadingState

MAX_CONSTRAINTS = 200
COMPARISONS = ("<", "<=", ">", ">=", "==", "!=")


def read_constraints(root: Place, state: ReadingState) -> list[tuple[Place, ParameterConstraint]]:
    """Every constraint with its place; broken ones are problems."""
    block = root.at("constraints")
    if block is None:
        return []
    if not block.is_list():
        block.refuse("constraints must be a list of [left, operator, right]")
        return []
    if len(block.items()) > MAX_CONSTRAINTS:
        block.refuse(f"a play has at most {MAX_CONSTRAINTS} constraints", str(len(block.items())))
        return []
    found = [(place, _constraint(place, state)) for place in block.items()]
    return [(place, constraint) for place, constraint in found if constraint is not None]


def _constraint(place: Place, state: ReadingState) -> ParameterConstraint | None:
    items = place.items()
    if len(items) != 3:
        place.refuse('a constraint reads [left, "<", right]')
        return None
    operator = ALIASES.get(str(items[1].node.value).lower())
    if operator not in COMPARISONS:
        items[1].refuse(f"a constraint compares with one of {' '.join(COMPARISONS)}", names=("<",))
        return None
    left, right = _expression(items[0], state), _expression(items[2], state)
    if left is None or right is None:
        return None
    return ParameterConstraint(left, operator, right, f"{_text(items[0])} {operator} {_text(items[2])}")


def _text(place: Place) -> str:
    items = place.items()
    return (
        f"({' '.join(_text(item) for item in items)})"
        if len(items) == 3
        else str(place.node.value)
        if not place.is_map()
        else shown(place.node)
    )


def _expression(place: Place, state: ReadingState) -> Expression | None:
    value = place.node.value
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        if math.isfinite(value):
            return Literal(float(value))
        place.refuse("a number must be finite")
        return None
    if isinstance(value, str):
        return _named(place, state, value)
    items, operator = place.items(), None
    if len(items) == 3 and items[1].node.value in OPERATORS:
        operator = str(items[1].node.value)
        items = [items[0], items[2]]
    elif isinstance(value, dict) and len(value) == 1 and next(iter(value)) in OPERATORS:
        operator, inner = next(iter(place.entries()))
        items = inner.items()
    if operator is None or len(items) != 2:
        place.refuse("a constraint speaks of parameters, numbers and arithmetic [left, operator, right]")
        return None
    left, right = (_expression(item, state) for item in items)
    return None if left is None or right is None else Arithmetic(operator, left, right)


def _named(place: Place, state: ReadingState, name: str) -> Expression | None:
    path = name.removeprefix("actions.")
    setting = state.settings.get(path, state.settings.get(path.replace("risk.", "risk_model.", 1)))
    if setting is None:
        if not _is_broken(name, state):
            place.refuse(
                "a constraint names a parameter of the play", name, names=errors.nearest(name, state.settings) or tuple(state.settings)[:6]
            )
        return None
    words = isinstance(setting, (str, bool))
    if isinstance(setting, Slot):
        words = not np.all([isinstance(choice, float) for choice in state.dimensions[setting.index].choices])
    if words:
        place.refuse("a constraint compares numbers", f"{name}, which is a word")
        return None
    return Literal(setting) if isinstance(setting, (float, Slot)) else None


def _is_broken(name: str, state: ReadingState) -> bool:
    declared = state.declared.get(name.partition(".")[0])
    return declared is not None and declared.feature is None
