from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coinswarm.evolve import Members, selection


def members(objectives, violation=None, failed=None, identities=None, births=0):
    objectives = np.atleast_2d(np.array(objectives, dtype=float))
    count = len(objectives)
    named = identities or [f"v{births + index}" for index in range(count)]
    return Members(
        genomes=np.zeros((count, 1)), identities=np.array(named, dtype="S64"), births=np.arange(count) + births, objectives=objectives,
        violation=np.zeros(count) if violation is None else np.array(violation, dtype=float),
        failed=np.zeros(count, dtype=bool) if failed is None else np.array(failed),
    )  # fmt: skip


def random_members(seed, count=40, births=0):
    rng = np.random.default_rng(seed)
    violation = np.where(rng.random(count) < 0.6, 0.0, rng.random(count).round(1))
    return members(rng.random((count, 2)).round(1), violation, rng.random(count) < 0.2, births=births)


@given(st.integers(0, 2**32))
def test_a_member_of_a_front_is_dominated_by_one_of_the_front_before_and_by_none_of_its_own(seed):
    group = random_members(seed)
    group = group.take(~group.failed)
    front = selection.ranks(group.objectives, group.violation)
    beats = np.array([selection.dominates(group.take(np.full(len(group), i)), group) for i in range(len(group))])
    assert not (beats & (front[:, None] >= front[None, :])).any()
    assert beats.T[front > 0].any(axis=1).all()


def test_a_feasible_variant_comes_before_an_infeasible_one_and_a_failed_one_is_last():
    group = members([[9, 9], [0, 0], [1, 1], [5, 5]], violation=[0, 0.2, 0.1, 0], failed=[False, False, False, True])
    assert selection.order(group).tolist() == [0, 2, 1, 3]


def test_a_repeated_variant_comes_after_all_others_but_before_failures():
    group = members([[0, 1], [0, 1], [5, 5], [0, 0]], failed=[False, False, False, True], identities=["a", "a", "b", "c"])
    assert selection.order(group).tolist() == [0, 2, 1, 3]


def test_ends_of_a_front_have_infinite_crowding_and_the_lonely_more_than_the_crowded():
    distance = selection.crowding(np.array([[0.0, 1.0], [0.1, 0.9], [0.2, 0.8], [0.7, 0.3], [1.0, 0.0]]), np.zeros(5, dtype=int))
    assert np.isinf(distance[[0, 4]]).all()
    assert distance[3] > distance[2] > distance[1]


def test_crowding_of_equal_points_is_defined():
    distance = selection.crowding(np.zeros((4, 2)), np.zeros(4, dtype=int))
    assert not np.isnan(distance).any()


@given(st.integers(0, 2**32), st.integers(1, 30), st.sampled_from([selection.survivors, selection.replacement]))
def test_elites_survive_any_step_and_the_size_is_what_was_asked_for(seed, size, step):
    parents, children = random_members(seed), random_members(seed + 1, births=100)
    elitism = min(3, size)
    kept = parents.take(selection.elites(parents, elitism))
    after = step(parents, children, size, elitism)
    assert len(after) == size
    best = [group.objectives[group.feasible].min(axis=0)[: min(elitism, 2)] for group in (kept, after) if group.feasible.any()]
    assert len(best) < 2 or (best[1] <= best[0]).all()


@given(st.integers(0, 2**32))
def test_immigrants_replace_the_worst_and_never_an_elite(seed):
    home, guests = random_members(seed), random_members(seed + 1, count=5, births=100)
    after = selection.admit(home, guests, 3)
    assert len(after) == len(home)
    assert set(guests.births) <= set(after.births)
    assert set(home.births[selection.elites(home, 3)]) <= set(after.births)


def test_a_tournament_prefers_the_front_of_the_population_and_never_picks_beyond_the_breeders():
    rows = selection.tournament(np.random.default_rng(0), 10, 20_000, 2)
    counts = np.bincount(rows, minlength=10)
    assert rows.max() <= 9
    assert (np.diff(counts) < 0).all()
    assert counts[0] / len(rows) == pytest.approx(1 - 0.9**2, abs=0.01)


def test_the_elites_are_the_best_of_each_objective_in_turn():
    group = members([[0, 9], [9, 0], [1, 8], [8, 1], [-5, -5]], violation=[0, 0, 0, 0, 1])
    assert selection.elites(group, 3).tolist() == [0, 1, 2]


def test_constrained_domination_prefers_the_scored_the_feasible_the_cleaner_and_then_the_better():
    left = members([[1, 1], [9, 9], [9, 9], [1, 2], [1, 1]], violation=[0, 0, 0.1, 0, 0])
    right = members([[0, 0], [1, 1], [1, 1], [1, 3], [1, 1]], violation=[0, 0.1, 0.2, 0, 0], failed=[True, False, False, False, False])
    assert selection.dominates(left, right).tolist() == [True, True, True, True, False]
    assert selection.dominates(right, left).tolist() == [False] * 5
