"""Corrections for number, effective trials, overlap, intervals, detectable effects."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from coinswarm import errors, stats

probabilities = st.lists(st.floats(0, 1), min_size=1, max_size=30)
spans = st.lists(st.tuples(st.integers(0, 50), st.integers(0, 12)), min_size=1, max_size=15).map(
    lambda pairs: [(a, a + n) for a, n in pairs]
)


@given(probabilities, st.sampled_from(["bonferroni", "holm", "bh", "by", "bky"]))
def test_correction_keeps_order_and_decides_by_its_level(p: list[float], method: str) -> None:
    got = stats.correct_p_values(p, method, 0.05)
    order = np.argsort(p, kind="stable")
    assert (np.diff(got.p_adjusted[order]) >= -1e-12).all()
    assert (np.diff(got.rejected[order].astype(int)) <= 0).all()


@given(probabilities)
def test_false_discovery_correction_is_that_of_scipy(p: list[float]) -> None:
    assert stats.correct_p_values(p, "bh").p_adjusted == pytest.approx(scipy_stats.false_discovery_control(p))


def test_words_and_values_outside_the_domain_are_refused() -> None:
    with pytest.raises(errors.InvalidArgument, match="did you mean holm"):
        stats.correct_p_values([0.1], "hol")
    with pytest.raises(errors.InvalidArgument, match="p_values"):
        stats.correct_p_values([1.2])
    with pytest.raises(errors.InvalidArgument):
        stats.independent_maximum_p(2.0, 0)


def test_a_hopeless_table_has_no_attainable_pattern() -> None:
    assert stats.attainable_patterns([1, 1, 2], 4, 2).n_tests == 0
    assert stats.attainable_patterns([1, 1, 2], 4, 2).support == 3


@given(st.lists(st.integers(1, 40), min_size=1, max_size=30), st.integers(1, 39))
def test_patterns_below_the_attainable_support_could_not_be_significant(supports: list[int], n_positive: int) -> None:
    got = stats.attainable_patterns(supports, 40, n_positive)
    if got.n_tests:
        best = scipy_stats.hypergeom.pmf(got.support, 40, n_positive, got.support)
        assert best * got.n_tests <= 0.05 + 1e-12
        assert got.n_tests == sum(support >= got.support for support in supports)
    assert got.support <= n_positive + 1


@pytest.mark.parametrize("n_variants", [1, 2, 40])
def test_independent_variants_count_fully_and_copies_once(n_variants: int) -> None:
    returns = np.random.default_rng(0).standard_normal((500, n_variants))
    assert stats.effective_trials(returns) == n_variants
    assert stats.effective_trials(np.repeat(returns[:, :1], 25, axis=1) * np.arange(1, 26)) == 1


def test_families_of_variants_are_told_apart_in_order_of_appearance() -> None:
    rng = np.random.default_rng(1)
    families = np.array([0, 1, 1, 2, 0, 2, 2, 1, 3])
    returns = rng.standard_normal((800, 4))[:, families] + 0.3 * rng.standard_normal((800, 9))
    assert stats.trial_clusters(returns).tolist() == families.tolist()
    assert stats.effective_trials(returns, correlation=0.999) == 9


def test_many_variants_are_compared_a_part_at_a_time() -> None:
    rng = np.random.default_rng(1)
    returns = rng.standard_normal((200, 300))
    assert stats.effective_trials(np.hstack([returns, returns])) == 300


@pytest.mark.parametrize(
    ("returns", "rule"), [(np.ones((9, 2)), "flat in column 0, 1"), (np.full((9, 2), np.nan), "finite"), (np.ones((1, 2)), "2 obs")]
)
def test_variants_that_cannot_be_compared_are_refused(returns: np.ndarray, rule: str) -> None:
    with pytest.raises(errors.InvalidArgument, match=rule):
        stats.effective_trials(returns)


@given(spans, st.integers(0, 10**12))
def test_uniqueness_equals_a_plain_count_at_any_origin(pairs: list[tuple[int, int]], origin: int) -> None:
    open_trades = np.zeros(70)
    for first, last in pairs:
        open_trades[first : last + 1] += 1
    expected = [np.mean(1 / open_trades[first : last + 1]) for first, last in pairs]
    assert stats.average_uniqueness(np.array(pairs) + origin) == pytest.approx(expected)


@given(spans, st.data())
def test_drawing_sequentially_is_a_distribution_that_avoids_what_was_drawn(pairs: list[tuple[int, int]], data: st.DataObject) -> None:
    drawn = data.draw(st.lists(st.integers(0, len(pairs) - 1), max_size=5))
    chances = stats.sequential_bootstrap_probabilities(pairs, drawn)
    assert chances.sum() == pytest.approx(1)
    assert (chances > 0).all()


@pytest.mark.parametrize(
    ("pairs", "rule"), [([[3, 2]], "end before"), ([[1, 2, 3]], "2 columns"), ([], "two-dimensional"), ([[0, np.nan]], "finite")]
)
def test_spans_that_are_no_spans_are_refused(pairs: list[list[int]], rule: str) -> None:
    with pytest.raises(errors.InvalidArgument, match=rule):
        stats.average_uniqueness(pairs)
    with pytest.raises(errors.InvalidArgument):
        stats.sequential_bootstrap_probabilities([[0, 1]], [1])


def test_overlap_variance_is_what_simulation_finds() -> None:
    sums = np.lib.stride_tricks.sliding_window_view(np.random.default_rng(0).standard_normal((20_000, 45)), 6, axis=1).sum(axis=2)
    assert stats.overlap_variance(6, 40)[0] == pytest.approx(sums.mean(axis=1).var(), rel=0.05)
    assert stats.overlap_variance(1, 40) == (1 / 40, 1)


@given(st.integers(1, 5000), st.data())
def test_wilson_interval_is_that_of_scipy(n: int, data: st.DataObject) -> None:
    successes = data.draw(st.integers(0, n))
    low, high = stats.wilson_interval(successes, n, 0.9)
    theirs = scipy_stats.binomtest(successes, n).proportion_ci(0.9, "wilson")
    assert (low, high) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


@pytest.mark.parametrize(("successes", "n", "confidence"), [(1, 0, 0.9), (3, 2, 0.9), (-1, 2, 0.9), (1, 2, 1.0), (0.5, 2, 0.9)])
def test_counts_that_are_no_share_are_refused(successes: int, n: int, confidence: float) -> None:
    with pytest.raises(errors.InvalidArgument):
        stats.wilson_interval(successes, n, confidence)


def test_an_effect_of_the_detectable_size_is_found_with_the_power_asked_for() -> None:
    n_bars, hold, support, run = 30_000, 4, 0.2, 5.0
    effect = stats.minimum_detectable_effect(n_bars, hold, support, n_candidates=20, outcome_std=2.0, run_bars=run)
    rng = np.random.default_rng(12)
    found = sum(score(rng, n_bars, hold, support, run, effect) > scipy_stats.norm.isf(0.05 / 40) for _ in range(150))
    # 120 expected, with a deviation of 5
    assert 104 <= found <= 136


def score(rng: np.random.Generator, n_bars: int, hold: int, support: float, run: float, effect: float) -> float:
    """The score test of one condition, which raises the outcome of trades begun while it holds, over its true deviation."""
    lengths = np.stack([rng.geometric(1 / run, n_bars), rng.geometric(support / (1 - support) / run, n_bars)], axis=1).ravel()
    on = np.repeat(np.arange(lengths.size) % 2 == 0, lengths)[:n_bars]
    outcomes = np.convolve(rng.standard_normal(n_bars + hold - 1), np.ones(hold), "valid") * 2 / np.sqrt(hold) + effect * on
    products = (on - on.mean()) * (outcomes - outcomes.mean())
    return products.sum() / np.sqrt((products.reshape(-1, 60).sum(axis=1) ** 2).sum())


def test_more_candidates_longer_holds_and_lasting_conditions_hide_more() -> None:
    base = stats.minimum_detectable_effect(100_000, 12, 0.1, run_bars=3)
    assert base < stats.minimum_detectable_effect(100_000, 12, 0.1, run_bars=3, n_candidates=1000)
    assert base < stats.minimum_detectable_effect(100_000, 48, 0.1, run_bars=3)
    assert base < stats.minimum_detectable_effect(100_000, 12, 0.1)
    assert base == pytest.approx(2 * stats.minimum_detectable_effect(100_000, 12, 0.1, run_bars=3, n_markets=4))


@pytest.mark.parametrize("arguments", [(10, 10, 0.1), (100, 0, 0.1), (100, 5, 0.0), (100, 5, 1.0), (100, 5, np.nan)])
def test_a_search_over_nothing_is_refused(arguments: tuple[int, int, float]) -> None:
    with pytest.raises(errors.InvalidArgument):
        stats.minimum_detectable_effect(*arguments)
