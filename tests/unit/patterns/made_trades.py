"""Random trades on made-up prices, with and without an edge."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from coinswarm import chaos
from coinswarm.config import Costs
from coinswarm.ledger.chaos import ChaosTrades
from coinswarm.market.bars import Bars
from coinswarm.market.timeframe import Timeframe
from coinswarm.types import BoolArray

FREE = Costs(taker_bps=0, maker_bps=0, slippage_bps=0)


def walk(seed: int, n: int = 12_000, symbol: str = "BTC/USDT") -> Bars:
    """A random walk in 5-minute bars."""
    random = np.random.default_rng(seed)
    close = 100 * np.exp(np.cumsum(random.standard_normal(n) * 0.001))
    before = np.r_[100.0, close[:-1]]
    wick = 1 + np.abs(random.standard_normal((2, n))) * 3e-4
    return Bars(
        symbol=symbol, timeframe=Timeframe.parse("5m"), ts=1_672_531_200_000 + 300_000 * np.arange(n), open=before, close=close,
        high=np.maximum(before, close) * wick[0], low=np.minimum(before, close) / wick[1], volume=random.lognormal(0, 0.5, n),
        exchange="walk", synthetic=True,
    )  # fmt: skip


def drawn(seed: int, n: int = 12_000, trades: int = 12_000, costs: Costs = FREE, hold: str = "5m..2h") -> ChaosTrades:
    """Random trades on a random walk."""
    return chaos(walk(seed, n), trades, hold=hold, seed=seed, costs=costs)


def with_edge(trades: ChaosTrades, member: BoolArray, sigmas: float) -> ChaosTrades:
    """The trades, with the net result of some of them shifted by so many deviations of its own hold."""
    scale = trades.net.std() * sigmas
    return replace(trades, net=trades.net + scale * member, gross=trades.gross + scale * member)


def rising(trades: ChaosTrades) -> BoolArray:
    """The fifth of the trades that began after the strongest rise: a bin of the default search."""
    past = trades.feature("momentum(5)")
    return past >= np.quantile(past, 0.8)
