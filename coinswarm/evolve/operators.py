"""Crossover and mutation of whole populations at once, in the unit cube.

The definitions are the field's and DEAP's (`cxSimulatedBinaryBounded`, `cxBlend`, `cxUniform`, `mutPolynomialBounded`, `mutGaussian`;
Deb & Agrawal 1995, Eshelman & Schaffer 1993); tests hold the distributions against DEAP's. They are written over arrays because DEAP's run
one genome at a time: docs/decisions/0004 has the measurement.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from coinswarm.evolve.settings import Variation
from coinswarm.types import BoolArray, FloatArray

_CROSSOVERS = ("", "sbx", "blend", "uniform")
_MUTATIONS = ("", "polynomial", "gaussian")
SAMPLE, WARM, IMMIGRANT = 12, 13, 14
NAMES = ("copy", *(f"{c}+{m}".strip("+") for c in _CROSSOVERS for m in _MUTATIONS if c or m), "sample", "warm", "immigrant")
"""Operators by their code: code = 3 * crossover + mutation, then the three that need no parent."""


def mutation_code(variation: Variation) -> int:
    """The part of an operator's code that stands for its mutation."""
    return _MUTATIONS.index(variation.mutation)


def code(variation: Variation, crossed: BoolArray, mutated: BoolArray) -> npt.NDArray[np.int8]:
    """(n,) operator code of children that were crossed, mutated, both or neither."""
    crossover = _CROSSOVERS.index(variation.crossover) * crossed
    return np.asarray(3 * crossover + mutation_code(variation) * mutated, dtype=np.int8)


def cross(
    rng: np.random.Generator, left: FloatArray, right: FloatArray, variation: Variation, nominal: BoolArray
) -> tuple[FloatArray, FloatArray]:
    """Two children of each pair; genes of dimensions without order are exchanged, whatever the operator.

    Args:
        rng: the stream; the same number of draws whatever the genes.
        left: (n, n_dims) one parent of each pair, in the unit cube.
        right: (n, n_dims) the other.
        variation: kind and rates.
        nominal: (n_dims,) dimensions without order.
    """
    active = rng.random(left.shape) < variation.gene_rate
    swap = rng.random(left.shape) < 0.5
    draw = rng.random(left.shape)
    if variation.crossover == "sbx":
        first, second = _sbx(draw, left, right, variation.crossover_eta)
        first, second = np.where(swap, second, first), np.where(swap, first, second)
    elif variation.crossover == "blend":
        first, second = _blend(draw, left, right, variation.blend_alpha)
    else:
        first, second = right, left
    first, second = np.where(nominal, right, first), np.where(nominal, left, second)
    return np.where(active, first, left), np.where(active, second, right)


def _sbx(draw: FloatArray, left: FloatArray, right: FloatArray, eta: float) -> tuple[FloatArray, FloatArray]:
    """Simulated binary crossover within [0, 1] (Deb & Agrawal 1995; bounded as in Deb's NSGA-II)."""
    low, high = np.minimum(left, right), np.maximum(left, right)
    gap = np.maximum(high - low, 1e-14)
    below = 0.5 * ((low + high) - _spread(draw, 1.0 + 2.0 * low / gap, eta) * gap)
    above = 0.5 * ((low + high) + _spread(draw, 1.0 + 2.0 * (1.0 - high) / gap, eta) * gap)
    equal = high - low <= 1e-14
    return np.where(equal, left, np.clip(below, 0.0, 1.0)), np.where(equal, right, np.clip(above, 0.0, 1.0))


def _spread(draw: FloatArray, beta: FloatArray, eta: float) -> FloatArray:
    alpha = 2.0 - beta ** -(eta + 1.0)
    inner = draw <= 1.0 / alpha
    power = 1.0 / (eta + 1.0)
    scaled = draw * alpha
    return np.asarray(np.where(inner, scaled, 1.0 / (2.0 - np.where(inner, 1.0, scaled))) ** power)


