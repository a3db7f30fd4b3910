"""Patterns: conditions mined from random trades, and whether to believe them.

`discover` is the whole way in one call; it is deterministic by its settings' seed and needs no machine but this one. What is named here is
imported on first use: who asks for the settings alone loads no mining.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from coinswarm.patterns.conditions import Band, Condition, Hold, Market, Pattern, Side, from_json, identity, to_json
    from coinswarm.patterns.confirming import Finding
    from coinswarm.patterns.discovery import Discovery, TestedPattern, discover
    from coinswarm.patterns.figures import Figures
    from coinswarm.patterns.settings import DiscoverSettings

__all__ = [
    "Band",
    "Condition",
    "DiscoverSettings",
    "Discovery",
    "Figures",
    "Finding",
    "Hold",
    "Market",
    "Pattern",
    "Side",
    "TestedPattern",
    "discover",
    "from_json",
    "identity",
    "to_json",
]

_MODULES = {
    "DiscoverSettings": "settings", "Discovery": "discovery", "Figures": "figures", "Finding": "confirming", "TestedPattern": "discovery",
    "discover": "discovery",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'coinswarm.patterns' has no attribute {name!r}")
    return getattr(import_module(f"coinswarm.patterns.{_MODULES.get(name, 'conditions')}"), name)
