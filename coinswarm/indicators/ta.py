"""TA-Lib without pandas: its package imports pandas where that is installed, which takes longer than the library itself, and 50 MB."""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType

_HIDDEN = "pandas"


def _imported() -> ModuleType:
    """The package, imported as if there were no pandas; a later import by others finds it and wraps the functions for Series."""
    if "talib" in sys.modules or _HIDDEN in sys.modules:
        return import_module("talib")
    sys.modules[_HIDDEN] = None  # type: ignore[assignment]  # how Python is told that there is no such module
    try:
        found = import_module("talib")
    finally:
        del sys.modules[_HIDDEN]
    for name in [name for name in sys.modules if name == "talib"]:
        del sys.modules[name]
    return found


talib = _imported()
