"""The science: what a play is, what it is worth and whether to believe it. Runs in one process; no cluster needed.

A notebook needs no more than this module: `cs.read_bars`, `cs.bars_from`, `cs.load_play`, `cs.backtest`, `cs.score`, `cs.evolve`,
`cs.GAOptimizer`, `cs.chaos`, `cs.stats`. They are imported on first use. `backtest`, `evolve` and `chaos` are functions here, and the
packages of these names are reached by their modules: `from coinswarm.backtest.run import Backtest` (docs/decisions/0005).
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from coinswarm import stats as stats
    from coinswarm.chaos.running import run as chaos
    from coinswarm.evolve.settings import SearchSettings
    from coinswarm.market import bars_from, read_bars
    from coinswarm.notebook import backtest, evolve, score
    from coinswarm.optimizer import GAOptimizer
    from coinswarm.play import load as load_play

__all__ = [
    "GAOptimizer", "SearchSettings", "backtest", "bars_from", "chaos", "evolve", "load_play", "read_bars", "score", "stats",
]  # fmt: skip

_FUNCTIONS = {
    "GAOptimizer": ("coinswarm.optimizer", "GAOptimizer"),
    "SearchSettings": ("coinswarm.evolve.settings", "SearchSettings"),
    "backtest": ("coinswarm.notebook", "backtest"),
    "bars_from": ("coinswarm.market", "bars_from"),
    "chaos": ("coinswarm.chaos.running", "run"),
    "evolve": ("coinswarm.notebook", "evolve"),
    "load_play": ("coinswarm.play", "load"),
    "read_bars": ("coinswarm.market", "read_bars"),
    "score": ("coinswarm.notebook", "score"),
}

for _package in ("backtest", "chaos", "evolve"):  # Python binds a package here when it is first imported: now, not over the function later
    import_module(f"coinswarm.{_package}")
    del globals()[_package]


def __getattr__(name: str) -> Any:
    if name == "stats":
        return import_module("coinswarm.stats")
    if name not in _FUNCTIONS:
        raise AttributeError(f"module 'coinswarm' has no attribute {name!r}")
    module, function = _FUNCTIONS[name]
    globals()[name] = getattr(import_module(module), function)
    return globals()[name]


def __dir__() -> list[str]:
    return sorted(__all__)
