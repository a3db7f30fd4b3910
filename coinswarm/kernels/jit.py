"""The decorators every compiled loop wears: they own the compiler's flags.

`kernel` keeps IEEE order, so that money adds up to the same last digit as in the readable simulator. `summing_kernel` may reorder sums,
which lets the compiler use wide registers; it is for figures that are compared to 1e-9, never for prices or cash.
Compiled code is cached on disk (docs/decisions/0003).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
from llvmlite.ir import Constant
from numba.extending import intrinsic
from numba.np.arrayobj import make_array

_Function = TypeVar("_Function", bound=Callable[..., Any])


def kernel(function: _Function) -> _Function:
    """Compile a loop over plain arrays: no checks, no exceptions, no Python objects."""
    return cast("_Function", numba.njit(cache=True, nogil=True, error_model="numpy")(function))


def summing_kernel(function: _Function) -> _Function:
    """Compile a loop whose sums may be reordered."""
    flags = {"reassoc", "nsz", "contract"}
    return cast("_Function", numba.njit(cache=True, nogil=True, error_model="numpy", fastmath=flags)(function))


def inlined_kernel(function: _Function) -> _Function:
    """Compile a part of a loop into its callers: handing a tuple of a dozen arrays to a call costs more than most parts take."""
    return cast("_Function", numba.njit(cache=True, nogil=True, error_model="numpy", forceinline=True)(function))


@intrinsic
def borrowed(typingctx, array):  # type: ignore[no-untyped-def]  # noqa: ARG001
    """The same array without an owner: taking parts of it is not counted.

    Counting is atomic and costs more than a trade's arithmetic (measured: 500 ns of 650). The caller keeps the array alive.
    """
    signature = array(array)

    def generate(context, builder, signature, args):  # type: ignore[no-untyped-def]
        view = make_array(signature.args[0])(context, builder, args[0])
        view.meminfo = Constant(view.meminfo.type, None)
        view.parent = Constant(view.parent.type, None)
        return view._getvalue()  # noqa: SLF001

    return signature, generate
