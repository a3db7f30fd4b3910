"""Groups of dimensions that constraints tie together: listed when small, otherwise drawn, rejected and repaired."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from coinswarm import errors
from coinswarm.play.constraint import Expression, ParameterConstraint, evaluate
from coinswarm.play.dimension import Dimension
from coinswarm.play.expressions import Arithmetic, Literal, Slot
from coinswarm.types import BoolArray, FloatArray, IntArray

TABLE_LIMIT = 200_000
_ROUNDS = 24
_MEND_ROUNDS = 60
_CANDIDATES = 12
_PROBES = 256
_HOPELESS = 0.97  # rejection that keeps less than 3 % is slower than repair


def values(dimensions: Sequence[Dimension], genomes: FloatArray) -> FloatArray:
    """(n_variants, n_dims) the number each gene stands for; a choice's gene is read as the nearest index."""
    out = genomes.copy()
    for column, dimension in enumerate(dimensions):
        if dimension.kind == "choice":
            index = np.clip(np.nan_to_num(genomes[:, column]), 0, dimension.high)
            out[:, column] = dimension.numbers[np.rint(index).astype(np.int64)]
    return out


@dataclass(frozen=True, eq=False)
class Group:
    """Dimensions that can be drawn without looking at any other.

    Attributes:
        columns: (k,) their places in a genome.
        dimensions: the k dimensions.
        constraints: what ties them, with slots counted within the group.
    """

    columns: IntArray
    dimensions: tuple[Dimension, ...]
    constraints: tuple[ParameterConstraint, ...]

    @cached_property
    def grid_size(self) -> float:
        """How many genomes there are before constraints; infinite with real numbers."""
        return math.prod(dimension.size for dimension in self.dimensions)

    @cached_property
    def table(self) -> FloatArray | None:
        """(n_valid, k) every valid genome of a constrained group, or None where it is free or too large to list."""
        if not self.constraints or self.grid_size > TABLE_LIMIT:
            return None
        if not self.dimensions:
            return np.empty((int(self.excess(np.empty((1, 0)))[0] == 0.0), 0))
        index = np.indices([int(dimension.size) for dimension in self.dimensions]).reshape(len(self.dimensions), -1)
        columns = [dimension.grid(row.astype(np.float64)) for dimension, row in zip(self.dimensions, index, strict=True)]
        grid = np.stack(columns, axis=1)
        return grid[self.excess(grid) == 0.0]

    @cached_property
    def _cumulative(self) -> FloatArray:
        """(n_valid,) the odds of the table's rows, added up: even, but even on a logarithmic scale where a range asks for it."""
        assert self.table is not None  # noqa: S101 - callers look first
        weights = np.ones(len(self.table))
        for column, dimension in enumerate(self.dimensions):
            if dimension.log:
                weights /= self.table[:, column]
        total = np.cumsum(weights)
        return total / total[-1]

    @property
    def size(self) -> float:
        """How many valid genomes there are; where they cannot be listed, how many there are before constraints."""
        return self.grid_size if self.table is None else len(self.table)

    @property
    def feasible(self) -> bool:
        """Whether a valid genome exists (for groups too large to list: whether one was found)."""
        if not self.constraints:
            return True
        return len(self.table) > 0 if self.table is not None else self._known is not None

    @cached_property
    def _known(self) -> FloatArray | None:
        """(k,) one valid genome, looked for with a fixed seed; None when none was found."""
        rng = np.random.default_rng(20_240_101)
        rows = self._mended(self._free(rng, _PROBES), rng)
        valid = rows[self.excess(rows) == 0.0]
        return valid[0] if len(valid) else None

    def excess(self, genes: FloatArray) -> FloatArray:
        """(n,) how far each row is from keeping all constraints, 0.0 where it keeps them."""
        numbers = values(self.dimensions, genes)
        total = np.zeros(len(genes))
        for constraint in self.constraints:
            total += constraint.excess(numbers)
        return total

    def _excesses(self, genes: FloatArray) -> FloatArray:
        numbers = values(self.dimensions, genes)
        return np.stack([constraint.excess(numbers) for constraint in self.constraints], axis=1)

    def _free(self, rng: np.random.Generator, n: int) -> FloatArray:
        genes = np.empty((n, len(self.dimensions)))
        for column, dimension in enumerate(self.dimensions):
            genes[:, column] = dimension.draw(rng, n)
        return genes

    def draw(self, rng: np.random.Generator, n: int) -> FloatArray:
        """(n, k) valid rows.

        Raises:
            InvalidArgument: there is no valid row.
        """
        if not self.constraints:
            return self._free(rng, n)
        self._require()
        if self.table is not None:
            return self.table[np.searchsorted(self._cumulative, rng.random(n), side="right")]
        genes = self._free(rng, n)
        for _ in range(_ROUNDS):
            bad = np.flatnonzero(self.excess(genes) > 0.0)
            if bad.size == 0 or bad.size > _HOPELESS * n > _PROBES:
                break
            genes[bad] = self._free(rng, bad.size)
        return self.mend(genes, rng)

    def mend(self, genes: FloatArray, rng: np.random.Generator) -> FloatArray:
        """(n, k) valid rows near the given ones, which must be on their dimensions' grids; a row past mending is replaced."""
        if not self.constraints or not (self.excess(genes) > 0.0).any():
            return genes
        self._require()
        fixed = self._mended(genes.copy(), rng)
        lost = np.flatnonzero(self.excess(fixed) > 0.0)
        if lost.size:
            fixed[lost] = self.draw(rng, lost.size) if self.table is not None else self._known
        return fixed

    def _require(self) -> None:
        if not self.feasible:
            rules = "; ".join(constraint.text for constraint in self.constraints)
            raise errors.InvalidArgument("a space must have a valid variant", found=f"none keeps {rules}")

    def _mended(self, genes: FloatArray, rng: np.random.Generator) -> FloatArray:
        """Redraw one gene of each broken row a round, taking the candidate that breaks least (min-conflicts, Minton et al. 1992)."""
        for _ in range(_MEND_ROUNDS):
            broken = self._excesses(genes)
            bad = np.flatnonzero(broken.sum(axis=1) > 0.0)
            if bad.size == 0:
                break
            pick = self._blamed(broken[bad] > 0.0, rng)
            for column in range(len(self.dimensions)):
                rows = bad[pick == column]
                if rows.size:
                    genes[rows, column] = self._better(genes[rows], column, rng)
        return genes

    @cached_property
    def _involved(self) -> FloatArray:
        """(n_constraints, k) 1.0 where a constraint speaks of a dimension."""
        table = np.zeros((len(self.constraints), len(self.dimensions)))
        for row, constraint in enumerate(self.constraints):
            table[row, list(constraint.slots)] = 1.0
        return table

    def _blamed(self, broken: BoolArray, rng: np.random.Generator) -> IntArray:
        """(n,) for each row a random dimension, the likelier the more broken constraints speak of it."""
        blame = broken.astype(np.float64) @ self._involved
        return np.argmax(blame * rng.random(blame.shape), axis=1)

    def _better(self, rows: FloatArray, column: int, rng: np.random.Generator) -> FloatArray:
        """(n,) the best gene found for one dimension of each row; the present one where nothing is better."""
        dimension = self.dimensions[column]
        n = len(rows)
        candidates = [rows[:, column], *dimension.draw(rng, n * _CANDIDATES).reshape(_CANDIDATES, n)]
        if dimension.kind != "choice":
            candidates += [dimension.snap(guess) for constraint in self.constraints for guess in self._aimed(rows, column, constraint, rng)]
        genes = np.stack(candidates)
        trial = np.repeat(rows[None, :, :], len(genes), axis=0)
        trial[:, :, column] = genes
        numbers = values(self.dimensions, trial.reshape(-1, rows.shape[1]))
        cost = np.sum([c.excess(numbers) for c in self.constraints if column in c.slots], axis=0).reshape(len(genes), n)
        return genes[np.argmin(cost, axis=0), np.arange(n)]

    def _aimed(self, rows: FloatArray, column: int, constraint: ParameterConstraint, rng: np.random.Generator) -> list[FloatArray]:
        """Genes at which a constraint turns, by one secant step, and random ones to either side of it."""
        if column not in constraint.slots:
            return []
        dimension = self.dimensions[column]
        here = rows[:, column]
        far = np.where(here - dimension.low > dimension.high - here, dimension.low, dimension.high)
        with np.errstate(all="ignore"):
            first, second = self._gap(rows, column, here, constraint), self._gap(rows, column, far, constraint)
            turn = np.clip(np.nan_to_num(here - first * (far - here) / (second - first), nan=dimension.low), dimension.low, dimension.high)
        down = turn - (turn - dimension.low) * rng.random(len(rows))
        up = turn + (dimension.high - turn) * rng.random(len(rows))
        return [turn, turn - dimension.step, turn + dimension.step, down, up]

    def _gap(self, rows: FloatArray, column: int, genes: FloatArray, constraint: ParameterConstraint) -> FloatArray:
        trial = rows.copy()
        trial[:, column] = genes
        numbers = values(self.dimensions, trial)
        return evaluate(constraint.left, numbers) - evaluate(constraint.right, numbers)

    def rows(self, index: IntArray) -> FloatArray:
        """(n, k) the valid rows at these places of the list.

        Raises:
            InvalidArgument: the group is too large to list.
        """
        if self.table is not None:
            return self.table[index]
        if self.constraints:
            raise errors.InvalidArgument("a constrained space can be listed when it is small", found=f"{self.grid_size:.0f} combinations")
        return self.dimensions[0].grid(index.astype(np.float64))[:, None]


