"""Chaos trades in whatever process one is in: a range of numbers in, trades out."""

from __future__ import annotations

import time
from dataclasses import dataclass

from coinswarm.chaos import drawing, pricing
from coinswarm.chaos.settings import ChaosSettings
from coinswarm.ledger.chaos import ChaosTrades, figures
from coinswarm.ledger.records import Json
from coinswarm.market.bars import Bars


@dataclass(frozen=True, kw_only=True)
class TradeRange:
    """Trades `start` to `stop`; the first `traded` of the bars that come along are traded, the others are looked at by features."""

    settings: ChaosSettings
    traded: int
    start: int
    stop: int


@dataclass(frozen=True, kw_only=True, eq=False)
class TradeBatch:
    """The trades of a range, what their step's record says of them, and the seconds they took."""

    trades: ChaosTrades
    figures: Json
    seconds: float


def make(item: TradeRange, *bars: Bars) -> TradeBatch:
    """Draw, price and describe a range of trades. Features are computed once for as long as the process holds the bars."""
    began = time.perf_counter()
    others = {market.symbol: market for market in bars[item.traded :]}
    sampler = drawing.sampler(bars[: item.traded], item.settings, others)
    trades = pricing.trades(sampler, item.start, item.stop)
    return TradeBatch(trades=trades, figures=figures(trades), seconds=time.perf_counter() - began)
