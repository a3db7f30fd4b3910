"""Figures of bar returns, against numbers worked out by hand and against SciPy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from coinswarm.metrics import returns

UP_AND_DOWN = np.array([0.02, -0.01, 0.02, -0.01])


def test_bar_returns_begin_with_the_starting_equity():
    assert returns.bar_returns(np.array([110.0, 99.0]), 100.0) == pytest.approx([0.1, -0.1])


def test_bar_that_begins_with_nothing_left_returns_nothing():
    assert returns.bar_returns(np.array([50.0, -10.0, -20.0, 0.0, 5.0]), 100.0) == pytest.approx([-0.5, -1.2, 0.0, 0.0, 0.0])


def test_sharpe_is_mean_over_sample_deviation_a_year():
    assert returns.sharpe(UP_AND_DOWN, 400.0) == pytest.approx(0.005 / (0.015 * math.sqrt(4 / 3)) * 20)


@pytest.mark.parametrize("values", [np.zeros(5), np.full(5, 0.01), np.array([0.3]), np.array([0.0, 1e-15, 0.0])])
def test_sharpe_without_a_deviation_is_zero(values):
    assert returns.sharpe(values, 365.25) == 0.0


def test_sortino_divides_by_the_root_mean_square_of_losses():
    assert returns.sortino(UP_AND_DOWN, 400.0) == pytest.approx(0.005 / math.sqrt(0.0002 / 4) * 20)
    assert returns.sortino(np.array([0.1, 0.2]), 400.0) == 0.0


def test_moments_equal_those_of_scipy():
    values = np.random.default_rng(3).standard_t(5, 500)
    assert returns.skew(values) == pytest.approx(stats.skew(values))
    assert returns.kurtosis(values) == pytest.approx(stats.kurtosis(values, fisher=False))


def test_moments_of_a_flat_account_are_those_of_a_normal():
    assert (returns.skew(np.zeros(4)), returns.kurtosis(np.zeros(4))) == (0.0, 3.0)
