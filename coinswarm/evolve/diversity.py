"""How different the genomes of a population are, and whether it is so low that random newcomers are needed."""

from __future__ import annotations

import numpy as np

from coinswarm.evolve.space import Scale
from coinswarm.evolve.state import Island
from coinswarm.types import FloatArray

COLUMN = 2
"""Where a generation's diversity stands in an island's history."""


def diversity(genomes: FloatArray, scale: Scale) -> float:
    """Mean spread of the genes: 0 when all genomes are equal, about 0.3 when they are uniform.

    Args:
        genomes: (n, n_dims) genes.
        scale: their scale; ordered dimensions give a standard deviation in the unit cube, the others the chance that two genomes differ.
    """
    unit = scale.unit(genomes)
    spread = unit.std(axis=0)
    for column in np.flatnonzero(scale.nominal):
        _, counts = np.unique(genomes[:, column], return_counts=True)
        spread[column] = 1.0 - ((counts / len(genomes)) ** 2).sum()
    return float(spread.mean()) if spread.size else 0.0


def fallen(island: Island, below: float) -> bool:
    """Whether the diversity of `island` is under `below` times that of its first generation."""
    if below <= 0 or not len(island.history):
        return False
    return bool(island.history[-1, COLUMN] < below * island.history[0, COLUMN])
