from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from coinswarm import errors
from coinswarm.evolve import Objective, Results, Search, SearchSettings, State, loop, operators, packing
from tests import search_problems as problems

SPACE = problems.PLANTED_SPACE
SMALL = SearchSettings(population=20, generations=4, objectives=(Objective(name="good"),))


def planted(genomes):
    return problems.planted(genomes, 3)


def failing(genomes):
    missing = np.full(len(genomes), np.nan)
    return Results(objectives=missing[:, None], violation=missing, failed=np.ones(len(genomes), bool))


def stepped(search, state, evaluate=planted):
    proposals = search.ask(state, 0)
    return search.tell(state, proposals, evaluate(proposals.genomes[proposals.todo]))


def test_telling_leaves_the_state_before_as_it_was():
    search = Search(SPACE, SMALL)
    state = stepped(search, search.start())
    before = packing.encode(state)
    stepped(search, state)
    assert packing.encode(state) == before


def test_a_generation_is_told_once():
    search = Search(SPACE, SMALL)
    start = search.start()
    proposals = search.ask(start, 0)
    results = planted(proposals.genomes)
    state = search.tell(start, proposals, results)
    with pytest.raises(errors.Conflict, match="island 0 waits for generation 1, got 0"):
        search.tell(state, proposals, results)


def test_a_state_of_other_settings_is_refused():
    state = Search(SPACE, SMALL).start()
    with pytest.raises(errors.Conflict, match="other settings"):
        Search(SPACE, SMALL.model_copy(update={"seed": 9})).ask(state, 0)


@pytest.mark.parametrize("broken", [{"objectives": np.zeros((3, 1))}, {"violation": np.zeros(3)}, {"failed": np.zeros(3, bool)}])
def test_results_of_the_wrong_shape_are_refused(broken):
    search = Search(SPACE, SMALL)
    state = search.start()
    proposals = search.ask(state, 0)
    with pytest.raises(errors.ShapeMismatch, match=f"{next(iter(broken))} must have shape"):
        search.tell(state, proposals, replace(planted(proposals.genomes), **broken))


@pytest.mark.parametrize("bad", [-1.0, np.nan])
def test_a_violation_that_is_no_size_is_refused(bad):
    search = Search(SPACE, SMALL)
    state = search.start()
    proposals = search.ask(state, 0)
    with pytest.raises(errors.InvalidArgument, match="a violation must be at least 0"):
        search.tell(state, proposals, replace(planted(proposals.genomes), violation=np.full(20, bad)))


def test_missing_and_infinite_objectives_become_the_worst_and_the_limit():
    config = SMALL.model_copy(update={"objectives": (Objective(name="good", limit=100.0),)})
    search = Search(SPACE, config)
    values = np.array([[np.nan], [np.inf], [-np.inf], [1.0]] * 5)
    state = stepped(search, search.start(), lambda genomes: problems.feasible(values))
    assert np.unique(search.figures(state.islands[0].population)).tolist() == [-100.0, 1.0, 100.0]


def test_too_many_failures_stop_the_search():
    search = Search(SPACE, SMALL)
    state = stepped(search, search.start(), failing)
    assert state.failures == 20
    with pytest.raises(errors.ErrorBudgetSpent, match="at most 50% of an island's evaluations may fail, got 20 of 20"):
        search.ask(state, 0)


def test_with_a_full_error_budget_a_search_goes_on_with_fresh_samples_where_nothing_could_be_scored():
    search = Search(SPACE, SMALL.model_copy(update={"max_failure_share": 1.0}))
    state = stepped(search, search.start(), failing)
    proposals = search.ask(state, 0)
    assert {operators.NAMES[code] for code in proposals.operators} == {"immigrant"}
    assert search.done(stepped(search, state)) is None
    assert len(search.best(state)) == 0


def test_without_any_feasible_variant_the_search_still_reduces_the_violation():
    def hopeless(genomes):
        return replace(planted(genomes), violation=1.0 + genomes[:, 2])

    found = loop.run(SPACE, hopeless, SMALL.model_copy(update={"generations": 15}))
    assert len(found.front) == 0
    assert found.best.violation[0] == 6.0
    assert np.isnan(found.state.islands[0].history[-1, -1])


def test_warm_genomes_begin_the_first_generation_and_are_marked():
    search = Search(SPACE, SMALL)
    warm = SPACE.sample(np.random.default_rng(5), 3)
    proposals = search.ask(search.start(warm), 0)
    assert (proposals.genomes[:3] == warm).all()
    assert [operators.NAMES[code] for code in proposals.operators[:4]] == ["warm", "warm", "warm", "sample"]


