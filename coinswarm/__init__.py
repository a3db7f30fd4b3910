"""The science: what a play is, what it is worth and whether to believe it. Blind to machines.

A notebook needs no more than this module: `cs.read_bars`, `cs.load_play`, `cs.backtest`, `cs.score`, `cs.evolve`, `cs.chaos`,
`cs.stats`. They are imported on first use. `backtest`, `evolve` and `chaos` are packages and can be called (docs/decisions/0005).
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import Any

_FACE = {
    "read_bars": ("coinswarm.market", "read_bars"),
    "load_play": ("coinswarm.play", "load"),
    "score": ("coinswarm.notebook", "score"),
    "backtest": ("coinswarm.backtest", "run"),
    "evolve": ("coinswarm.notebook", "evolve"),
    "chaos": ("coinswarm.chaos", "run"),
}
_PACKAGES = ("backtest", "chaos", "evolve", "stats")


class _Callable(ModuleType):
    """A package that does its one job when it is called."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        module, name = _FACE[self.__name__.rpartition(".")[2]]
        return getattr(import_module(module), name)(*args, **kwargs)


class _Face(ModuleType):
    """This package: what is bound to the names of `_FACE` can be called, packages included."""

    def __setattr__(self, name: str, value: object) -> None:
        if name in _FACE and isinstance(value, ModuleType):
            value.__class__ = _Callable
        super().__setattr__(name, value)


def __getattr__(name: str) -> Any:
    if name in _PACKAGES:
        return import_module(f"coinswarm.{name}")
    if name in _FACE:
        module, attribute = _FACE[name]
        return getattr(import_module(module), attribute)
    raise AttributeError(f"module 'coinswarm' has no attribute {name!r}")


sys.modules[__name__].__class__ = _Face
