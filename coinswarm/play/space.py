"""The space of a play's variants: dimensions, the constraints between them, and genomes that keep both.

A genome is a row of genes, one a dimension. Constraints split the dimensions into groups that do not speak of each other. A group whose
grid is small is listed once and drawn from that list, so that even tight constraints cost nothing; a group that is too large or has
real numbers is drawn, rejected, and repaired gene by gene.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from coinswarm import errors
from coinswarm.play import groups
from coinswarm.play.constraint import ParameterConstraint
from coinswarm.play.dimension import Dimension, Value
from coinswarm.types import BoolArray, FloatArray


@dataclass(frozen=True)
class Space:
    """All variants of a play.

    Attributes:
        dimensions: what varies, in the order of the genes.
        constraints: what every variant keeps.
    """

    dimensions: tuple[Dimension, ...] = ()
    constraints: tuple[ParameterConstraint, ...] = ()

    def __len__(self) -> int:
        return len(self.dimensions)

    def __bool__(self) -> bool:
        return True

    @property
    def size(self) -> float:
        """How many variants there are, an `int`, or infinite with real numbers. Exact unless `size_is_bound`."""
        total: float = 1
        for group in self._groups:
            total *= group.size
        return total if math.isinf(total) else int(total)

    @property
    def size_is_bound(self) -> bool:
        """Whether `size` counts variants that break constraints too, because they are too many to list."""
        return any(group.constraints and group.table is None for group in self._groups)

    @property
    def is_empty(self) -> bool:
        """Whether no variant keeps the constraints (for spaces too large to list: none could be found)."""
        return any(not group.feasible for group in self._groups)

    @cached_property
    def _groups(self) -> tuple[groups.Group, ...]:
        return groups.split(self.dimensions, self.constraints)

    def values(self, genomes: FloatArray) -> FloatArray:
        """(n_variants, n_dims) the number each gene stands for: a choice of numbers gives the number, a choice of words its index.

        Raises:
            ShapeMismatch: the genomes do not have one gene a dimension.
        """
        rows = self._rows(genomes)
        return groups.values(self.dimensions, rows)

    def valid(self, genomes: FloatArray) -> BoolArray:
        """(n_variants,) whether each genome is in the space and keeps the constraints. NaN genes are not."""
        rows = self._rows(genomes)
        inside = np.ones(len(rows), dtype=np.bool_)
        for column, dimension in enumerate(self.dimensions):
            inside &= dimension.contains(rows[:, column])
        if self.constraints and inside.any():
            kept = groups.values(self.dimensions, rows[inside])
            inside[inside] = np.logical_and.reduce([constraint.holds(kept) for constraint in self.constraints])
        return inside

    def sample(self, rng: np.random.Generator, n: int) -> FloatArray:
        """(n, n_dims) valid genomes, drawn evenly where the constrained part can be listed or rejection suffices.

        Raises:
            InvalidArgument: n is negative, or no variant is valid.
        """
        if n < 0:
            raise errors.InvalidArgument("a sample has at least 0 variants", found=n)
        genomes = np.empty((n, len(self.dimensions)))
        for group in self._groups:
            genomes[:, group.columns] = group.draw(rng, n)
        return genomes

    def repair(self, genomes: FloatArray, rng: np.random.Generator) -> FloatArray:
        """(n_variants, n_dims) valid genomes near the given ones; valid genomes come back as they are.

        Genes are moved to the nearest allowed value first, then as few as possible are redrawn until the constraints hold.

        Raises:
            InvalidArgument: no variant is valid.
            ShapeMismatch: the genomes do not have one gene a dimension.
        """
        fixed = self._rows(genomes).copy()
        for column, dimension in enumerate(self.dimensions):
            fixed[:, column] = dimension.snap(fixed[:, column])
        for group in self._groups:
            fixed[:, group.columns] = group.mend(fixed[:, group.columns], rng)
        return fixed

    def enumerate(self, limit: int) -> FloatArray:
        """(at most limit, n_dims) all valid genomes in a fixed order.

        Raises:
            InvalidArgument: a dimension has no step, or a constrained group is too large to list.
        """
        for dimension in self.dimensions:
            if math.isinf(dimension.size):
                raise errors.InvalidArgument("a space can be listed when every range has a step", found=dimension.path)
        return groups.enumerate_grid(self._groups, len(self.dimensions), limit)

    def decode(self, genome: FloatArray) -> dict[str, Value]:
        """Parameter name to value of one genome, words as words.

        Raises:
            ShapeMismatch: not one gene a dimension.
            InvalidArgument: a gene is outside its dimension.
        """
        row = self._rows(np.atleast_2d(np.asarray(genome, dtype=np.float64)))
        if len(row) != 1:
            raise errors.ShapeMismatch("one genome is decoded at a time", found=len(row))
        for column, dimension in enumerate(self.dimensions):
            if not dimension.contains(row[:, column])[0]:
                raise errors.InvalidArgument(f"the gene of {dimension.path} must stand for {dimension.text()}", found=float(row[0, column]))
        return {dimension.path: dimension.decode(float(gene)) for dimension, gene in zip(self.dimensions, row[0], strict=True)}

    def encode(self, settings: Mapping[str, Value], base: FloatArray | None = None) -> FloatArray:
        """(n_dims,) the genome with these parameter values; what is not named comes from `base`.

        Raises:
            InvalidArgument: a name or value that the space does not have, a dimension left open, or a broken constraint.
        """
        places = {dimension.path: column for column, dimension in enumerate(self.dimensions)}
        for name in settings:
            if name not in places:
                near = errors.nearest(name, places) or tuple(places)[:6]
                raise errors.InvalidArgument(
                    "a parameter must be one the play varies", found=repr(name), hint=f"there is {', '.join(near) or 'none'}"
                )
        missing = [path for path in places if path not in settings]
        if missing and base is None:
            raise errors.InvalidArgument("every parameter needs a value", hint=f"missing: {', '.join(missing)}")
        genome = np.zeros(len(places)) if base is None else self._rows(np.atleast_2d(base))[0].copy()
        for name, value in settings.items():
            genome[places[name]] = self.dimensions[places[name]].encode(value)
        return self._kept(genome)

    def _kept(self, genome: FloatArray) -> FloatArray:
        row = groups.values(self.dimensions, genome[None, :])
        for constraint in self.constraints:
            if not constraint.holds(row)[0]:
                raise errors.InvalidArgument(f"a variant keeps {constraint.text or 'its constraints'}", found=str(self.decode(genome)))
        return genome

    def _rows(self, genomes: FloatArray) -> FloatArray:
        rows = np.asarray(genomes, dtype=np.float64)
        if rows.ndim != 2 or rows.shape[1] != len(self.dimensions):
            raise errors.ShapeMismatch(f"genomes must be (n_variants, {len(self.dimensions)})", found=f"shape {rows.shape}")
        return rows
