"""How long the search itself takes for 10,000 variants a generation; run by `make bench`, never part of the tests."""

from __future__ import annotations

import numpy as np
import pytest

from coinswarm.evolve import Objective, Search, SearchSettings, State, packing
from tests import search_problems as problems

SPACE = problems.PLANTED_SPACE
OBJECTIVES = tuple(Objective(name=name) for name in ("first", "second", "third"))


def scored(genomes):
    return problems.feasible(np.concatenate([problems.planted(genomes, peak).objectives for peak in range(3)], axis=1))


def advanced(search, state):
    for island in search.ready(state):
        proposals = search.ask(state, island)
        state = search.tell(state, proposals, scored(proposals.genomes[proposals.todo]))
    return state


@pytest.mark.parametrize("islands", [1, 8])
def test_a_generation_of_ten_thousand_variants(benchmark, islands):
    search = Search(SPACE, SearchSettings(population=10_000, generations=1000, islands=islands, objectives=OBJECTIVES))
    state = search.start()
    for _ in range(3):
        state = advanced(search, state)
    after = benchmark(advanced, search, state)
    assert after.generation == 4


def test_a_checkpoint_of_ten_thousand_variants(benchmark):
    search = Search(SPACE, SearchSettings(population=10_000, generations=1000, islands=8, objectives=OBJECTIVES))
    state = advanced(search, search.start())
    blob = benchmark(lambda: packing.encode(state.without_scores()))
    assert packing.decode(blob, State).generation == 1
