"""The kernels of indicators, imported when one is first computed: a compiler takes longer to load than a play takes to read."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from coinswarm.kernels import indicators_recursive, indicators_rolling, structures

__all__ = ["indicators_recursive", "indicators_rolling", "structures"]


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'coinswarm.indicators.compiled' has no attribute {name!r}")
    globals()[name] = import_module(f"coinswarm.kernels.{name}")
    return globals()[name]
