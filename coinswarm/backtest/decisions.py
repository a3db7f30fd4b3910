"""Decisions of a fixed play at every close: its conditions, evaluated one by one on whole columns of bars.

Plain NumPy and no sharing between variants on purpose: this is the version one reads beside docs/simulation.md.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from coinswarm import errors
from coinswarm.market.bars import Bars
from coinswarm.play import expressions, model
from coinswarm.play.values import FeatureValues
from coinswarm.types import BoolArray, FloatArray

NO_MARKETS: Mapping[str, Bars] = {}

_COLUMN_PARTS = {"hl2": ("high", "low"), "hlc3": ("high", "low", "close"), "ohlc4": ("open", "high", "low", "close")}
_COMPARE: Mapping[str, Callable[[FloatArray, FloatArray], BoolArray]] = {
    ">": operator.gt, "<": operator.lt, ">=": operator.ge, "<=": operator.le, "==": operator.eq, "!=": operator.ne,
}  # fmt: skip
_ARITHMETIC: Mapping[str, Callable[[FloatArray, FloatArray], FloatArray]] = {
    "+": np.add, "-": np.subtract, "*": np.multiply, "/": np.divide, "%": np.mod,
}  # fmt: skip


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class Levels:
    """What the stop and the target are measured by, as known at each close: an ATR, or a price level for structures.

    Attributes:
        stop_long, stop_short: (n_bars,) the stop's operand for either side; NaN where the play names none or it has no value.
        target: (n_bars,) the target's operand; NaN likewise.
    """

    stop_long: FloatArray
    stop_short: FloatArray
    target: FloatArray

    def stop(self, side: int) -> FloatArray:
        """(n_bars,) the stop's operand for a long (+1) or a short (-1)."""
        return self.stop_long if side > 0 else self.stop_short


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class Decisions:
    """What a play wants at every close.

    Attributes:
        entry_long, entry_short: (n_bars,) entries the policy allows, conflicts cancelled; false before `first` and on the last bar.
        exit_long, exit_short: (n_bars,) exit signals, false likewise.
        first: index `w` of the first decision bar; it may lie beyond the data.
        levels: operands of stop and target.

    Known when: entry `i` of every array is known at the close of bar `i`.
    """

    entry_long: BoolArray
    exit_long: BoolArray
    entry_short: BoolArray
    exit_short: BoolArray
    first: int
    levels: Levels


def number(value: expressions.Number) -> float:
    """A written-out number as a float.

    Raises:
        InvalidArgument: it is still a slot, so the play is a family and not one variant.
    """
    if isinstance(value, expressions.Slot):
        raise errors.InvalidArgument(
            "a play must be fixed before it is simulated", found=f"open dimension {value.index}", hint="fix it with a genome"
        )
    return float(value)


def window_span(window: expressions.Window, exec_ms: int) -> int:
    """How many exec bars a window spans, at least 1; halves are rounded to the even number."""
    bars = number(window.bars)
    return max(1, round(bars if window.bar_ms is None else bars * window.bar_ms / exec_ms))


def decide(play: model.Play, bars: Bars, markets: Mapping[str, Bars] = NO_MARKETS, *, start_ts: int | None = None) -> Decisions:
    """Evaluate every condition of a fixed play at every close.

    Args:
        play: one variant; every `Slot` replaced.
        bars: (n_bars) exec bars, at least one.
        markets: bars of the other markets that features name, by canonical symbol.
        start_ts: first time (ms) that a decision bar may open at; earlier bars only warm features up.

    Returns:
        Signals and levels on the index of `bars`.

    Raises:
        InvalidArgument: the play has open slots.
        NotFound: a feature names a market that is not in `markets`.
    """
    reading = Reading(bars, FeatureValues(play=play, bars=bars, markets=markets))
    stop, target = play.risk.stop, play.risk.target
    conditions = [play.entry_long, play.exit_long, play.entry_short, play.exit_short]
    short = stop.level_short if stop and stop.level_short is not None else stop.level if stop else None
    operands = [stop.level if stop else None, short, target.level if target else None]
    first = max(reading.first(node) for node in [*conditions, *operands])
    if start_ts is not None:
        first = max(first, bars.index_at(start_ts))
    allowed = np.arange(len(bars)) >= first
    allowed[-1] = False
    entry_long, exit_long, entry_short, exit_short = (reading.signal(node) & allowed for node in conditions)
    entry_long, entry_short = _entries(entry_long, entry_short, play.policy.mode)
    stop_long, stop_short, target_level = (reading.level(node) for node in operands)
    return Decisions(
        entry_long=entry_long, exit_long=exit_long, entry_short=entry_short, exit_short=exit_short, first=first,
        levels=Levels(stop_long=stop_long, stop_short=stop_short, target=target_level),
    )  # fmt: skip


def _entries(long: BoolArray, short: BoolArray, mode: model.Mode) -> tuple[BoolArray, BoolArray]:
    """The sides the policy allows; where both of them are asked for on one bar, neither."""
    long = long & (mode != model.Mode.SHORT_ONLY)
    short = short & (mode != model.Mode.LONG_ONLY)
    return long & ~short, short & ~long


