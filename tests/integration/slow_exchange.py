"""`python -m tests.integration.slow_exchange PORT …`: a worker process whose binance never answers, or always fails."""

from __future__ import annotations

import sys
import urllib.request
from collections.abc import Sequence

from cluster.run.worker import main
from coinswarm import errors
from coinswarm.market import providers
from coinswarm.market.providers import Candle
from coinswarm.market.timeframe import Timeframe


class SlowExchange:
    """Asks a port of this machine, where a socket listens that says nothing for ten minutes; port 0: it fails at once, every time."""

    name, page_size = "slow", 100

    def __init__(self, port: int) -> None:
        self._port = port

    def _answer(self) -> None:
        if self._port:
            urllib.request.urlopen(f"http://127.0.0.1:{self._port}/", timeout=600).close()
        raise errors.Unavailable("slow does not answer")

    def require(self, symbol: str, timeframe: Timeframe) -> None:
        self._answer()

    def now_ms(self) -> int:
        self._answer()
        return 0

    def candles(self, symbol: str, timeframe: Timeframe, since_ms: int, limit: int) -> Sequence[Candle]:
        self._answer()
        return ()

    def funding(self, symbol: str, since_ms: int, limit: int) -> Sequence[tuple[int, float]] | None:
        self._answer()
        return None


if __name__ == "__main__":
    exchange = SlowExchange(int(sys.argv[1]))
    providers.CONNECTORS["binance"] = lambda *_: exchange
    sys.exit(main([]))
