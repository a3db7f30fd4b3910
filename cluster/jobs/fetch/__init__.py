"""Fetches: finished candles, and funding of perpetuals, from an exchange into the catalog."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from coinswarm.ledger.records import Job

NAME = "fetch"
SUMMARY = "Fetch candles, and funding of perpetuals, from an exchange; continues where it stopped."
COMMAND = ("bars", "fetch")
EXAMPLES = (
    "coinswarm bars fetch binance BTC/USDT ETH/USDT --days 365",
    "coinswarm bars fetch bybit BTC-USDT-PERP -t 1h --from 2024-01-01",
)


def columns(job: Job) -> dict[str, Any]:
    """What lists and details say of a job."""
    settled = job.config
    keys = [f"{settled['exchange']}:{symbol}:{settled['timeframe']}" for symbol in settled["fetched"]]
    return {"markets": keys, "exchange": settled["exchange"]}
