"""Loops of resampling tests: the part of a max-T test that comes after its matrix product."""

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
