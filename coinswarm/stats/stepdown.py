"""Step-down p-values from the joint null distribution of many statistics, a chunk of rows at a time (Westfall & Young, Romano & Wolf)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from coinswarm.kernels import resampling
from coinswarm.types import FloatArray, IntArray

Draws = Callable[[IntArray], npt.NDArray[np.floating[Any]]]
"""Rows of interest -> (n_rows, n_draws) their statistics under the null, the same draws for every row."""

TIE = 1e-5
"""A draw this close to the observed value counts as reaching it: products of float32 are exact to 1e-6, and ties must not look rare."""


def step_down(observed: FloatArray, draws: Draws, n_draws: int, *, rows_at_once: int = 4096) -> tuple[FloatArray, FloatArray]:
    """Each statistic's own p-value and its family-wise one.

    Rows are visited from the smallest statistic to the largest. A row's own p counts draws of itself that reach it; its family-wise p
    counts draws in which it or any smaller row does, and is then made not to fall below that of a larger row.

    Args:
        observed: (n,) statistics, large is interesting.
        draws: gives any rows' statistics under the null.
        n_draws: how many draws there are.
        rows_at_once: memory is rows_at_once times n_draws numbers.

    Returns:
        (p, p_adjusted), each (n,) and (b + 1) / (n_draws + 1) with b the draws that reach the statistic, hence never 0.

    Source: Westfall & Young 1993; Romano & Wolf 2005; Phipson & Smyth 2010 (the + 1).
    """
    order = np.argsort(observed, kind="stable")
    thresholds = observed - TIE * np.maximum(1.0, np.abs(observed))
    alone, together = np.empty(observed.size, dtype=np.int64), np.empty(observed.size, dtype=np.int64)
    running: npt.NDArray[np.floating[Any]] | None = None
    for start in range(0, observed.size, rows_at_once):
        rows = order[start : start + rows_at_once]
        part = np.ascontiguousarray(draws(rows))
        running = np.full(n_draws, -np.inf, dtype=part.dtype) if running is None else running
        place = slice(start, start + rows.size)
        resampling.count_exceedances(part, thresholds[rows], running, alone[place], together[place])
    adjusted = np.maximum.accumulate(together[::-1])[::-1]
    return _unsorted(alone, order, n_draws), _unsorted(adjusted, order, n_draws)


def _unsorted(counts: IntArray, order: IntArray, n_draws: int) -> FloatArray:
    p = np.empty(counts.size)
    p[order] = (counts + 1) / (n_draws + 1)
    return p
