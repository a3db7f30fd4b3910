"""An exchange that every process of a drill knows: it lists any market, plays made-up candles back, and takes its time."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import cache

from coinswarm.market import providers, synthetic
from coinswarm.market.bars import Bars
from coinswarm.market.providers import Candle
from coinswarm.market.timeframe import Timeframe
from tests.exchanges import ReplayExchange

NAME = "drill"
N_BARS = 3000
TIMEFRAME = Timeframe.parse("5m")
_PAUSE_S = 0.1
"""60 pages of 50 candles then take some six seconds."""


@cache
def candles(symbol: str) -> Bars:
    """The candles of a market; those of all markets are equal."""
    return synthetic.market(symbol, TIMEFRAME, N_BARS, seed=7)


class AnyMarket:
    """Keeps `coinswarm.market.providers.Provider` with a replay of each market that is asked for."""

    name, page_size = NAME, 50

    def __init__(self, pause_s: float) -> None:
        self._pause_s = pause_s
        self._markets: dict[str, ReplayExchange] = {}

    def require(self, symbol: str, timeframe: Timeframe) -> None:
        self._of(symbol).require(symbol, timeframe)

    def now_ms(self) -> int:
        return int(candles("BTC/USDT").close_ts[-1])

    def candles(self, symbol: str, timeframe: Timeframe, since_ms: int, limit: int) -> Sequence[Candle]:
        time.sleep(self._pause_s)
        return self._of(symbol).candles(symbol, timeframe, since_ms, limit)

    def funding(self, symbol: str, since_ms: int, limit: int) -> Sequence[tuple[int, float]] | None:
        return self._of(symbol).funding(symbol, since_ms, limit)

    def _of(self, symbol: str) -> ReplayExchange:
        return self._markets.setdefault(symbol, ReplayExchange(candles(symbol)))


def know(pause_s: float = _PAUSE_S) -> None:
    """Make the exchange one that this process can fetch from."""
    providers.CONNECTORS[NAME] = lambda *_: AnyMarket(pause_s)
