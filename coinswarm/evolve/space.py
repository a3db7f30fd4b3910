"""What the search asks of a space of variants, and the scale on which operators work.

Operators work in the unit cube: each gene is mapped to [0, 1] (by its logarithm where the dimension says so), changed there, and mapped
back onto its grid. A choice among ascending numbers has an order and is moved along; a choice among words has none and is drawn anew.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from coinswarm import errors
from coinswarm.types import BoolArray, FloatArray


class SearchDimension(Protocol):
    """One axis of a space: genes are indices (choice), integers (int) or values (float)."""

    @property
    def path(self) -> str:
        """Where the parameter stands."""

    @property
    def kind(self) -> str:
        """One of choice, int and float."""

    @property
    def choices(self) -> Sequence[object]:
        """The settings a choice picks from."""

    @property
    def low(self) -> float | None:
        """Smallest gene of an int or float."""

    @property
    def high(self) -> float | None:
        """Largest gene of an int or float."""

    @property
    def step(self) -> float | None:
        """Distance of the grid from `low`; none or 0: continuous (float) or 1 (int)."""

    @property
    def log(self) -> bool:
        """Whether ratios count, not differences."""


class SearchSpace(Protocol):
    """A set of variants with genomes; `coinswarm.play.space.Space` is one."""

    @property
    def dimensions(self) -> Sequence[SearchDimension]:
        """The axes, in the order of the genes."""

    def sample(self, rng: np.random.Generator, n: int) -> FloatArray:
        """(n, n_dims) valid genomes."""

    def valid(self, genomes: FloatArray) -> BoolArray:
        """(n,) whether each genome lies on the grid and satisfies the constraints."""

    def repair(self, genomes: FloatArray, rng: np.random.Generator) -> FloatArray:
        """(n, n_dims) the nearest valid genomes that can be found."""

    def values(self, genomes: FloatArray) -> FloatArray:
        """(n, n_dims) the number each gene stands for."""


@dataclass(frozen=True, slots=True)
class Scale:
    """The map between genes and the unit cube, all dimensions at once.

    Attributes:
        low, high: (n_dims,) bounds of the genes.
        step: (n_dims,) distance of the grid; 0 for continuous dimensions.
        tens: (n_dims,) power of ten that makes whole numbers of the grid's points; 0 where none does.
        log: (n_dims,) True where the map is logarithmic.
        nominal: (n_dims,) True for choices without an order.
    """

    low: FloatArray
    high: FloatArray
    step: FloatArray
    tens: FloatArray
    log: BoolArray
    nominal: BoolArray

    @classmethod
    def of(cls, dimensions: Sequence[SearchDimension]) -> Scale:
        """The scale of `dimensions`; refuses bounds that are missing, reversed, or not positive on a log scale."""
        rows = [_bounds(dimension) for dimension in dimensions]
        low, high, step = (np.array([row[column] for row in rows], dtype=np.float64) for column in range(3))
        log = np.array([bool(dimension.log) and dimension.kind != "choice" for dimension in dimensions], dtype=np.bool_)
        nominal = np.array([dimension.kind == "choice" and not _ascending(dimension.choices) for dimension in dimensions], dtype=np.bool_)
        tens = np.array([_tens(start, size) for start, _, size in rows])
        return cls(low, high, step, tens, log, nominal)

    def gaps(self, genomes: FloatArray) -> FloatArray:
        """(n, n_dims) size of one step of the grid in the unit cube, at each gene; 0 for continuous dimensions."""
        low, high = self._ends()
        spread = np.where(high > low, high - low, np.inf)
        size = np.where(self.log, np.log1p(self.step / np.where(self.log, np.maximum(genomes, self.low), 1.0)), self.step)
        return np.asarray(size / spread)

    def unit(self, genomes: FloatArray) -> FloatArray:
        """(n, n_dims) genes mapped to [0, 1]; a dimension with a single value maps to 0."""
        low, high = self._ends()
        spread = np.where(high > low, high - low, 1.0)
        mapped = np.where(self.log, np.log(np.where(self.log, genomes, 1.0)), genomes)
        return np.asarray(np.clip((mapped - low) / spread, 0.0, 1.0))

    def genomes(self, unit: FloatArray) -> FloatArray:
        """(n, n_dims) points of the unit cube mapped to genes on the grid and within bounds."""
        low, high = self._ends()
        mapped = low + np.clip(unit, 0.0, 1.0) * (high - low)
        return self.snap(np.where(self.log, np.exp(np.where(self.log, mapped, 0.0)), mapped))

    def snap(self, genomes: FloatArray) -> FloatArray:
        """(n, n_dims) genes moved to the nearest point of their grid within bounds, rounded as it is written: 1 + 3 * 0.1 is 1.3."""
        clipped = np.clip(genomes, self.low, self.high)
        step = np.where(self.step > 0, self.step, 1.0)
        last = np.floor((self.high - self.low) / step + 1e-9)
        count = np.minimum(np.floor((clipped - self.low) / step + 0.5), last)
        points, tens = self.low + count * step, np.where(self.tens > 0, self.tens, 1.0)
        points = np.where(self.tens > 0, np.rint(points * tens) / tens, points)
        return np.asarray(np.where(self.step > 0, points, clipped))

    def _ends(self) -> tuple[FloatArray, FloatArray]:
        logs = [np.where(self.log, np.log(np.where(self.log, ends, 1.0)), ends) for ends in (self.low, self.high)]
        return logs[0], logs[1]


def _bounds(dimension: SearchDimension) -> tuple[float, float, float]:
    if dimension.kind == "choice":
        return 0.0, float(max(len(dimension.choices) - 1, 0)), 1.0
    low, high = dimension.low, dimension.high
    if low is None or high is None or not low <= high or (dimension.log and low <= 0):
        raise errors.InvalidArgument(f"{dimension.path} needs bounds low <= high, positive on a log scale", found=f"{low} to {high}")
    return float(low), float(high), float(dimension.step or (1.0 if dimension.kind == "int" else 0.0))


def _tens(low: float, step: float) -> float:
    """The power of ten that makes whole numbers of `low` and `step`; 0 when it would exceed 1e12."""
    for digits in range(13):
        tens = 10.0**digits
        if all(abs(number * tens - round(number * tens)) <= 1e-15 * abs(number) * tens for number in (low, step)):
            return tens
    return 0.0


def _ascending(choices: Sequence[object]) -> bool:
    numbers = [choice for choice in choices if isinstance(choice, int | float) and not isinstance(choice, bool)]
    return len(numbers) == len(choices) > 2 and all(a < b for a, b in itertools.pairwise(numbers))
