"""The baseline of a search: random parameters at equal cost, from a random stream of their own."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coinswarm import check
from coinswarm.evolve import lineage, operators, randomness
from coinswarm.evolve.breeding import Identify, first_of_each, identify_genomes
from coinswarm.evolve.randomness import Purpose
from coinswarm.evolve.settings import SearchSettings
from coinswarm.evolve.space import SearchSpace
from coinswarm.evolve.state import Proposals, names
from coinswarm.types import FloatArray

ISLAND = 4096
"""The island number of random search in births: one above the last that a search can have."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """The best of evolution beside the best of a baseline, on one objective in its declared direction.

    Attributes:
        margin: by how much evolution is better; negative when it is worse, NaN when either found nothing feasible.
    """

    objective: str
    evolved: float
    baseline: float
    margin: float

    @property
    def beaten(self) -> bool:
        """Whether evolution was strictly better."""
        return self.margin > 0


def random_proposals(
    space: SearchSpace, settings: SearchSettings, chunk: int, count: int, identify: Identify = identify_genomes
) -> Proposals:
    """`count` random variants, the `chunk`-th lot; equal arguments give equal variants on every machine.

    Equal ones within the lot are evaluated once. To spend exactly what evolution spent, evaluate lots until as many `todo` rows are done.
    """
    check.at_least(chunk, "chunk", 0)
    check.within(count, "count", 1, 1 << 20)
    genomes = space.sample(randomness.generator(settings.seed, ISLAND, chunk, Purpose.BASELINE), count)
    identities = names(identify(genomes))
    copies = first_of_each(identities)
    return Proposals(
        island=ISLAND, generation=chunk, genomes=genomes, identities=identities, births=lineage.births(ISLAND, chunk, count),
        parents=np.full((count, 2), lineage.NO_PARENT, dtype=np.int64), parent_identities=np.full((count, 2), b"", dtype="S64"),
        operators=np.full(count, operators.SAMPLE, dtype=np.int8), seeds=randomness.variant_seeds(settings.seed, ISLAND, chunk, count),
        todo=np.flatnonzero(copies == np.arange(count)), copies=copies,
    )  # fmt: skip


def compare(settings: SearchSettings, evolved: FloatArray, baseline: FloatArray) -> tuple[Comparison, ...]:
    """Evolution against a baseline, objective by objective.

    Args:
        settings: names and directions of the objectives.
        evolved: (n_objectives,) best of each, in the declared direction; NaN where nothing was feasible.
        baseline: (n_objectives,) the same of the baseline at equal cost.
    """
    check.vector(evolved, "evolved", length=len(settings.objectives), finite=False)
    check.vector(baseline, "baseline", length=len(settings.objectives), finite=False)
    signs = [1.0 if objective.direction == "max" else -1.0 for objective in settings.objectives]
    rows = zip(settings.objectives, evolved, baseline, signs, strict=True)
    return tuple(
        Comparison(objective=objective.name, evolved=float(ours), baseline=float(theirs), margin=float(sign * (ours - theirs)))
        for objective, ours, theirs, sign in rows
    )
