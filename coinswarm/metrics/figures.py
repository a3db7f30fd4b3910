"""The names of all figures, in one order, and the record a scored variant gets. Definitions: docs/simulation.md."""

from __future__ import annotations

from enum import IntEnum

import numpy as np

FIGURES = (
    "total_return", "cagr", "sharpe", "sortino", "max_drawdown", "max_stagnation", "calmar",
    "n_trades", "win_rate", "profit_factor", "expectancy", "exposure", "avg_hold", "turnover",
    "fees", "slippage", "funding", "skew", "kurtosis", "n_obs", "n_open", "n_rejected", "n_liquidated", "n_gaps",
)  # fmt: skip

SMALLER_IS_BETTER = frozenset(
    {"max_drawdown", "max_stagnation", "fees", "slippage", "funding", "n_open", "n_rejected", "n_liquidated", "n_gaps"}
)
"""Figures of which less is better; of all others more is."""


class Status(IntEnum):
    """What became of a variant; a failed one never gets a made-up score."""

    OK = 0
    NO_TRADES = 1
    INVALID = 2
    ERROR = 3
    TIMEOUT = 4
    DROPPED = 5
    """Of an evaluation, never of a score: it lost its race on a part of the bars, so it is neither a failure nor has it a fitness."""


SCORE_DTYPE = np.dtype([("status", np.int8), *((name, np.float64) for name in FIGURES)])
"""One scored variant: its status and every figure; the figures of a variant that is neither OK nor NO_TRADES are NaN."""