def split(dimensions: Sequence[Dimension], constraints: Sequence[ParameterConstraint]) -> tuple[Group, ...]:
    """The groups of a space, ordered by their first dimension; constraints without a dimension come as groups of none."""
    owner = list(range(len(dimensions)))
    for constraint in constraints:
        merged = {owner[slot] for slot in constraint.slots}
        owner = [min(merged) if mark in merged else mark for mark in owner]
    groups = [_group(dimensions, constraints, [i for i, mark in enumerate(owner) if mark == root]) for root in sorted(set(owner))]
    fixed = tuple(constraint for constraint in constraints if not constraint.slots)
    if fixed:
        groups.append(Group(np.empty(0, dtype=np.int64), (), fixed))
    return tuple(groups)


def _group(dimensions: Sequence[Dimension], constraints: Sequence[ParameterConstraint], columns: list[int]) -> Group:
    places = {column: place for place, column in enumerate(columns)}
    own = [
        replace(c, left=_moved(c.left, places), right=_moved(c.right, places)) for c in constraints if c.slots and c.slots <= set(columns)
    ]
    return Group(np.array(columns, dtype=np.int64), tuple(dimensions[column] for column in columns), tuple(own))


def _moved(expression: Expression, places: dict[int, int]) -> Expression:
    if isinstance(expression, Arithmetic):
        left, right = (_moved(side, places) for side in (expression.left, expression.right) if isinstance(side, (Literal, Arithmetic)))
        return Arithmetic(expression.operator, left, right)
    return Literal(Slot(places[expression.value.index])) if isinstance(expression.value, Slot) else expression


def enumerate_grid(found: Sequence[Group], width: int, limit: int) -> FloatArray:
    """(at most limit, width) the valid genomes in a fixed order, the last group changing fastest."""
    total = math.prod(int(group.size) for group in found)
    index = np.arange(min(total, limit), dtype=np.int64)
    genomes = np.empty((len(index), width))
    for group in reversed(found):
        size = int(group.size)
        genomes[:, group.columns] = group.rows(index % size) if len(group.columns) else 0.0
        index = index // size
    return genomes
