"""Slow, obvious twin of `coinswarm.kernels.garch`."""

from __future__ import annotations


def variances(shocks: list[list[float]], arch: float, persistence: float) -> list[list[float]]:
    """The variance of a bar follows from the move before it: the shock times the deviation of its own bar."""
    rows = [[1.0] * len(shocks[0])]
    for shock in shocks[:-1]:
        moves = [z * h**0.5 for z, h in zip(shock, rows[-1], strict=True)]
        rows.append([(1 - arch - persistence) + arch * move**2 + persistence * h for move, h in zip(moves, rows[-1], strict=True)])
    return rows
