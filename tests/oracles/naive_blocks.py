"""Slow, obvious twins of `coinswarm.kernels.blocks`."""

from __future__ import annotations


def block_min(values: list[float], size: int) -> list[float]:
    return [min(values[start : start + size]) for start in range(0, len(values), size)]


def block_max(values: list[float], size: int) -> list[float]:
    return [max(values[start : start + size]) for start in range(0, len(values), size)]
