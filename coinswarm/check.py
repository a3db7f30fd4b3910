"""Argument checks shared by every public function: they return nothing and raise with rule, found and hint."""

from __future__ import annotations

from typing import Any

import numpy as np

from coinswarm import errors


def vector(values: Any, name: str, *, length: int | None = None, finite: bool = True) -> None:
    """Raise unless `values` is a non-empty one-dimensional float array, finite unless stated otherwise."""
    array = np.asarray(values)
    if array.ndim != 1 or array.size == 0:
        raise errors.ShapeMismatch(f"{name} must be one-dimensional and not empty", found=f"shape {array.shape}")
    if length is not None and array.size != length:
        raise errors.ShapeMismatch(f"{name} must have {length} values", found=array.size)
    if finite and not np.isfinite(array).all():
        raise errors.InvalidArgument(f"{name} must be finite", found=f"{int((~np.isfinite(array)).sum())} missing or infinite")


def matrix(values: Any, name: str, *, finite: bool = True) -> None:
    """Raise unless `values` is a non-empty two-dimensional array, finite unless stated otherwise."""
    array = np.asarray(values)
    if array.ndim != 2 or array.size == 0:
        raise errors.ShapeMismatch(f"{name} must be two-dimensional and not empty", found=f"shape {array.shape}")
    if finite and not np.isfinite(array).all():
        raise errors.InvalidArgument(f"{name} must be finite", found=f"{int((~np.isfinite(array)).sum())} missing or infinite")


def within(value: float, name: str, low: float, high: float, *, hint: str = "") -> None:
    """Raise unless `low <= value <= high` (NaN is refused)."""
    if not low <= value <= high:
        raise errors.InvalidArgument(f"{name} must be in [{low:g}, {high:g}]", found=value, hint=hint)


def at_least(value: float, name: str, low: float, *, hint: str = "") -> None:
    """Raise unless `value >= low` (NaN is refused)."""
    if not value >= low:
        raise errors.InvalidArgument(f"{name} must be at least {low:g}", found=value, hint=hint)


def positive(value: float, name: str, *, hint: str = "") -> None:
    """Raise unless `value > 0` (NaN is refused)."""
    if not value > 0:
        raise errors.InvalidArgument(f"{name} must be above 0", found=value, hint=hint)
