from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coinswarm import errors
from coinswarm.evolve import racing, reduction
from coinswarm.evolve.settings import Constraint, RacingSettings, SearchSettings
from coinswarm.evolve.state import DROPPED
from coinswarm.metrics.figures import SCORE_DTYPE


@given(st.integers(1, 40), st.integers(1, 6))
def test_every_slice_comes_once_and_every_beginning_covers_the_markets_equally(blocks, markets):
    slices = racing.spread(blocks, markets)
    assert len(set(slices)) == len(slices) == blocks * markets
    for end in range(1, len(slices) + 1):
        counts = np.bincount([one.market for one in slices[:end]], minlength=markets)
        assert counts.max() - counts.min() <= 1


def test_the_first_blocks_are_spread_over_all_of_time():
    assert [one.block for one in racing.spread(8, 1)] == [0, 4, 2, 6, 1, 5, 3, 7]


@given(st.integers(1, 500), st.integers(10, 60), st.integers(1, 5))
def test_a_plan_shows_new_slices_to_ever_fewer_variants(variants, blocks, markets):
    rungs = racing.plan(variants, markets, RacingSettings(enabled=True, blocks=blocks))
    shown = [one for rung in rungs for one in rung.slices]
    left = [variants, *(rung.survivors for rung in rungs)]
    assert len(set(shown)) == len(shown)
    assert all(after < before for before, after in itertools.pairwise(left))
    assert not rungs or all(rung.slices for rung in rungs)


@given(st.integers(10, 60), st.integers(1, 5), st.integers(9, 400))
def test_what_a_rung_shows_depends_on_no_number_of_variants_and_leaves_out_no_market(blocks, markets, variants):
    settings, seen = RacingSettings(enabled=True, blocks=blocks), set()
    for number, rung in enumerate(racing.plan(variants, markets, settings), start=1):
        seen |= set(rung.slices)
        blocks_shown = racing.blocks_shown(number, markets, settings)
        assert {(block, market) for market, row in enumerate(blocks_shown) for block in row} == seen
        assert all(blocks_shown)


def test_racing_is_off_unless_it_is_asked_for():
    assert racing.plan(100, 3, RacingSettings()) == ()
    assert racing.cost((), 100, 10, 3) == 1.0


def test_a_first_rung_that_shows_no_block_of_some_market_is_refused():
    with pytest.raises(errors.BadSetting, match="a block of every market"):
        RacingSettings(blocks=5, first_share=0.1)


def test_a_rung_that_no_race_has_is_not_found():
    with pytest.raises(errors.NotFound, match="no rung 3"):
        racing.blocks_shown(3, 1, RacingSettings())


def test_failed_variants_never_go_on_and_missing_scores_count_as_the_worst():
    scores = np.array([1.0, np.nan, 0.1, 0.5])[:, None]
    rows = racing.decide(2, scores, np.zeros(4), np.array([False, False, True, False]))
    assert rows.tolist() == [0, 3]


def test_feasible_variants_go_on_before_better_infeasible_ones():
    assert racing.decide(1, np.array([[0.0], [9.0]]), np.array([0.5, 0.0]), np.zeros(2, bool)).tolist() == [1]


def test_objectives_of_another_shape_are_refused():
    with pytest.raises(errors.ShapeMismatch, match="n_variants, n_objectives"):
        racing.decide(1, np.zeros(2), np.zeros(2), np.zeros(2, bool))


ENOUGH = Constraint(figure="n_trades", operator=">=", threshold=10)
SEARCH = SearchSettings(racing=RacingSettings(enabled=True, blocks=10, first_share=0.2), constraints=(ENOUGH,))


def table(sharpe, n_trades, status=0):
    """(n, 1) scores on one market."""
    rows = np.zeros((len(sharpe), 1), dtype=SCORE_DTYPE)
    rows["sharpe"][:, 0], rows["n_trades"][:, 0], rows["status"][:, 0] = sharpe, n_trades, status
    return rows


@given(st.lists(st.tuples(st.floats(-50, 50) | st.just(np.nan), st.integers(0, 40), st.integers(0, 2)), min_size=1, max_size=20))
def test_a_dropped_variant_stands_behind_every_one_that_was_scored_on_everything(rows):
    sharpe, trades, rungs = (np.array(column) for column in zip(*rows, strict=True))
    found = racing.results(table(sharpe, trades), rungs, SEARCH)
    assert found.violation[rungs > 0].min(initial=np.inf) >= DROPPED > found.violation[rungs == 0].max(initial=0.0)
    assert np.isnan(reduction.fitness(found, SEARCH)[rungs > 0]).all()
    assert not found.failed.any()


def test_among_dropped_variants_the_more_promising_one_stands_first_and_failures_stay_failures():
    found = racing.results(table([1.0, 2.0, 3.0, 0.0], [9, 9, 0, 9], [0, 0, 0, 3]), np.ones(4, dtype=np.int64), SEARCH)
    assert found.violation.argsort().tolist() == [3, 1, 0, 2]
    assert racing.is_dropped(np.ones(4, dtype=np.int64), found.failed).tolist() == [True, True, True, False]


def test_counts_of_a_part_are_extended_to_the_whole_before_they_are_held_against_a_limit():
    part = racing.extended(table([1.0], [4]), np.array([1]), SEARCH.racing)
    assert (part["n_trades"].item(), part["sharpe"].item()) == pytest.approx((20.0, 1.0 / np.sqrt(0.2)))


def test_without_dropped_variants_the_results_are_those_without_a_race():
    scores = table([1.0, np.nan, 2.0], [4, 20, 30])
    raced, plain = racing.results(scores, np.zeros(3, dtype=np.int64), SEARCH), reduction.results(scores, SEARCH)
    assert all(np.array_equal(getattr(raced, name), getattr(plain, name), equal_nan=True) for name in ("objectives", "violation", "failed"))


def race(seed, variants=200, markets=3):
    """Whether the variant that is best on all slices wins the race; a slice's noise is twice the spread of the variants."""
    settings = RacingSettings(enabled=True)
    rng = np.random.default_rng(seed)
    scores = -(rng.standard_normal((variants, 1)) + 2.0 * rng.standard_normal((variants, settings.blocks * markets)))
    rungs, left, shown = racing.plan(variants, markets, settings), np.arange(variants), 0
    for rung in rungs:
        shown += len(rung.slices)
        means = scores[left, :shown].mean(axis=1, keepdims=True)
        left = left[racing.decide(rung.survivors, means, np.zeros(len(left)), np.zeros(len(left), bool))]
    return scores.mean(axis=1).argmin() in left, racing.cost(rungs, variants, settings.blocks, markets)


def test_the_winner_of_one_race_is_the_same_in_95_percent_of_seeds_at_35_percent_of_the_cost():
    same, cost = zip(*(race(seed) for seed in range(200)), strict=True)
    assert np.mean(same) >= 0.95
    assert max(cost) <= 0.35
