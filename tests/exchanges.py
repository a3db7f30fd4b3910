"""Exchanges that answer from recorded candles: one that speaks the fetcher's protocol, one that speaks HTTP under ccxt."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import ccxt
import numpy as np

from coinswarm import errors
from coinswarm.market.bars import Bars
from coinswarm.market.providers import Candle
from coinswarm.market.timeframe import Timeframe


class ReplayExchange:
    """Plays bars back page by page, with the flaws of real exchanges: it fails now and then, and shows the candle that is still open."""

    name = "replay"

    def __init__(
        self, bars: Bars, *, now_ms: int | None = None, page_size: int = 50, failing: Callable[[int], bool] = lambda _: False
    ) -> None:
        self.bars, self.page_size, self.failing = bars, page_size, failing
        self.now = int(bars.close_ts[-1]) if now_ms is None else now_ms
        self.calls = 0
        self.pages: list[int] = []

    def _answer(self) -> None:
        self.calls += 1
        if self.failing(self.calls):
            raise errors.Unavailable("replay does not answer")

    def require(self, symbol: str, timeframe: Timeframe) -> None:
        self._answer()
        if symbol != self.bars.symbol:
            raise errors.not_found("market of replay", symbol, [self.bars.symbol])

    def now_ms(self) -> int:
        self._answer()
        return self.now

    def candles(self, symbol: str, timeframe: Timeframe, since_ms: int, limit: int) -> Sequence[Candle]:
        self._answer()
        self.pages.append(since_ms)
        first = self.bars.index_at(since_ms)
        cut = self.bars[first : first + limit]
        shown = cut.ts <= self.now
        return np.column_stack([cut.ts, cut.open, cut.high, cut.low, cut.close, cut.volume])[shown].tolist()

    def funding(self, symbol: str, since_ms: int, limit: int) -> Sequence[tuple[int, float]] | None:
        self._answer()
        first = int(np.searchsorted(self.bars.funding_ts, since_ms))
        stop = first + limit
        return list(zip(self.bars.funding_ts[first:stop].tolist(), self.bars.funding_rate[first:stop].tolist(), strict=True))


class RecordedBinance(ccxt.binance):
    """ccxt's own Binance, whose HTTP answers are recorded payloads, or errors, by a part of the URL."""

    def __init__(self, answers: Mapping[str, object]) -> None:
        super().__init__({"enableRateLimit": False})
        self.answers = answers
        spot = {"id": "BTCUSDT", "symbol": "BTC/USDT", "base": "BTC", "quote": "USDT", "type": "spot", "spot": True, "active": True}
        swap = {
            "id": "BTCUSDT", "symbol": "BTC/USDT:USDT", "base": "BTC", "quote": "USDT", "settle": "USDT", "type": "swap",
            "swap": True, "spot": False, "contract": True, "linear": True, "inverse": False, "active": True,
        }  # fmt: skip
        self.set_markets([self.safe_market_structure(spot), self.safe_market_structure(swap)])

    def fetch(self, url: str, method: str = "GET", headers: Any = None, body: Any = None) -> Any:
        for part, answer in self.answers.items():
            if part in url:
                if isinstance(answer, Exception):
                    raise answer
                return json.loads(json.dumps(answer))
        raise AssertionError(f"no answer is recorded for {url}")
