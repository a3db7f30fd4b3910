"""Figures of the equity curve: growth, and falls below past peaks."""

from __future__ import annotations

import numpy as np

from coinswarm import check
from coinswarm.types import FloatArray

TIE = 1e-12
"""Relative difference below which equity still counts as at its peak."""


def total_return(equity: FloatArray, starting_equity: float) -> float:
    """Growth over the whole span, a fraction.

    Args:
        equity: (n_obs,) account value at bar close; finite.
        starting_equity: account value before the first bar; above 0.
    """
    check.vector(equity, "equity")
    return float(equity[-1]) / starting_equity - 1


def cagr(equity: FloatArray, starting_equity: float, years: float) -> float:
    """Annual growth rate.

    Args:
        equity: (n_obs,) account value at bar close; finite.
        starting_equity: account value before the first bar; above 0.
        years: length of the span; above 0.

    Returns:
        At least -1; -1 when nothing is left, infinite when a short span's rate is beyond all numbers.
    """
    check.vector(equity, "equity")
    check.positive(years, "years")
    if equity[-1] <= 0:
        return -1.0
    with np.errstate(over="ignore"):
        return float(np.float64(equity[-1] / starting_equity) ** (1 / years)) - 1


def drawdowns(equity: FloatArray, starting_equity: float) -> FloatArray:
    """(n_obs,) fall below the running peak at each close, as a fraction of that peak; above 1 when equity is below 0.

    Args:
        equity: (n_obs,) account value at bar close; finite.
        starting_equity: account value before the first bar, the first peak; above 0.
    """
    return 1 - equity / _peaks(equity, starting_equity)


def max_drawdown(equity: FloatArray, starting_equity: float) -> float:
    """Largest fall below a running peak, as a fraction of that peak; 0 when equity never falls.

    Args:
        equity: (n_obs,) account value at bar close; finite.
        starting_equity: account value before the first bar, the first peak; above 0.
    """
    return float(drawdowns(equity, starting_equity).max())


def max_stagnation(equity: FloatArray, starting_equity: float) -> int:
    """Most bars in a row that close below a past peak, by more than 1e-12 of it.

    Args:
        equity: (n_obs,) account value at bar close; finite.
        starting_equity: account value before the first bar, the first peak; above 0.

    Returns:
        In [0, n_obs], bars.
    """
    at_peak = equity >= _peaks(equity, starting_equity) * (1 - TIE)
    edges = np.flatnonzero(np.concatenate([[True], at_peak, [True]]))
    return int(np.diff(edges).max()) - 1


def calmar(annual_growth: float, drawdown: float) -> float:
    """Annual growth rate over the largest drawdown, both fractions (Young 1991); 0 without a drawdown."""
    return annual_growth / drawdown if drawdown > 0 else 0.0


def turnover(traded: float, equity: FloatArray, years: float) -> float:
    """Notional of all fills over mean equity, a year.

    Args:
        traded: notional of all fills, quote currency; at least 0.
        equity: (n_obs,) account value at bar close; finite.
        years: length of the span; above 0.

    Returns:
        At least 0; 0 when mean equity is not above 0.
    """
    check.vector(equity, "equity")
    check.positive(years, "years")
    mean = float(equity.mean())
    return traded / mean / years if mean > 0 else 0.0


def _peaks(equity: FloatArray, starting_equity: float) -> FloatArray:
    check.vector(equity, "equity")
    check.positive(starting_equity, "starting_equity")
    return np.maximum(np.maximum.accumulate(equity), starting_equity)
