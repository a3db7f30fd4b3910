"""The calibration benchmark: a pipeline is run on worlds where nothing is to be found, or something is, and what it promotes is counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from coinswarm.ledger.records import Job

NAME = "honesty"
SUMMARY = "False-positive rate of the whole pipeline on markets without signal. With --planted: its power where there is a known one."
COMMAND = ("honesty",)
PANEL = "Validate"
EXAMPLES = (
    "coinswarm honesty --worlds 400",
    "coinswarm honesty --pipeline evolve --play play.yml",
)


def columns(job: Job) -> dict[str, Any]:
    """What lists and details say of a job."""
    asked = job.config["honesty"]
    return {
        "markets": [span["key"] for span in job.config["like"]],
        "pipeline": asked["pipeline"],
        "worlds": asked["worlds"] * len(asked["cells"]),
    }
