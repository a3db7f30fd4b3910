"""A quality-diversity archive: the best variant of each kind of behaviour, so that a run yields a library and not a hundred copies of one.

MAP-Elites (Mouret & Clune 2015). It is kept here, because an archive fed by islands in any order must end the same: ties go to the smaller
identity, and adding is commutative and idempotent. Cells are those of pyribs' grid, which is not imported: it loads scikit-learn, 1.7 s.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np
from pydantic import Field, model_validator

from coinswarm import config, errors
from coinswarm.evolve.state import Columns, Members, Names
from coinswarm.types import FloatArray, IntArray

_EPSILON = 1e-6
"""What pyribs adds before it rounds down, so that a bound between two cells is in the upper one whatever floats say."""


class Descriptor(config.Settings):
    """One axis of behaviour, cut into cells; what lies beyond its bounds belongs to the outermost cell."""

    name: Annotated[str, Field(min_length=1)]
    low: float
    high: float
    cells: Annotated[int, Field(ge=1, le=1000)] = 10
    log: bool = False

    @model_validator(mode="after")
    def _ordered(self) -> Descriptor:
        if not self.low < self.high or (self.log and self.low <= 0):
            raise errors.BadSetting(f"{self.name} needs low < high, positive on a log scale", found=f"{self.low} to {self.high}")
        return self


class Behaviour(config.Settings):
    """The axes of an archive."""

    descriptors: Annotated[tuple[Descriptor, ...], Field(min_length=1, max_length=6)]

    @property
    def cells(self) -> int:
        """Number of cells of the whole grid."""
        return int(np.prod([descriptor.cells for descriptor in self.descriptors]))


@dataclass(frozen=True, kw_only=True, slots=True)
class Archive(Columns):
    """The best variant found in each cell, by cell.

    Attributes:
        cells: (n,) sorted, distinct; index of the cell in the grid, the last descriptor running fastest.
        quality: (n,) higher is better.
        descriptors: (n, n_descriptors) behaviour.
        genomes: (n, n_dims).
        identities: (n,) S64.
        births: (n,) the proposal that carried it; see `lineage.births`.
    """

    cells: IntArray
    quality: FloatArray
    descriptors: FloatArray
    genomes: FloatArray
    identities: Names
    births: IntArray


def empty(behaviour: Behaviour, n_dims: int) -> Archive:
    """An archive in which nothing has been found yet."""
    return Archive(
        cells=np.empty(0, dtype=np.int64), quality=np.empty(0), descriptors=np.empty((0, len(behaviour.descriptors))),
        genomes=np.empty((0, n_dims)), identities=np.empty(0, dtype="S64"), births=np.empty(0, dtype=np.int64),
    )  # fmt: skip


def add(archive: Archive, behaviour: Behaviour, members: Members, quality: FloatArray, descriptors: FloatArray) -> Archive:
    """The archive after `members` were shown to it; no cell ever gets worse, and the order of showing changes nothing.

    Args:
        archive: what was found before.
        behaviour: its axes.
        members: scored variants; only feasible ones are kept.
        quality: (n,) higher is better; rows without a finite one are left out.
        descriptors: (n, n_descriptors) behaviour of each; rows with a NaN are left out.

    Raises:
        ShapeMismatch: quality or descriptors do not have a row for each member, or not one column for each axis.
    """
    expected = (len(members), len(behaviour.descriptors))
    if np.shape(descriptors) != expected or np.shape(quality) != expected[:1]:
        raise errors.ShapeMismatch(f"descriptors must have shape {expected}", found=f"{np.shape(descriptors)}, quality {np.shape(quality)}")
    rows = np.flatnonzero(members.feasible & np.isfinite(quality) & ~np.isnan(descriptors).any(axis=1))
    if not len(rows):
        return archive
    fresh = replace(
        archive, cells=cells(behaviour, descriptors[rows]), quality=np.asarray(quality, dtype=np.float64)[rows],
        descriptors=np.asarray(descriptors, dtype=np.float64)[rows], genomes=members.genomes[rows], identities=members.identities[rows],
        births=members.births[rows],
    )  # fmt: skip
    both = archive.join(fresh)
    ordered = both.take(np.lexsort((both.births, both.identities, -both.quality, both.cells)))
    _, first = np.unique(ordered.cells, return_index=True)
    return ordered.take(first)


def cells(behaviour: Behaviour, descriptors: FloatArray) -> IntArray:
    """(n,) the cell of each behaviour; beyond the bounds, the outermost."""
    axes = behaviour.descriptors
    low, high = np.array([axis.low for axis in axes]), np.array([axis.high for axis in axes])
    log = np.array([axis.log for axis in axes])
    bounded = np.clip(descriptors, low, high)
    scaled = np.where(log, np.log(np.where(log, bounded, 1.0)), bounded)
    ends = [np.where(log, np.log(np.where(log, end, 1.0)), end) for end in (low, high)]
    counts = np.array([axis.cells for axis in axes])
    places = ((counts * (scaled - ends[0]) + _EPSILON) / (ends[1] - ends[0])).astype(np.int64)
    return np.asarray(np.ravel_multi_index(tuple(np.clip(places, 0, counts - 1).T), tuple(counts)), dtype=np.int64)


def coverage(archive: Archive, behaviour: Behaviour) -> float:
    """Share of the cells in which something was found, in [0, 1]."""
    return len(archive) / behaviour.cells


def positions(archive: Archive, behaviour: Behaviour) -> IntArray:
    """(n, n_descriptors) where each variant stands on the grid: the index of its cell along each axis."""
    shape = tuple(descriptor.cells for descriptor in behaviour.descriptors)
    return np.stack(np.unravel_index(archive.cells, shape), axis=1).astype(np.int64)
