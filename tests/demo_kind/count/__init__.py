"""Counts: how many bars of each market rise, a kind of job that shows what a kind needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from coinswarm.ledger.records import Job

NAME = "count"
SUMMARY = "Count the bars of markets that rise."
COMMAND = ("count",)


def columns(job: Job) -> dict[str, Any]:
    """What lists say of a job."""
    return {"markets": [one["key"] for one in job.config["markets"]]}
