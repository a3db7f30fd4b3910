"""Rules between the parameters of a play, such as `ema_fast.length < ema_slow.length`, evaluated for many variants at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from coinswarm.play.expressions import Arithmetic, Literal, Slot
from coinswarm.types import BoolArray, FloatArray

Expression = Literal | Arithmetic
"""Arithmetic over numbers and slots; its leaves are literals."""

_ARITHMETIC: dict[str, Callable[[FloatArray, FloatArray], FloatArray]] = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "%": np.mod,
}
_TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True)
class ParameterConstraint:
    """`left operator right` with operator one of < <= > >= == !=. Variants that break it are never generated.

    Attributes:
        text: how the play writes it.
    """

    left: Expression
    operator: str
    right: Expression
    text: str = ""

    def excess(self, values: FloatArray) -> FloatArray:
        """How far each variant is from keeping the rule.

        Args:
            values: (n_variants, n_dims) what each gene stands for.

        Returns:
            (n_variants,) 0.0 where the rule holds, above 0 where it does not, infinite where a side has no value (division by zero).
        """
        with np.errstate(all="ignore"):
            left, right = evaluate(self.left, values), evaluate(self.right, values)
            over = _excess(self.operator, left, right)
        return np.where(np.isfinite(left) & np.isfinite(right), over, np.inf)

    def holds(self, values: FloatArray) -> BoolArray:
        """(n_variants,) whether each variant keeps the rule."""
        return self.excess(values) == 0.0

    @property
    def slots(self) -> frozenset[int]:
        """The dimensions it speaks of."""
        return slots_of(self.left) | slots_of(self.right)


def _excess(operator: str, left: FloatArray, right: FloatArray) -> FloatArray:
    gap = left - right
    near = np.abs(gap) <= _TOLERANCE * np.maximum(1.0, np.maximum(np.abs(left), np.abs(right)))
    if operator == "==":
        return np.where(near, 0.0, np.abs(gap))
    if operator == "!=":
        return np.where(near, 1.0, 0.0)
    forward = gap if operator in ("<", "<=") else -gap
    holds = (forward < 0) & ~near if operator in ("<", ">") else (forward <= 0) | near
    return np.where(holds, 0.0, np.maximum(forward, 0.0) + _TOLERANCE)


def evaluate(expression: Expression, values: FloatArray) -> FloatArray:
    """(n_variants,) the number an expression stands for in each variant; NaN or infinite where it has none."""
    if isinstance(expression, Arithmetic):
        return _ARITHMETIC[expression.operator](_side(expression.left, values), _side(expression.right, values))
    return _side(expression, values)


def _side(side: object, values: FloatArray) -> FloatArray:
    if isinstance(side, Arithmetic):
        return evaluate(side, values)
    assert isinstance(side, Literal), side  # noqa: S101 - an `Expression` has no other leaves
    return values[:, side.value.index] if isinstance(side.value, Slot) else np.full(values.shape[0], side.value)


def slots_of(expression: object) -> frozenset[int]:
    """The dimensions an expression depends on."""
    if isinstance(expression, Arithmetic):
        return slots_of(expression.left) | slots_of(expression.right)
    if isinstance(expression, Literal) and isinstance(expression.value, Slot):
        return frozenset((expression.value.index,))
    return frozenset()
