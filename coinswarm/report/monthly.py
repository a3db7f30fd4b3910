"""Returns by calendar month."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coinswarm import check
from coinswarm.types import FloatArray, IntArray


@dataclass(frozen=True, kw_only=True, slots=True)
class Monthly:
    """Returns by calendar month, UTC.

    Attributes:
        years: (n_years,) calendar years, none left out between the first and the last.
        returns: (n_years, 12) return of each month as a fraction; NaN where there are no bars.
        totals: (n_years,) return of each year as a fraction; NaN where there are no bars.
    """

    years: IntArray
    returns: FloatArray
    totals: FloatArray


def monthly_returns(close_ts: IntArray, equity: FloatArray, starting_equity: float) -> Monthly:
    """What the account gained in each calendar month; compounded, the months give the total return.

    Args:
        close_ts: (n_bars,) time at which each value is known, milliseconds since 1970 UTC, increasing. A bar that closes at midnight
            belongs to the month that ends there.
        equity: (n_bars,) account value in quote currency at bar close; finite.
        starting_equity: account value before the first bar; above 0.

    Returns:
        The table. A month after the account reached 0 has a return of NaN.

    Raises:
        ShapeMismatch: the arrays are empty or differ in length.
    """
    check.vector(close_ts, "close_ts")
    check.vector(equity, "equity", length=close_ts.size)
    check.positive(starting_equity, "starting_equity")
    months = (close_ts - 1).astype("datetime64[ms]").astype("datetime64[M]").astype(np.int64)
    last = np.flatnonzero(np.diff(months, append=months[-1] + 1))
    first_year, last_year = 1970 + months[0] // 12, 1970 + months[-1] // 12
    years = np.arange(first_year, last_year + 1)
    cells = np.full(years.size * 12, np.nan)
    cells[months[last] - (first_year - 1970) * 12] = _growth(equity[last], starting_equity)
    returns = cells.reshape(years.size, 12)
    known = ~np.isnan(returns)
    totals = np.where(known.any(axis=1), np.prod(np.where(known, 1 + returns, 1.0), axis=1) - 1, np.nan)
    return Monthly(years=years, returns=returns, totals=totals)


def _growth(ends: FloatArray, start: float) -> FloatArray:
    before = np.concatenate([[start], ends[:-1]])
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(before > 0, ends / before - 1, np.nan)
