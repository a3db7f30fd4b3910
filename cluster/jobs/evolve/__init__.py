"""Searches: the variants of plays are bred and scored in sample, the winners are judged out of sample, and every trial is kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from coinswarm.ledger.records import Job

NAME = "evolve"
SUMMARY = "Search the variants (parameter sets) of plays. It runs on all cores or a cluster."
COMMAND = ("evolve",)
EXAMPLES = (
    "coinswarm evolve plays/examples/trend_pullback.yml --symbol BTC/USDT",
    "coinswarm evolve play.yml -s BTC/USDT -p 500 -g 40 -c 'n_trades>=100'",
)


def columns(job: Job) -> dict[str, Any]:
    """What lists and details say of a job."""
    search = job.config.get("search") or {}
    return {
        "plays": [entry["name"] for entry in job.config["plays"]], "markets": [one["key"] for one in job.config["markets"]],
        "population": search.get("population"), "generations": search.get("generations"),
    }  # fmt: skip
