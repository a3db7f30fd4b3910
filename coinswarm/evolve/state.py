"""The records of a search: scored members, what is known, islands, and the whole state. All frozen; a step returns new ones.

Objectives inside a state are *minimised* and finite: a figure to maximise is stored with its sign turned. Arrays are never written to.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, NamedTuple, Self

import numpy as np
import numpy.typing as npt

from coinswarm import errors
from coinswarm.types import BoolArray, FloatArray, IntArray

Names = npt.NDArray[np.bytes_]
"""Identities of variants, at most 64 ASCII characters each (`S64`)."""

MIGRATION_DTYPE = np.dtype([("generation", np.int64), ("source", np.int64), ("target", np.int64), ("birth", np.int64), ("identity", "S64")])
"""One copy that moved: before breeding which generation, from and to which island, and which variant."""

DROPPED = 1e100
"""Violations from here on are those of variants that lost a race on a part of the bars; any other variant's are smaller."""

_ALWAYS = np.iinfo(np.int64).max


@dataclass(frozen=True, kw_only=True, slots=True)
class Columns:
    """Arrays of equal length, one row a variant."""

    def __len__(self) -> int:
        """Number of rows."""
        return len(getattr(self, fields(self)[0].name))

    def take(self, rows: IntArray | BoolArray) -> Self:
        """The chosen rows, in the order asked for."""
        return replace(self, **{field.name: getattr(self, field.name)[rows] for field in fields(self)})

    def join(self, other: Self) -> Self:
        """These rows and then those of `other`."""
        joined: dict[str, Any] = {
            field.name: np.concatenate([getattr(self, field.name), getattr(other, field.name)]) for field in fields(self)
        }
        return replace(self, **joined)


@dataclass(frozen=True, kw_only=True, slots=True)
class Members(Columns):
    """Scored variants.

    Attributes:
        genomes: (n, n_dims) genes.
        identities: (n,) what the variant is, whatever its genome.
        births: (n,) key of the proposal that first carried it here or on another island; see `lineage.births`.
        objectives: (n, n_objectives) minimised, finite.
        violation: (n,) total violation of constraints, 0 when feasible.
        failed: (n,) True when it could not be scored; its objectives then mean nothing.
    """

    genomes: FloatArray
    identities: Names
    births: IntArray
    objectives: FloatArray
    violation: FloatArray
    failed: BoolArray

    @property
    def feasible(self) -> BoolArray:
        """(n,) scored, and every constraint satisfied."""
        return np.asarray(~self.failed & (self.violation <= 0))


@dataclass(frozen=True, kw_only=True, slots=True)
class Inbox:
    """Immigrants that wait at the border of an island until the results of its generation before are in."""

    epoch: int
    source: int
    members: Members


class StopDecision(NamedTuple):
    """Why the islands end, and after how many generations each."""

    reason: str
    generation: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Island:
    """One population and everything that decides its future.

    Attributes:
        generation: how many generations have their results.
        epoch: how many migrations have been absorbed.
        population: (island size) members, best first.
        own: scores learned here since the last migration it absorbed.
        outbox: copies to send, with the epoch they belong to; None when nothing is under way.
        inbox: copies received and not yet absorbed.
        evaluations, failures: proposals that were evaluated, and how many of those failed.
        reference: (n_objectives,) reference point of the hypervolume, from the first feasible members; NaN before.
        history: (generation, 4 + n_objectives) after each: evaluations, failures, diversity, hypervolume, best of each objective.
        credit: (n_operators, 3) children, children that survived, children that beat a parent.
    """

    index: int
    generation: int
    epoch: int
    population: Members
    own: Known
    outbox: Outbox | None
    inbox: Inbox | None
    evaluations: int
    failures: int
    reference: FloatArray
    history: FloatArray
    credit: IntArray

    def without_scores(self) -> Island:
        """The island without what it knows of past variants."""
        return replace(self, own=self.own.take(np.empty(0, dtype=np.int64)))


