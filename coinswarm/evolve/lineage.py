"""Ancestry of variants, and what each operator is worth.

A proposal's birth is one integer: island (from bit 44), generation (24 bits) and index (20 bits). It names the proposal in every table,
is known before the proposal is evaluated, and tells on which island a variant was born after its copies have moved.
"""

from __future__ import annotations

import numpy as np

from coinswarm.evolve import operators, selection
from coinswarm.evolve.state import Members, Proposals
from coinswarm.types import BoolArray, IntArray

NO_PARENT = -1


def births(island: int, generation: int, count: int) -> IntArray:
    """(count,) keys of the proposals of one generation of one island."""
    return np.int64(island << 44 | generation << 20) + np.arange(count, dtype=np.int64)


def birth(key: int) -> tuple[int, int, int]:
    """Island, generation and index of the proposal with this key."""
    return key >> 44, (key >> 20) & 0xFFFFFF, key & 0xFFFFF


def award(proposals: Proposals, children: Members, parents: Members, survivors: IntArray) -> IntArray:
    """(n_operators, 3) children, survivors and children that dominate a parent, of one generation.

    Args:
        proposals: the generation.
        children: its scored members, row for row.
        parents: the population that they are children of.
        survivors: (n_survivors,) births of the population that follows.
    """
    columns = [np.ones(len(children), dtype=np.bool_), np.isin(children.births, survivors), _better(proposals, children, parents)]
    size = len(operators.NAMES)
    return np.stack([np.bincount(proposals.operators[column], minlength=size) for column in columns], axis=1).astype(np.int64)


def _better(proposals: Proposals, children: Members, parents: Members) -> BoolArray:
    order = np.argsort(parents.births, kind="stable")
    better = np.zeros(len(children), dtype=np.bool_)
    for column in range(proposals.parents.shape[1] if len(parents) else 0):
        known = proposals.parents[:, column] != NO_PARENT
        rows = order[np.minimum(np.searchsorted(parents.births[order], proposals.parents[:, column]), len(parents) - 1)]
        better |= known & selection.dominates(children, parents.take(rows))
    return better
