"""Plays in words: one line for a condition, a few for a play, one for a variant's parameters."""

from __future__ import annotations

from collections.abc import Mapping

from coinswarm.market.timeframe import Timeframe
from coinswarm.play.dimension import Dimension, Value
from coinswarm.play.expressions import (
    All,
    AnyOf,
    Between,
    Column,
    Compare,
    Condition,
    Cross,
    Literal,
    Member,
    Near,
    Not,
    Operand,
    Output,
    Setting,
    Shift,
    Slot,
    WindowKind,
)
from coinswarm.play.model import Play, Risk, Stop, Target
from coinswarm.play.slots import CONDITIONS
from coinswarm.types import FloatArray

Dimensions = tuple[Dimension, ...]


def setting(value: Setting | None, dimensions: Dimensions = ()) -> str:
    """A number or word; one that varies as `{25..45 step 5}`."""
    if isinstance(value, Slot):
        return f"{{{dimensions[value.index].text()}}}"
    if isinstance(value, (str, bool)) or value is None:
        return str(value)
    return f"{value:.12g}"


def operand(found: Operand, dimensions: Dimensions = ()) -> str:
    """An operand in one line: `ema_fast`, `bands.lower[1]`, `(close - open)`."""
    if isinstance(found, Literal):
        return setting(found.value, dimensions)
    if isinstance(found, Column):
        return found.name
    if isinstance(found, Output):
        return found.feature if found.output == "value" else f"{found.feature}.{found.output}"
    if isinstance(found, Shift):
        return f"{operand(found.operand, dimensions)}[{setting(found.bars, dimensions)}]"
    return f"({operand(found.left, dimensions)} {found.operator} {operand(found.right, dimensions)})"


def condition(found: Condition | None, dimensions: Dimensions = ()) -> str:
    """A condition in one line: `ema_fast > ema_slow and (rsi < 30 or close < bands.lower)`; `never` for None."""
    return "never" if found is None else _condition(found, dimensions)


def _condition(found: Condition, dimensions: Dimensions) -> str:
    if isinstance(found, (All, AnyOf)):
        word = " and " if isinstance(found, All) else " or "
        return word.join(_inner(part, dimensions) for part in found.conditions)
    if isinstance(found, Not):
        return f"not {_inner(found.condition, dimensions)}"
    if isinstance(found, (Compare, Between, Near, Cross, Member)):
        return _comparison(found, dimensions)
    bars = setting(found.bars, dimensions)
    unit = " bars" if found.bar_ms is None else f" x {Timeframe(found.bar_ms)}"
    inner = _inner(found.condition, dimensions)
    if found.kind is WindowKind.HOLDS_FOR:
        return f"{inner} for {bars}{unit}"
    if found.kind is WindowKind.OCCURRED_WITHIN:
        return f"{inner} within {bars}{unit}"
    return f"{inner} at least {setting(found.min_true, dimensions)} times in {bars}{unit}"


def _inner(found: Condition, dimensions: Dimensions) -> str:
    text = _condition(found, dimensions)
    return f"({text})" if isinstance(found, (All, AnyOf)) else text


def _comparison(found: Compare | Between | Near | Cross | Member, dimensions: Dimensions) -> str:
    def show(one: Operand) -> str:
        return operand(one, dimensions)

    if isinstance(found, Compare):
        return f"{show(found.left)} {found.operator} {show(found.right)}"
    if isinstance(found, Between):
        return f"{show(found.low)} <= {show(found.operand)} <= {show(found.high)}"
    if isinstance(found, Near):
        return f"{show(found.left)} within {show(found.tolerance)}{' %' if found.percent else ''} of {show(found.right)}"
    if isinstance(found, Cross):
        return f"{show(found.left)} crosses {'above' if found.up else 'below'} {show(found.right)}"
    return f"{show(found.operand)} in [{', '.join(show(value) for value in found.values)}]"


def risk(found: Risk, dimensions: Dimensions = ()) -> str:
    """Stops, targets and sizing in one line."""
    sizing = found.sizing
    parts = [_level("stop", found.stop, dimensions), _level("target", found.target, dimensions)]
    if found.break_even is not None:
        parts.append(f"break-even from {setting(found.break_even.activation_pct, dimensions)} %")
    if found.max_hold_bars is not None:
        parts.append(f"at most {setting(found.max_hold_bars, dimensions)} bars")
    if found.limit is not None:
        parts.append(f"limit {setting(found.limit.offset_pct, dimensions)} % away")
    parts.append(f"{sizing.model} {setting(sizing.value, dimensions)}")
    return ", ".join(part for part in parts if part)


def _level(name: str, found: Stop | Target | None, dimensions: Dimensions) -> str:
    return "" if found is None else f"{name} {found.kind} {setting(found.value, dimensions)}"


def play(found: Play) -> str:
    """A play in a few lines: features, conditions, risk, and how many variants there are."""
    dimensions = found.space.dimensions
    lines = [f"{found.name}: {found.description}" if found.description else found.name]
    for feature in found.features.values():
        params = ", ".join(f"{name} {setting(value, dimensions)}" for name, value in feature.params)
        where = f" on {Timeframe(feature.timeframe_ms)}" if feature.timeframe_ms else ""
        market = f" of {feature.market}" if feature.market else ""
        lines.append(f"  {feature.id} = {feature.indicator}({params}){where}{market}")
    lines += [f"  {name}: {condition(getattr(found, name), dimensions)}" for name in CONDITIONS if getattr(found, name) is not None]
    lines.append(f"  risk: {risk(found.risk, dimensions)}")
    lines.append(f"  {found.policy.mode}, {found.policy.exit_mode}; {size(found)}")
    return "\n".join(lines)


def size(found: Play) -> str:
    """How many variants a play has, in words."""
    count = found.space.size
    if count == float("inf"):
        return "a space of real numbers"
    return f"{'at most ' if found.space.size_is_bound else ''}{count:,.0f} variant{'s' if count != 1 else ''}"


def parameters(values: Mapping[str, Value]) -> str:
    """A variant's parameters in one line: `ema_fast.length=12 rsi.length=14`."""
    return " ".join(f"{name}={value if isinstance(value, (str, bool)) else f'{value:.12g}'}" for name, value in values.items())


def variant(found: Play, genome: FloatArray) -> str:
    """The parameters of one (n_dims,) genome in one line.

    Raises:
        ShapeMismatch: not one gene a dimension.
        InvalidArgument: a gene is outside its dimension.
    """
    return parameters(found.space.decode(genome))
