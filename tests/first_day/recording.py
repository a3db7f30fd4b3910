"""Binance as it was: recorded candles of five minutes, on any interval that they fill."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from coinswarm.market import files, providers, resample
from coinswarm.market.providers import Candle
from coinswarm.market.timeframe import Timeframe
from tests.exchanges import ReplayExchange

DATA = "COINSWARM_TEST_DATA"
_PAGE = 1000


class Recorded:
    """Keeps `coinswarm.market.providers.Provider` with the recordings of a folder."""

    name, page_size = "binance", _PAGE

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._markets: dict[tuple[str, Timeframe], ReplayExchange] = {}

    def require(self, symbol: str, timeframe: Timeframe) -> None:
        self._of(symbol, timeframe).require(symbol, timeframe)

    def now_ms(self) -> int:
        return int(self._read("BTC/USDT").now_ms())

    def candles(self, symbol: str, timeframe: Timeframe, since_ms: int, limit: int) -> Sequence[Candle]:
        return self._of(symbol, timeframe).candles(symbol, timeframe, since_ms, limit)

    def funding(self, symbol: str, since_ms: int, limit: int) -> Sequence[tuple[int, float]] | None:
        return None

    def _read(self, symbol: str) -> ReplayExchange:
        return self._of(symbol, Timeframe.parse("5m"))

    def _of(self, symbol: str, timeframe: Timeframe) -> ReplayExchange:
        key = (symbol, timeframe)
        if key not in self._markets:
            bars = files.read(self._folder / "spot5m_2024" / f"binance_{symbol.replace('/', '-')}_5m.parquet")
            slower = bars if timeframe == bars.timeframe else resample.resample(bars, timeframe)
            self._markets[key] = ReplayExchange(slower, page_size=_PAGE)
        return self._markets[key]


def know() -> None:
    """Make this process fetch from the recording."""
    providers.CONNECTORS["binance"] = lambda *_: Recorded(Path(os.environ[DATA]))
