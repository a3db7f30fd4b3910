"""Telling a person that kernels are compiled, before they are."""

from __future__ import annotations

from collections.abc import Callable

COMPILING = "compiling the kernels, once for this version and machine; it takes about a minute, longer on a busy machine"


def compile_here(tell: Callable[[str], None]) -> None:
    """Compile the kernels in this process where none of the machine has; workers, which Ray runs at the lowest priority, would take longer.

    Raises:
        Unavailable: a kernel cannot be compiled here.
    """
    from cluster.compute import warmup

    if not warmup.compiled():
        tell(COMPILING)
        tell(f"the kernels are compiled ({warmup.warm():.0f} s)")
