"""Sums over a position's bars against their slow obvious twin."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from coinswarm.kernels import trades
from coinswarm.kernels.codes import N_OUTCOME
from tests.oracles import naive_trades


@given(st.integers(0, 2**32), st.integers(2, 400), st.sampled_from([1.0, -1.0, 3.0]))
def test_moments_of_bar_returns_equal_the_plain_sums(seed: int, n: int, size: float) -> None:
    close = 100 * np.exp(np.cumsum(np.random.default_rng(seed).normal(0, 1e-3, n)))
    equity = 1.0 + size / close[0] * (close - close[0])
    out = np.zeros(N_OUTCOME)
    trades.moments(close, 1, n, 1.0, size / close[0], close[0], out)
    for field, expected in naive_trades.moments(equity.tolist()).items():
        np.testing.assert_allclose(out[field], expected, rtol=1e-10, atol=1e-15)
