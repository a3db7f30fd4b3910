"""Comparisons: `[left, operator, right]`, with a tolerance for nearness, or written out as lhs, op, rhs."""

from __future__ import annotations

from coinswarm import errors
from coinswarm.play.expressions import Between, Column, Compare, Condition, Cross, Literal, Member, Near, Operand, Output, Shift
from coinswarm.play.reading import infix, numbers, operands
from coinswarm.play.reading.features import COLUMNS
from coinswarm.play.reading.problems import Place
from coinswarm.play.reading.state import ReadingState

ALIASES = {
    ">": ">", "gt": ">", "<": "<", "lt": "<", ">=": ">=", "gte": ">=", "ge": ">=", "<=": "<=", "lte": "<=", "le": "<=",
    "==": "==", "=": "==", "eq": "==", "!=": "!=", "ne": "!=", "neq": "!=", "in": "in", "between": "between",
    "near_pct": "near_pct", "near_abs": "near_abs",
    "cross_above": "cross_above", "crosses_above": "cross_above", "cross_below": "cross_below", "crosses_below": "cross_below",
}  # fmt: skip
_NEAR = ("near_pct", "near_abs")
_TOLERANCE = numbers.Domain(0.0)


def is_comparison(place: Place) -> bool:
    """Whether a list here is one comparison rather than a list of conditions: its second item is a word, and no condition in one line."""
    items = place.items()
    second = items[1].node.value if len(items) >= 2 else None
    return isinstance(second, str) and not infix.reads_like(second)


def listed(place: Place, state: ReadingState) -> Condition | None:
    """The comparison `[left, operator, right]` or `[left, near_pct, right, tolerance]`."""
    items = place.items()
    operator = _operator(items[1])
    if operator is None:
        return None
    wanted = 4 if operator in _NEAR else 3
    if len(items) != wanted:
        place.refuse(f"a comparison with {operator} has {wanted} items", str(len(items)))
        return None
    return _compare(place, state, items[0], operator, items[2], items[3] if wanted == 4 else None)


def verbose(place: Place, state: ReadingState) -> Condition | None:
    """The comparison `{lhs, op, rhs}`, with `tolerance` for nearness."""
    left, op, right = place.at("lhs"), place.at("op"), place.at("rhs")
    if left is None or op is None or right is None:
        place.refuse("a comparison has lhs, op and rhs")
        return None
    operator = _operator(op)
    tolerance = place.at("tolerance")
    if operator is None:
        return None
    if (tolerance is None) is (operator in _NEAR):
        place.refuse("near_pct and near_abs have a tolerance, other comparisons none")
        return None
    return _compare(place, state, left, operator, right, tolerance)


def _operator(place: Place) -> str | None:
    text = place.node.value
    word = "_".join(text.lower().split()) if isinstance(text, str) else None
    if word in ALIASES:
        return ALIASES[word]
    place.refuse("a comparison has an operator in the middle", names=errors.nearest(str(text), ALIASES) or (">", "<", "cross_above"))
    return None


def _compare(place: Place, state: ReadingState, left: Place, operator: str, right: Place, tolerance: Place | None) -> Condition | None:
    if operator == "between":
        return _between(place, state, left, right)
    if operator == "in":
        return _member(place, state, left, right)
    if operator in ("==", "!="):
        return _equal(place, state, left, operator, right)
    sides = _sides(place, state, left, right)
    if sides is None:
        return None
    if tolerance is not None:
        return _near(place, state, sides, tolerance, percent=operator == "near_pct")
    return Cross(*sides, up=operator == "cross_above") if operator.startswith("cross") else Compare(operator, *sides)


def _sides(place: Place, state: ReadingState, left: Place, right: Place) -> tuple[Operand, Operand] | None:
    """Both operands; a number that varies is named after what it is compared with, so a plain right side is read for its name first."""
    first = operands.operand(left, state, f"{place.path}.{_word(right)}")
    second = operands.operand(right, state, f"{place.path}.{operands.label(first)}")
    return None if first is None or second is None else (first, second)


def _word(place: Place) -> str:
    return place.node.value if isinstance(place.node.value, str) else "value"


