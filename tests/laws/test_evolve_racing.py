"""Racing finds the winner that the same search finds without, on a part of the variant-bars; the table is in docs/benchmarks-cluster.md."""

from __future__ import annotations

import pytest

from coinswarm.evolve.settings import RacingSettings
from tests.benchmarks import racing_seeds
from tests.benchmarks.racing_seeds import Comparison, World

RACING = RacingSettings(enabled=True)
PLANTED_FITNESS = 7.86
"""Of the winner that the planted search finds from every seed without a race."""


def comparison(world: World, seeds: int) -> Comparison:
    task = world.task()
    plain, raced = (racing_seeds.raced(world, task, settings, seeds) for settings in (RacingSettings(), RACING))
    return racing_seeds.compared(plain, raced)


def test_a_planted_region_is_found_on_a_third_of_the_variant_bars(data_dir) -> None:
    small = World(task=lambda: racing_seeds.planted(30_000), population=120, generations=10)
    found = comparison(small, 2)
    assert found.share <= 0.37
    assert min(found.differences, default=0.0) > -1.0


@pytest.mark.slow
def test_the_winner_is_the_same_in_95_percent_of_40_seeds_at_35_percent_of_the_variant_bars(data_dir) -> None:
    found = comparison(racing_seeds.WORLDS["band"], 40)
    assert found.same >= 0.95 * found.seeds
    assert found.share <= 0.35


@pytest.mark.slow
def test_a_winner_that_does_badly_on_the_blocks_shown_costs_a_few_percent_of_the_fitness(data_dir) -> None:
    found = comparison(racing_seeds.WORLDS["planted"], 40)
    assert 0 < found.same < found.seeds
    assert min(found.differences) > -0.05 * PLANTED_FITNESS
    assert found.share <= 0.35
