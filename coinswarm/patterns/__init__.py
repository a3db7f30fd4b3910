"""Patterns: conditions mined from random trades, and whether to believe them.

`discover` is the whole way in one call; it is deterministic by its settings' seed and needs no machine but this one.
"""

from __future__ import annotations

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
