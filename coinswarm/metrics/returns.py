"""Figures of bar returns. A deviation counts as 0 when its square is at most `NO_VARIANCE`, which is the noise of rounding."""

from __future__ import annotations

import math

import numpy as np

from coinswarm import check
from coinswarm.types import FloatArray

NO_VARIANCE = 1e-28


def bar_returns(equity: FloatArray, starting_equity: float) -> FloatArray:
    """Simple return of each bar.

    Args:
        equity: (n_obs,) account value at bar close; finite.
        starting_equity: account value before the first bar.

    Returns:
        (n_obs,) fractions; 0 for a bar that began with nothing left (equity not above 0).
    """
    check.vector(equity, "equity")
    before = np.concatenate([[starting_equity], equity[:-1]])
    alive = before > 0
    return np.where(alive, equity / np.where(alive, before, 1.0) - 1, 0.0)


def sharpe(returns: FloatArray, periods_per_year: float) -> float:
    """Annual mean of returns over their sample deviation (Sharpe 1966, without a riskless rate).

    Args:
        returns: (n_obs,) bar returns, fractions; finite.
        periods_per_year: bars in a year.

    Returns:
        Any number; 0 where the deviation is 0 or there is one return.
    """
    check.vector(returns, "returns")
    if _is_flat(returns):
        return 0.0
    return float(returns.mean()) / math.sqrt(float(returns.var(ddof=1))) * math.sqrt(periods_per_year)


def sortino(returns: FloatArray, periods_per_year: float) -> float:
    """Annual mean of returns over the root mean square of the losses among them (Sortino & van der Meer 1991, target 0).

    Args:
        returns: (n_obs,) bar returns, fractions; finite.
        periods_per_year: bars in a year.

    Returns:
        Any number; 0 where no return is negative.
    """
    check.vector(returns, "returns")
    downside = float(np.mean(np.minimum(returns, 0.0) ** 2))
    return float(returns.mean()) / math.sqrt(downside) * math.sqrt(periods_per_year) if downside > NO_VARIANCE else 0.0


def skew(returns: FloatArray) -> float:
    """Third standardised moment of (n_obs,) returns, divisor n: 0 for a symmetric distribution and where the deviation is 0."""
    return _standardised_moment(returns, 3, flat=0.0)


def kurtosis(returns: FloatArray) -> float:
    """Fourth standardised moment of (n_obs,) returns, divisor n: 3 for a normal distribution and where the deviation is 0."""
    return _standardised_moment(returns, 4, flat=3.0)


def _standardised_moment(returns: FloatArray, order: int, *, flat: float) -> float:
    check.vector(returns, "returns")
    if _is_flat(returns):
        return flat
    centred = returns - returns.mean()
    return float(np.mean(centred**order)) / float(np.mean(centred**2)) ** (order / 2)


def _is_flat(returns: FloatArray) -> bool:
    return returns.size < 2 or float(returns.var(ddof=1)) <= NO_VARIANCE