@dataclass(frozen=True, slots=True)
class Reading:
    """A play's operands and conditions on (n_bars,) bars, each known at the close of its bar; features are computed once each."""

    bars: Bars
    features: FeatureValues

    def signal(self, condition: expressions.Condition | None) -> BoolArray:
        """(n_bars,) where a condition is true; nowhere where there is none."""
        return np.zeros(len(self.bars), dtype=np.bool_) if condition is None else self.truth(condition)

    def level(self, operand: expressions.Operand | None) -> FloatArray:
        """(n_bars,) values of an operand, NaN where there is none."""
        return np.full(len(self.bars), np.nan) if operand is None else self.value(operand)

    # --- operands: a missing value is NaN -------------------------------------------------------------------------------

    def value(self, operand: expressions.Operand) -> FloatArray:
        """(n_bars,) values of an operand; NaN where it is missing."""
        match operand:
            case expressions.Literal(value):
                return np.full(len(self.bars), number(value))
            case expressions.Column(name):
                return self._column(name)
            case expressions.Output(feature, output):
                return _missing_unless_finite(self.features.of(feature).outputs[output])
            case expressions.Shift(inner, bars):
                return _shift(self.value(inner), int(number(bars)))
            case expressions.Arithmetic(sign, left, right):
                with np.errstate(all="ignore"):
                    return _missing_unless_finite(_ARITHMETIC[sign](self.value(left), self.value(right)))

    def _column(self, name: str) -> FloatArray:
        parts = [getattr(self.bars, part) for part in _COLUMN_PARTS.get(name, (name,))]
        total: FloatArray = sum(parts[1:], parts[0])
        return total / len(parts) if len(parts) > 1 else total

    # --- conditions: false where an operand is missing ------------------------------------------------------------------

    def truth(self, condition: expressions.Condition) -> BoolArray:
        """(n_bars,) where a condition is true."""
        match condition:
            case expressions.Compare(sign, left, right):
                return _compare(sign, self.value(left), self.value(right))
            case expressions.Between(operand, low, high):
                value = self.value(operand)
                return (self.value(low) <= value) & (value <= self.value(high))
            case expressions.Near(left, right, tolerance, percent):
                return _near(self.value(left), self.value(right), self.value(tolerance), percent=percent)
            case expressions.Cross(left, right, up):
                return _crosses(self.value(left), self.value(right)) if up else _crosses(self.value(right), self.value(left))
            case expressions.Member(operand, values):
                return self._any([_compare("==", self.value(operand), self.value(value)) for value in values])
            case expressions.All(conditions):
                return ~self._any([~self.truth(inner) for inner in conditions])
            case expressions.AnyOf(conditions):
                return self._any([self.truth(inner) for inner in conditions])
            case expressions.Not(inner):
                return ~self.truth(inner)
            case expressions.Window():
                return _windowed(self.truth(condition.condition), condition, self.bars.timeframe.ms)

    def _any(self, masks: list[BoolArray]) -> BoolArray:
        result = np.zeros(len(self.bars), dtype=np.bool_)
        for mask in masks:
            result |= mask
        return result

    # --- warmth: the first bar on which a node and all that it looks back on have a value --------------------------------

    def first(self, node: expressions.Operand | expressions.Condition | None) -> int:
        """The first bar on which it and all that it looks back on have a value; 0 for what is always known."""
        match node:
            case None | expressions.Literal() | expressions.Column():
                return 0
            case expressions.Output(feature, _):
                return self.features.of(feature).first
            case expressions.Shift(inner, bars):
                return self.first(inner) + int(number(bars))
            case expressions.Cross(left, right, _):
                return self._latest(left, right) + 1
            case expressions.Window():
                return self.first(node.condition) + window_span(node, self.bars.timeframe.ms) - 1
            case _:
                return self._latest(*_parts(node))

    def _latest(self, *nodes: expressions.Operand | expressions.Condition) -> int:
        return max((self.first(node) for node in nodes), default=0)


def _parts(
    node: expressions.Arithmetic
    | expressions.Compare
    | expressions.Between
    | expressions.Near
    | expressions.Member
    | expressions.All
    | expressions.AnyOf
    | expressions.Not,
) -> tuple[expressions.Operand | expressions.Condition, ...]:
    match node:
        case expressions.Arithmetic(_, left, right) | expressions.Compare(_, left, right):
            return left, right
        case expressions.Between(operand, low, high):
            return operand, low, high
        case expressions.Near(left, right, tolerance, _):
            return left, right, tolerance
        case expressions.Member(operand, values):
            return operand, *values
        case expressions.All(conditions) | expressions.AnyOf(conditions):
            return conditions
        case expressions.Not(inner):
            return (inner,)


def _missing_unless_finite(values: FloatArray) -> FloatArray:
    return np.where(np.isfinite(values), values, np.nan)


def _shift(values: FloatArray, bars: int) -> FloatArray:
    """(n,) values as they stood `bars` bars ago, missing before the data."""
    if bars < 0:
        raise errors.InvalidArgument("an offset must look back", found=bars)
    shifted = np.full(values.size, np.nan)
    shifted[bars:] = values[: max(0, values.size - bars)]
    return shifted


def _compare(sign: str, left: FloatArray, right: FloatArray) -> BoolArray:
    known = ~(np.isnan(left) | np.isnan(right))
    return _COMPARE[sign](left, right) & known


def _near(left: FloatArray, right: FloatArray, tolerance: FloatArray, *, percent: bool) -> BoolArray:
    allowed = tolerance / 100 * np.abs(right) if percent else tolerance
    return np.abs(left - right) <= allowed


def _crosses(rising: FloatArray, other: FloatArray) -> BoolArray:
    return (rising > other) & (_shift(rising, 1) <= _shift(other, 1))


def _windowed(mask: BoolArray, window: expressions.Window, exec_ms: int) -> BoolArray:
    span = window_span(window, exec_ms)
    reach = min(span, mask.size)
    total = np.concatenate([np.zeros(reach, dtype=np.int64), np.cumsum(mask)])
    count = total[reach:] - total[:-reach]
    match window.kind:
        case expressions.WindowKind.HOLDS_FOR:
            return count == span
        case expressions.WindowKind.OCCURRED_WITHIN:
            return count >= 1
        case expressions.WindowKind.COUNT_TRUE:
            return count >= number(window.min_true)