def _blend(draw: FloatArray, left: FloatArray, right: FloatArray, alpha: float) -> tuple[FloatArray, FloatArray]:
    """BLX-alpha (Eshelman & Schaffer 1993): a point between the parents or up to alpha beyond, and its mirror image."""
    gamma = (1.0 + 2.0 * alpha) * draw - alpha
    first, second = (1.0 - gamma) * left + gamma * right, gamma * left + (1.0 - gamma) * right
    return np.clip(first, 0.0, 1.0), np.clip(second, 0.0, 1.0)


def mutate(
    rng: np.random.Generator, unit: FloatArray, variation: Variation, gap: FloatArray, nominal: BoolArray, *, forced: bool = False
) -> FloatArray:
    """Mutated genomes; a mutated gene on a grid moves by at least one step, one without order is drawn anew.

    Args:
        rng: the stream.
        unit: (n, n_dims) genomes in the unit cube.
        variation: kind and rates.
        gap: (n, n_dims) size of a grid step at each gene, in the unit cube; 0 for continuous dimensions.
        nominal: (n_dims,) dimensions without order.
        forced: whether at least one gene of each genome is mutated.
    """
    rate = variation.mutation_rate if variation.mutation_rate is not None else 1.0 / max(unit.shape[1], 1)
    active = rng.random(unit.shape) < rate
    chosen = rng.integers(0, unit.shape[1], size=len(unit))
    if forced:
        active[np.arange(len(unit)), chosen] = True
    draw = rng.random(unit.shape)
    if variation.mutation == "polynomial":
        moved = _polynomial(draw, unit, variation.mutation_eta)
    else:
        moved = unit + variation.mutation_sigma * rng.standard_normal(unit.shape)
    moved = _at_least_a_step(moved, unit, gap, draw < 0.5)
    moved = np.where(nominal, _redraw(rng.random(unit.shape), unit, gap), _reflect(moved))
    return np.asarray(np.where(active, moved, unit))


def _polynomial(draw: FloatArray, unit: FloatArray, eta: float) -> FloatArray:
    """Bounded polynomial mutation (Deb & Goyal 1996, as in Deb's NSGA-II and DEAP)."""
    lower = draw < 0.5
    reach = np.where(lower, 1.0 - unit, unit) ** (eta + 1.0)
    value = np.where(lower, 2.0 * draw + (1.0 - 2.0 * draw) * reach, 2.0 * (1.0 - draw) + 2.0 * (draw - 0.5) * reach)
    power = value ** (1.0 / (eta + 1.0))
    return np.asarray(unit + np.where(lower, power - 1.0, 1.0 - power))


def _at_least_a_step(moved: FloatArray, unit: FloatArray, gap: FloatArray, down: BoolArray) -> FloatArray:
    """Without this a small mutation of a coarse gene rounds back to where it was, and nothing happens."""
    short = np.abs(moved - unit) < gap
    direction = np.where((down & (unit > gap / 2)) | (unit > 1.0 - gap / 2), -1.0, 1.0)
    return np.where(short, unit + direction * gap, moved)


def _redraw(draw: FloatArray, unit: FloatArray, gap: FloatArray) -> FloatArray:
    """Another choice, each equally likely: an offset of 1 to k - 1 places around the ring of k."""
    places = np.rint(1.0 / np.where(gap > 0, gap, 1.0)) + 1.0
    here = np.rint(unit * (places - 1.0))
    there = (here + 1.0 + np.floor(draw * np.maximum(places - 1.0, 1.0))) % places
    return there / np.maximum(places - 1.0, 1.0)


def _reflect(values: FloatArray) -> FloatArray:
    """Values beyond an end turn back by as much, so that no mass piles up at the bounds."""
    return np.asarray(np.clip(np.where(values < 0, -values, np.where(values > 1, 2.0 - values, values)), 0.0, 1.0))
