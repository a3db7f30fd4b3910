"""From what is significant to what is worth confirming: rules that beat each of their generalisations and add to those already chosen.

A real rule makes thousands of others significant: its parents, which contain it, and its children, which are a part of it. Source: Webb
2007 ("Discovering significant patterns"), productive rules; 2010 ("Self-sufficient itemsets"), what is left without the chosen ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from coinswarm.kernels.subgroups import Picks
from coinswarm.patterns import evidence
from coinswarm.patterns.table import CodedTrades
from coinswarm.types import BoolArray, IntArray

MAX_LOOKED_AT = 1000
"""Significant conjunctions that are looked at, best first; each costs a few milliseconds."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Chosen:
    """Places of the conjunctions that were chosen, best first, and what became of the others that were looked at."""

    places: tuple[int, ...]
    unproductive: int
    redundant: int
    unlooked: int


def choose(table: CodedTrades, picks: Picks, order: IntArray, *, limit: int, alpha: float, rng: np.random.Generator) -> Chosen:
    """Go through significant conjunctions, best first, and keep those that say something of their own.

    Args:
        table: the trades of the discovery segment.
        picks: (n, depth) conjunctions.
        order: (n_significant,) places of those that are significant, best first.
        limit: the most that are chosen.
        alpha: level of each single comparison.
        rng: source of the signs.
    """
    kept: list[int] = []
    taken = np.zeros(table.n_trades, dtype=np.bool_)
    unproductive = redundant = looked = 0
    for place in order[:MAX_LOOKED_AT].tolist():
        if len(kept) == limit:
            break
        looked += 1
        member = table.masks(picks[place : place + 1])[0]
        if not _adds(table, member, taken, alpha, rng):
            redundant += 1
        elif not is_productive(table, picks[place], alpha=alpha, rng=rng):
            unproductive += 1
        else:
            kept.append(place)
            taken |= member
    return Chosen(places=tuple(kept), unproductive=unproductive, redundant=redundant, unlooked=len(order) - looked)


def is_productive(table: CodedTrades, picks: np.ndarray, *, alpha: float, rng: np.random.Generator) -> bool:
    """Whether a (depth,) conjunction is better than the rest of each of its generalisations, at level alpha each."""
    member = table.masks(picks[None, :])[0]
    return all(_better(table, member, table.masks(wider)[0], alpha, rng) for wider in _generalisations(picks))


def _generalisations(picks: np.ndarray) -> Iterator[Picks]:
    """Every conjunction of some but not all of the conditions; the one without any is what significance was tested against."""
    own: Sequence[int] = picks[picks >= 0].tolist()
    for size in range(1, len(own)):
        for some in combinations(own, size):
            yield np.array([some], dtype=np.int32)


def _better(table: CodedTrades, member: BoolArray, among: BoolArray, alpha: float, rng: np.random.Generator) -> bool:
    sums = evidence.scored(member, among, table.coded.y, table.coded.block_of, table.n_blocks)
    return evidence.alone(sums, rng=rng) <= alpha


def _adds(table: CodedTrades, member: BoolArray, taken: BoolArray, alpha: float, rng: np.random.Generator) -> bool:
    """Whether its trades are good even without those of the chosen ones."""
    if not taken.any():
        return True
    left = ~taken
    return bool((member & left).any()) and _better(table, member, left, alpha, rng)
