"""The two decorators every compiled loop wears: they own the compiler's flags.

`kernel` keeps IEEE order, so that money adds up to the same last digit as in the readable simulator. `summing_kernel` may reorder sums,
which lets the compiler use wide registers; it is for figures that are compared to 1e-9, never for prices or cash.
Compiled code is cached on disk (docs/decisions/0003).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

_Function = TypeVar("_Function", bound=Callable[..., Any])


def kernel(function: _Function) -> _Function:
    """Compile a loop over plain arrays: no checks, no exceptions, no Python objects."""
    return cast(_Function, numba.njit(cache=True, nogil=True, error_model="numpy")(function))


def summing_kernel(function: _Function) -> _Function:
    """Compile a loop whose sums may be reordered."""
    flags = {"reassoc", "nsz", "contract"}
    return cast(_Function, numba.njit(cache=True, nogil=True, error_model="numpy", fastmath=flags)(function))
