"""What must hold for every search, whatever its settings."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coinswarm import errors
from coinswarm.evolve import Objective, Results, Search, SearchSettings, State, lineage, packing
from tests import search_problems as problems


class OrderedBox(problems.Box):
    """The planted space with a constraint: fast < slow."""

    def valid(self, genomes):
        return super().valid(genomes) & (genomes[:, 0] < genomes[:, 1])

    def repair(self, genomes, rng):
        snapped = super().repair(genomes, rng)
        snapped[:, 0] = np.minimum(snapped[:, 0], snapped[:, 1] - 1)
        return snapped

    def sample(self, rng, n):
        return self.repair(super().sample(rng, n), rng)


SPACE = OrderedBox(problems.PLANTED_SPACE.dimensions)
TWO = (Objective(name="good"), Objective(name="other", direction="min"))


def score(genomes, fail_every=0):
    """Two objectives in conflict, a fifth of the variants infeasible, some failed: all of it decided by the genome alone."""
    first, second = problems.planted(genomes, 1).objectives, problems.planted(genomes, 2).objectives
    noise = np.abs(np.sin(genomes.sum(axis=1) * 1e3))
    failed = noise < (1 / fail_every if fail_every else 0)
    objectives = np.where(failed[:, None], np.nan, np.concatenate([first, -second], axis=1))
    return Results(objectives=objectives, violation=np.maximum(0.2 - genomes[:, 2] / 95.0, 0.0), failed=failed)


@st.composite
def any_settings(draw):
    islands = draw(st.integers(1, 4))
    every = draw(st.sampled_from([0, 1, 2, 3]))
    selection = draw(st.sampled_from(["nsga2", "tournament"]))
    return SearchSettings(
        population=islands * draw(st.integers(6, 10)) + draw(st.integers(0, islands - 1)), generations=draw(st.integers(1, 8)),
        islands=islands, migration_every=every, migration_size=draw(st.integers(1, 3)), topology=draw(st.sampled_from(["ring", "random"])),
        objectives=TWO if selection == "nsga2" else TWO[:1], selection=selection, elitism=draw(st.integers(1, 3)),
        immigration_below=draw(st.sampled_from([0.0, 0.5, 1.0])), stagnation=draw(st.sampled_from([0, 2])),
        max_evaluations=draw(st.one_of(st.none(), st.integers(60, 200))), seed=draw(st.integers(0, 2**32)),
    )  # fmt: skip


def by_few_genes(genomes):
    """An identity that many genomes share, so that islands often propose what others know."""
    return [f"{gene // 25:.0f} {word:.0f}" for gene, word in genomes[:, [0, 6]]]


def results_for(proposals, config, fail_every=0, coarse=False):
    genomes = proposals.genomes[proposals.todo].copy()
    if coarse:
        genomes[:, 0], genomes[:, 1:6], genomes[:, 7] = genomes[:, 0] // 25 * 25, 20.0, 0.0
    scores = score(genomes, fail_every)
    return replace(scores, objectives=scores.objectives[:, : len(config.objectives)])


def history(config, *, order=0, resume=False, coarse=False, fail_every=7):
    """Every (proposals, state after) of a search whose islands are served in an order drawn from `order`."""
    search = Search(SPACE, config, by_few_genes) if coarse else Search(SPACE, config)
    rng, steps = np.random.default_rng(order), []
    state = search.start()
    while search.done(state) is None:
        island = int(rng.choice(search.ready(state)))
        if resume:
            state = packing.decode(packing.encode(state), State)
        proposals = search.ask(state, island)
        state = search.tell(state, proposals, results_for(proposals, config, fail_every, coarse))
        steps.append((proposals, state))
    return steps


@given(any_settings(), st.integers(1, 100), st.booleans())
@settings(max_examples=40, deadline=None)
def test_the_order_in_which_islands_are_served_changes_nothing(config, order, coarse):
    one, other = history(config, order=0, coarse=coarse), history(config, order=order, coarse=coarse)
    assert packing.encode(one[-1][1]) == packing.encode(other[-1][1])
    assert {p.births.tobytes(): p.todo.tobytes() for p, _ in one} == {p.births.tobytes(): p.todo.tobytes() for p, _ in other}


@given(any_settings())
@settings(max_examples=10, deadline=None)
def test_a_search_that_is_stored_and_read_back_at_every_step_is_the_same_search(config):
    straight, resumed = history(config), history(config, resume=True)
    assert [packing.encode(state) for _, state in straight] == [packing.encode(state) for _, state in resumed]


@given(any_settings())
@settings(max_examples=25, deadline=None)
def test_every_island_advances_keeps_its_size_and_holds_valid_genomes(config):
    steps = history(config)
    final = steps[-1][1]
    for proposals, state in steps:
        population = state.islands[proposals.island].population
        assert len(population) == config.island_size(proposals.island)
        assert SPACE.valid(proposals.genomes).all()
        assert SPACE.valid(population.genomes).all()
    counts = [island.generation for island in final.islands]
    assert min(counts) >= 1
    ends_alone = config.max_evaluations is not None or (config.stagnation > 0 and not config.migrates)
    assert ends_alone or max(counts) == min(counts)
    assert config.max_evaluations is None or final.evaluations <= config.max_evaluations


@given(any_settings())
@settings(max_examples=25, deadline=None)
def test_a_parent_from_another_island_came_with_a_migration_record(config):
    steps = history(config)
    records = steps[-1][1].migrations
    arrived = {(int(row["birth"]), int(row["target"])): int(row["generation"]) for row in records[::-1]}
    for proposals, _ in steps:
        for birth in proposals.parents[proposals.parents != lineage.NO_PARENT]:
            home = lineage.birth(int(birth))[0]
            assert home == proposals.island or arrived[int(birth), proposals.island] <= proposals.generation


@given(any_settings())
@settings(max_examples=25, deadline=None)
def test_the_best_feasible_variant_of_an_island_is_never_lost(config):
    best = {}
    for proposals, state in history(config):
        members = state.islands[proposals.island].population
        reached = members.objectives[members.feasible][:, : config.elitism]
        before = best.get(proposals.island)
        if before is not None:
            assert (reached.min(axis=0) <= before).all()
        if len(reached):
            best[proposals.island] = reached.min(axis=0)


@given(any_settings())
@settings(max_examples=25, deadline=None)
def test_a_failed_variant_never_becomes_a_parent_and_is_counted(config):
    failed, count, steps = set(), 0, history(config, fail_every=3)
    for proposals, _ in steps:
        assert not failed & set(proposals.parent_identities.ravel().tolist())
        results = results_for(proposals, config, 3)
        failed |= set(proposals.identities[proposals.todo][results.failed].tolist())
        count += int(results.failed.sum())
    assert steps[-1][1].failures == count


@given(any_settings())
@settings(max_examples=25, deadline=None)
def test_an_island_never_evaluates_a_variant_twice(config):
    seen, steps = [], history(config)
    for island in range(config.islands):
        mine = [p.identities[p.todo] for p, _ in steps if p.island == island]
        assert len(np.unique(np.concatenate(mine))) == sum(len(part) for part in mine)
        seen += mine
    assert steps[-1][1].distinct == len(np.unique(np.concatenate(seen)))
    assert steps[-1][1].evaluations == sum(len(part) for part in seen)


@given(any_settings())
@settings(max_examples=15, deadline=None)
def test_scores_left_out_of_a_checkpoint_can_be_given_back(config):
    search, steps = Search(SPACE, config), history(config)
    cut = len(steps) // 2
    state = steps[cut][1]
    told = [(p, results_for(p, config, 7)) for p, _ in steps]
    again = search.recall(
        packing.decode(packing.encode(state.without_scores()), State),
        islands=np.concatenate([np.full(len(p.todo), p.island) for p, _ in told]),
        generations=np.concatenate([np.full(len(p.todo), p.generation) for p, _ in told]),
        identities=np.concatenate([p.identities[p.todo] for p, _ in told]),
        results=Results(**{name: np.concatenate([getattr(r, name) for _, r in told]) for name in ("objectives", "violation", "failed")}),
    )
    assert packing.encode(again) == packing.encode(state)


@pytest.mark.parametrize("every", [2, 5])
def test_an_island_crosses_a_border_while_the_other_still_evaluates_the_generation_before(every):
    config = SearchSettings(population=20, generations=11, islands=2, migration_every=every, objectives=TWO)
    search = Search(SPACE, config)
    state = search.start()
    for island in [0] * every + [1] * (every - 1):
        proposals = search.ask(state, island)
        state = search.tell(state, proposals, results_for(proposals, config))
    assert [island.generation for island in state.islands] == [every, every - 1]
    assert search.ready(state) == (0, 1)


def test_no_island_passes_a_border_before_all_have_published():
    config = SearchSettings(population=20, generations=11, islands=2, migration_every=3, objectives=TWO)
    search = Search(SPACE, config)
    state = search.start()
    for _ in range(3):
        proposals = search.ask(state, 0)
        state = search.tell(state, proposals, results_for(proposals, config))
    assert search.ready(state) == (1,)
    with pytest.raises(errors.Conflict, match="island 0 is finished or waits"):
        search.ask(state, 0)


def test_a_search_over_a_handful_of_variants_ends_and_evaluates_each_once():
    side, number = problems.Axis(path="side", kind="choice", choices=("long", "short")), problems.Axis(path="n", kind="int", low=1, high=3)
    tiny = problems.Box((side, number))
    config = SearchSettings(population=12, generations=6, islands=2, migration_every=2, objectives=TWO[:1])
    search = Search(tiny, config)
    state = search.start()
    while search.done(state) is None:
        for island in search.ready(state):
            proposals = search.ask(state, island)
            scores = problems.feasible(proposals.genomes[proposals.todo][:, :1])
            state = search.tell(state, proposals, scores)
    assert state.distinct == 6
    assert state.evaluations <= 12
