"""The names of all figures, in one order, and the record a scored variant gets. Definitions: docs/simulation.md."""

from __future__ import annotations

import math
from collections.abc import Mapping
from enum import IntEnum

import numpy as np

from coinswarm import errors

FIGURES = (
    "total_return", "cagr", "sharpe", "sortino", "max_drawdown", "max_stagnation", "calmar",
    "n_trades", "win_rate", "profit_factor", "expectancy", "exposure", "avg_hold", "turnover",
    "fees", "slippage", "funding", "skew", "kurtosis", "n_obs", "n_open", "n_rejected", "n_liquidated", "n_gaps",
)  # fmt: skip

COMMON = "the most used are sharpe, sortino, calmar, total_return, max_drawdown, profit_factor and n_trades; docs/simulation.md has all"
"""What is said where a name is no figure's, nor near one."""

SMALLER_IS_BETTER = frozenset(
    {"max_drawdown", "max_stagnation", "fees", "slippage", "funding", "n_open", "n_rejected", "n_liquidated", "n_gaps"}
)
"""Figures of which less is better; of all others more is."""

UNITS: Mapping[str, str] = {
    **dict.fromkeys(("total_return", "fees", "slippage", "funding"), "fraction of the starting equity"),
    "cagr": "fraction a year",
    **dict.fromkeys(("sharpe", "sortino"), "ratio, a year"),
    "max_drawdown": "fraction of the peak",
    **dict.fromkeys(("max_stagnation", "avg_hold", "n_obs", "n_gaps"), "bars"),
    **dict.fromkeys(("calmar", "profit_factor"), "ratio"),
    "n_trades": "trades",
    "win_rate": "fraction of closed trades",
    "expectancy": "fraction of the notional",
    "exposure": "fraction of bars",
    "turnover": "multiple a year",
    **dict.fromkeys(("skew", "kurtosis"), "no unit"),
    **dict.fromkeys(("n_open", "n_liquidated"), "positions"),
    "n_rejected": "entries",
}
"""The unit of each figure."""

_SHARE, _NOT_NEGATIVE = (0.0, 1.0), (0.0, math.inf)
RANGES: Mapping[str, tuple[float, float]] = {
    "max_drawdown": _SHARE, "win_rate": _SHARE, "exposure": _SHARE, "cagr": (-1.0, math.inf),
    **dict.fromkeys(
        ("max_stagnation", "n_trades", "profit_factor", "avg_hold", "turnover", "fees", "slippage", "kurtosis", "n_obs", "n_open",
         "n_rejected", "n_liquidated", "n_gaps"),
        _NOT_NEGATIVE,
    ),
}  # fmt: skip
"""What a limit on a figure may be, both ends included; any number for a figure that is not named."""


def refuse_threshold(figure: str, threshold: float, text: str, bounds: tuple[float, float] | None = None) -> None:
    """Raise unless a limit on a figure can be meant.

    Args:
        figure: its name.
        threshold: the limit.
        text: as it was written.
        bounds: what it may be; None: as `RANGES` has it.

    Raises:
        BadSetting: every value keeps the limit, or none does.
    """
    low, high = bounds or RANGES.get(figure, (-math.inf, math.inf))
    if low <= threshold <= high:
        return
    domain = f"in [{low:g}, {high:g}]" if math.isfinite(high) else f"at least {low:g}"
    percent = high == 1.0 and 1.0 < threshold <= 100.0
    hint = f"it is a fraction: {threshold:g} % is {threshold / 100:g}" if percent else f"{figure} is never beyond that"
    raise errors.BadSetting(f"a limit on {figure} must be {domain}", found=text, hint=hint)


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
