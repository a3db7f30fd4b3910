"""Harvey & Liu's haircut."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from coinswarm import errors, stats


@given(st.floats(0.01, 0.3), st.integers(20, 2000), st.integers(2, 1000))
def test_the_lowered_ratio_has_the_corrected_p_value(sharpe: float, n_obs: int, n_trials: int) -> None:
    cut = stats.sharpe_haircut(sharpe, n_obs, n_trials)
    assert 2 * scipy_stats.t.sf(cut.sharpe * np.sqrt(n_obs), n_obs - 1) == pytest.approx(cut.p_adjusted, abs=1e-9)
    assert cut.p_single <= cut.p_adjusted <= min(1, n_trials * cut.p_single) + 1e-15
    assert 0 <= cut.haircut <= 1


def test_methods_are_ordered_and_every_trial_is_needed_for_the_kinder_ones() -> None:
    trials = np.append(np.random.default_rng(0).normal(0.02, 0.05, 99), 0.3)
    kept = [stats.sharpe_haircut(0.3, 250, 100, method=method, trial_sharpes=trials).sharpe for method in ("bonferroni", "holm", "by")]
    assert 0 < kept[0] <= kept[1]
    assert 0 < kept[2] < 0.3
    with pytest.raises(errors.InvalidArgument, match="trial_sharpes must be given"):
        stats.sharpe_haircut(0.3, 250, 100, method="holm")


def test_a_ledger_with_holes_is_refused() -> None:
    with pytest.raises(errors.ShapeMismatch, match="100 values"):
        stats.sharpe_haircut(0.3, 250, 100, method="holm", trial_sharpes=np.full(99, 0.3))
    with pytest.raises(errors.InvalidArgument, match="contain the selected"):
        stats.sharpe_haircut(0.3, 250, 3, method="holm", trial_sharpes=[0.1, 0.2, 0.29])
    with pytest.raises(errors.InvalidArgument, match="finite"):
        stats.sharpe_haircut(0.3, 250, 3, method="by", trial_sharpes=[0.1, np.nan, 0.3])


def test_trending_returns_are_cut_deeper_and_signs_are_kept() -> None:
    assert stats.sharpe_haircut(0.2, 500, 10, autocorrelation=0.3).haircut > stats.sharpe_haircut(0.2, 500, 10).haircut
    assert stats.sharpe_haircut(-0.2, 500, 10).sharpe == pytest.approx(-stats.sharpe_haircut(0.2, 500, 10).sharpe)
    assert stats.sharpe_haircut(0.001, 50, 1000).haircut == 1


@pytest.mark.parametrize(("sharpe", "n_obs", "n_trials"), [(0, 100, 10), (np.nan, 100, 10), (0.1, 1, 10), (0.1, 100, 1)])
def test_nothing_to_cut_is_refused(sharpe: float, n_obs: int, n_trials: int) -> None:
    with pytest.raises(errors.InvalidArgument):
        stats.sharpe_haircut(sharpe, n_obs, n_trials)
