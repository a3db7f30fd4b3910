"""Outcomes of random trades, by market and side."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coinswarm.ledger.chaos import ChaosTrades


@dataclass(frozen=True, kw_only=True, slots=True)
class TradeGroup:
    """Trades of one market and side: how many, the share that won, and means; results as fractions of the notional, `hold` in bars."""

    market: str
    side: str
    trades: int
    win_rate: float
    gross: float
    net: float
    net_sigmas: float
    hold: float


def by_market_and_side(trades: ChaosTrades) -> tuple[TradeGroup, ...]:
    """A group for each market and side that has trades, in the order of markets, longs first."""
    wide = 2 * len(trades.markets)
    key = 2 * trades.market + (trades.side < 0)
    count = np.bincount(key, minlength=wide)
    columns = (trades.net > 0, trades.gross, trades.net, np.nan_to_num(trades.net_sigmas), trades.hold)
    with np.errstate(invalid="ignore", divide="ignore"):
        means = [np.bincount(key, weights=column, minlength=wide) / count for column in columns]
    names = ("win_rate", "gross", "net", "net_sigmas", "hold")
    return tuple(
        TradeGroup(
            market=trades.markets[place // 2],
            side="short" if place % 2 else "long",
            trades=int(count[place]),
            **{name: float(mean[place]) for name, mean in zip(names, means, strict=True)},
        )
        for place in np.flatnonzero(count).tolist()
    )
