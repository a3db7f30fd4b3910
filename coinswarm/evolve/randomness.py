"""Random numbers addressed by what they are for, never by when they are drawn.

Each purpose on each island in each generation has a stream of its own (Salmon et al. 2011, Philox), so the same seed gives the same
numbers for any number of workers and any order of completion, and a resumed run has no random state to restore.
"""

from __future__ import annotations

from enum import IntEnum

import numpy as np
import numpy.typing as npt


class Purpose(IntEnum):
    """What a stream of random numbers is for; the numbers are part of every stored result and never change."""

    SAMPLE = 0
    PARENTS = 1
    CROSSOVER = 2
    MUTATION = 3
    REPAIR = 4
    NOVELTY = 5
    IMMIGRATION = 6
    TOPOLOGY = 7
    VARIANT_SEEDS = 8
    BASELINE = 9
    RACING = 10


def generator(seed: int, island: int, generation: int, purpose: Purpose, turn: int = 0) -> np.random.Generator:
    """The stream of `purpose` on `island` in `generation`, for its `turn`-th use: equal arguments give equal numbers, always."""
    return np.random.Generator(np.random.Philox(np.random.SeedSequence([seed, island, generation, int(purpose), turn])))


def variant_seeds(seed: int, island: int, generation: int, count: int) -> npt.NDArray[np.uint64]:
    """(count,) one seed a proposal: the i-th is word i of a Philox stream, so it depends on nothing but its address."""
    source = np.random.Philox(np.random.SeedSequence([seed, island, generation, int(Purpose.VARIANT_SEEDS), 0]))
    return np.asarray(source.random_raw(count), dtype=np.uint64)
