"""Tests of published rules: each side of each rule against random-entry trades of the same market, side and holding period."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from coinswarm.ledger.records import Job

NAME = "rules"
SUMMARY = (
    "Test published trading rules against random-entry trades with the same market, side and holding period. No rule is assumed to work."
)
COMMAND = ("patterns", "test")
FORMERLY = ("test",)
EXAMPLES = (
    "coinswarm patterns test --source technical --symbol BTC/USDT",
    "coinswarm patterns test my_rule.yml --symbol BTC/USDT",
)


def columns(job: Job) -> dict[str, Any]:
    """What lists and details say of a job."""
    return {"markets": [one["key"] for one in job.config["markets"]], "plays": [f"{len(job.plays)} {job.config['source']} rules"]}
