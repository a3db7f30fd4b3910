"""Blocks of time: the bars of a market in parts of equal length, so that variants can be tried on some of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from coinswarm import check
from coinswarm.kernels.bits import packed
from coinswarm.types import Bits


def entries(n_bars: int, blocks: Sequence[int], of: int) -> Bits:
    """(n_words,) packed bits of the bars of some blocks.

    Args:
        n_bars: bars of the market.
        blocks: which blocks, in any order.
        of: how many blocks there are; block i holds the bars from i * n_bars / of, rounded down, to where the next one begins.

    Raises:
        InvalidArgument: a block is not among them.
    """
    inside = np.zeros(n_bars, dtype=np.bool_)
    for block in blocks:
        check.within(block, "block", 0, of - 1)
        inside[block * n_bars // of : (block + 1) * n_bars // of] = True
    return packed(inside)
