"""Reality check, superior predictive ability, stepwise testing, and the bootstrap under them."""

from __future__ import annotations

import numpy as np
import pytest
from arch.bootstrap import SPA
from hypothesis import given, settings
from hypothesis import strategies as st

from coinswarm import errors, stats

TESTS = [stats.reality_check, stats.superior_predictive_ability, stats.stepwise_multiple_testing]


def noise(seed: int, n_obs: int = 250, n_variants: int = 8) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((n_obs, n_variants))


def test_reality_check_agrees_with_arch() -> None:
    returns = noise(3) + 0.01
    ours = stats.reality_check(returns, rng=np.random.default_rng(0), n_resamples=4000, block_length=5)
    # nested: otherwise it computes an unused variance over all lags
    theirs = SPA(np.zeros(250), -returns, block_size=5, reps=1000, studentize=False, nested=True, seed=1)
    theirs.compute()
    assert ours.p_value == pytest.approx(theirs.pvalues["upper"], abs=0.05)
    assert 0.05 < ours.p_value < 0.95


@pytest.mark.parametrize("test", TESTS[:2])
def test_level_on_noise_is_near_the_nominal_one(test) -> None:
    rng = np.random.default_rng(17)
    p = [test(noise(seed, 150), rng=rng, n_resamples=99, block_length=1.0).p_value for seed in range(400)]
    # 10 % of 400 is 40 with a deviation of 6
    assert 20 <= sum(value <= 0.1 for value in p) <= 62


def test_a_steady_winner_among_noisy_variants_is_seen_only_when_studentised() -> None:
    returns = noise(4, 500, 20) * 30
    returns[:, 0] = noise(5, 500, 1)[:, 0] + 5 / np.sqrt(500)
    arguments = {"n_resamples": 499, "block_length": 2.0}
    studentised = stats.superior_predictive_ability(returns, rng=np.random.default_rng(1), **arguments)
    plain = stats.reality_check(returns, rng=np.random.default_rng(1), **arguments)
    assert studentised.best == 0
    assert studentised.p_value < 0.01
    assert plain.p_value > 0.2


def test_hopeless_variants_do_not_hide_a_good_one() -> None:
    returns = noise(6, 400, 60)
    returns[:, 1:] -= 1
    returns[:, 0] += 0.09
    got = stats.superior_predictive_ability(returns, rng=np.random.default_rng(2), n_resamples=499, block_length=1.0)
    assert got.p_lower <= got.p_value <= got.p_upper
    assert got.p_value < 0.2 < got.p_upper


def test_stepwise_testing_finds_the_winners_and_no_other() -> None:
    returns = noise(7, 500, 30)
    returns[:, [2, 5]] += 0.4
    got = stats.stepwise_multiple_testing(returns, rng=np.random.default_rng(3), n_resamples=499, block_length=1.0)
    assert np.flatnonzero(got.rejected).tolist() == [2, 5]
    assert (np.diff(got.p_adjusted[np.argsort(-got.statistic)]) >= 0).all()


def test_a_benchmark_is_taken_off_and_block_lengths_are_found() -> None:
    market = np.random.default_rng(9).standard_normal(300)
    returns = market[:, None] + 0.1 * noise(8, 300, 3) + np.array([0.0, 0.0, 0.05])
    got = stats.superior_predictive_ability(returns, market, rng=np.random.default_rng(4))
    assert got.best == 2
    assert got.p_value < 0.01


@pytest.mark.parametrize("test", TESTS)
def test_the_same_generator_gives_the_same_answer(test) -> None:
    one, two = (test(noise(1), rng=np.random.default_rng(5), n_resamples=99, block_length=3.0) for _ in range(2))
    assert str(one) == str(two)


@settings(max_examples=25)
@given(st.integers(2, 60), st.floats(1, 60), st.integers(0, 10**6))
def test_a_resample_uses_as_many_observations_as_there_are(n_obs: int, block_length: float, seed: int) -> None:
    means = stats.stationary_bootstrap_means(np.ones((n_obs, 1)), min(block_length, n_obs), 20, np.random.default_rng(seed))
    assert means == pytest.approx(1)


def test_long_run_variance_is_that_of_bootstrapped_means() -> None:
    values = np.convolve(np.random.default_rng(2).standard_normal(404), np.ones(5), "valid")[:, None]
    means = stats.stationary_bootstrap_means(values, 8.0, 4000, np.random.default_rng(3))
    assert stats.long_run_variance(values, 8.0)[0] == pytest.approx(400 * means.var(), rel=0.1)


def test_blocks_of_one_give_the_plain_variance() -> None:
    values = noise(2, 100, 3)
    assert stats.long_run_variance(values, 1.0) == pytest.approx(values.var(axis=0))


@pytest.mark.parametrize("test", TESTS)
@pytest.mark.parametrize(
    ("returns", "against", "rule"),
    [
        (np.ones((50, 2)), 0.0, "vary"),
        (np.full((50, 2), np.nan), 0.0, "finite"),
        (np.eye(50), np.nan, "benchmark"),
        (np.eye(50), np.zeros(49), "benchmark"),
        (np.eye(50)[:1], 0.0, "at least 2"),
    ],
)
def test_returns_that_compare_nothing_are_refused(test, returns: np.ndarray, against, rule: str) -> None:
    with pytest.raises(errors.InvalidArgument, match=rule):
        test(returns, against, rng=np.random.default_rng(0))
