"""What a run adds to a play: market, timeframe, stops and a longest hold; and whether the result can run at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

from coinswarm import check, errors
from coinswarm.config import (
    FORMER_WARMUP_TOLERANCE,
    LEAST_WARMUP_TOLERANCE,
    MOST_WARMUP_TOLERANCE,
    WARMUP_TOLERANCE,
    Account,
    Costs,
)
from coinswarm.market import symbols
from coinswarm.market.timeframe import Timeframe
from coinswarm.play import slots
from coinswarm.play.expressions import All, AnyOf, Condition, Not, Window
from coinswarm.play.model import ExitMode, Feature, Mode, Play, Risk, Stop, StopKind, Target, TargetKind

Side = Literal["long", "short"]
SIDES: Mapping[str, tuple[Mode, str]] = {"long": (Mode.LONG_ONLY, "short"), "short": (Mode.SHORT_ONLY, "long")}
"""The mode that takes this side alone, and the other side."""


def with_run(
    play: Play,
    *,
    symbol: str | None = None,
    timeframe: str | Timeframe | None = None,
    max_hold_bars: float | None = None,
    stop_loss_pct: float | None = None,
    take_profit_pct: float | None = None,
    account: Account | None = None,
    costs: Costs | None = None,
    warmup_tolerance: float | None = None,
) -> Play:
    """The play as a run wants it; what is given takes the place of what the play says.

    Args:
        play: the play.
        symbol: the market, in any spelling.
        timeframe: length of the exec bars; every feature must be on a multiple of it.
        max_hold_bars: whole bars, at least 1.
        stop_loss_pct: percent of margin, in (0, 100].
        take_profit_pct: percent of margin, in (0, 100000].
        account: in place of the play's own.
        costs: in place of the play's own.
        warmup_tolerance: how far the bars before the data may move a warm feature, in units of its own scale.

    Raises:
        InvalidArgument: a value outside its domain.
        BadPlay: a feature's timeframe is faster than the exec bars, or no multiple of them.
    """
    risk = _risk(play.risk, max_hold_bars, stop_loss_pct, take_profit_pct)
    play = replace(play, risk=risk, account=account or play.account, costs=costs or play.costs)
    play = with_tolerance(play, warmup_tolerance)
    if symbol is not None:
        play = replace(play, symbols=(symbols.canonical(symbol),))
    if timeframe is not None:
        play = _on(play, timeframe if isinstance(timeframe, Timeframe) else Timeframe.parse(timeframe))
    return slots.pruned(play)


def with_tolerance(play: Play, warmup_tolerance: float | None) -> Play:
    """The play with another warm-up tolerance; None: as it is.

    Raises:
        InvalidArgument: the tolerance is outside its domain.
    """
    if warmup_tolerance is None:
        return play
    hint = f"{WARMUP_TOLERANCE:g} is the default, {FORMER_WARMUP_TOLERANCE:g} what runs had before it could be chosen"
    check.within(warmup_tolerance, "warmup_tolerance", LEAST_WARMUP_TOLERANCE, MOST_WARMUP_TOLERANCE, hint=hint)
    return replace(play, warmup_tolerance=float(warmup_tolerance))


def _risk(risk: Risk, max_hold_bars: float | None, stop_loss_pct: float | None, take_profit_pct: float | None) -> Risk:
    if max_hold_bars is not None:
        check.within(max_hold_bars, "max_hold_bars", 1, 100_000)
        if max_hold_bars != int(max_hold_bars):
            raise errors.InvalidArgument("max_hold_bars must be a whole number", found=max_hold_bars)
        risk = replace(risk, max_hold_bars=float(max_hold_bars))
    if stop_loss_pct is not None:
        check.positive(stop_loss_pct, "stop_loss_pct")
        check.within(stop_loss_pct, "stop_loss_pct", 0, 100)
        risk = replace(risk, stop=Stop(kind=StopKind.PERCENT, value=float(stop_loss_pct)))
    if take_profit_pct is not None:
        check.positive(take_profit_pct, "take_profit_pct")
        check.within(take_profit_pct, "take_profit_pct", 0, 100_000)
        risk = replace(risk, target=Target(kind=TargetKind.PERCENT, value=float(take_profit_pct)))
    return risk


def _on(play: Play, timeframe: Timeframe) -> Play:
    wrong = [feature for feature in play.features.values() if feature.timeframe_ms and feature.timeframe_ms % timeframe.ms]
    if wrong:
        raise errors.BadPlay([_too_fast(feature, timeframe) for feature in wrong], name=play.name)
    features = {name: replace(feature, timeframe_ms=_slower(feature.timeframe_ms, timeframe)) for name, feature in play.features.items()}
    conditions: dict[str, Any] = {name: _rebased(getattr(play, name), timeframe) for name in slots.CONDITIONS}
    return replace(play, timeframe_ms=timeframe.ms, features=features, **conditions)


def _slower(timeframe_ms: int | None, timeframe: Timeframe) -> int | None:
    return None if timeframe_ms == timeframe.ms else timeframe_ms


def _rebased(condition: Condition | None, timeframe: Timeframe) -> Condition | None:
    """Windows counted in bars of just this length count exec bars."""
    if isinstance(condition, (All, AnyOf)):
        inner = tuple(part for one in condition.conditions if (part := _rebased(one, timeframe)) is not None)
        return replace(condition, conditions=inner)
    if isinstance(condition, Not):
        return Not(_rebased(condition.condition, timeframe) or condition.condition)
    if isinstance(condition, Window):
        inner_one = _rebased(condition.condition, timeframe) or condition.condition
        return replace(condition, condition=inner_one, bar_ms=_slower(condition.bar_ms, timeframe))
    return condition


def _too_fast(feature: Feature, timeframe: Timeframe) -> errors.PlayProblem:
    own = Timeframe(feature.timeframe_ms or timeframe.ms)
    return errors.PlayProblem(
        path=f"features.{feature.id}.tf", rule=f"a timeframe must be a multiple of the exec timeframe, {timeframe}", found=str(own)
    )


def one_side(play: Play, side: str) -> Play:
    """The play that takes the entries of one side alone; its name says so.

    The other side's entries are ignored: they open nothing, reverse nothing, and cancel no entry of this side on the same bar. All else,
    the first decision included, is that of the whole play.

    Args:
        play: the play, or one variant of it.
        side: `long` or `short`.

    Raises:
        InvalidArgument: `side` is neither, or the play never takes it.
        BadPlay: nothing but the other side closes its positions.
    """
    if side not in SIDES:
        raise errors.InvalidArgument("a side is long or short", found=repr(side))
    mode, other = SIDES[side]
    if play.policy.mode not in (mode, Mode.LONG_SHORT) or getattr(play, f"entry_{side}") is None:
        raise errors.InvalidArgument(f"{play.name} has no {side} side", found=f"it is {play.policy.mode}")
    alone = replace(play, name=f"{play.name}, {side} side alone", policy=replace(play.policy, mode=mode))
    ignored: dict[str, Any] = {f"entry_{other}": None}
    check_runnable(replace(alone, **ignored))
    return alone


def check_runnable(play: Play) -> None:
    """Raise unless every side the play enters can be left again.

    A side is left by its exit condition (unless `exit_mode` is `sl_tp_only`), by a stop or target (unless it is `signal`), by
    `max_hold_bars`, or by reversal where the play reverses and enters both sides.

    Raises:
        BadPlay: a side that nothing closes.
    """
    closing = _closed_by_risk(play)
    reverses = play.policy.reverse and play.entry_long is not None and play.entry_short is not None
    problems = []
    for side in ("long", "short"):
        heeded = play.policy.exit_mode is not ExitMode.SL_TP_ONLY and getattr(play, f"exit_{side}") is not None
        if getattr(play, f"entry_{side}") is not None and not (closing or reverses or heeded):
            problems.append(_never_left(play, side))
    if problems:
        raise errors.BadPlay(problems, name=play.name)


def _closed_by_risk(play: Play) -> bool:
    levels = play.risk.stop is not None or play.risk.target is not None
    return play.risk.max_hold_bars is not None or (levels and play.policy.exit_mode is not ExitMode.SIGNAL)


def _never_left(play: Play, side: str) -> errors.PlayProblem:
    rule = f"a {side} position must be closed by something: an exit_{side}, a stop, a target or max_hold_bars, in the play or from the run"
    return errors.PlayProblem(path=f"actions.exit_{side}", rule=rule, found=f"none that exit_mode {play.policy.exit_mode} heeds")
