from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coinswarm.report import luck


@pytest.mark.parametrize("trials", [10, 100, 1000])
def test_the_luckiest_sharpe_is_what_a_simulation_of_no_skill_finds(trials: int) -> None:
    worlds = np.random.default_rng(1).standard_normal((2000, trials)).max(axis=1)
    assert luck.best_sharpe_by_luck(trials, 1.0) == pytest.approx(worlds.mean(), rel=0.03)


@given(st.integers(1, 10**9), st.floats(0.01, 100))
def test_more_tries_are_luckier_and_a_longer_span_less(trials: int, years: float) -> None:
    value = luck.best_sharpe_by_luck(trials, years)
    assert 0 <= value <= luck.best_sharpe_by_luck(trials * 2, years)
    assert luck.best_sharpe_by_luck(trials, years * 2) <= value


@pytest.mark.parametrize(("trials", "said"), [(None, "not recorded"), (1, "One variant"), (4213, "4,213 variants")])
def test_the_warning_always_says_how_many_were_tried(trials: int | None, said: str) -> None:
    text = luck.warning(trials, 0.5)
    assert said in text
    assert "looks good by luck" in text or "look good by luck" in text
