from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coinswarm import errors
from coinswarm.evolve import racing
from coinswarm.evolve.racing import RacingSettings


@given(st.integers(1, 40), st.integers(1, 6))
def test_every_slice_comes_once_and_every_beginning_covers_the_markets_equally(blocks, markets):
    slices = racing.spread(blocks, markets)
    assert len(set(slices)) == len(slices) == blocks * markets
    for end in range(1, len(slices) + 1):
        counts = np.bincount([one.market for one in slices[:end]], minlength=markets)
        assert counts.max() - counts.min() <= 1


def test_the_first_blocks_are_spread_over_all_of_time():
    assert [one.block for one in racing.spread(8, 1)] == [0, 4, 2, 6, 1, 5, 3, 7]


@given(st.integers(1, 500), st.integers(1, 30), st.integers(1, 5))
def test_a_plan_shows_new_slices_to_ever_fewer_variants_and_costs_less_than_no_race(variants, blocks, markets):
    rungs = racing.plan(variants, blocks, markets, RacingSettings())
    shown = [one for rung in rungs for one in rung.slices]
    left = [variants, *(rung.survivors for rung in rungs)]
    assert len(set(shown)) == len(shown)
    assert all(after < before for before, after in itertools.pairwise(left))
    assert not rungs or all(rung.slices for rung in rungs)


def test_racing_can_be_switched_off():
    assert racing.plan(100, 10, 3, RacingSettings(enabled=False)) == ()
    assert racing.cost((), 100, 10, 3) == 1.0


def test_failed_variants_never_go_on_and_missing_scores_count_as_the_worst():
    rung = racing.Rung(slices=racing.spread(2, 1), survivors=2)
    scores = np.array([[1.0, 1.0], [np.nan, 0.0], [0.1, 0.1], [0.5, 0.5]])[:, :, None]
    rows = racing.decide(rung, scores, np.zeros(4), np.array([False, False, True, False]))
    assert rows.tolist() == [1, 3]


def test_feasible_variants_go_on_before_better_infeasible_ones():
    rung = racing.Rung(slices=racing.spread(2, 1), survivors=1)
    rows = racing.decide(rung, np.array([0.0, 9.0]).reshape(2, 1, 1), np.array([0.5, 0.0]), np.zeros(2, bool))
    assert rows.tolist() == [1]


def test_scores_without_an_axis_of_slices_are_refused():
    with pytest.raises(errors.ShapeMismatch, match="n_variants, n_slices, n_objectives"):
        racing.decide(racing.Rung(slices=(), survivors=1), np.zeros((2, 1)), np.zeros(2), np.zeros(2, bool))


def race(seed, variants=200, blocks=12, markets=3):
    """Whether the variant that is best on all slices wins the race; a slice's noise is twice the spread of the variants."""
    rng = np.random.default_rng(seed)
    scores = -(rng.standard_normal((variants, 1)) + 2.0 * rng.standard_normal((variants, blocks * markets)))
    rungs, left, shown = racing.plan(variants, blocks, markets, RacingSettings()), np.arange(variants), 0
    for rung in rungs:
        shown += len(rung.slices)
        left = left[racing.decide(rung, scores[left, :shown, None], np.zeros(len(left)), np.zeros(len(left), bool))]
    return scores.mean(axis=1).argmin() in left, racing.cost(rungs, variants, blocks, markets)


def test_the_winner_is_the_same_in_95_percent_of_seeds_at_35_percent_of_the_cost():
    same, cost = zip(*(race(seed) for seed in range(200)), strict=True)
    assert np.mean(same) >= 0.95
    assert max(cost) <= 0.35
