"""Online procedures."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coinswarm import errors, stats

PROCEDURES = [stats.lond, stats.lord_plus_plus, stats.saffron]
streams = st.lists(st.one_of(st.floats(0, 1), st.floats(0, 1e-3)), max_size=80)
alphas = st.floats(0.001, 0.5)


def discoveries(test: stats.OnlineTest) -> np.ndarray:
    """How many there were up to and including each p-value, at least 1."""
    return np.maximum(1, np.cumsum(test.rejected))


@given(streams, alphas)
def test_lond_never_spends_more_than_alpha_a_discovery(p: list[float], alpha: float) -> None:
    test = stats.lond(p, alpha)
    before = np.cumsum(test.rejected) - test.rejected
    assert np.sum(test.levels / (before + 1)) <= alpha
    assert not test.rejected[test.levels < p].any()


@given(streams, alphas)
def test_lord_plus_plus_never_spends_more_than_alpha_a_discovery(p: list[float], alpha: float) -> None:
    test = stats.lord_plus_plus(p, alpha)
    assert (np.cumsum(test.levels) <= alpha * discoveries(test) + 1e-12).all()


@given(streams, alphas, st.floats(0.1, 0.9))
def test_saffron_never_spends_more_than_alpha_a_discovery(p: list[float], alpha: float, candidate: float) -> None:
    test = stats.saffron(p, alpha, candidate)
    spent = np.cumsum(test.levels * (np.array(p) > candidate)) / (1 - candidate)
    assert (spent <= alpha * discoveries(test) + 1e-9).all()


@pytest.mark.parametrize("procedure", PROCEDURES)
@given(p=streams, later=st.floats(0, 1))
def test_a_level_depends_on_the_past_only(procedure, p: list[float], later: float) -> None:
    before, after = procedure(p), procedure([*p, later])
    assert after.levels[:-1] == pytest.approx(before.levels)
    assert after.levels[-1] == pytest.approx(before.next_level)


@pytest.mark.parametrize("procedure", PROCEDURES)
def test_on_noise_at_most_alpha_of_streams_have_a_discovery(procedure) -> None:
    rng = np.random.default_rng(8)
    found = sum(bool(procedure(rng.random(60), 0.1).rejected.any()) for _ in range(500))
    # 50 expected at most; 72 is three deviations more
    assert found < 72


@pytest.mark.parametrize("procedure", PROCEDURES)
def test_real_effects_are_found_and_pay_for_more(procedure) -> None:
    test = procedure([1e-6] * 20)
    assert test.rejected.all()
    assert test.next_level > test.levels[0] / 2


@pytest.mark.parametrize("procedure", PROCEDURES)
@pytest.mark.parametrize(("p", "alpha"), [([1.1], 0.05), ([np.nan], 0.05), ([-0.1], 0.05), ([0.5], 0), ([0.5], 1)])
def test_what_is_no_probability_is_refused(procedure, p: list[float], alpha: float) -> None:
    with pytest.raises(errors.InvalidArgument):
        procedure(p, alpha)


def test_wealth_must_not_exceed_alpha() -> None:
    with pytest.raises(errors.InvalidArgument, match="wealth"):
        stats.lord_plus_plus([0.5], 0.05, wealth=0.06)
