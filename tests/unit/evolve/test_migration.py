from __future__ import annotations

import numpy as np
import pytest

from coinswarm.evolve import SearchSettings, loop, migration
from tests import search_problems as problems


@pytest.mark.parametrize("topology", ["ring", "random"])
def test_every_island_receives_from_one_other_and_sends_to_one_other(topology):
    config = SearchSettings(population=100, islands=7, topology=topology)
    for epoch in range(1, 6):
        sources = migration.routes(epoch, config)
        assert sorted(sources) == list(range(7))
        assert (sources != np.arange(7)).all()


def test_a_ring_is_the_same_each_time_and_random_routes_are_not():
    ring, mixed = SearchSettings(population=100, islands=7), SearchSettings(population=100, islands=7, topology="random")
    assert (migration.routes(1, ring) == migration.routes(2, ring)).all()
    assert (migration.routes(1, mixed) != migration.routes(2, mixed)).any()


def test_migration_moves_copies_and_records_each():
    config = SearchSettings(population=40, generations=6, islands=2, migration_every=2, migration_size=3)
    state = loop.run(problems.PLANTED_SPACE, lambda genomes: problems.planted(genomes, 3), config).state
    assert set(state.migrations["generation"]) == {2, 4}
    assert set(zip(state.migrations["source"], state.migrations["target"], strict=True)) == {(0, 1), (1, 0)}
    assert len(state.migrations) <= 2 * 2 * 3
    assert (np.diff(state.migrations["generation"]) >= 0).all()


def test_islands_without_migration_stay_strangers():
    config = SearchSettings(population=40, generations=6, islands=2, migration_every=0)
    state = loop.run(problems.PLANTED_SPACE, lambda genomes: problems.planted(genomes, 3), config).state
    assert len(state.migrations) == 0
    assert all((island.population.births >> 44 == island.index).all() for island in state.islands)


@pytest.mark.parametrize(("every", "expected"), [(1, [1, 2, 3, 4]), (2, [1, 2, 2, 3]), (3, [1, 1, 2, 2])])
def test_scores_are_published_with_the_parcel_that_follows_them(every, expected):
    config = SearchSettings(population=40, islands=2, migration_every=every)
    assert migration.epochs(np.arange(4), config).tolist() == expected
