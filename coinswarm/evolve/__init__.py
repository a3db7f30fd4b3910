"""The search: operators, islands, selection, archives and stopping. It knows genomes and scores, no market.

What is named here is imported on first use: who asks for the settings alone, such as the help of a command, loads no operator.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from coinswarm.evolve.loop import Result, run
    from coinswarm.evolve.search import Search
    from coinswarm.evolve.settings import Constraint, Objective, SearchSettings, Variation
    from coinswarm.evolve.state import Members, Proposals, Results, State

__all__ = ["Constraint", "Members", "Objective", "Proposals", "Result", "Results", "Search", "SearchSettings", "State", "Variation", "run"]

_MODULES = {
    "Result": "loop", "run": "loop", "Search": "search", "Constraint": "settings", "Objective": "settings", "SearchSettings": "settings",
    "Variation": "settings", "Members": "state", "Proposals": "state", "Results": "state", "State": "state",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'coinswarm.evolve' has no attribute {name!r}")
    return getattr(import_module(f"coinswarm.evolve.{_MODULES[name]}"), name)
