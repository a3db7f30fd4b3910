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
from coinswarm.play.model import Feature, Play, Risk, Stop, Target
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


def operand(term: Operand, dimensions: Dimensions = ()) -> str:
    """An operand in one line: `ema_fast`, `bands.lower[1]`, `(close - open)`."""
    if isinstance(term, Literal):
        return setting(term.value, dimensions)
    if isinstance(term, Column):
        return term.name
    if isinstance(term, Output):
        return term.feature if term.output == "value" else f"{term.feature}.{term.output}"
    if isinstance(term, Shift):
        return f"{operand(term.operand, dimensions)}[{setting(term.bars, dimensions)}]"
    return f"({operand(term.left, dimensions)} {term.operator} {operand(term.right, dimensions)})"


def condition(test: Condition | None, dimensions: Dimensions = ()) -> str:
    """A condition in one line: `ema_fast > ema_slow and (rsi < 30 or close < bands.lower)`; `never` for None."""
    return "never" if test is None else _condition(test, dimensions)


def _condition(test: Condition, dimensions: Dimensions) -> str:
    if isinstance(test, (All, AnyOf)):
        word = " and " if isinstance(test, All) else " or "
        return word.join(_inner(part, dimensions) for part in test.conditions)
    if isinstance(test, Not):
        return f"not {_inner(test.condition, dimensions)}"
    if isinstance(test, (Compare, Between, Near, Cross, Member)):
        return _comparison(test, dimensions)
    bars = setting(test.bars, dimensions)
    unit = " bars" if test.bar_ms is None else f" x {Timeframe(test.bar_ms)}"
    inner = _inner(test.condition, dimensions)
    if test.kind is WindowKind.HOLDS_FOR:
        return f"{inner} for {bars}{unit}"
    if test.kind is WindowKind.OCCURRED_WITHIN:
        return f"{inner} within {bars}{unit}"
    return f"{inner} at least {setting(test.min_true, dimensions)} times in {bars}{unit}"


def _inner(test: Condition, dimensions: Dimensions) -> str:
    text = _condition(test, dimensions)
    return f"({text})" if isinstance(test, (All, AnyOf)) else text


def _comparison(test: Compare | Between | Near | Cross | Member, dimensions: Dimensions) -> str:
    def show(one: Operand) -> str:
        return operand(one, dimensions)

    if isinstance(test, Compare):
        return f"{show(test.left)} {test.operator} {show(test.right)}"
    if isinstance(test, Between):
        return f"{show(test.low)} <= {show(test.operand)} <= {show(test.high)}"
    if isinstance(test, Near):
        return f"{show(test.left)} within {show(test.tolerance)}{' %' if test.percent else ''} of {show(test.right)}"
    if isinstance(test, Cross):
        return f"{show(test.left)} crosses {'above' if test.up else 'below'} {show(test.right)}"
    return f"{show(test.operand)} in [{', '.join(show(value) for value in test.values)}]"


def risk(rules: Risk, dimensions: Dimensions = ()) -> str:
    """Stops, targets and sizing in one line."""
    sizing = rules.sizing
    parts = [_level("stop", rules.stop, dimensions), _level("target", rules.target, dimensions)]
    if rules.break_even is not None:
        parts.append(f"break-even from {setting(rules.break_even.activation_pct, dimensions)} %")
    if rules.max_hold_bars is not None:
        parts.append(f"at most {setting(rules.max_hold_bars, dimensions)} bars")
    if rules.limit is not None:
        parts.append(f"limit {setting(rules.limit.offset_pct, dimensions)} % away")
    parts.append(f"{sizing.model} {setting(sizing.value, dimensions)}")
    return ", ".join(part for part in parts if part)


def _level(name: str, level: Stop | Target | None, dimensions: Dimensions) -> str:
    return "" if level is None else f"{name} {level.kind} {setting(level.value, dimensions)}"


def play(strategy: Play) -> str:
    """A play in a few lines: bars and markets, features, conditions, risk, and how many variants there are."""
    dimensions = strategy.space.dimensions
    lines = [f"{strategy.name}: {strategy.description}" if strategy.description else strategy.name, *_traded(strategy)]
    for feature in strategy.features.values():
        params = ", ".join([*_source(feature, dimensions), *(f"{name} {setting(value, dimensions)}" for name, value in feature.params)])
        where = f" on {Timeframe(feature.timeframe_ms)}" if feature.timeframe_ms else ""
        market = f" of {feature.market}" if feature.market else ""
        lines.append(f"  {feature.id} = {feature.indicator}({params}){where}{market}")
    lines += [f"  {name}: {condition(getattr(strategy, name), dimensions)}" for name in CONDITIONS if getattr(strategy, name) is not None]
    lines.append(f"  risk: {risk(strategy.risk, dimensions)}")
    lines.append(f"  {strategy.policy.mode}, {strategy.policy.exit_mode}; {size(strategy)}")
    return "\n".join(lines)


def _traded(strategy: Play) -> list[str]:
    """The exec bars and markets that the play names; what it leaves to the run is left out."""
    bars = "" if strategy.timeframe_ms is None else f"{Timeframe(strategy.timeframe_ms)} bars"
    markets = ", ".join(strategy.symbols)
    named = f"{bars} of {markets}" if bars and markets else bars or markets
    return [f"  trades {named}"] if named else []


def _source(feature: Feature, dimensions: Dimensions) -> list[str]:
    """What a feature is computed of, where that is not the close."""
    if isinstance(feature.source, Output):
        return [operand(feature.source)]
    return [] if feature.source == "close" else [setting(feature.source, dimensions)]


def size(strategy: Play) -> str:
    """How many variants a play has, in words."""
    count = strategy.space.size
    if count == float("inf"):
        return "a space of real numbers"
    return f"{'at most ' if strategy.space.size_is_bound else ''}{count:,.0f} variant{'s' if count != 1 else ''}"


def parameters(values: Mapping[str, Value]) -> str:
    """A variant's parameters in one line: `ema_fast.length=12 rsi.length=14`."""
    return " ".join(f"{name}={value if isinstance(value, (str, bool)) else f'{value:.12g}'}" for name, value in values.items())


def variant(strategy: Play, genome: FloatArray) -> str:
    """The parameters of one (n_dims,) genome in one line.

    Raises:
        ShapeMismatch: not one gene a dimension.
        InvalidArgument: a gene is outside its dimension.
    """
    return parameters(strategy.space.decode(genome))
