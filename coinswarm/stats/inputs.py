"""What the statistics of this package ask of their arguments, beyond the checks every package shares."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from coinswarm import check, errors
from coinswarm.types import FloatArray

LARGEST = 1e60
"""Fourth powers of larger values overflow."""
FLAT = 1e-12
"""A deviation below this part of the largest absolute return is the noise of rounding."""


def finite(value: float, name: str) -> None:
    """Raise unless `value` is a finite number."""
    if not math.isfinite(value):
        raise errors.InvalidArgument(f"{name} must be finite", found=value)


def whole(value: int, name: str, low: int, high: float = math.inf, *, hint: str = "") -> None:
    """Raise unless `value` is an integer in [low, high]."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or not low <= value <= high:
        domain = f"of at least {low}" if math.isinf(high) else f"in [{low}, {high:g}]"
        raise errors.InvalidArgument(f"{name} must be a whole number {domain}", found=value, hint=hint)


def between(value: float, name: str, low: float, high: float, *, hint: str = "") -> None:
    """Raise unless `low < value < high`."""
    if not low < value < high:
        raise errors.InvalidArgument(f"{name} must be in ({low:g}, {high:g})", found=value, hint=hint)


def one_of(value: str, name: str, choices: tuple[str, ...]) -> None:
    """Raise unless `value` is one of the known words."""
    if value not in choices:
        close = errors.nearest(str(value), choices, n=1)
        raise errors.InvalidArgument(
            f"{name} must be one of {', '.join(choices)}", found=repr(value), hint=f"did you mean {close[0]}?" if close else ""
        )


def trials(n_trials: float) -> None:
    """Raise unless at least two trials were made."""
    if not (math.isfinite(n_trials) and n_trials > 1):
        hint = "the best of one trial needs no deflation: use probabilistic_sharpe_ratio"
        raise errors.InvalidArgument("n_trials must be above 1 and finite", found=n_trials, hint=hint)


def probabilities(values: npt.ArrayLike, name: str = "p_values") -> FloatArray:
    """The values as a float vector, (n,); raise unless each lies in [0, 1]."""
    check.vector(values, name)
    array = np.asarray(values, dtype=np.float64)
    if (array < 0).any() or (array > 1).any():
        raise errors.InvalidArgument(f"{name} must be in [0, 1]", found=f"{array.min():g} to {array.max():g}")
    return array


def varying_columns(values: npt.ArrayLike, name: str) -> FloatArray:
    """The values as a float matrix, (n_obs, n_columns); raise unless finite, of two rows or more, and no column is flat."""
    check.matrix(values, name)
    array = np.asarray(values, dtype=np.float64)
    if array.shape[0] < 2:
        raise errors.ShapeMismatch(f"{name} must have at least 2 observations (rows)", found=array.shape[0])
    if np.abs(array).max() > LARGEST:
        raise errors.InvalidArgument(
            f"{name} must be at most {LARGEST:g} in size", found=f"{np.abs(array).max():g}", hint="returns are fractions"
        )
    flat = np.flatnonzero(array.std(axis=0) <= FLAT * np.abs(array).max(axis=0))
    if flat.size:
        shown = ", ".join(str(column) for column in flat[:5]) + (" …" if flat.size > 5 else "")
        hint = "leave variants out that never traded"
        raise errors.InvalidArgument(f"{name} must vary in every column", found=f"flat in column {shown}", hint=hint)
    return array
