"""Chaos trades: random entries, holds and sides, priced and described, for patterns to be searched among."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from coinswarm.ledger.records import Job

NAME = "chaos"
SUMMARY = "Sample random trades and record their outcomes."
COMMAND = ("chaos", "run")
EXAMPLES = (
    "coinswarm chaos run --trades 100000 --symbol BTC/USDT --feature 'rsi(14)@1h'",
    "coinswarm chaos run -s BTC/USDT -s ETH/USDT --hold 5m..24h --side long",
)


def columns(job: Job) -> dict[str, Any]:
    """What lists and details say of a job."""
    return {"markets": [one["key"] for one in job.config["markets"]], "trades": job.config["trades"]}
