"""Ranking, choice of parents and survival: NSGA-II with feasibility first, and a tournament on one objective.

Deb et al. 2002, "A fast and elitist multiobjective genetic algorithm: NSGA-II": a feasible variant beats an infeasible one, of two
infeasible ones the smaller violation wins (constrained domination), ties are broken by their crowding distance. Fronts come from
moocore. A failed variant is not a bad one: it stands last, never breeds, and is replaced by the first scored variant that comes along.
"""

from __future__ import annotations

import moocore
import numpy as np

from coinswarm.evolve.state import Members
from coinswarm.types import BoolArray, FloatArray, IntArray


def ranks(objectives: FloatArray, violation: FloatArray) -> IntArray:
    """(n,) front of each variant, 0 the best: feasible ones by domination, then infeasible ones by violation.

    Args:
        objectives: (n, n_objectives) minimised, finite.
        violation: (n,) 0 when feasible.
    """
    feasible = violation <= 0
    front = np.zeros(len(objectives), dtype=np.int64)
    if feasible.any():
        front[feasible] = moocore.pareto_rank(np.ascontiguousarray(objectives[feasible]))
    if not feasible.all():
        _, steps = np.unique(violation[~feasible], return_inverse=True)
        front[~feasible] = steps + (front[feasible].max() + 1 if feasible.any() else 0)
    return front


def crowding(objectives: FloatArray, front: IntArray) -> FloatArray:
    """(n,) crowding distance of each variant within its front; infinite at the ends of each objective (Deb 2002, section III-B)."""
    distance = np.zeros(len(objectives))
    for column in objectives.T:
        order = np.lexsort((column, front))
        values, groups = column[order], front[order]
        first, last = np.ones(len(order), dtype=np.bool_), np.ones(len(order), dtype=np.bool_)
        first[1:] = last[:-1] = groups[1:] != groups[:-1]
        starts, ends = np.flatnonzero(first), np.flatnonzero(last)
        spread = np.repeat(values[ends] - values[starts], ends - starts + 1)
        gaps = np.zeros(len(order))
        gaps[1:-1] = values[2:] - values[:-2]
        share = np.divide(gaps, spread, out=np.zeros_like(gaps), where=spread > 0)
        share[first | last] = np.inf
        distance[order] += share
    return distance


def order(members: Members) -> IntArray:
    """(n,) rows from best to worst: by front, then by crowding; repeats of an identity after all others, failed ones last."""
    group = np.zeros(len(members), dtype=np.int64)
    group[_repeats(members)] = 1
    group[members.failed] = 2
    first = np.flatnonzero(group == 0)
    front, distance = np.zeros(len(members), dtype=np.int64), np.zeros(len(members))
    if len(first):
        front[first] = ranks(members.objectives[first], members.violation[first])
        distance[first] = crowding(members.objectives[first], front[first])
    return np.asarray(np.lexsort((-distance, front, group)))


def elites(members: Members, count: int) -> IntArray:
    """(<= count,) rows no step may lose: the best feasible of each objective in turn, then the second best, and so on."""
    feasible = np.flatnonzero(members.feasible & ~_mask(_repeats(members), len(members)))
    columns = [feasible[np.argsort(members.objectives[feasible, m], kind="stable")] for m in range(members.objectives.shape[1])]
    turns = np.stack(columns, axis=1).ravel() if len(feasible) else feasible
    return _distinct(turns)[:count]


def survivors(parents: Members, children: Members, size: int, elitism: int) -> Members:
    """The best `size` of parents and children together, best first (the (mu + lambda) step of NSGA-II), elites certain to be among them."""
    both = parents.join(children)
    return both.take(_protect(order(both), elites(both, elitism), size))


def replacement(parents: Members, children: Members, size: int, elitism: int) -> Members:
    """The elites of the parents and then the best children: the next generation of a tournament, best first."""
    both = parents.join(children)
    kept = elites(parents, elitism)
    fresh = len(parents) + order(children)
    fresh = fresh[~np.isin(both.identities[fresh], parents.identities[kept])]
    good = fresh[~both.failed[fresh]]
    rest = np.concatenate([order(parents), len(parents) + order(children)])
    chosen = both.take(_distinct(np.concatenate([kept, good, rest]))[:size])
    return chosen.take(order(chosen))


def admit(members: Members, immigrants: Members, elitism: int) -> Members:
    """`members` with its worst replaced by `immigrants` that are new here, best first; the size stays, elites stay."""
    fresh = immigrants.take(~np.isin(immigrants.identities, members.identities))
    kept = members.take(_protect(order(members), elites(members, elitism), len(members) - len(fresh)))
    mixed = kept.join(fresh)
    return mixed.take(order(mixed))


def tournament(rng: np.random.Generator, contestants: int, count: int, size: int) -> IntArray:
    """(count,) winners of tournaments among the first `contestants` rows of a population that is sorted best first.

    In a sorted population the crowded comparison of NSGA-II is a comparison of positions.
    """
    return np.asarray(rng.integers(0, contestants, size=(count, size)).min(axis=1))


def dominates(left: Members, right: Members) -> BoolArray:
    """(n,) whether row i of `left` beats row i of `right` by constrained domination; a failed one beats none."""
    no_worse = (left.objectives <= right.objectives).all(axis=1)
    better = (left.objectives < right.objectives).any(axis=1)
    cleaner = left.violation < right.violation
    both_feasible = left.feasible & right.feasible
    won = np.where(both_feasible, no_worse & better, cleaner) | right.failed
    return np.asarray(won & ~left.failed)


def _protect(ordered: IntArray, protected: IntArray, size: int) -> IntArray:
    """The first `size` of `ordered`, with the protected ones that fell off in place of the last unprotected ones."""
    keep = _mask(protected, len(ordered))[ordered]
    room = max(size - int(keep.sum()), 0)
    return np.asarray(ordered[keep | (np.cumsum(~keep) <= room)][:size])


def _repeats(members: Members) -> IntArray:
    """Rows whose identity a scored earlier row already has."""
    ordered = np.lexsort((np.arange(len(members)), members.failed, members.identities))
    sorted_names = members.identities[ordered]
    return np.asarray(ordered[1:][sorted_names[1:] == sorted_names[:-1]])


def _distinct(rows: IntArray) -> IntArray:
    """`rows` without later repeats, in order."""
    _, first = np.unique(rows, return_index=True)
    return np.asarray(rows[np.sort(first)])


def _mask(rows: IntArray, size: int) -> BoolArray:
    mask = np.zeros(size, dtype=np.bool_)
    mask[rows] = True
    return mask
