"""Loops of resampling tests: which observations a resample uses, and how often the draws of a max-T test reach what was observed."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from coinswarm.kernels.jit import kernel
from coinswarm.types import FloatArray, IntArray


@kernel
def count_exceedances(
    draws: npt.NDArray[np.floating[Any]],
    observed: FloatArray,
    running: npt.NDArray[np.floating[Any]],
    alone: IntArray,
    together: IntArray,
) -> None:
    """Count, for rows in ascending order of importance, the draws that reach what was observed.

    Args:
        draws: (n_rows, n_draws) statistics under the null.
        observed: (n_rows,) what was observed, with a tolerance for rounding taken off.
        running: (n_draws,) largest draw of all rows before these; updated.
        alone: (n_rows,) result: draws of this row that reach it.
        together: (n_rows,) result: draws whose largest value of this row and all before reaches it.
    """
    for row in range(draws.shape[0]):
        threshold, own, joint = observed[row], 0, 0
        for draw in range(draws.shape[1]):
            value = draws[row, draw]
            running[draw] = max(running[draw], value)
            own += value >= threshold
            joint += running[draw] >= threshold
        alone[row] = own
        together[row] = joint


@kernel
def count_uses(starts: IntArray, lengths: IntArray, uses: FloatArray) -> None:
    """Add 1 to each observation that a block covers; blocks wrap around the end.

    Args:
        starts: (n_blocks,) first observation of each block, in [0, n_obs).
        lengths: (n_blocks,) observations of each block, at most n_obs.
        uses: (n_obs,) updated.
    """
    for block in range(starts.size):
        end = starts[block] + lengths[block]
        for i in range(starts[block], min(end, uses.size)):
            uses[i] += 1.0
        for i in range(end - uses.size):
            uses[i] += 1.0
