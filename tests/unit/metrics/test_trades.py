"""Figures of closed trades and the record they come in."""

from __future__ import annotations

import math

import numpy as np
import pytest

from coinswarm import errors
from coinswarm.metrics import assemble, trades
from coinswarm.metrics.figures import FIGURES
from coinswarm.metrics.history import History

NONE = np.array([])


def history(**fields):
    settings = {
        "starting_equity": 100.0, "equity": np.array([110.0, 121.0]), "in_position": np.array([True, False]), "periods_per_year": 2.0,
        "pnl": np.array([10.0, 11.0]), "trade_returns": np.array([0.1, 0.1]), "bars_held": np.array([1.0, 2.0]),
    }  # fmt: skip
    return History(**(settings | fields))


def test_win_rate_counts_only_what_is_above_zero():
    assert trades.win_rate(np.array([1.0, 0.0, -1.0, 2.0])) == 0.5


def test_profit_factor_is_wins_over_losses():
    assert trades.profit_factor(np.array([3.0, -1.0, -1.0])) == 1.5
    assert trades.profit_factor(np.array([3.0, 0.0])) == math.inf
    assert trades.profit_factor(np.array([-3.0, 0.0])) == 0.0


def test_without_trades_every_figure_of_trades_is_zero():
    assert [of(NONE) for of in (trades.win_rate, trades.profit_factor, trades.expectancy, trades.avg_hold)] == [0.0] * 4


def test_figures_assemble_all_names():
    found = assemble.figures(history(fees=5.0, n_open=1, n_rejected=2, n_liquidated=3, n_gaps=4))
    assert tuple(found) == FIGURES
    assert (found["cagr"], found["exposure"], found["avg_hold"], found["fees"], found["n_obs"]) == (pytest.approx(0.21), 0.5, 1.5, 0.05, 2)
    assert [found[name] for name in ("n_open", "n_rejected", "n_liquidated", "n_gaps")] == [1, 2, 3, 4]


@pytest.mark.parametrize(
    "fields",
    [{"in_position": np.array([True])}, {"bars_held": NONE}, {"equity": NONE}, {"starting_equity": 0.0}, {"periods_per_year": -1.0}],
)
def test_records_that_do_not_fit_together_are_refused(fields):
    with pytest.raises(errors.InvalidArgument):
        history(**fields)
