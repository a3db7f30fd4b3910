"""All figures of one account history."""

from __future__ import annotations

from coinswarm.metrics import curve, returns, trades
from coinswarm.metrics.figures import FIGURES
from coinswarm.metrics.history import History


def figures(history: History) -> dict[str, float]:
    """Every figure of `FIGURES`, in that order. Definitions: docs/simulation.md.

    Args:
        history: (n_obs,) equity and (n_trades,) closed trades of one account.

    Returns:
        Numbers by name; finite but for `profit_factor`, and `cagr` and `calmar` of very short spans, which may be infinite.
    """
    named = {**_of_curve(history), **_of_trades(history), **_of_returns(history), **_counts(history)}
    return {name: float(named[name]) for name in FIGURES}


def _of_curve(history: History) -> dict[str, float]:
    equity, start = history.equity, history.starting_equity
    growth = curve.cagr(equity, start, history.years)
    drawdown = curve.max_drawdown(equity, start)
    return {
        "total_return": curve.total_return(equity, start),
        "cagr": growth,
        "max_drawdown": drawdown,
        "max_stagnation": curve.max_stagnation(equity, start),
        "calmar": curve.calmar(growth, drawdown),
        "turnover": curve.turnover(history.traded, equity, history.years),
        "fees": history.fees / start,
        "slippage": history.slippage / start,
        "funding": history.funding / start,
    }


def _of_returns(history: History) -> dict[str, float]:
    values = returns.bar_returns(history.equity, history.starting_equity)
    return {
        "sharpe": returns.sharpe(values, history.periods_per_year),
        "sortino": returns.sortino(values, history.periods_per_year),
        "skew": returns.skew(values),
        "kurtosis": returns.kurtosis(values),
    }


def _of_trades(history: History) -> dict[str, float]:
    return {
        "win_rate": trades.win_rate(history.pnl),
        "profit_factor": trades.profit_factor(history.pnl),
        "expectancy": trades.expectancy(history.trade_returns),
        "avg_hold": trades.avg_hold(history.bars_held),
        "exposure": float(history.in_position.mean()),
    }


def _counts(history: History) -> dict[str, float]:
    return {
        "n_trades": history.pnl.size,
        "n_obs": history.equity.size,
        "n_open": history.n_open,
        "n_rejected": history.n_rejected,
        "n_liquidated": history.n_liquidated,
        "n_gaps": history.n_gaps,
    }
