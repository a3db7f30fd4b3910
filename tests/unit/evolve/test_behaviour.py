"""How a variant trades, as a place on the archive's axes."""

from __future__ import annotations

import numpy as np
import pytest

from coinswarm.evolve import archive, behaviour
from coinswarm.metrics.figures import SCORE_DTYPE, Status

BAR_MS = 300_000


def table(**figures: object) -> np.ndarray:
    made = np.zeros((1, 2), dtype=SCORE_DTYPE)
    for name, values in figures.items():
        made[name] = values
    return made


def test_behaviour_is_in_hours_and_days_whatever_the_length_of_a_bar() -> None:
    made = table(n_trades=[30, 10], n_obs=2880, avg_hold=[12, 36], exposure=[0.2, 0.4], win_rate=[0.5, 0.7])
    assert behaviour.descriptors(made, BAR_MS)[0] == pytest.approx([2.0, 2.0, 0.3, 0.6])


def test_a_variant_that_never_trades_or_has_no_figures_behaves_in_no_way() -> None:
    idle = table(n_obs=2880, status=Status.NO_TRADES)
    failed = table(n_trades=np.nan, n_obs=np.nan, avg_hold=np.nan, status=Status.INVALID)
    assert np.isnan(behaviour.descriptors(np.concatenate([idle, failed]), BAR_MS)[:, 0]).all()


def test_a_market_without_trades_does_not_take_a_variant_out_of_the_archive() -> None:
    made = table(n_trades=[30, 0], n_obs=2880, avg_hold=[12, 0], exposure=[0.2, 0.0], win_rate=[0.5, 0.0])
    assert np.isfinite(behaviour.descriptors(made, BAR_MS)).all()


def test_the_grid_of_trading_is_small_enough_to_be_stored_with_every_commit() -> None:
    assert behaviour.TRADING.cells == 1600
    assert archive.coverage(archive.empty(behaviour.TRADING, 3), behaviour.TRADING) == 0.0
