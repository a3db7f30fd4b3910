"""A job as it stands in lists and details: once for the terminal, the API and the page."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Literal, TypeAlias

from cluster.jobs import registry
from coinswarm.ledger import transitions
from coinswarm.ledger.records import Job

Standing: TypeAlias = Literal["queued", "running", "lost", "done", "failed", "cancelled"]
LOST: Standing = "lost"
"""Shown for a running job whose driver let its lease run out; it is resumed from its last commit."""
_OWN = ("plays", "markets", "population", "generations")
"""What kinds say of a job that every list has a column for."""


def standing(job: Job) -> Standing:
    """A job's status; a running one whose driver has not been heard of is lost."""
    if job.status == "running" and not transitions.is_driven(job, datetime.now(UTC)):
        return LOST
    return job.status


def brief(job: Job) -> dict[str, Any]:
    """A job as it stands in a list. `columns` are those that only its kind has."""
    own = registry.columns(job)
    return {
        "id": job.id, "kind": job.kind, "campaign": job.campaign, "status": standing(job), "created": job.created, "started": job.started,
        "finished": job.finished, "plays": list(own.get("plays") or job.plays), "markets": list(own.get("markets") or ()),
        "population": own.get("population"), "generations": own.get("generations"), "seed": job.seed, "synthetic": job.synthetic,
        "evaluations": (job.result or {}).get("evaluations"), "error": job.error, "cancel_requested": job.cancel_requested,
        "columns": {name: value for name, value in own.items() if name not in _OWN},
    }  # fmt: skip
