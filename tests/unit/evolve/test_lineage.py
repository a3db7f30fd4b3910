from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from coinswarm.evolve import Objective, Search, SearchSettings, baselines, lineage, loop, operators
from coinswarm.evolve.state import State
from coinswarm.types import IntArray
from tests import search_problems as problems


def credit(state: State) -> IntArray:
    """(3, n_operators) children, survivors and children that beat a parent, of all islands."""
    return np.sum([island.credit for island in state.islands], axis=0).T


@given(st.integers(0, 4096), st.integers(0, 2**24 - 1), st.integers(1, 50))
def test_a_birth_tells_island_generation_and_index(island, generation, count):
    keys = lineage.births(island, generation, count)
    assert lineage.birth(int(keys[-1])) == (island, generation, count - 1)


def test_credit_counts_every_child_under_its_operator():
    config = SearchSettings(population=40, generations=10, islands=2)
    search = Search(problems.PLANTED_SPACE, config)
    state = loop.run(problems.PLANTED_SPACE, lambda genomes: problems.planted(genomes, 3), config).state
    children, survived, better = credit(state)
    assert search.done(state) == "generations"
    assert children.sum() == 400
    assert ((survived <= children) & (better <= children)).all()
    used = {name for name, count in zip(operators.NAMES, children, strict=True) if count}
    assert used >= {"sample", "sbx+polynomial", "blend+gaussian"}


def test_a_child_that_beats_its_parent_is_credited():
    space = problems.box(1)
    search = Search(space, SearchSettings(population=4, generations=9))
    state = search.start()
    for value in (0.0, 1.0):
        proposals = search.ask(state, 0)
        state = search.tell(state, proposals, problems.feasible(np.full((len(proposals.todo), 1), value)))
    of_children = [code for code, name in enumerate(operators.NAMES) if name != "sample"]
    children, _, better = credit(state)[:, of_children].sum(axis=1)
    assert better == children == 4


def test_random_search_draws_the_same_lots_on_every_machine_and_new_ones_each_time():
    config = SearchSettings(seed=4)
    lots = [baselines.random_proposals(problems.PLANTED_SPACE, config, chunk, 50) for chunk in (0, 0, 1)]
    assert (lots[0].genomes == lots[1].genomes).all()
    assert (lots[0].genomes != lots[2].genomes).any()
    assert not set(lots[0].births) & set(lots[2].births)
    assert problems.PLANTED_SPACE.valid(lots[0].genomes).all()


def test_a_comparison_respects_the_direction_of_each_objective():
    config = SearchSettings(objectives=(Objective(name="sharpe"), Objective(name="max_drawdown", direction="min")))
    rows = baselines.compare(config, np.array([2.0, 0.3]), np.array([1.5, np.nan]))
    assert [row.beaten for row in rows] == [True, False]
    assert rows[0].margin == 0.5
    assert np.isnan(rows[1].margin)
