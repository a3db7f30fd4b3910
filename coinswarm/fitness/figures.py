"""From the tallies of the compiled simulator to the figures of docs/simulation.md, all variants at once."""

from __future__ import annotations

import numpy as np

from coinswarm.kernels.codes import Tally
from coinswarm.metrics.figures import SCORE_DTYPE, Status
from coinswarm.types import BoolArray, FloatArray, IntArray

SMALLEST_VARIANCE = 1e-28
_ILL_CONDITIONED = 1e-2
"""Below this share of the mean square, a variance taken from raw moments has lost too many digits, for kurtosis first (5e-9 at 1e-3)."""


def from_tallies(
    tallies: FloatArray, n_obs: IntArray, periods_per_year: FloatArray, starting_equity: float
) -> tuple[np.ndarray, BoolArray]:
    """Every figure of every variant.

    Args:
        tallies: (n_variants, N_TALLY) sums over the trades of each variant.
        n_obs: (n_variants,) bars from the first decision bar to the last.
        periods_per_year: (n_variants,) bars in a year of the time that those bars span.
        starting_equity: quote currency.

    Returns:
        (n_variants,) of SCORE_DTYPE, and (n_variants,) whether its moments lost digits and must be taken from its equity curve.
    """
    scores = np.zeros(tallies.shape[0], dtype=SCORE_DTYPE)
    column = {tally: tallies[:, tally] for tally in Tally}
    with np.errstate(all="ignore"):
        _equity(scores, column, n_obs, n_obs / periods_per_year, starting_equity)
        doubtful = _moments(scores, column, n_obs, np.sqrt(periods_per_year))
        _trades(scores, column, n_obs)
    scores["status"] = np.where(column[Tally.N_ENTERED] > 0, Status.OK, Status.NO_TRADES)
    return scores, doubtful


def _ratio(above: FloatArray, below: FloatArray) -> FloatArray:
    """`above / below`, 0 where `below` is 0."""
    return np.where(below != 0.0, above / np.where(below != 0.0, below, 1.0), 0.0)


def _equity(scores: np.ndarray, column: dict[Tally, FloatArray], n_obs: IntArray, years: FloatArray, start: float) -> None:
    end = column[Tally.EQUITY_END]
    scores["total_return"] = end / start - 1.0
    scores["cagr"] = np.where(end > 0.0, (np.maximum(end, 0.0) / start) ** (1.0 / years) - 1.0, -1.0)
    scores["max_drawdown"] = column[Tally.MAX_DRAWDOWN]
    scores["max_stagnation"] = column[Tally.MAX_STAGNATION]
    scores["calmar"] = _ratio(scores["cagr"], scores["max_drawdown"])
    mean_equity = column[Tally.EQUITY_SUM] / n_obs
    scores["turnover"] = np.where(mean_equity > 0.0, column[Tally.TRADED] / mean_equity / years, 0.0)
    for name, tally in (("fees", Tally.FEES), ("slippage", Tally.SLIPPAGE), ("funding", Tally.FUNDING)):
        scores[name] = column[tally] / start


def _moments(scores: np.ndarray, column: dict[Tally, FloatArray], n_obs: IntArray, annual: FloatArray) -> BoolArray:
    n = n_obs.astype(np.float64)
    mean = column[Tally.SUM] / n
    square = column[Tally.SUM_2] / n
    cube = column[Tally.SUM_3] / n
    fourth = column[Tally.SUM_4] / n
    variance = square - mean**2
    flat = variance * n / np.maximum(n - 1.0, 1.0) <= SMALLEST_VARIANCE
    safe = np.where(flat, 1.0, variance)
    scores["sharpe"] = np.where(flat | (n < 2), 0.0, mean / np.sqrt(safe * n / np.maximum(n - 1.0, 1.0)) * annual)
    downside = column[Tally.SUM_DOWN_2] / n
    scores["sortino"] = _ratio(mean, np.where(downside > SMALLEST_VARIANCE, np.sqrt(downside), 0.0)) * annual
    third = cube - 3.0 * mean * square + 2.0 * mean**3
    scores["skew"] = np.where(flat, 0.0, third / safe**1.5)
    scores["kurtosis"] = np.where(flat, 3.0, (fourth - 4.0 * mean * cube + 6.0 * mean**2 * square - 3.0 * mean**4) / safe**2)
    scores["n_obs"] = n
    ruined = column[Tally.MAX_DRAWDOWN] >= 1.0
    doubtful: BoolArray = ruined | ((square > 0.0) & (variance < _ILL_CONDITIONED * square))
    return doubtful


def _trades(scores: np.ndarray, column: dict[Tally, FloatArray], n_obs: IntArray) -> None:
    trades = column[Tally.N_TRADES]
    win, loss = column[Tally.GROSS_WIN], column[Tally.GROSS_LOSS]
    scores["n_trades"] = trades
    scores["win_rate"] = _ratio(column[Tally.N_WINS], trades)
    scores["profit_factor"] = np.where(win > 0.0, np.where(loss > 0.0, win / np.where(loss > 0.0, loss, 1.0), np.inf), 0.0)
    scores["expectancy"] = _ratio(column[Tally.SUM_RETURN], trades)
    scores["exposure"] = column[Tally.BARS_IN] / n_obs
    scores["avg_hold"] = _ratio(column[Tally.SUM_HELD], trades)
    scores["n_open"] = column[Tally.N_OPEN]
    scores["n_rejected"] = column[Tally.N_REJECTED]
    scores["n_liquidated"] = column[Tally.N_LIQUIDATED]
    scores["n_gaps"] = column[Tally.N_GAPS]


def moments_of(returns: FloatArray, periods_per_year: float) -> dict[str, float]:
    """Sharpe, Sortino, skew and kurtosis of one variant's (n_obs,) bar returns, centred first: for those whose raw moments lost digits."""
    mean = float(returns.mean())
    centred = returns - mean
    n = returns.size
    annual = float(np.sqrt(periods_per_year))
    downside = float(np.mean(np.minimum(returns, 0.0) ** 2))
    sortino = mean / float(np.sqrt(downside)) * annual if downside > SMALLEST_VARIANCE else 0.0
    figures = {"sharpe": 0.0, "sortino": sortino, "skew": 0.0, "kurtosis": 3.0}
    variance = float((centred**2).mean())
    if n < 2 or variance * n / (n - 1) <= SMALLEST_VARIANCE:
        return figures
    figures["sharpe"] = mean / float(np.sqrt(variance * n / (n - 1))) * annual
    figures["skew"] = float((centred**3).mean()) / variance**1.5
    figures["kurtosis"] = float((centred**4).mean()) / variance**2
    return figures
