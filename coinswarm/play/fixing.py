"""A variant written out as a play of its own: the same YAML with every choice made, and with the run's markets, account and costs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from coinswarm import errors
from coinswarm.market.timeframe import Timeframe
from coinswarm.play import reader, variants
from coinswarm.play.dimension import Dimension, Value
from coinswarm.play.model import Play, StopKind, TargetKind
from coinswarm.play.reading.nodes import Node
from coinswarm.play.reading.timeframes import EXEC_KEYS, SYMBOL_KEYS

_RISK_BLOCKS = ("risk", "risk_model")


def text(
    family: str, fixed: Play, parameters: Mapping[str, Value], *, symbols: tuple[str, ...] = (), tags: Mapping[str, Any] | None = None
) -> str:
    """The YAML of one variant; reading it gives a play of the same identity, account and costs, in which nothing varies.

    Args:
        family: the YAML of the play it is a variant of.
        fixed: the variant as it was run.
        parameters: its value of each dimension, by path.
        symbols: the markets it is for; those of the family unless given.
        tags: written beside it for people; without effect.

    Raises:
        BadPlay: the family has problems.
        Refused: the variant cannot be written so that it reads back as itself.
    """
    root, dimensions = reader.varied(family)
    made = {id(node): _value(dimension, node, parameters) for dimension, node in dimensions}
    tree: dict[str, Any] = _plain(root, made)
    _settle(tree, reader.loads(family), fixed)
    if symbols:
        tree = {key: value for key, value in tree.items() if key not in SYMBOL_KEYS} | {"symbols": list(symbols)}
    if tags:
        tree["tags"] = dict(tags)
    written = yaml.safe_dump(tree, sort_keys=False, allow_unicode=True, width=120)
    _require_same(written, fixed)
    return written


def _value(dimension: Dimension, node: Node, parameters: Mapping[str, Value]) -> Any:
    """What the variant chose, as the play spells it; for a dimension that has no effect, its first value."""
    value: Any = parameters.get(dimension.path, dimension.decode(dimension.low))
    keys = node.value if isinstance(node.value, dict) else {}
    listed = keys["values"].value if "values" in keys else node.value
    if dimension.kind == "choice" and isinstance(listed, tuple):
        value = listed[dimension.choices.index(value)].value
    elif dimension.kind == "int":
        value = int(value)
    return {"name": keys["name"].value, "values": [value]} if "name" in keys else value


def _plain(node: Node, made: Mapping[int, Any]) -> Any:
    if id(node) in made:
        return made[id(node)]
    if isinstance(node.value, tuple):
        return [_plain(item, made) for item in node.value]
    if isinstance(node.value, dict):
        return {key: _plain(item, made) for key, item in node.value.items()}
    return node.value


def _settle(tree: dict[str, Any], family: Play, fixed: Play) -> None:
    """Write the run's settings in place of the play's."""
    costs = fixed.costs.model_dump(exclude_none=True)
    fees = {name: costs.pop(name) for name in ("taker_bps", "maker_bps")}
    account = fixed.account.model_dump()
    account["min_trade_notional_usdt"] = account.pop("min_notional")
    tree["account"] = {**account, "fee_model": fees, **costs}
    if fixed.timeframe_ms is not None and family.timeframe_ms != fixed.timeframe_ms:
        for key in EXEC_KEYS:
            tree.pop(key, None)
        if isinstance(tree.get("timeframes"), dict):
            tree["timeframes"]["exec"] = str(Timeframe(fixed.timeframe_ms))
        else:
            tree["timeframe"] = str(Timeframe(fixed.timeframe_ms))
    stop, target, hold = fixed.risk.stop, fixed.risk.target, fixed.risk.max_hold_bars
    if hold is not None:
        _put(tree, ("max_hold_bars",), {"max_hold_bars": hold})
    if stop is not None and stop.kind is StopKind.PERCENT:
        _put(tree, ("stop_loss_pct", "stop_loss"), {"stop_loss_pct": stop.value})
    if target is not None and target.kind is TargetKind.PERCENT:
        _put(tree, ("take_profit_pct", "take_profit"), {"take_profit_pct": target.value})


def _put(tree: dict[str, Any], replaced: tuple[str, ...], new: Mapping[str, Any]) -> None:
    """Set entries of the risk block instead of those they replace, in whichever block these stand."""
    blocks = [tree[name] for name in _RISK_BLOCKS if isinstance(tree.get(name), dict)]
    for block in blocks:
        for key in replaced:
            block.pop(key, None)
    (blocks[0] if blocks else tree.setdefault("risk", {})).update(new)


def _require_same(written: str, fixed: Play) -> None:
    back = reader.loads(written)
    differing = [name for name in ("account", "costs", "timeframe_ms") if getattr(back, name) != getattr(fixed, name)]
    if back.space.dimensions or variants.identity(back) != variants.identity(fixed):
        differing.append("meaning")
    if differing:
        raise errors.Refused(f"{fixed.name} cannot be written as a play of its own", found=f"another {', '.join(differing)} when read back")