@dataclass(frozen=True, kw_only=True, slots=True)
class State:
    """A search at rest: with the space, the settings and the scores to come, it decides all that follows.

    Attributes:
        settings_hash: content hash of the settings it belongs to.
        islands: one record an island.
        shared: scores that all islands may see, once they have absorbed the epoch in which each was published.
        migrations: (n,) `MIGRATION_DTYPE`, by generation, target and source.
        stop: set when the islands have agreed to end.
        warm: (n, n_dims) genomes given at the start, which the first generations begin with.
    """

    settings_hash: str
    islands: tuple[Island, ...]
    shared: Known
    migrations: npt.NDArray[np.void]
    stop: StopDecision | None
    warm: FloatArray

    @property
    def generation(self) -> int:
        """Generations that every island has completed."""
        return min(island.generation for island in self.islands)

    @property
    def evaluations(self) -> int:
        """Proposals evaluated so far, on all islands."""
        return sum(island.evaluations for island in self.islands)

    @property
    def failures(self) -> int:
        """Evaluations that failed so far, on all islands."""
        return sum(island.failures for island in self.islands)

    @property
    def distinct(self) -> int:
        """Different variants evaluated so far: the true number of trials."""
        parts = sorted([self.shared, *(island.own for island in self.islands)], key=len)
        most, rest = parts[-1], np.unique(np.concatenate([part.identities for part in parts[:-1]]))
        return len(most) + int((~most.find(rest)[0]).sum())

    def with_island(self, island: Island) -> State:
        """The same state with one island replaced."""
        return replace(self, islands=tuple(island if island.index == other.index else other for other in self.islands))

    def without_scores(self) -> State:
        """The state without the scores of past variants, which grow with every generation; `Search.recall` gives them back."""
        return replace(
            self, islands=tuple(island.without_scores() for island in self.islands), shared=self.shared.take(np.empty(0, dtype=np.int64))
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Known(Columns):
    """Scores of variants by identity, sorted by it: what need not be evaluated again.

    Attributes:
        identities: (n,) sorted, distinct.
        objectives, violation, failed: as in `Members`.
        epochs: (n,) the migration with which each became visible beyond its island.
    """

    identities: Names
    objectives: FloatArray
    violation: FloatArray
    failed: BoolArray
    epochs: IntArray

    def find(self, identities: Names, epoch: int = _ALWAYS) -> tuple[BoolArray, IntArray]:
        """Which identities are known by `epoch`, (n,) bool, and in which row, (n,) int (0 where not)."""
        if len(self) == 0:
            return np.zeros(len(identities), dtype=np.bool_), np.zeros(len(identities), dtype=np.int64)
        order = np.argsort(identities)  # neighbours in memory: 3 times faster on a million known variants
        rows = np.empty(len(identities), dtype=np.int64)
        rows[order] = np.minimum(np.searchsorted(self.identities, identities[order]), len(self) - 1)
        return np.asarray((self.identities[rows] == identities) & (self.epochs[rows] <= epoch)), rows

    def merge(self, other: Known) -> Known:
        """These and those of `other` that are new, each identity once; of several equal ones in `other` the earliest epoch wins.

        Within an epoch islands may disagree where variants are raced; then the one that was scored on more wins, by its violation.
        """
        fresh = other.take(~self.find(other.identities)[0])
        order = np.lexsort((fresh.violation, fresh.epochs, fresh.identities))
        fresh = fresh.take(order[_first(fresh.identities[order])])
        places = np.searchsorted(self.identities, fresh.identities)
        columns: dict[str, Any] = {
            field.name: np.insert(getattr(self, field.name), places, getattr(fresh, field.name), axis=0) for field in fields(self)
        }
        return replace(self, **columns)


@dataclass(frozen=True, kw_only=True, slots=True)
class Outbox:
    """What an island publishes at a migration: copies of its best, and whether it has stopped making progress."""

    epoch: int
    members: Members
    stagnant: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Proposals:
    """Children of one island that wait for their scores.

    Attributes:
        island, generation: where they belong; a `tell` out of turn is refused.
        genomes: (n, n_dims) valid genomes.
        identities: (n,) S64.
        births: (n,) key of each proposal, unique in the run; see `lineage.births`.
        parents: (n, 2) births of the parents, -1 where there is none.
        parent_identities: (n, 2) S64, empty where there is none.
        operators: (n,) index into `operators.NAMES`.
        seeds: (n,) uint64, a seed for whatever is random in the evaluation of each.
        todo: (k,) rows that must be evaluated; the others repeat a variant whose score is known or another row.
        copies: (n,) the row whose score each one takes: itself, or an earlier equal one.
    """

    island: int
    generation: int
    genomes: FloatArray
    identities: Names
    births: IntArray
    parents: IntArray
    parent_identities: Names
    operators: npt.NDArray[np.int8]
    seeds: npt.NDArray[np.uint64]
    todo: IntArray
    copies: IntArray

    @property
    def distinct(self) -> int:
        """Different variants among the proposals, known ones included."""
        return int(np.unique(self.identities).size)


@dataclass(frozen=True, kw_only=True, slots=True)
class Results:
    """The scores of `proposals.todo`, in that order.

    Attributes:
        objectives: (k, n_objectives) in the direction that the settings declare; NaN counts as the worst, infinities are clipped.
        violation: (k,) total violation of constraints, >= 0; 0 when feasible.
        failed: (k,) True where no score could be made.
    """

    objectives: FloatArray
    violation: FloatArray
    failed: BoolArray


def names(identities: Sequence[str]) -> Names:
    """(n,) S64 of identities; refuses the empty, the longer than 64 characters and the not ASCII, which could collide."""
    try:
        array = np.array(identities, dtype=np.bytes_)
    except UnicodeEncodeError as error:
        raise errors.InvalidArgument("an identity must be ASCII", found=error.object[:20]) from error
    if array.size and (array.dtype.itemsize > 64 or np.any(array == b"")):
        raise errors.InvalidArgument("an identity must have 1 to 64 characters", found=f"up to {array.dtype.itemsize}")
    return array.astype("S64")


def _first(ordered: Names) -> BoolArray:
    """(n,) True for the first of each run of equal values."""
    first = np.ones(len(ordered), dtype=np.bool_)
    first[1:] = ordered[1:] != ordered[:-1]
    return first
