"""Figures of closed trades; all of them are 0 without a trade."""

from __future__ import annotations

import math

from coinswarm.types import FloatArray


def win_rate(pnl: FloatArray) -> float:
    """Share of (n_trades,) net results that are above 0, in [0, 1]."""
    return float((pnl > 0).mean()) if pnl.size else 0.0


def profit_factor(pnl: FloatArray) -> float:
    """Sum of wins over sum of losses.

    Args:
        pnl: (n_trades,) net result of each closed trade, quote currency; finite.

    Returns:
        At least 0; infinite with a win and no loss, 0 without a win.
    """
    won, lost = float(pnl[pnl > 0].sum()), -float(pnl[pnl < 0].sum())
    if won == 0:
        return 0.0
    return won / lost if lost > 0 else math.inf


def expectancy(trade_returns: FloatArray) -> float:
    """Mean of (n_trades,) net results over entry notional, a fraction."""
    return float(trade_returns.mean()) if trade_returns.size else 0.0


def avg_hold(bars_held: FloatArray) -> float:
    """Mean of (n_trades,) holding times, bars."""
    return float(bars_held.mean()) if bars_held.size else 0.0
