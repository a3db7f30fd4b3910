"""Racing finds the winner that the same search finds without, on a part of the variant-bars; the table is in docs/benchmarks-cluster.md."""

from __future__ import annotations

import pytest

from coinswarm.evolve.settings import RacingSettings
from tests.benchmarks import racing_seeds
from tests.benchmarks.racing_seeds import Comparison, World

RACING = RacingSettings(enabled=True)


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
@pytest.mark.parametrize("name", ["planted", "band"])
def test_the_winner_is_the_same_in_95_percent_of_40_seeds_at_35_percent_of_the_variant_bars(data_dir, name: str) -> None:
    found = comparison(racing_seeds.WORLDS[name], 40)
    assert found.same >= 0.95 * found.seeds
    assert found.share <= 0.35
