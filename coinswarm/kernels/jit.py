"""The decorators every compiled loop wears: they own the compiler's flags.

`kernel` keeps IEEE order, so that money adds up to the same last digit as in the readable simulator. `summing_kernel` may reorder sums,
which lets the compiler use wide registers; it is for figures that are compared to 1e-9, never for prices or cash.
`view_kernel` and `inlined_kernel` may look into arrays but not make new ones, and so need not count who holds which: counting is atomic,
and in a loop that takes parts of a dozen arrays it took most of the time (2,425 calls in the walk of one variant, now none).
Compiled code is cached on disk (docs/decisions/0003), in a folder named after the sources of all kernels: Numba itself only asks whether a
function's own file changed, and would continue to use code into which another file's constants or calls were compiled.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import numba

_Function = TypeVar("_Function", bound=Callable[..., Any])
_COMMON: dict[str, Any] = {"cache": True, "nogil": True, "error_model": "numpy"}


def _cache_folder() -> Path:
    """Below `NUMBA_CACHE_DIR`, or beside the byte code, a folder for just these sources."""
    here = Path(__file__).parent
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(here.glob("*.py")))).hexdigest()
    return Path(numba.config.CACHE_DIR or here / "__pycache__") / f"kernels-{digest[:12]}"


numba.config.CACHE_DIR = str(_cache_folder())


def kernel(function: _Function) -> _Function:
    """Compile a loop over plain arrays: no checks, no exceptions, no Python objects."""
    return cast("_Function", numba.njit(**_COMMON)(function))


def view_kernel(function: _Function) -> _Function:
    """Compile a loop that makes no arrays; its caller keeps its arguments alive."""
    return cast("_Function", numba.njit(**_COMMON, _nrt=False)(function))


def inlined_kernel(function: _Function) -> _Function:
    """Compile a part of a `view_kernel` into it: a call that passes a tuple of a dozen arrays costs more than most parts take."""
    return cast("_Function", numba.njit(**_COMMON, _nrt=False, forceinline=True)(function))


def summing_kernel(function: _Function) -> _Function:
    """Compile a loop that makes no arrays and whose sums may be reordered."""
    flags = {"reassoc", "nsz", "contract"}
    return cast("_Function", numba.njit(**_COMMON, _nrt=False, fastmath=flags)(function))
