"""The outcome of a trade: its net result minus the expected one of random trades of the same market, side and hold."""

from __future__ import annotations

import numpy as np

from coinswarm.ledger.chaos import ChaosTrades
from coinswarm.patterns import bins
from coinswarm.patterns.conditions import Hold
from coinswarm.types import FloatArray, IntArray

MIN_CELL = 30
"""A market, side and hold with fewer trades takes the expectation of all trades of that side and hold."""


def excess(trades: ChaosTrades, bands: tuple[Hold, ...]) -> FloatArray:
    """Net result of each trade beyond that of random trades like it, so that drift and costs are no edge.

    The expectation is the mean over these very trades, which are random by themselves; discovery and confirmation each have their own.

    Args:
        trades: n trades of one segment.
        bands: hold bands that expectations are taken in.

    Returns:
        (n,) fractions of the notional; they add up to 0 over each market, side and hold that has trades enough.
    """
    rough = 2 * bins.bucket(trades, bands).astype(np.int64) + (trades.side > 0)
    fine = rough * (len(trades.markets) + 1) + trades.market
    wide, near = _means(rough, trades.net), _means(fine, trades.net)
    counts = np.bincount(fine)
    return np.asarray(trades.net - np.where(counts[fine] >= MIN_CELL, near[fine], wide[rough]))


def _means(cell: IntArray, values: FloatArray) -> FloatArray:
    """(n_cells,) mean of the values of each cell; 0 for an empty one."""
    counts = np.bincount(cell)
    return np.bincount(cell, weights=values) / np.maximum(counts, 1)
