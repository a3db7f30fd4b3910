"""Figures of the equity curve, against numbers worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from coinswarm import errors
from coinswarm.metrics import curve

CURVE = np.array([110.0, 99.0, 105.0, 120.0, 90.0])


def test_total_return_is_the_growth_since_the_start():
    assert curve.total_return(CURVE, 100.0) == pytest.approx(-0.1)


def test_cagr_is_the_annual_rate():
    assert curve.cagr(np.array([121.0]), 100.0, 2.0) == pytest.approx(0.1)
    assert curve.cagr(np.array([121.0]), 100.0, 0.5) == pytest.approx(1.21**2 - 1)


def test_cagr_of_ruin_is_a_total_loss():
    assert curve.cagr(np.array([0.0]), 100.0, 1.0) == curve.cagr(np.array([-5.0]), 100.0, 1.0) == -1.0


def test_cagr_beyond_all_numbers_is_infinite():
    assert curve.cagr(np.array([200.0]), 100.0, 1e-6) == math.inf


def test_max_drawdown_is_measured_from_the_running_peak():
    assert curve.max_drawdown(CURVE, 100.0) == pytest.approx(0.25)


def test_starting_equity_is_the_first_peak():
    assert curve.max_drawdown(np.array([90.0, 95.0]), 100.0) == pytest.approx(0.1)
    assert curve.max_drawdown(np.array([100.0, 101.0]), 100.0) == 0.0


def test_max_stagnation_counts_bars_in_a_row_below_a_past_peak():
    assert curve.max_stagnation(CURVE, 100.0) == 2
    assert curve.max_stagnation(np.array([99.0, 98.0, 100.0, 99.0]), 100.0) == 2
    assert curve.max_stagnation(np.array([100.0, 100.0, 101.0]), 100.0) == 0
    assert curve.max_stagnation(np.array([50.0]), 100.0) == 1


def test_rounding_noise_is_no_stagnation():
    assert curve.max_stagnation(np.array([100.0 * (1 - 1e-14)] * 3), 100.0) == 0


def test_calmar_without_a_drawdown_is_zero():
    assert curve.calmar(0.5, 0.0) == 0.0
    assert curve.calmar(0.5, 0.25) == 2.0


def test_turnover_is_traded_notional_over_mean_equity_a_year():
    assert curve.turnover(400.0, np.array([100.0, 300.0]), 0.5) == pytest.approx(4.0)
    assert curve.turnover(400.0, np.array([0.0, -1.0]), 0.5) == 0.0


@pytest.mark.parametrize("bad", [np.array([]), np.ones((2, 2)), np.array([1.0, np.nan])])
def test_curves_that_are_no_curves_are_refused(bad):
    with pytest.raises(errors.InvalidArgument):
        curve.max_drawdown(bad, 100.0)
