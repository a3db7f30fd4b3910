"""TA-Lib without pandas and Polars, which its package imports where they are installed: that takes longer than the library, and 80 MB."""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType

_HIDDEN = ("pandas", "polars")


def _imported() -> ModuleType:
    """The package, imported as if there were neither; a later import by others finds both and wraps the functions for Series."""
    hidden = [name for name in _HIDDEN if name not in sys.modules]
    if "talib" in sys.modules or not hidden:
        return import_module("talib")
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]  # None is how Python is told that there is no such module
    try:
        found = import_module("talib")
    finally:
        for name in hidden:
            del sys.modules[name]
    sys.modules.pop("talib", None)
    return found


talib = _imported()
