"""Searches for patterns: conditions among random trades that are worth believing, confirmed on later bars and kept in the library."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from coinswarm.ledger.records import Job

NAME = "discover"
SUMMARY = "Find entry conditions that are statistically significant among random trades, and confirm them on later bars."
COMMAND = ("patterns", "discover")


def columns(job: Job) -> dict[str, Any]:
    """What lists and details say of a job."""
    return {"trades": job.config["trades"], "searched": ", ".join(job.config["drawn"])}
