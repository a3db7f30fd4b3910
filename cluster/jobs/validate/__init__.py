"""Report cards: one variant held against everything that could make it look better than it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from coinswarm.ledger.records import Job

NAME = "validate"
SUMMARY = (
    "Robustness tests of a result, as a report card with a verdict: on train and validation bars only, the final hold-out stays closed."
)
COMMAND = ("validate",)
PANEL = "Validate"
EXAMPLES = (
    "coinswarm validate a39737fd",
    "coinswarm validate JOB --best 3",
)


def columns(job: Job) -> dict[str, Any]:
    """What lists and details say of a job."""
    return {
        "plays": [entry["name"] for entry in job.config["plays"]], "markets": [one["key"] for one in job.config["markets"]],
        "variant": job.config["variant"][:12], "evaluation": job.config["evaluation"],
    }  # fmt: skip
