"""Sign flips of blocks of time."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coinswarm import errors, stats


def test_on_noise_any_pattern_is_found_at_the_nominal_rate() -> None:
    rng = np.random.default_rng(21)
    found = 0
    for _ in range(400):
        shared = rng.standard_normal((1, 80)) * rng.standard_t(4, 80)
        scores = 0.7 * shared + 0.7 * rng.standard_normal((30, 80))
        found += bool((stats.block_sign_flip_test(scores, rng=rng, n_flips=199).p_adjusted <= 0.05).any())
    # 20 expected, with a deviation of 4.4
    assert 8 <= found <= 33


def test_planted_patterns_are_found_and_step_down_finds_more_than_one_step() -> None:
    scores = np.random.default_rng(1).standard_normal((500, 200))
    scores[0] += 1.0
    scores[1] -= 0.45
    got = stats.block_sign_flip_test(scores, rng=np.random.default_rng(2))
    assert np.flatnonzero(got.p_adjusted <= 0.05).tolist() == [0, 1]
    assert got.p_adjusted.min() == 1 / 1000
    assert (got.p_adjusted >= got.p_value).all()


def test_sides_are_told_apart() -> None:
    scores = np.random.default_rng(1).standard_normal((3, 100))
    scores[0] += 0.6
    p = {
        side: stats.block_sign_flip_test(scores, rng=np.random.default_rng(0), alternative=side).p_value[0] for side in ("greater", "less")
    }
    assert p["greater"] < 0.01
    assert p["less"] > 0.99


@settings(max_examples=15)
@given(st.integers(0, 10**6), st.integers(-40, 40))
def test_units_and_order_of_patterns_change_nothing(seed: int, power: int) -> None:
    scores = np.random.default_rng(seed).standard_normal((20, 72))
    one = stats.block_sign_flip_test(scores, rng=np.random.default_rng(0), n_flips=99)
    other = stats.block_sign_flip_test((scores * 2.0**power)[::-1], rng=np.random.default_rng(0), n_flips=99)
    assert other.p_adjusted[::-1] == pytest.approx(one.p_adjusted)
    assert other.statistic[::-1] == pytest.approx(one.statistic)


def test_copies_of_a_pattern_cost_nothing_and_share_its_p_value() -> None:
    scores = np.random.default_rng(5).standard_normal((4, 90))
    alone = stats.block_sign_flip_test(scores, rng=np.random.default_rng(0))
    copied = stats.block_sign_flip_test(np.repeat(scores, 50, axis=0), rng=np.random.default_rng(0))
    assert copied.p_adjusted[::50] == pytest.approx(alone.p_adjusted)


def test_patterns_that_were_hardly_active_are_left_out_of_the_family() -> None:
    scores = np.random.default_rng(6).standard_normal((3, 80))
    scores[2] = 0
    got = stats.block_sign_flip_test(scores, rng=np.random.default_rng(0), active_blocks=[80, 29, 80])
    alone = stats.block_sign_flip_test(scores[:1], rng=np.random.default_rng(0))
    assert got.tested.tolist() == [True, False, False]
    assert got.p_adjusted.tolist() == [alone.p_adjusted[0], 1, 1]
    assert got.statistic[2] == 0


def test_too_few_blocks_are_refused() -> None:
    with pytest.raises(errors.Refused, match="at least 70 independent blocks of time, got 69"):
        stats.block_sign_flip_test(np.ones((2, 69)), rng=np.random.default_rng(0))


@pytest.mark.parametrize(
    ("scores", "more", "rule"),
    [
        (np.full((2, 80), np.nan), {}, "finite"),
        (np.full((2, 80), -1e200), {}, "size"),
        (np.zeros((0, 80)), {}, "not empty"),
        (np.ones(80), {}, "two-dimensional"),
        (np.ones((2, 80)), {"n_flips": 9}, "n_flips"),
        (np.ones((2, 80)), {"alternative": "both"}, "alternative"),
        (np.ones((2, 80)), {"active_blocks": [1]}, "active_blocks"),
    ],
)
def test_scores_that_cannot_be_tested_are_refused(scores: np.ndarray, more: dict[str, object], rule: str) -> None:
    with pytest.raises(errors.InvalidArgument, match=rule):
        stats.block_sign_flip_test(scores, rng=np.random.default_rng(0), **more)


def test_block_scores_are_sums_of_products_about_the_means() -> None:
    rng = np.random.default_rng(0)
    active, outcomes, blocks = rng.random((4, 50)) < 0.3, rng.standard_normal(50), rng.integers(0, 6, 50)
    got = stats.block_scores(active, outcomes, blocks)
    products = (active - active.mean(axis=1, keepdims=True)) * (outcomes - outcomes.mean())
    assert got == pytest.approx(np.array([[row[blocks == b].sum() for b in range(6)] for row in products]))


@given(st.lists(st.integers(-100, 100), min_size=1, max_size=8), st.sampled_from([1.0, 0.1, 1e-9]))
def test_exact_flips_equal_a_plain_enumeration(values: list[int], unit: float) -> None:
    sums = [int(np.dot(signs, values)) for signs in itertools.product((-1, 1), repeat=len(values))]
    got = stats.exact_sign_flip_test(np.array(values) * unit)
    assert got.n_reaching == sum(total >= sum(values) for total in sums)
    assert got.p_two_sided == sum(abs(total) >= abs(sum(values)) for total in sums) / len(sums)


def test_too_many_for_all_patterns_are_refused() -> None:
    with pytest.raises(errors.InvalidArgument, match="at most 24"):
        stats.exact_sign_flip_test(np.ones(25))
