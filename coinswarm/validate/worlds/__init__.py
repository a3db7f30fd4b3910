"""Made-up worlds on which the machinery is judged: null worlds where nothing may be found, planted ones where something must be.

`make("N3", bars, seed=1)` gives markets that every other part of the project accepts. What is named here is imported on first use: who asks
for the settings alone loads no kernel.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from coinswarm.validate.worlds.families import FAMILIES, NULLS, Family, family, make
    from coinswarm.validate.worlds.settings import Plant

__all__ = ["FAMILIES", "NULLS", "Family", "Plant", "family", "make"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'coinswarm.validate.worlds' has no attribute {name!r}")
    return getattr(import_module(f"coinswarm.validate.worlds.{'settings' if name == 'Plant' else 'families'}"), name)
