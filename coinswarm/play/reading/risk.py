"""Risk: stops, targets, break-even, sizing and limit entries, in the short form or in full."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import TypeVar

from coinswarm.play.expressions import Number, Operand, Output
from coinswarm.play.model import BreakEven, Limit, Risk, Sizing, SizingModel, Stop, StopKind, Target, TargetKind, TimeInForce
from coinswarm.play.reading import numbers, operands
from coinswarm.play.reading.numbers import COUNT, Domain
from coinswarm.play.reading.problems import Place
from coinswarm.play.reading.state import ReadingState

_Kind = TypeVar("_Kind", bound=StrEnum)
SHORT = ("stop_loss_pct", "take_profit_pct", "max_position_pct", "max_hold_bars")
FULL = ("stop_loss", "take_profit", "break_even", "sizing")
KEYS = (*SHORT, *FULL)
STOP_KEYS = ("type", "value", "atr_feature_id", "activation_pct", "buffer_pct", "level", "level_short", "structure")
TARGET_KEYS = ("type", "value", "atr_feature_id")
BREAK_EVEN_KEYS = ("activation_pct", "offset_pct")
SIZING_KEYS = ("model", "value", "max_leverage")
SIZING_MODELS = (*SizingModel, "fixed_usdt")
ENTRY_KEYS = ("order_type", "limit_offset_pct", "time_in_force", "expire_after_bars")
ORDER_TYPES = ("MARKET", "LIMIT")
_OTHER_NAMES = {"atr": "atr_feature_id", **dict.fromkeys(("mult", "multiple", "multiplier", "pct", "percent", "risk_pct"), "value")}
_SHARE = Domain(0.0, 100.0, above=True)
_GAIN = Domain(0.0, 100_000.0, above=True)
_POSITIVE = Domain(0.0, above=True)
_NOT_NEGATIVE = Domain(0.0)
_LEVERAGE = Domain(1.0, 200.0)
_SHORT_FORM_ONLY = {
    "trailing": "a trailing stop is written as stop_loss with type trailing_pct or trailing_atr",
    "trailing_config": "a trailing stop is written as stop_loss with type trailing_pct or trailing_atr",
    "take_profit_levels": "a position is closed whole; several targets come later",
}


def read_risk(root: Place, state: ReadingState) -> Risk:
    """The risk of a play from `risk`, `risk_model` and `entry`; each part may be given once."""
    blocks = [block for block in (root.at("risk"), root.at("risk_model")) if block is not None]
    sound = [block for block in blocks if _known(block)]
    found = _Parts(sound, state)
    stop = found.stop()
    return Risk(
        stop=stop,
        target=found.target(stop),
        break_even=found.break_even(),
        sizing=found.sizing(stop),
        limit=_limit(root, state),
        max_hold_bars=found.short("max_hold_bars", COUNT),
    )


def _known(block: Place) -> bool:
    for key, rule in _SHORT_FORM_ONLY.items():
        entry = block.at(key)
        if entry is not None:
            entry.refuse(rule)
    return block.check_map((*KEYS, *_SHORT_FORM_ONLY), "risk")


class _Parts:
    """The parts of the risk blocks, each looked up in all of them."""

    def __init__(self, blocks: Sequence[Place], state: ReadingState) -> None:
        self.blocks = blocks
        self.state = state

    def pick(self, *keys: str) -> tuple[str, Place] | None:
        """The one entry under any of these keys."""
        found = [(key, entry) for block in self.blocks for key in keys if (entry := block.at(key)) is not None]
        for _, extra in found[1:]:
            extra.refuse(f"one of {' and '.join(keys)} is given, once")
        return found[0] if found else None

    def short(self, key: str, domain: Domain) -> Number | None:
        """A number of the short form."""
        found = self.pick(key)
        return numbers.number(found[1], self.state, domain) if found else None

    def stop(self) -> Stop | None:
        found = self.pick("stop_loss_pct", "stop_loss")
        if found is None:
            return None
        key, place = found
        if key == "stop_loss_pct":
            return Stop(kind=StopKind.PERCENT, value=_percent(place, self.state, _SHARE))
        kind = _kind(place, StopKind, STOP_KEYS)
        return _STOPS[kind](place, self.state, kind) if kind is not None else None

    def target(self, stop: Stop | None) -> Target | None:
        found = self.pick("take_profit_pct", "take_profit")
        if found is None:
            return None
        key, place = found
        if key == "take_profit_pct":
            return Target(kind=TargetKind.PERCENT, value=_percent(place, self.state, _GAIN))
        kind = _kind(place, TargetKind, TARGET_KEYS)
        if kind is None:
            return None
        level = _atr(place, self.state, stop.level if stop else None) if kind is TargetKind.ATR else None
        if kind is TargetKind.R_MULTIPLE and not self.blocks_stop():
            place.refuse("a target in multiples of risk needs a stop_loss", "none")
        if kind is TargetKind.R_MULTIPLE and stop is not None and stop.activation_pct is not None:
            place.refuse("a target in multiples of risk needs a stop from the entry on, not one that waits for its activation_pct")
        value = _value(place, self.state, _GAIN, warn=kind is TargetKind.PERCENT)
        return Target(kind=kind, value=value, level=level)

    def blocks_stop(self) -> bool:
        """Whether a stop is asked for, sound or not."""
        return any(block.at(key) is not None for block in self.blocks for key in ("stop_loss", "stop_loss_pct"))

    def break_even(self) -> BreakEven | None:
        found = self.pick("break_even")
        if found is None or not found[1].check_map(BREAK_EVEN_KEYS, "break_even"):
            return None
        activation, offset = found[1].at("activation_pct"), found[1].at("offset_pct")
        if activation is None:
            found[1].refuse("break_even needs activation_pct")
            return None
        moved = numbers.number(offset, self.state, _NOT_NEGATIVE) if offset else 0.0
        return BreakEven(activation_pct=_percent(activation, self.state, _GAIN), offset_pct=moved)

    def sizing(self, stop: Stop | None) -> Sizing:
        found = self.pick("max_position_pct", "sizing")
        if found is None:
            return Sizing()
        key, place = found
        if key == "max_position_pct":
            return Sizing(value=_percent(place, self.state, _SHARE, fraction=1.0))
        sizing = _sizing(place, self.state)
        waits = stop is not None and stop.activation_pct is not None
        if sizing.model is SizingModel.RISK_BASED and (waits or not self.blocks_stop()):
            place.refuse(
                "risk_based sizing needs a stop_loss from the entry on", "one that waits for its activation_pct" if waits else "none"
            )
        return sizing


def _sizing(place: Place, state: ReadingState) -> Sizing:
    if not place.check_map(SIZING_KEYS, "sizing", elsewhere=_OTHER_NAMES):
        return Sizing()
    entry = place.at("model")
    word = entry.one_of(SIZING_MODELS, "a sizing model") if entry else SizingModel.PERCENT_EQUITY
    model = SizingModel.FIXED_NOTIONAL if word == "fixed_usdt" else SizingModel(word or "percent_equity")
    value, leverage = place.at("value"), place.at("max_leverage")
    if value is None and model is not SizingModel.PERCENT_EQUITY:
        place.refuse(f"{model} needs a value")
    share = model is not SizingModel.FIXED_NOTIONAL
    amount = (_percent(value, state, _SHARE) if share else numbers.number(value, state, _POSITIVE)) if value else 100.0
    return Sizing(model=model, value=amount, max_leverage=numbers.number(leverage, state, _LEVERAGE) if leverage else None)


def _percent(place: Place, state: ReadingState, domain: Domain, *, fraction: float = 0.1) -> Number:
    """A percentage; one below `fraction` was surely meant as a fraction, and is noted."""
    value = numbers.number(place, state, domain)
    if isinstance(value, float) and 0.0 < value < fraction and place.node.value == value:
        place.warn(f"{value:g} reads as {value:g} %; {value * 100:g} % is written {value * 100:g}")
    return value


def _kind(place: Place, kinds: type[_Kind], keys: tuple[str, ...]) -> _Kind | None:
    if not place.check_map(keys, "a stop or target", elsewhere=_OTHER_NAMES):
        return None
    entry = place.at("type")
    if entry is None:
        place.refuse(f"a stop or target needs a type: {', '.join(kinds)}")
        return None
    word = entry.one_of(tuple(kinds), "the type")
    return kinds(word) if word else None


def _value(place: Place, state: ReadingState, domain: Domain, *, warn: bool = False) -> Number:
    entry = place.at("value")
    if entry is None:
        place.refuse("a stop or target needs a value")
        return 1.0
    return _percent(entry, state, domain) if warn else numbers.number(entry, state, domain)


def _percent_stop(place: Place, state: ReadingState, kind: StopKind) -> Stop:
    _only(place, ("type", "value"), kind)
    return Stop(kind=kind, value=_value(place, state, _SHARE, warn=True))


def _points_stop(place: Place, state: ReadingState, kind: StopKind) -> Stop:
    _only(place, ("type", "value"), kind)
    return Stop(kind=kind, value=_value(place, state, _POSITIVE))


def _atr_stop(place: Place, state: ReadingState, kind: StopKind) -> Stop:
    _only(place, ("type", "value", "atr_feature_id"), kind)
    return Stop(kind=kind, value=_value(place, state, _POSITIVE), level=_atr(place, state, None))


def _trailing_stop(place: Place, state: ReadingState, kind: StopKind) -> Stop:
    atr = kind is StopKind.TRAILING_ATR
    _only(place, ("type", "value", "activation_pct", *(("atr_feature_id",) if atr else ())), kind)
    entry = place.at("activation_pct")
    activation = None if entry is None or entry.node.value == 0 else numbers.number(entry, state, _POSITIVE)
    value = _value(place, state, _POSITIVE if atr else _SHARE, warn=not atr)
    return Stop(kind=kind, value=value, level=_atr(place, state, None) if atr else None, activation_pct=activation)


def _structure_stop(place: Place, state: ReadingState, kind: StopKind) -> Stop:
    """`buffer_pct` is kept as the stop's value; the levels are those of a swing unless named."""
    _only(place, ("type", "value", "buffer_pct", "level", "level_short", "structure"), kind)
    entry = place.at("buffer_pct")
    buffer = numbers.number(entry, state, Domain(0.0, 99.0)) if entry else 0.0
    below, above = place.at("level"), place.at("level_short")
    if below is None and above is None:
        low, high = _swing_levels(place, state)
    else:
        low = operands.operand(below, state, f"{place.path}.level") if below else None
        high = operands.operand(above, state, f"{place.path}.level_short") if above else None
    return Stop(kind=kind, value=buffer, level=low, level_short=high)