def _near(place: Place, state: ReadingState, sides: tuple[Operand, Operand], tolerance: Place, *, percent: bool) -> Condition:
    amount = numbers.number(tolerance, state, _TOLERANCE, name=f"{place.path}.tolerance")
    if percent and isinstance(amount, float) and 0.0 < amount < 0.01:
        tolerance.warn(f"a tolerance of {amount:g} reads as {amount:g} %; 1 % is written 1")
    return Near(*sides, Literal(amount), percent)


def _between(place: Place, state: ReadingState, left: Place, right: Place) -> Condition | None:
    ends = right.items()
    if right.is_map() and right.check_map(("low", "high"), "the ends of between"):
        ends = [end for end in (right.at("low"), right.at("high")) if end is not None]
    if len(ends) != 2:
        right.refuse("between takes [low, high]")
        return None
    inner = operands.operand(left, state, f"{place.path}.value")
    name = operands.label(inner)
    low = operands.operand(ends[0], state, f"{place.path}.{name}.low")
    high = operands.operand(ends[1], state, f"{place.path}.{name}.high")
    if inner is None or low is None or high is None:
        return None
    if (
        isinstance(low, Literal)
        and isinstance(high, Literal)
        and isinstance(low.value, float)
        and isinstance(high.value, float)
        and low.value > high.value
    ):
        right.refuse("between goes from low up to high")
    return Between(inner, low, high)


def _member(place: Place, state: ReadingState, left: Place, right: Place) -> Condition | None:
    inner = operands.operand(left, state, f"{place.path}.value")
    if not right.items():
        right.refuse("in takes a list of values")
        return None
    if inner is None or not _discrete(place, state, inner, "in"):
        return None
    found = [_value(item, state, inner, f"{place.path}.{operands.label(inner)}") for item in right.items()]
    members = tuple(value for value in found if value is not None)
    return Member(inner, members) if len(members) == len(found) else None


def _equal(place: Place, state: ReadingState, left: Place, operator: str, right: Place) -> Condition | None:
    if _is_state_word(left, state):
        left, right = right, left
    first = operands.operand(left, state, f"{place.path}.{_word(right)}")
    if first is None:
        return None
    second = _value(right, state, first, f"{place.path}.{operands.label(first)}")
    if second is None or not (_discrete(place, state, first, operator) and _discrete(place, state, second, operator)):
        return None
    return Compare(operator, first, second)


def _is_state_word(place: Place, state: ReadingState) -> bool:
    value = place.node.value
    return isinstance(value, str) and operands.looked_back(value)[0].partition(".")[0] not in (*state.declared, *COLUMNS)


def _value(place: Place, state: ReadingState, other: Operand, name: str) -> Operand | None:
    """What stands opposite `other`: one of its states by name, or any operand."""
    text = place.node.value
    words = _states(other, state)
    if not isinstance(text, str) or not _is_state_word(place, state) or words is None:
        return operands.operand(place, state, name)
    if text.lower() in words:
        return Literal(words[text.lower()])
    place.refuse(f"{operands.label(other)} has the states {', '.join(words)}", text, names=errors.nearest(text, words))
    return None


def _states(operand: Operand, state: ReadingState) -> dict[str, float] | None:
    leaf = operand.operand if isinstance(operand, Shift) else operand
    declared = state.declared.get(leaf.feature) if isinstance(leaf, Output) else None
    if declared is None or declared.indicator is None or not isinstance(leaf, Output):
        return None
    states = declared.indicator.states.get(leaf.output)
    return {word.lower(): float(value) for word, value in states.items()} if states else None


def _discrete(place: Place, state: ReadingState, operand: Operand, operator: str) -> bool:
    """Whether an operand may be compared with ==; a problem if one of its parts is a real number."""
    for leaf in operands.leaves(operand):
        name = operands.label(leaf)
        if isinstance(leaf, Column):
            place.refuse(f"{operator} compares states and whole numbers; prices are compared with near_pct, > or <", name)
            return False
        indicator = state.declared[leaf.feature].indicator if isinstance(leaf, Output) else None
        if isinstance(leaf, Output) and indicator and leaf.output not in indicator.states and leaf.output not in indicator.discrete:
            place.refuse(f"{operator} compares states and whole numbers; {name} is a real number: use near_pct, near_abs, > or <", name)
            return False
    return True
