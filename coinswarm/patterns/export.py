"""A pattern as a play: its conditions decide the entry, it is held for a number of bars, and the engine can trade it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import yaml

from coinswarm import errors
from coinswarm.chaos import naming
from coinswarm.config import Costs
from coinswarm.indicators import features
from coinswarm.market.timeframe import Timeframe
from coinswarm.patterns.conditions import Band, Hold, Market, Pattern, Side


def to_play(
    pattern: Pattern, *, name: str, bar_ms: int, hold_bars: int, side: int | None = None, costs: Costs | None = None, source: str = "chaos"
) -> str:
    """The text of a play that enters where the pattern holds and leaves after `hold_bars` bars.

    A chaos trade decided at the same bar with that hold has the same fills and result; the play takes one position at a time.

    Args:
        pattern: the conditions. Those on hold only bound `hold_bars`.
        name: of the play.
        bar_ms: length of the bars it was found on.
        hold_bars: how long to hold.
        side: +1 or -1, where the pattern does not say.
        costs: what trading costs; the run's own unless given.
        source: where the pattern comes from.

    Raises:
        InvalidArgument: the hold is outside the pattern's, or neither it nor `side` says which side to take, or they differ.
        NotFound: the catalogue has no such feature.
    """
    sign = _side(pattern, side)
    _check_hold(pattern, hold_bars)
    names = {feature: f"f{number}" for number, feature in enumerate(dict.fromkeys(pattern.features), 1)}
    entry = [comparison for condition in pattern.conditions if isinstance(condition, Band) for comparison in _compare(condition, names)]
    markets = [condition.key.split(":", 1)[1].rpartition(":")[0] for condition in pattern.conditions if isinstance(condition, Market)]
    document: dict[str, Any] = {
        "version": "3.0.0",
        "name": name,
        "description": str(pattern),
        **({"symbol": markets[0]} if markets else {}),
        "timeframes": {"low_tf": str(Timeframe(bar_ms)), "exec": "low_tf"},
        **({"account": _account(costs)} if costs else {}),
        **({"features": {short: _feature(feature) for feature, short in names.items()}} if names else {}),
        # a play must say when to enter; a pattern without conditions on the market means always
        "actions": {"entry_long" if sign > 0 else "entry_short": {"all": entry or [["close", ">", 0]]}},
        "risk": {"max_hold_bars": hold_bars},
        "position_policy": {"mode": "long_only" if sign > 0 else "short_only", "exit_mode": "sl_tp_only"},
        "provenance": {"source": source, "cites": [], "from": []},
    }
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=120)


def _side(pattern: Pattern, side: int | None) -> int:
    own = [condition.sign for condition in pattern.conditions if isinstance(condition, Side)]
    if own and side not in (None, own[0]):
        raise errors.InvalidArgument("the side must be the pattern's own", found=side, hint=str(own[0]))
    chosen = own[0] if own else side
    if chosen not in (1, -1):
        raise errors.InvalidArgument("a play takes one side: the pattern does not say which", found=side, hint="say long or short")
    return chosen


def _check_hold(pattern: Pattern, hold_bars: int) -> None:
    low, high = next(((one.low, one.high) for one in pattern.conditions if isinstance(one, Hold)), (1, hold_bars))
    if not low <= hold_bars <= high or hold_bars < 1:
        raise errors.InvalidArgument(f"hold_bars must be in [{low}, {max(low, high)}]", found=hold_bars)


def _compare(band: Band, names: dict[str, str]) -> list[list[Any]]:
    feature = naming.read(band.feature)
    several = len(features.find(feature.indicator).outputs) > 1
    operand = f"{names[band.feature]}.{feature.output}" if several else names[band.feature]
    ends = ((">=", band.low), ("<", band.high))
    return [[operand, operator, float(edge)] for operator, edge in ends if math.isfinite(edge)]


def _feature(text: str) -> dict[str, Any]:
    feature = naming.read(text)
    entry: dict[str, Any] = {"indicator": feature.indicator}
    if feature.params:
        entry["params"] = dict(feature.params)
    if feature.timeframe_ms is not None:
        entry["tf"] = str(Timeframe(feature.timeframe_ms))
    if feature.source != "close":
        entry["source"] = feature.source
    return entry | ({"market": feature.market} if feature.market else {})


def _account(costs: Costs) -> dict[str, Any]:
    return {"fee_model": {"taker_bps": costs.taker_bps, "maker_bps": costs.maker_bps}, "slippage_bps": costs.slippage_bps}


def better_side(slices: Sequence[dict[str, Any]]) -> int:
    """The side on which stored slices of a pattern made more."""
    sides = {part["name"]: part["expectancy"] for part in slices if part["kind"] == "side" and part["trades"]}
    return -1 if sides.get("short", -math.inf) > sides.get("long", -math.inf) else 1
