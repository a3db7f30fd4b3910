"""Sharpe ratios: errors, deflation, lengths."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from coinswarm import errors, stats

ratios = st.floats(-0.5, 0.5)
lengths = st.integers(2, 100_000)


def test_one_minus_psr_is_uniform_on_paths_without_skill() -> None:
    rng = np.random.default_rng(3)
    p = []
    for _ in range(1500):
        sample = stats.sharpe_sample(rng.standard_normal(200))
        p.append(1 - stats.probabilistic_sharpe_ratio(sample.sharpe, sample.n_obs, sample.skew, sample.kurtosis))
    assert scipy_stats.kstest(p, "uniform").pvalue > 0.01


def test_psr_of_autocorrelated_returns_is_uniform_only_when_told_so() -> None:
    rng = np.random.default_rng(4)
    noise = rng.standard_normal((1000, 400))
    for t in range(1, 400):
        noise[:, t] += 0.4 * noise[:, t - 1]
    sharpes = noise.mean(axis=1) / noise.std(axis=1, ddof=1)
    told = [stats.probabilistic_sharpe_ratio(s, 400, 0, 3, autocorrelation=0.4) for s in sharpes]
    untold = [stats.probabilistic_sharpe_ratio(s, 400, 0, 3) for s in sharpes]
    assert scipy_stats.kstest(told, "uniform").pvalue > 0.01
    assert scipy_stats.kstest(untold, "uniform").pvalue < 1e-6


@given(ratios, lengths, st.floats(-0.4, 0.4), st.sampled_from(["2012", "2025"]))
def test_psr_is_a_half_at_its_benchmark_and_rises_with_the_ratio(sharpe: float, n_obs: int, benchmark: float, convention: str) -> None:
    at = stats.probabilistic_sharpe_ratio(benchmark, n_obs, 0, 3, benchmark, convention)
    here = stats.probabilistic_sharpe_ratio(sharpe, n_obs, 0, 3, benchmark, convention)
    assert at == pytest.approx(0.5)
    assert (here >= 0.5) == (sharpe >= benchmark) or here == pytest.approx(0.5)


@given(st.floats(0.02, 0.5), st.sampled_from(["2012", "2025"]), st.floats(-0.5, 0.5))
def test_after_the_minimum_track_record_the_psr_is_the_confidence(sharpe: float, convention: str, autocorrelation: float) -> None:
    length = stats.minimum_track_record_length(sharpe, -0.5, 5, 0, 0.95, convention, autocorrelation)
    error = stats.sharpe_error(sharpe, 10_001, -0.5, 5, 0, convention, autocorrelation)
    divisor, reached = (10_000, length - 1) if convention == "2012" else (10_001, length)
    assert scipy_stats.norm.cdf(sharpe / (error * math.sqrt(divisor / reached))) == pytest.approx(0.95)


def test_no_track_record_is_long_enough_below_the_benchmark() -> None:
    assert stats.minimum_track_record_length(0.05, 0, 3, 0.05) == math.inf


@given(st.floats(1.001, 1e9), st.floats(0, 1))
def test_the_best_of_luck_grows_with_trials_and_spread(n_trials: float, variance: float) -> None:
    best = stats.expected_maximum_sharpe(n_trials, variance)
    assert 0 <= best <= stats.expected_maximum_sharpe(n_trials * 2, variance)
    assert best <= stats.expected_maximum_sharpe(n_trials, variance * 2 + 0.1)


def test_the_best_of_luck_is_what_simulation_finds() -> None:
    best = np.random.default_rng(0).standard_normal((4000, 50)).max(axis=1)
    mean, variance = stats.maximum_moments(50)
    assert best.mean() == pytest.approx(mean, abs=0.03)
    assert best.var() == pytest.approx(variance, abs=0.03)
    assert stats.expected_maximum_sharpe(50, 1) == pytest.approx(mean, rel=0.02)


def test_moments_of_a_maximum_of_huge_numbers_stay_in_order() -> None:
    means, variances = zip(*(stats.maximum_moments(10.0**k) for k in range(13)), strict=True)
    assert means[0] == pytest.approx(0, abs=1e-9)
    assert variances[0] == pytest.approx(1, abs=1e-6)
    assert list(means) == sorted(means)
    assert list(variances) == sorted(variances, reverse=True)


@given(ratios, st.integers(2, 10_000))
def test_deflation_never_raises_a_ratio(sharpe: float, n_trials: int) -> None:
    plain = stats.probabilistic_sharpe_ratio(sharpe, 500, 0, 3)
    assert stats.deflated_sharpe_ratio(sharpe, 500, 0, 3, n_trials, 0.001) <= plain + 1e-12


def test_a_sample_has_the_moments_of_scipy() -> None:
    returns = np.random.default_rng(1).standard_t(5, 300) * 0.01
    sample = stats.sharpe_sample(returns)
    assert sample.skew == pytest.approx(scipy_stats.skew(returns))
    assert sample.kurtosis == pytest.approx(scipy_stats.kurtosis(returns, fisher=False))
    assert sample.sharpe == pytest.approx(returns.mean() / returns.std(ddof=1))


@pytest.mark.parametrize("n_trials", [1, 0, -3, math.nan, math.inf])
def test_one_trial_is_refused(n_trials: float) -> None:
    with pytest.raises(errors.InvalidArgument, match="probabilistic_sharpe_ratio"):
        stats.deflated_sharpe_ratio(0.1, 100, 0, 3, n_trials, 0.1)
    with pytest.raises(errors.InvalidArgument, match="n_trials"):
        stats.minimum_backtest_length(n_trials, 1.0)


@pytest.mark.parametrize(
    ("returns", "rule"),
    [([0.1], "at least 2"), ([0.1] * 9, "vary"), ([0.1, math.nan], "finite"), ([], "not empty"), ([1e90, -1e90], "size")],
)
def test_returns_without_a_ratio_are_refused(returns: list[float], rule: str) -> None:
    with pytest.raises(errors.InvalidArgument, match=rule):
        stats.sharpe_sample(np.array(returns))


@pytest.mark.parametrize(
    ("arguments", "rule"),
    [
        ((math.nan, 100, 0, 3), "sharpe"),
        ((0.1, 1, 0, 3), "n_obs"),
        ((0.1, 10.5, 0, 3), "n_obs"),
        ((0.1, 100, math.nan, 3), "skew"),
        ((0.1, 100, 0, 0.2), "Pearson"),
        ((0.9, 100, 9, 3), "together"),
        ((0.1, 100, 0, 3, math.inf), "benchmark"),
        ((0.1, 100, 0, 3, 0, "2014"), "convention"),
        ((0.1, 100, 0, 3, 0, "2012", 1.0), "autocorrelation"),
    ],
)
def test_impossible_arguments_are_refused(arguments: tuple[float, ...], rule: str) -> None:
    with pytest.raises(errors.InvalidArgument, match=rule):
        stats.probabilistic_sharpe_ratio(*arguments)


@given(st.floats(0.01, 0.99), st.floats(0.01, 0.5), st.floats(0, 1))
def test_a_discovery_is_at_most_as_doubtful_as_its_prior_when_the_test_has_power(prior: float, alpha: float, power: float) -> None:
    false = stats.planned_false_discovery_rate(prior, alpha, power)
    assert 0 < false <= 1
    assert (false <= 1 - prior + 1e-12) == (power >= alpha) or power == pytest.approx(alpha)


@given(st.floats(-0.9, 0.9), st.integers(1, 2000))
def test_autocorrelation_factor_is_the_ratio_of_variances(r: float, n: int) -> None:
    k = np.arange(1, n)
    inflation = 1 + 2 * ((1 - k / n) * r**k).sum()
    assert stats.autocorrelation_factor(r, n) == pytest.approx(inflation**-0.5, rel=1e-6)


def test_luck_alone_passes_as_often_as_it_is_said_to() -> None:
    rng = np.random.default_rng(5)
    searched, unseen, trials = 300, 150, 40
    said = []
    for _ in range(1200):
        noise = rng.standard_normal((searched, trials))
        best = noise[:, np.argmax(noise.mean(axis=0) / noise.std(axis=0))]
        whole = np.concatenate([best, rng.standard_normal(unseen)])
        said.append(stats.luck_probability(float(whole.mean() / whole.std(ddof=1)), searched, unseen, trials))
    assert scipy_stats.kstest(said, "uniform").pvalue > 0.01


@given(st.floats(-0.2, 0.2), st.integers(50, 5_000), st.integers(1, 100_000))
def test_without_unseen_bars_luck_is_the_best_of_so_many_normals(sharpe: float, n: int, trials: int) -> None:
    expected = scipy_stats.norm.cdf(sharpe * math.sqrt(n)) ** trials
    assert stats.luck_probability(sharpe, n, 0, trials) == pytest.approx(expected, abs=1e-9)


@given(st.floats(-0.1, 0.1), st.integers(100, 2_000), st.integers(100, 2_000), st.integers(2, 5_000))
def test_bars_that_paid_for_a_search_say_less_than_unseen_ones(sharpe: float, searched: int, unseen: int, trials: int) -> None:
    followed = stats.luck_probability(sharpe, searched, unseen, trials)
    assert stats.luck_probability(sharpe, searched + unseen, 0, trials) <= followed + 1e-9
    assert followed <= stats.luck_probability(sharpe, searched + unseen, 0, 1) + 1e-9


@pytest.mark.parametrize("given", [(math.nan, 10, 5, 3), (0.1, 1, 5, 3), (0.1, 10, -1, 3), (0.1, 10, 5, 0), (0.1, 10, 5, 3, 1.0)])
def test_luck_of_impossible_searches_is_refused(given: tuple[float, ...]) -> None:
    with pytest.raises(errors.InvalidArgument):
        stats.luck_probability(*given)  # type: ignore[arg-type]
