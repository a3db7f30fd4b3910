"""What was promoted in each kind of world."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cluster.jobs.kind import PlanContext
from cluster.jobs.report import Report, ReportTable
from coinswarm.ledger.records import Job

_HEADINGS = ("judged by", "worlds", "of", "share", "95 % from", "to")


def report(job: Job, _context: PlanContext) -> Report:
    """How many worlds of each kind had something promoted, with intervals."""
    cells = (job.result or {}).get("cells", [])
    steps = ("`coinswarm honesty page` writes a page of the newest run of each part",) if job.status == "done" else ()
    return Report(
        title=f"Calibration {job.id}", parts=tuple(map(_table, cells)), data=job.result or {}, synthetic=True, next_steps=steps
    )  # fmt: skip


def _table(cell: Mapping[str, Any]) -> ReportTable:
    own = [(name, cell[name]) for name in ("promoted", "recovered", "false") if name in cell]
    rows = tuple([name, rate["count"], rate["of"], *_shares(rate)] for name, rate in (*own, *cell["flags"].items()))
    return ReportTable(title=f"{cell['cell']}: worlds in which something was", columns=_HEADINGS, rows=rows)


def _shares(rate: Mapping[str, float]) -> list[str]:
    return [f"{100 * rate[name]:.1f} %" for name in ("rate", "low", "high")]
