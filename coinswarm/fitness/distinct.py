"""Distinct results of a batch: what many variants share is computed once and pointed to by index."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from coinswarm.types import IntArray

_LARGEST_CODE = 2**62


@dataclass(frozen=True, eq=False, slots=True)
class Distinct:
    """The different results of one node of a play over a batch of variants.

    Attributes:
        keys: what makes each result, hashable; equal keys, equal results.
        results: one a key.
        firsts: (n_results,) the first bar on which each may be used.
        index: (n_variants,) which result each variant has.
    """

    keys: Sequence[Hashable]
    results: Sequence[Any]
    firsts: IntArray
    index: IntArray

    def first_of_variants(self) -> IntArray:
        """(n_variants,) the first usable bar of each variant's result."""
        return self.firsts[self.index]


def combinations(indices: Sequence[IntArray], sizes: Sequence[int], n_variants: int) -> tuple[IntArray, IntArray]:
    """The different tuples that occur among per-variant indices.

    Args:
        indices: one (n_variants,) array a child, values in 0 .. size - 1.
        sizes: the number of results of each child.
        n_variants: length of the arrays (there may be no child).

    Returns:
        (n_tuples, n_children) the tuples, and (n_variants,) which tuple each variant has.
    """
    varying = [k for k, size in enumerate(sizes) if size > 1]
    picks, which = _varying_combinations([indices[k] for k in varying], [sizes[k] for k in varying], n_variants)
    full = np.zeros((picks.shape[0], len(sizes)), dtype=np.int64)
    full[:, varying] = picks
    return full, which


def _varying_combinations(indices: Sequence[IntArray], sizes: Sequence[int], n_variants: int) -> tuple[IntArray, IntArray]:
    if not indices:
        return np.zeros((1, 0), dtype=np.int64), np.zeros(n_variants, dtype=np.int64)
    if len(indices) == 1:
        found, which = _compact(indices[0], sizes[0])
        return found[:, None], which
    head, tail = indices[:-1], indices[-1]
    if np.prod([float(size) for size in sizes]) < _LARGEST_CODE:
        code = indices[0].astype(np.int64)
        for column, size in zip(indices[1:], sizes[1:], strict=True):
            code = code * size + column
        found, which = _compact(code, int(np.prod(sizes)))
        digits = np.empty((found.size, len(sizes)), dtype=np.int64)
        for k in range(len(sizes) - 1, -1, -1):
            found, digits[:, k] = np.divmod(found, sizes[k])
        return digits, which
    picks, which = _varying_combinations(head, sizes[:-1], n_variants)
    outer, pair = _varying_combinations([which, tail], [picks.shape[0], sizes[-1]], n_variants)
    return np.column_stack([picks[outer[:, 0]], outer[:, 1]]), pair


def _compact(codes: IntArray, limit: int) -> tuple[IntArray, IntArray]:
    """Sorted different codes and the place of each: by marking where the range is small, else by sorting."""
    if limit <= 8 * codes.size + 1024:
        seen = np.zeros(limit, dtype=np.int64)
        seen[codes] = 1
        rows = np.flatnonzero(seen)
        seen[rows] = np.arange(rows.size)
        return rows, seen[codes]
    rows, which = np.unique(codes, return_inverse=True)
    return rows, which.reshape(-1)
