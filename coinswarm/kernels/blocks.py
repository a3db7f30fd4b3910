"""Extremes of bars in blocks of 16 and 256, and the search that jumps over blocks in which nothing can happen."""

from __future__ import annotations

import numpy as np

from coinswarm.kernels.jit import inlined_kernel, kernel
from coinswarm.kernels.tape import Tape
from coinswarm.types import FloatArray

SMALL = 16
LARGE = 256


@kernel
def block_min(values: FloatArray, size: int) -> FloatArray:
    """Smallest value of each block of `size`: (ceil(n / size),)."""
    blocks = (values.size + size - 1) // size
    out = np.empty(blocks)
    for b in range(blocks):
        smallest = np.inf
        for i in range(b * size, min(values.size, (b + 1) * size)):
            smallest = min(smallest, values[i])
        out[b] = smallest
    return out


@kernel
def block_max(values: FloatArray, size: int) -> FloatArray:
    """Largest value of each block of `size`: (ceil(n / size),)."""
    blocks = (values.size + size - 1) // size
    out = np.empty(blocks)
    for b in range(blocks):
        largest = -np.inf
        for i in range(b * size, min(values.size, (b + 1) * size)):
            largest = max(largest, values[i])
        out[b] = largest
    return out


@inlined_kernel
def first_touch(tape: Tape, start: int, stop: int, below: float, above: float) -> int:
    """The first bar of `start..stop-1` with low <= below or high >= above; `stop` if there is none."""
    j = start
    while j < stop:
        if j % SMALL == 0:
            if j % LARGE == 0 and tape.low_large[j // LARGE] > below and tape.high_large[j // LARGE] < above:
                j += LARGE
                continue
            if tape.low_small[j // SMALL] > below and tape.high_small[j // SMALL] < above:
                j += SMALL
                continue
        if tape.low[j] <= below or tape.high[j] >= above:
            return j
        j += 1
    return stop
