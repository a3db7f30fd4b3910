"""The play language: a strategy as data, the space of its variants, and the identity of each.

What is named here is imported on first use: who needs a dimension alone, such as the store, loads no indicator.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from coinswarm.play.canonical import template as canonical_template
    from coinswarm.play.dimension import Dimension
    from coinswarm.play.model import Play
    from coinswarm.play.reader import load, loads
    from coinswarm.play.runs import check_runnable, one_side, with_run, with_tolerance
    from coinswarm.play.space import Space
    from coinswarm.play.variants import fix, identities, identity

__all__ = [
    "Dimension",
    "Play",
    "Space",
    "canonical_template",
    "check_runnable",
    "fix",
    "identities",
    "identity",
    "load",
    "loads",
    "one_side",
    "with_run",
    "with_tolerance",
]

_MODULES = {
    "Dimension": "dimension", "Play": "model", "Space": "space", "load": "reader", "loads": "reader", "check_runnable": "runs",
    "one_side": "runs", "with_run": "runs", "with_tolerance": "runs", "fix": "variants", "identities": "variants", "identity": "variants",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    if name == "canonical_template":
        return import_module("coinswarm.play.canonical").template
    if name not in _MODULES:
        raise AttributeError(f"module 'coinswarm.play' has no attribute {name!r}")
    return getattr(import_module(f"coinswarm.play.{_MODULES[name]}"), name)
