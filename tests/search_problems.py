"""Problems of the field with known answers, to test a search on: ZDT1, ZDT3, BNH, and a planted region in a space like that of a play."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coinswarm.evolve.settings import Objective
from coinswarm.evolve.space import Scale
from coinswarm.evolve.state import Results
from coinswarm.types import BoolArray, FloatArray

TWO_OBJECTIVES = (Objective(name="f1", direction="min"), Objective(name="f2", direction="min"))


@dataclass(frozen=True, kw_only=True, slots=True)
class Axis:
    """A dimension of a `Box`."""

    path: str
    kind: str = "float"
    choices: tuple[object, ...] = ()
    low: float = 0.0
    high: float = 1.0
    step: float | None = None
    log: bool = False


@dataclass(frozen=True, slots=True)
class Box:
    """A space without constraints: every genome on the grid is valid."""

    dimensions: tuple[Axis, ...]

    def sample(self, rng: np.random.Generator, n: int) -> FloatArray:
        """(n, n_dims) genomes, uniform on each dimension's scale."""
        scale = Scale.of(self.dimensions)
        return scale.genomes(rng.random((n, len(self.dimensions))))

    def valid(self, genomes: FloatArray) -> BoolArray:
        """(n,) whether every gene is within its bounds and on its grid."""
        snapped = Scale.of(self.dimensions).snap(genomes)
        return np.asarray(np.isclose(snapped, genomes, rtol=1e-12, atol=1e-12).all(axis=1))

    def repair(self, genomes: FloatArray, rng: np.random.Generator) -> FloatArray:
        """(n, n_dims) genomes clipped to the bounds and moved to the grid."""
        return Scale.of(self.dimensions).snap(genomes)

    def values(self, genomes: FloatArray) -> FloatArray:
        """(n, n_dims) the genes themselves: the axes of a box are numbers."""
        return np.array(genomes, dtype=np.float64)


def box(dims: int, low: float = 0.0, high: float = 1.0) -> Box:
    """A continuous box with equal bounds in all dimensions."""
    return Box(tuple(Axis(path=f"x{index}", low=low, high=high) for index in range(dims)))


def feasible(objectives: FloatArray) -> Results:
    """Results of (n, n_objectives) in which nothing failed and nothing was violated."""
    return Results(objectives=objectives, violation=np.zeros(len(objectives)), failed=np.zeros(len(objectives), dtype=np.bool_))


def zdt1(genomes: FloatArray) -> Results:
    """Two objectives with a convex front f2 = 1 - sqrt(f1) (Zitzler, Deb & Thiele 2000); usually 30 dimensions in [0, 1]."""
    f1, g = genomes[:, 0], 1.0 + 9.0 * genomes[:, 1:].mean(axis=1)
    return feasible(np.stack([f1, g * (1.0 - np.sqrt(f1 / g))], axis=1))


def zdt3(genomes: FloatArray) -> Results:
    """Two objectives with a front in five pieces (Zitzler, Deb & Thiele 2000); usually 30 dimensions in [0, 1]."""
    f1, g = genomes[:, 0], 1.0 + 9.0 * genomes[:, 1:].mean(axis=1)
    return feasible(np.stack([f1, g * (1.0 - np.sqrt(f1 / g) - f1 / g * np.sin(10.0 * np.pi * f1))], axis=1))


BNH_SPACE = Box((Axis(path="x", low=0.0, high=5.0), Axis(path="y", low=0.0, high=3.0)))


def bnh(genomes: FloatArray) -> Results:
    """Two objectives under two constraints (Binh & Korn 1997), on `BNH_SPACE`."""
    x, y = genomes.T
    objectives = np.stack([4.0 * x**2 + 4.0 * y**2, (x - 5.0) ** 2 + (y - 5.0) ** 2], axis=1)
    circle = np.maximum((x - 5.0) ** 2 + y**2 - 25.0, 0.0) / 25.0
    outside = np.maximum(7.7 - (x - 8.0) ** 2 - (y + 3.0) ** 2, 0.0) / 7.7
    return Results(objectives=objectives, violation=circle + outside, failed=np.zeros(len(genomes), dtype=np.bool_))


PLANTED_SPACE = Box(
    (
        Axis(path="fast", kind="int", low=2, high=100),
        Axis(path="slow", kind="int", low=10, high=400, log=True),
        Axis(path="threshold", low=5.0, high=95.0, step=0.5),
        Axis(path="stop", low=0.1, high=20.0, log=True),
        Axis(path="target", low=0.1, high=20.0, log=True),
        Axis(path="hold", kind="choice", choices=(6, 12, 24, 48, 96, 288)),
        Axis(path="source", kind="choice", choices=("close", "hl2", "hlc3", "ohlc4")),
        Axis(path="side", kind="choice", choices=("long", "short")),
    )
)
"""Eight parameters as a play has them: integers, a grid, ratios, ordered numbers and words."""


def planted(genomes: FloatArray, seed: int) -> Results:
    """One objective of (n, n_dims) genomes to maximise: a hill around a point drawn from `seed`, on a rugged floor.

    The words must be right for its full height.

    The region in `planted_region` covers less than one variant in ten thousand.
    """
    distance, right = _from_peak(genomes, seed)
    hill = np.exp(-3.0 * distance.mean(axis=1)) * (0.6 + 0.2 * right.sum(axis=1))
    rugged = 0.03 * np.sin(40.0 * distance).mean(axis=1)
    return feasible((hill + rugged)[:, None])


def planted_region(genomes: FloatArray, seed: int) -> BoolArray:
    """(n,) whether each genome lies in the region planted by `seed`: words right, every number within a sixth of its range."""
    distance, right = _from_peak(genomes, seed)
    return np.asarray(right.all(axis=1) & (distance <= 1.0 / 6.0).all(axis=1))


def _from_peak(genomes: FloatArray, seed: int) -> tuple[FloatArray, BoolArray]:
    """Distance of the ordered genes from the peak in the unit cube, and which of the words are right."""
    from coinswarm.evolve.space import Scale

    scale = Scale.of(PLANTED_SPACE.dimensions)
    peak = PLANTED_SPACE.sample(np.random.default_rng(seed), 1)
    numbers = ~scale.nominal
    distance = np.abs(scale.unit(genomes) - scale.unit(peak))[:, numbers]
    return distance, np.asarray(genomes[:, ~numbers] == peak[:, ~numbers])
