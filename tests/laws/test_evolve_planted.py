"""The search finds a planted region with at most a tenth of what random search needs.

Seen over 100 seeds: found in all, after 320 evaluations in the median and at most 700; random search needs 15,000 on average.
"""

from __future__ import annotations

import numpy as np

from coinswarm.evolve import Objective, Search, SearchSettings
from tests import search_problems as problems

SEEDS = 40
SPACE = problems.PLANTED_SPACE
DRAWN = SPACE.sample(np.random.default_rng(1), 100_000)


def random_evaluations(seed):
    """How many random variants it takes on average to meet the region planted by `seed`; estimated low, against the search."""
    return len(DRAWN) / (problems.planted_region(DRAWN, seed).sum() + 1.0)


def evaluations_until_found(seed):
    search = Search(SPACE, SearchSettings(population=60, islands=2, generations=60, objectives=(Objective(name="good"),), seed=seed))
    state = search.start()
    while search.done(state) is None:
        for island in search.ready(state):
            proposals = search.ask(state, island)
            genomes = proposals.genomes[proposals.todo]
            state = search.tell(state, proposals, problems.planted(genomes, seed))
            if problems.planted_region(genomes, seed).any():
                return state.evaluations
    return np.inf


def test_the_planted_region_is_found_in_95_percent_of_seeds_at_a_tenth_of_random_searchs_cost():
    ours = np.array([evaluations_until_found(seed) for seed in range(SEEDS)])
    theirs = np.array([random_evaluations(seed) for seed in range(SEEDS)])
    assert (ours <= 0.1 * theirs).mean() >= 0.95
