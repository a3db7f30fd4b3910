from __future__ import annotations

import pytest
from pydantic import ValidationError

from coinswarm import errors
from coinswarm.evolve import Objective, SearchSettings


def test_islands_share_the_population_evenly_and_the_first_take_the_rest():
    config = SearchSettings(population=23, islands=4, migration_size=1)
    assert [config.island_size(island) for island in range(4)] == [6, 6, 6, 5]


def test_the_budget_of_evaluations_is_divided_among_islands():
    config = SearchSettings(population=20, islands=4, max_evaluations=102, migration_size=1)
    assert config.quota(0) == 25
    assert SearchSettings().quota(0) is None


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"population": 10, "islands": 11}, "each island needs at least 2 variants, got 10 for 11"),
        ({"objectives": (Objective(name="a"), Objective(name="a"))}, "each objective is named once"),
        ({"objectives": (Objective(name="a"), Objective(name="b")), "selection": "tournament"}, "a tournament compares one objective"),
        ({"population": 50, "max_evaluations": 40}, "must cover the first generation of 50, got 40"),
        ({"population": 12, "islands": 4, "migration_size": 2}, "together must fit an island's 3 variants"),
    ],
)
def test_settings_that_cannot_work_together_are_refused_with_the_rule(values, message):
    with pytest.raises(errors.BadSetting, match=message):
        SearchSettings(**values)


def test_an_unknown_setting_is_refused():
    with pytest.raises(ValidationError, match="Extra inputs"):
        SearchSettings(populaton=10)


def test_islands_take_the_operator_presets_in_turn():
    config = SearchSettings(population=60, islands=6)
    assert [config.variation(island) for island in range(5)] == [*config.variations, config.variations[0]]
