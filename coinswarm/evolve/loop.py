"""A whole search in this process: the same ask and tell that a cluster drives, for notebooks and tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from coinswarm.evolve.breeding import Identify, identify_genomes
from coinswarm.evolve.search import Search
from coinswarm.evolve.settings import SearchSettings
from coinswarm.evolve.space import SearchSpace
from coinswarm.evolve.state import Members, Results, State
from coinswarm.types import FloatArray

Evaluate = Callable[[FloatArray], Results]
"""(k, n_dims) genomes -> their scores, row for row."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """What a search found.

    Attributes:
        state: where it ended; it can be stored and looked into.
        reason: why it ended: generations, budget, converged or time.
        best: every scored member of the final populations, best first.
        front: the feasible ones that no other dominates.
        figures: (n, n_objectives) objectives of `best`, in the declared direction.
    """

    state: State
    reason: str
    best: Members
    front: Members
    figures: FloatArray


def run(
    space: SearchSpace,
    evaluate: Evaluate,
    settings: SearchSettings,
    *,
    identify: Identify = identify_genomes,
    warm: FloatArray | None = None,
    on_generation: Callable[[State], None] | None = None,
    clock: Callable[[], float] | None = None,
) -> Result:
    """Search `space` for what `evaluate` scores best.

    Args:
        space: the variants.
        evaluate: scores genomes that are not known yet; it is never called without any.
        settings: how to search.
        identify: names the variant behind each genome.
        warm: (n, n_dims) genomes to begin with.
        on_generation: called with the state whenever every island has completed one more generation.
        clock: seconds since some moment; needed for `max_seconds` to have an effect.

    Raises:
        ErrorBudgetSpent: too large a share of evaluations failed.
    """
    search = Search(space, settings, identify)
    state, began = search.start(warm), clock() if clock else 0.0
    while (reason := search.done(state, seconds=clock() - began if clock else 0.0)) is None:
        before = state.generation
        for island in search.ready(state):
            proposals = search.ask(state, island)
            genomes = proposals.genomes[proposals.todo]
            state = search.tell(state, proposals, evaluate(genomes) if len(genomes) else _nothing(settings))
        if on_generation and state.generation > before:
            on_generation(state)
    best = search.best(state)
    return Result(state=state, reason=reason, best=best, front=search.front(state), figures=search.figures(best))


def _nothing(settings: SearchSettings) -> Results:
    """Scores of no genomes."""
    return Results(objectives=np.empty((0, len(settings.objectives))), violation=np.empty(0), failed=np.empty(0, dtype=np.bool_))