def test_warm_genomes_of_another_space_are_refused():
    with pytest.raises(errors.ShapeMismatch, match="warm genomes must have 8 genes"):
        Search(SPACE, SMALL).start(np.zeros((2, 3)))


def test_a_space_without_parameters_is_refused():
    with pytest.raises(errors.InvalidArgument, match="at least one dimension"):
        Search(problems.Box(()), SMALL)


def test_time_is_the_callers():
    search = Search(SPACE, SMALL.model_copy(update={"max_seconds": 10.0}))
    assert search.done(search.start(), seconds=9.0) is None
    assert search.done(search.start(), seconds=10.0) == "time"


@pytest.mark.parametrize("islands", [1, 3])
def test_a_budget_of_evaluations_is_never_exceeded(islands):
    config = SearchSettings(population=30, islands=islands, generations=50, max_evaluations=100, objectives=SMALL.objectives)
    found = loop.run(SPACE, planted, config)
    assert found.reason == "budget"
    assert 90 <= found.state.evaluations <= 100


@pytest.mark.parametrize("islands", [1, 2])
def test_a_search_without_progress_is_converged(islands):
    config = SearchSettings(population=20, islands=islands, generations=200, stagnation=6, migration_every=3, objectives=SMALL.objectives)
    found = loop.run(SPACE, lambda genomes: problems.feasible(np.ones((len(genomes), 1))), config)
    assert found.reason == "converged"
    assert found.state.generation <= 12


def test_variants_that_identify_as_one_are_evaluated_once():
    def by_fast(genomes):
        return [f"fast{gene:.0f}" for gene in genomes[:, 0]]

    calls = []

    def count(genomes):
        calls.extend(by_fast(genomes))
        return planted(genomes)

    found = loop.run(SPACE, count, SMALL, identify=by_fast)
    assert len(calls) == len(set(calls)) == found.state.distinct == found.state.evaluations


@pytest.mark.parametrize(("names", "message"), [(["x"], "must return 20 names"), ([""] * 20, "1 to 64"), (["é"] * 20, "ASCII")])
def test_identities_that_could_collide_are_refused(names, message):
    search = Search(SPACE, SMALL, lambda genomes: names)
    with pytest.raises(errors.InvalidArgument, match=message):
        search.ask(search.start(), 0)


def test_fallen_diversity_calls_immigrants():
    config = SMALL.model_copy(update={"immigration_below": 1.0, "immigration_share": 0.25})
    search = Search(SPACE, config)
    proposals = search.ask(stepped(search, stepped(search, search.start())), 0)
    assert [operators.NAMES[code] for code in proposals.operators].count("immigrant") == 5


DAMAGES = [lambda b: b[:-1], lambda b: b[:5], lambda b: b"", lambda b: b[:200] + b"\x00" + b[201:], lambda b: b + b"x"]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_checkpoint_is_refused(damage):
    search = Search(SPACE, SMALL)
    blob = packing.encode(stepped(search, search.start()))
    with pytest.raises(errors.InvalidArgument, match="stored search"):
        packing.decode(damage(blob), State)


def test_a_stored_state_keeps_every_bit_of_its_floats():
    search = Search(SPACE, SMALL)
    state = stepped(search, search.start(), lambda genomes: problems.feasible(np.full((len(genomes), 1), 0.1 + 0.2)))
    again = packing.decode(packing.encode(state), State)
    assert again.islands[0].population.objectives.tobytes() == state.islands[0].population.objectives.tobytes()
    assert np.isnan(packing.decode(packing.encode(search.start()), State).islands[0].reference).all()


def test_run_reports_each_generation_once():
    seen = []
    config = SearchSettings(population=20, generations=4, islands=2)
    loop.run(SPACE, planted, config, on_generation=lambda state: seen.append(state.generation))
    assert seen == [1, 2, 3, 4]


def test_the_front_holds_no_dominated_variant():
    config = SearchSettings(population=40, generations=10, islands=2, objectives=problems.TWO_OBJECTIVES)
    front = loop.run(problems.box(5), problems.zdt1, config).front.objectives
    assert (np.diff(front[:, 0]) >= 0).all()
    assert (np.diff(front[:, 1]) <= 0).all()


def test_repeats_within_a_generation_take_the_score_of_the_variant_they_repeat():
    search = Search(SPACE, SMALL, lambda genomes: [f"fast{gene // 20:.0f}" for gene in genomes[:, 0]])
    proposals = search.ask(search.start(), 0)
    scores = proposals.genomes[proposals.todo][:, :1] // 20
    population = search.tell(search.start(), proposals, problems.feasible(scores)).islands[0].population
    assert len(proposals.todo) == proposals.distinct < 20
    assert (search.figures(population).ravel() == population.genomes[:, 0] // 20).all()
