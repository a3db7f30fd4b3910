"""Jumping over blocks finds what a walk over bars finds."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from coinswarm.kernels import blocks
from coinswarm.kernels.tape import Tape
from coinswarm.kernels.trades import extremes

SIZES = st.integers(1, 1200)


def tape(seed: int, n: int) -> Any:
    rng = np.random.default_rng(seed)
    low = 100 + np.cumsum(rng.normal(0, 1, n))
    high = low + rng.random(n)
    none = np.zeros(1)
    return Tape(
        open=low, high=high, low=low, close=low, volume=low, adjusted=low, funding=none, volatility=none, gaps=none,
        low_small=blocks.block_min(low, blocks.SMALL), low_large=blocks.block_min(low, blocks.LARGE),
        high_small=blocks.block_max(high, blocks.SMALL), high_large=blocks.block_max(high, blocks.LARGE),
        adjusted_low=blocks.block_min(low, blocks.SMALL), adjusted_high=blocks.block_max(low, blocks.SMALL),
    )  # fmt: skip


@given(st.integers(0, 2**32), SIZES, st.integers(0, 1200), st.floats(0, 40), st.floats(0, 40))
def test_the_first_touch_is_the_first(seed: int, n: int, start: int, down: float, up: float) -> None:
    bars = tape(seed, n)
    stop = max(start, n - seed % 20)
    below, above = 100 - down, 100 + up
    expected = next((j for j in range(start, min(stop, n)) if bars.low[j] <= below or bars.high[j] >= above), stop)
    if stop <= n:
        assert blocks.first_touch(bars, start, stop, below, above) == expected


@given(st.integers(0, 2**32), SIZES, st.integers(0, 1199), st.integers(1, 1200))
def test_extremes_of_a_stretch_by_blocks_are_exact(seed: int, n: int, start: int, length: int) -> None:
    bars = tape(seed, n)
    start = min(start, n - 1)
    stop = min(n, start + length)
    assert extremes(bars, start, stop) == (bars.adjusted[start:stop].min(), bars.adjusted[start:stop].max())
