from __future__ import annotations

import base64
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from coinswarm.report import series


def _floats(text: object) -> np.ndarray:
    return np.frombuffer(base64.b64decode(str(text)), dtype="<f4")


@given(st.integers(1, 5000), st.integers(1, 400))
def test_buckets_cover_every_bar_and_are_not_more_than_asked_for(n: int, limit: int) -> None:
    starts = series.bucket_starts(n, limit)
    assert starts[0] == 0
    assert starts.size <= limit
    assert np.unique(np.diff(starts)).size <= 1


@given(arrays.arrays(np.float64, st.integers(1, 50), elements=st.floats(0.1, 1e6)), st.floats(0.1, 1e6))
def test_drawdown_is_zero_at_a_new_peak_and_below_one(equity: np.ndarray, start: float) -> None:
    fall = series.drawdown(equity, start)
    assert ((fall >= 0) & (fall < 1)).all()
    assert fall[int(np.argmax(equity))] == 0 or equity.max() < start


@pytest.mark.parametrize("limit", [1, 7, 100, 10_000])
def test_thinning_keeps_every_extreme(simulate: Callable[..., object], limit: int) -> None:
    curves = series.of(simulate())
    assert curves is not None
    packed = series.packed(curves, limit)
    assert _floats(packed["high"]).max() == np.float32(curves.bars.high.max())
    assert _floats(packed["low"]).min() == np.float32(curves.bars.low.min())
    assert _floats(packed["drawdown"]).max() == np.float32(curves.drawdown.max())
    assert _floats(packed["equity"])[-1] == np.float32(curves.equity[-1])


def test_a_single_bar_is_a_curve(simulate: Callable[..., object]) -> None:
    curves = series.of(simulate(51, 0))
    assert curves is not None
    assert len(curves.bars) == 1
    assert series.packed(curves, 10)["step"] == 300


def test_the_starting_equity_is_found_when_the_first_bar_decides(simulate: Callable[..., object]) -> None:
    curves = series.of(simulate(100, 0, start=0))
    assert curves is not None
    assert curves.starting_equity == pytest.approx(10_000.0)


def test_buy_and_hold_starts_at_the_open_of_the_first_bar(simulate: Callable[..., object]) -> None:
    curves = series.of(simulate())
    assert curves is not None
    assert curves.hold == pytest.approx(curves.equity)


@pytest.mark.parametrize("equity", [np.empty(0), np.full(600, np.nan)])
def test_what_was_not_simulated_has_no_curves(simulate: Callable[..., object], equity: np.ndarray) -> None:
    assert series.of(simulate().but(equity=equity)) is None