def _swing_levels(place: Place, state: ReadingState) -> tuple[Operand | None, Operand | None]:
    entry = place.at("structure")
    named = entry.word("a structure") if entry else None
    swings = [
        key
        for key, declared in state.declared.items()
        if declared.indicator and {"low_level", "high_level"} <= set(declared.indicator.outputs)
    ]
    wanted = [key for key in swings if named in (None, key)]
    if len(wanted) != 1:
        broken = named is None and any(declared.indicator is None for declared in state.declared.values())
        if not broken:
            (entry or place).refuse(
                "a structure stop names its level, or the one swing it stands behind", named or f"{len(swings)} swings", names=swings
            )
        return None, None
    return Output(wanted[0], "low_level"), Output(wanted[0], "high_level")


def _only(place: Place, keys: tuple[str, ...], kind: StopKind) -> None:
    place.check_map(keys, f"a stop of type {kind}")


def _atr(place: Place, state: ReadingState, other: Operand | None) -> Operand | None:
    entry = place.at("atr_feature_id")
    if entry is None:
        if other is None:
            place.refuse("a stop or target in multiples of ATR needs atr_feature_id")
        return other
    return operands.operand(entry, state, f"{place.path}.atr")


def _limit(root: Place, state: ReadingState) -> Limit | None:
    block = root.at("entry")
    if block is None or not block.check_map(ENTRY_KEYS, "entry"):
        return None
    entry = block.at("order_type")
    order_type = entry.one_of(ORDER_TYPES, "an order type") if entry else "MARKET"
    offset, force, expiry = (block.at(key) for key in ("limit_offset_pct", "time_in_force", "expire_after_bars"))
    limit = Limit(
        offset_pct=numbers.number(offset, state, Domain(-50.0, 50.0)) if offset else 0.0,
        time_in_force=TimeInForce((force.one_of(tuple(TimeInForce), "time_in_force") if force else None) or "GTC"),
        expire_after_bars=numbers.number(expiry, state, Domain(0, 100_000, integer=True)) if expiry else 0.0,
    )
    if order_type != "LIMIT" and (offset or expiry):
        block.warn("limit_offset_pct and expire_after_bars have no effect on market entries")
    return limit if order_type == "LIMIT" else None


_STOPS: dict[StopKind, Callable[[Place, ReadingState, StopKind], Stop]] = {
    StopKind.PERCENT: _percent_stop,
    StopKind.POINTS: _points_stop,
    StopKind.ATR: _atr_stop,
    StopKind.STRUCTURE: _structure_stop,
    StopKind.TRAILING_PERCENT: _trailing_stop,
    StopKind.TRAILING_ATR: _trailing_stop,
}
