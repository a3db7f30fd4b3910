"""What a play computes bar by bar: operands and conditions as trees, in which a number is written out or a slot of the play's space."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Slot:
    """A value that differs between variants: dimension `index` of the play's space."""

    index: int


Number = float | Slot
Setting = float | str | bool | Slot
"""A parameter's value: numbers, but also words such as a moving average's kind or a feature's `source`."""


# --- operands -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Literal:
    """A number."""

    value: Number


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the exec bars: open high low close volume hl2 hlc3 ohlc4."""

    name: str


@dataclass(frozen=True, slots=True)
class Output:
    """One output of a feature or structure, known as `Play.features[feature]`."""

    feature: str
    output: str


@dataclass(frozen=True, slots=True)
class Shift:
    """An operand as it stood `bars` exec bars ago."""

    operand: Operand
    bars: Number


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """`left operator right` with operator one of + - * / %; division by zero is missing."""

    operator: str
    left: Operand
    right: Operand


Operand = Literal | Column | Output | Shift | Arithmetic


# --- conditions -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Compare:
    """`left operator right` with operator one of > < >= <= == !=; false where an operand is missing."""

    operator: str
    left: Operand
    right: Operand


@dataclass(frozen=True, slots=True)
class Between:
    """`low <= operand <= high`."""

    operand: Operand
    low: Operand
    high: Operand


@dataclass(frozen=True, slots=True)
class Near:
    """`|left - right| <= tolerance`, where the tolerance is in percent of `|right|` when `percent`."""

    left: Operand
    right: Operand
    tolerance: Operand
    percent: bool


@dataclass(frozen=True, slots=True)
class Cross:
    """Up: `left > right` now and `left <= right` one bar ago, all four known. Down: the mirror image."""

    left: Operand
    right: Operand
    up: bool


@dataclass(frozen=True, slots=True)
class Member:
    """The operand equals one of the values."""

    operand: Operand
    values: tuple[Operand, ...]


@dataclass(frozen=True, slots=True)
class All:
    """Every condition is true; true when there is none."""

    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one condition is true; false when there is none."""

    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The condition is not true."""

    condition: Condition


class WindowKind(StrEnum):
    """What is asked of the last bars, the current one included."""

    HOLDS_FOR = "holds_for"
    OCCURRED_WITHIN = "occurred_within"
    COUNT_TRUE = "count_true"


@dataclass(frozen=True, slots=True)
class Window:
    """A condition over the last `bars` bars: all of them, at least one, or at least `min_true` of them.

    `bar_ms` is the length of the bars that are counted; None counts exec bars. The window spans
    `max(1, round(bars * bar_ms / exec_ms))` exec bars. Bars before the data count as false.
    """

    kind: WindowKind
    bars: Number
    condition: Condition
    min_true: Number = 1.0
    bar_ms: int | None = None


Condition = Compare | Between | Near | Cross | Member | All | AnyOf | Not | Window
