"""Searches for patterns: conditions among random trades that are worth believing, confirmed on later bars and kept in the library."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from coinswarm.ledger.records import Job

NAME = "discover"
SUMMARY = "Find entry conditions that are statistically significant. They are searched among random trades and confirmed on later bars."
COMMAND = ("patterns", "discover")
EXAMPLES = (
    "coinswarm patterns discover --job CHAOS_JOB --depth 3",
    "coinswarm patterns discover --campaign default",
)


def columns(job: Job) -> dict[str, Any]:
    """What lists and details say of a job."""
    return {"trades": job.config["trades"], "searched": ", ".join(job.config["drawn"])}
