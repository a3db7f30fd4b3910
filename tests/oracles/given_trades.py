"""Coded trades that hypothesis draws."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from coinswarm.kernels import subgroups
from coinswarm.patterns import table
from coinswarm.patterns.table import CodedTrades


@st.composite
def coded_trades(draw: st.DrawFn, *, trades: int, blocks: int, bins: int, dimensions: int) -> CodedTrades:
    """Trades of so many blocks of time, bins and dimensions at most; a fifth of the values of what defines no stratum are missing."""
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    n, n_blocks = draw(st.integers(2, trades)), draw(st.integers(1, blocks))
    sizes = tuple(draw(st.lists(st.integers(2, bins), min_size=1, max_size=dimensions)))
    strata = tuple(draw(st.lists(st.booleans(), min_size=len(sizes), max_size=len(sizes))))
    codes = np.array([random.integers(0, size, n) for size in sizes]).astype(np.uint8)
    for row, defines in zip(codes, strata, strict=True):
        if not defines:
            row[random.random(n) < 0.2] = subgroups.NO_BIN
    return table.build(codes, sizes, strata, random.standard_normal(n), np.sort(random.integers(0, n_blocks, n)), n_blocks)
