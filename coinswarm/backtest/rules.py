"""The numbers one variant trades by: risk, policy, costs and account of a fixed play, percentages already turned into price moves."""

from __future__ import annotations

from dataclasses import dataclass

from coinswarm import errors
from coinswarm.backtest.decisions import number
from coinswarm.config import Account, Costs
from coinswarm.play import expressions, model

TIE = 1e-12
"""Relative difference below which equity, or an order's notional, still counts as at a level (docs/simulation.md)."""

_OF_MARGIN = frozenset({model.StopKind.PERCENT, model.StopKind.TRAILING_PERCENT})
_TRAILING = frozenset({model.StopKind.TRAILING_PERCENT, model.StopKind.TRAILING_ATR})


@dataclass(frozen=True, kw_only=True, slots=True)
class StopRule:
    """Where the stop is.

    `value`: a price move as a fraction (percent, trailing percent), a multiple, points, or a buffer in percent of price (structure).
    `activation`: the favourable price move, as a fraction, from which the stop trails; None: from the entry on.
    """

    kind: model.StopKind
    value: float
    activation: float | None

    @property
    def trails(self) -> bool:
        """Whether the stop follows the price."""
        return self.kind in _TRAILING

    def at_entry(self, side: int, fill: float, level: float) -> float | None:
        """The stop in force from the entry on; NaN when its level is missing, None while a trailing stop waits for its activation."""
        match self.kind:
            case model.StopKind.PERCENT:
                return fill * (1 - side * self.value)
            case model.StopKind.ATR:
                return fill - side * self.value * level
            case model.StopKind.POINTS:
                return fill - side * self.value
            case model.StopKind.STRUCTURE:
                return level * (1 - side * self.value / 100)
            case _:
                return fill - side * self.distance(fill, level) if self.activation is None else None

    def distance(self, fill: float, level: float) -> float:
        """How far behind the best price a trailing stop stays."""
        return fill * self.value if self.kind == model.StopKind.TRAILING_PERCENT else self.value * level


@dataclass(frozen=True, kw_only=True, slots=True)
class TargetRule:
    """Where the target is. `value`: a price move as a fraction (percent), a multiple, or points."""

    kind: model.TargetKind
    value: float

    def at_entry(self, side: int, fill: float, stop: float | None, level: float) -> float:
        """The target in force from the entry on; NaN when what it is measured by is missing."""
        match self.kind:
            case model.TargetKind.PERCENT:
                return fill * (1 + side * self.value)
            case model.TargetKind.ATR:
                return fill + side * self.value * level
            case model.TargetKind.POINTS:
                return fill + side * self.value
            case model.TargetKind.R_MULTIPLE:
                return float("nan") if stop is None else fill + side * self.value * abs(fill - stop)


@dataclass(frozen=True, kw_only=True, slots=True)
class BreakEvenRule:
    """From a favourable move of `activation` on, the stop is at least `offset` beyond the fill; both fractions of the fill."""

    activation: float
    offset: float


@dataclass(frozen=True, kw_only=True, slots=True)
class LimitRule:
    """A limit entry `offset_pct` percent better than the close, live for `life_bars` bars (None: until filled)."""

    offset_pct: float
    at_once: bool
    post_only: bool
    life_bars: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Rules:
    """Everything that decides what an order of this variant becomes.

    Attributes:
        leverage: position value per margin, at least 1.
        taker, maker: fees as fractions of notional.
        size: sizing model; `size_value`: its percent, or notional in quote currency.
        levels_live: stops, targets and break-even close positions.
        exits_live: exit signals close positions.
        max_gap_ms: longest gap in the data that is not counted; None: none is.
        equity_floor: the part of peak equity below which the account stops; None: never.
    """

    leverage: float
    taker: float
    maker: float
    costs: Costs
    account: Account
    size: model.SizingModel
    size_value: float
    stop: StopRule | None
    target: TargetRule | None
    break_even: BreakEvenRule | None
    limit: LimitRule | None
    max_hold_bars: int | None
    levels_live: bool
    exits_live: bool
    reverse: bool
    max_gap_ms: int | None
    equity_floor: float | None


def of(play: model.Play, costs: Costs, account: Account) -> Rules:
    """The rules of a fixed play under given costs and account.

    Raises:
        InvalidArgument: the play has open slots, or asks for sizes or targets that are measured by a stop it does not have.
    """
    risk, policy = play.risk, play.policy
    _measured_by_a_stop(risk)
    leverage = _leverage(risk.sizing, account)
    return Rules(
        leverage=leverage,
        taker=costs.taker_bps / 1e4,
        maker=costs.maker_bps / 1e4,
        costs=costs,
        account=account,
        size=risk.sizing.model,
        size_value=number(risk.sizing.value),
        stop=_stop(risk.stop, leverage),
        target=_target(risk.target, leverage),
        break_even=_break_even(risk.break_even, leverage),
        limit=_limit(risk.limit),
        max_hold_bars=None if risk.max_hold_bars is None else int(number(risk.max_hold_bars)),
        levels_live=policy.exit_mode != model.ExitMode.SIGNAL,
        exits_live=policy.exit_mode != model.ExitMode.SL_TP_ONLY,
        reverse=policy.reverse,
        max_gap_ms=policy.max_gap_ms,
        equity_floor=1 - account.max_drawdown_pct / 100 if account.max_drawdown_pct < 100 else None,
    )


def _measured_by_a_stop(risk: model.Risk) -> None:
    if risk.stop is not None:
        return
    if risk.sizing.model == model.SizingModel.RISK_BASED:
        raise errors.InvalidArgument("risk_based sizing is measured by a stop", found="no stop")
    if risk.target is not None and risk.target.kind == model.TargetKind.R_MULTIPLE:
        raise errors.InvalidArgument("an R multiple target is measured by a stop", found="no stop")


def _leverage(sizing: model.Sizing, account: Account) -> float:
    wanted = account.max_leverage if sizing.max_leverage is None else number(sizing.max_leverage)
    return max(1.0, min(wanted, account.max_leverage))


def price_move(percent_of_margin: expressions.Number, leverage: float) -> float:
    """The price move, as a fraction, that gains or loses this much of the margin."""
    return number(percent_of_margin) / 100 / leverage


def _stop(stop: model.Stop | None, leverage: float) -> StopRule | None:
    if stop is None:
        return None
    value = price_move(stop.value, leverage) if stop.kind in _OF_MARGIN else number(stop.value)
    activation = None if stop.activation_pct is None else price_move(stop.activation_pct, leverage)
    return StopRule(kind=stop.kind, value=value, activation=activation)


def _target(target: model.Target | None, leverage: float) -> TargetRule | None:
    if target is None:
        return None
    value = price_move(target.value, leverage) if target.kind == model.TargetKind.PERCENT else number(target.value)
    return TargetRule(kind=target.kind, value=value)


def _break_even(rule: model.BreakEven | None, leverage: float) -> BreakEvenRule | None:
    if rule is None:
        return None
    return BreakEvenRule(activation=price_move(rule.activation_pct, leverage), offset=price_move(rule.offset_pct, leverage))


def _limit(limit: model.Limit | None) -> LimitRule | None:
    if limit is None:
        return None
    at_once = limit.time_in_force in (model.TimeInForce.IOC, model.TimeInForce.FOK)
    bars = int(number(limit.expire_after_bars))
    return LimitRule(
        offset_pct=number(limit.offset_pct),
        at_once=at_once,
        post_only=limit.time_in_force == model.TimeInForce.POST_ONLY,
        life_bars=1 if at_once else bars or None,
    )
