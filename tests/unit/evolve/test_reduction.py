from __future__ import annotations

import numpy as np
import pytest

from coinswarm import errors
from coinswarm.evolve import Constraint, Objective, SearchSettings, reduction
from coinswarm.metrics import figures


def scores(**columns):
    shape = np.shape(next(iter(columns.values())))
    table = np.zeros(shape, dtype=figures.SCORE_DTYPE)
    for name, values in columns.items():
        table[name] = values
    return table


def settings(scope="mean", direction="max", constraints=()):
    return SearchSettings(objectives=(Objective(name="sharpe", scope=scope, direction=direction),), constraints=constraints)


@pytest.mark.parametrize(
    ("scope", "direction", "expected"),
    [("mean", "max", 2.0), ("min", "max", 1.0), ("max", "max", 3.0), ("worst", "max", 1.0), ("worst", "min", 3.0)],
)
def test_a_scope_makes_one_number_of_the_slices(scope, direction, expected):
    assert reduction.results(scores(sharpe=[[1.0, 2.0, 3.0]]), settings(scope, direction)).objectives.tolist() == [[expected]]


@pytest.mark.parametrize("scope", ["mean", "min", "max", "worst"])
def test_a_figure_missing_on_one_slice_is_missing_altogether(scope):
    assert np.isnan(reduction.results(scores(sharpe=[[1.0, np.nan]]), settings(scope)).objectives).all()


def test_a_violation_is_relative_to_its_threshold_and_asked_of_every_market():
    limits = (Constraint(figure="n_trades", operator=">=", threshold=40), Constraint(figure="max_drawdown", operator="<=", threshold=0.2))
    table = scores(n_trades=[[50, 30], [40, 40]], max_drawdown=[[0.1, 0.3], [0.2, 0.2]])
    assert reduction.results(table, settings(constraints=limits)).violation.tolist() == pytest.approx([0.75, 0.0])


def test_a_constraint_on_a_missing_figure_is_violated():
    limit = (Constraint(figure="profit_factor", operator=">=", threshold=1.5),)
    assert reduction.results(scores(profit_factor=[[np.nan]]), settings(constraints=limit)).violation.tolist() == [np.inf]


def test_no_trades_is_no_failure_and_an_error_on_one_market_is():
    status = [[figures.Status.NO_TRADES, 0], [figures.Status.ERROR, 0], [0, figures.Status.TIMEOUT], [figures.Status.INVALID, 0]]
    assert reduction.results(scores(status=status), settings()).failed.tolist() == [False, True, True, True]


def test_an_objective_that_does_not_exist_is_refused_with_the_nearest_names():
    with pytest.raises(errors.BadSetting, match=r"objectives and constraints name figures, got 'sharp'.*sharpe"):
        reduction.check_names(SearchSettings(objectives=(Objective(name="sharp"),)))
    with pytest.raises(errors.BadSetting, match=r"got 'drawdown'.*max_drawdown"):
        reduction.check_names(settings(constraints=(Constraint(figure="drawdown", operator="<=", threshold=1),)))


def test_scores_without_slices_are_refused():
    with pytest.raises(errors.ShapeMismatch, match="one column a market"):
        reduction.results(scores(sharpe=[1.0, 2.0]), settings())


def test_fitness_is_larger_for_better_and_missing_for_the_infeasible_and_the_failed():
    limit = (Constraint(figure="n_trades", operator=">=", threshold=1),)
    table = scores(sharpe=[[2.0], [3.0], [4.0]], n_trades=[[1], [0], [1]], status=[[0], [0], [figures.Status.ERROR]])
    for direction, sign in (("max", 1.0), ("min", -1.0)):
        config = settings(direction=direction, constraints=limit)
        found = reduction.fitness(reduction.results(table, config), config)
        assert found[0] == sign * 2.0
        assert np.isnan(found[1:]).all()
