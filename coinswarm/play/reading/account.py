"""Account, costs and position policy of a play."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pydantic

from coinswarm import errors
from coinswarm.config import Account, Costs
from coinswarm.market.timeframe import Timeframe
from coinswarm.play.model import ExitMode, Mode, Policy
from coinswarm.play.reading.problems import Place

_ACCOUNT = {
    "starting_equity_usdt": "starting_equity",
    "starting_equity": "starting_equity",
    "max_leverage": "max_leverage",
    "max_drawdown_pct": "max_drawdown_pct",
    "min_trade_notional_usdt": "min_notional",
    "maintenance_margin_rate": "maintenance_margin_rate",
}
_COSTS = {
    "slippage_bps": "slippage_bps",
    "slippage_volatility": "slippage_volatility",
    "slippage_participation": "slippage_participation",
    "max_participation": "max_participation",
    "lot_step": "lot_step",
}
_FEES = {"taker_bps": "taker_bps", "maker_bps": "maker_bps"}
_IDLE = ("max_notional_usdt", "max_margin_usdt", "margin", "margin_model", "liquidation_bps")
MARGIN_MODES = ("isolated_usdt", "isolated")
ACCOUNT_KEYS = (*_ACCOUNT, *_COSTS, "fee_model", "margin_mode", *_IDLE)
FEE_KEYS = (*_FEES, "liquidation_bps")
POLICY_KEYS = ("mode", "exit_mode", "reverse", "max_gap", "max_positions_per_symbol")
NEVER = ("allow_flip", "allow_scale_in", "allow_scale_out")


def read_account(root: Place) -> tuple[Account, Costs]:
    """What a play says of its account and costs; everything it leaves out has the default."""
    block = root.at("account")
    if block is None or not block.check_map(ACCOUNT_KEYS, "account"):
        return Account(), Costs()
    mode = block.at("margin_mode")
    if mode is not None:
        mode.one_of(MARGIN_MODES, "margin_mode")
    for key in _IDLE:
        if block.at(key) is not None:
            block.warn(f"{key} has no effect")
    fees = block.at("fee_model")
    costs = _fields(block, _COSTS)
    if fees is not None and fees.check_map(FEE_KEYS, "fee_model"):
        costs |= _fields(fees, _FEES)
    return _built(Account, _fields(block, _ACCOUNT)), _built(Costs, costs)


def _fields(block: Place, names: Mapping[str, str]) -> dict[str, tuple[Place, float]]:
    found = {}
    for key, name in names.items():
        entry = block.at(key)
        value = entry.node.value if entry else None
        if entry is not None and isinstance(value, (int, float)) and not isinstance(value, bool):
            found[name] = (entry, float(value))
        elif entry is not None:
            entry.refuse(
                "expected a number" if not (entry.is_list() or entry.is_map()) else "account and costs do not vary; expected one number"
            )
    return found


def _built(kind: Any, fields: dict[str, tuple[Place, float]]) -> Any:
    """The settings, without the fields that are out of bounds; each of those is a problem with its own place."""
    sound: dict[str, float] = {}
    for name, (place, value) in fields.items():
        try:
            kind(**{name: value})
        except (pydantic.ValidationError, OverflowError) as error:
            text = error.errors()[0]["msg"] if isinstance(error, pydantic.ValidationError) else str(error)
            place.refuse(f"{name}: {text[:1].lower()}{text[1:]}")
        else:
            sound[name] = value
    return kind(**sound)


def read_policy(root: Place, entries: tuple[str, ...]) -> Policy:
    """How positions follow each other. Without a mode it is what the entries say: long, short, or both."""
    sides = {name.removeprefix("entry_") for name in entries}
    implied = Mode.LONG_SHORT if len(sides) == 2 else Mode.SHORT_ONLY if sides == {"short"} else Mode.LONG_ONLY
    block = root.at("position_policy")
    if block is None or not block.check_map((*POLICY_KEYS, *NEVER), "position_policy"):
        return Policy(mode=implied)
    mode, exits, reverse = (block.at(key) for key in ("mode", "exit_mode", "reverse"))
    _fixed_rules(block)
    word = exits.one_of(tuple(ExitMode), "exit_mode") if exits else None
    return Policy(
        mode=_mode(mode, implied, sides),
        exit_mode=ExitMode(word) if word else ExitMode.FIRST_HIT,
        reverse=bool(reverse.truth("reverse")) if reverse else False,
        max_gap_ms=_gap(block.at("max_gap")),
    )


def _mode(place: Place | None, implied: Mode, sides: set[str]) -> Mode:
    word = place.one_of(tuple(Mode), "mode") if place else None
    if place is None or word is None:
        return implied
    mode = Mode(word)
    for side, refused in (("short", Mode.LONG_ONLY), ("long", Mode.SHORT_ONLY)):
        if mode is refused and side in sides:
            place.refuse(f"a play with entry_{side} cannot be {mode}", names=(Mode.LONG_SHORT,))
    return mode


def _fixed_rules(block: Place) -> None:
    count = block.at("max_positions_per_symbol")
    if count is not None and count.node.value != 1:
        count.refuse("a play holds at most 1 position a symbol")
    for key in NEVER:
        entry = block.at(key)
        if entry is not None and entry.truth(key):
            entry.refuse(
                "a position is opened and closed whole" if key != "allow_flip" else "to turn a position round, write reverse: true"
            )


def _gap(place: Place | None) -> int | None:
    text = place.word("max_gap") if place else None
    if place is None or text is None:
        return None
    try:
        return Timeframe.parse(text).ms
    except errors.InvalidArgument as error:
        place.refuse(error.rule, text)
        return None
