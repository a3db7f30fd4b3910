"""Sums over a position's bars against the plain formula."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from coinswarm.kernels.codes import N_OUTCOME, Outcome
from coinswarm.kernels.trades import moments


@given(st.integers(0, 2**32), st.integers(2, 400), st.sampled_from([1.0, -1.0, 3.0]))
def test_moments_of_bar_returns_equal_the_plain_sums(seed: int, n: int, size: float) -> None:
    close = 100 * np.exp(np.cumsum(np.random.default_rng(seed).normal(0, 1e-3, n)))
    equity = 1.0 + size / close[0] * (close - close[0])
    out = np.zeros(N_OUTCOME)
    moments(close, 1, n, 1.0, size / close[0], close[0], out)
    r = equity[1:] / equity[:-1] - 1.0
    for field, expected in (
        (Outcome.SUM, r.sum()), (Outcome.SUM_2, (r**2).sum()), (Outcome.SUM_3, (r**3).sum()), (Outcome.SUM_4, (r**4).sum()),
        (Outcome.SUM_DOWN_2, (np.minimum(r, 0) ** 2).sum()), (Outcome.SUM_EQUITY, equity[1:].sum()),
    ):  # fmt: skip
        np.testing.assert_allclose(out[field], expected, rtol=1e-10, atol=1e-15)
