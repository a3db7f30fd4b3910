"""`python -m tests.integration.slow_exchange PORT PAGES`: a worker process whose binance gives pages, then no answer or failures."""

from __future__ import annotations

import sys
import urllib.request
from collections.abc import Sequence

from cluster.run.worker import main
from coinswarm import errors
from coinswarm.market import providers
from coinswarm.market.providers import Candle
from coinswarm.market.timeframe import Timeframe

NOW_MS = 1_700_086_400_000
"""What its clock shows."""


class SlowExchange:
    """Asks a port of this machine, where a socket listens that says nothing for ten minutes; port 0: it fails at once, every time.

    Before that it gives a number of pages of candles.
    """

    name, page_size = "slow", 100

    def __init__(self, port: int, pages: int) -> None:
        self._port, self._pages = port, pages

    def _answer(self) -> None:
        if self._pages:
            return
        if self._port:
            urllib.request.urlopen(f"http://127.0.0.1:{self._port}/", timeout=600).close()
        raise errors.Unavailable("slow does not answer")

    def require(self, symbol: str, timeframe: Timeframe) -> None:
        self._answer()

    def now_ms(self) -> int:
        self._answer()
        return NOW_MS if self._pages else 0

    def candles(self, symbol: str, timeframe: Timeframe, since_ms: int, limit: int) -> Sequence[Candle]:
        self._answer()
        self._pages -= 1
        return [[since_ms + number * timeframe.ms, 10.0, 10.2, 9.8, 10.1, 5.0] for number in range(limit)]

    def funding(self, symbol: str, since_ms: int, limit: int) -> Sequence[tuple[int, float]] | None:
        self._answer()
        return None


if __name__ == "__main__":
    exchange = SlowExchange(int(sys.argv[1]), int(sys.argv[2]))
    providers.CONNECTORS["binance"] = lambda *_: exchange
    sys.exit(main([]))
