"""What a fetch added."""

from __future__ import annotations

from cluster.jobs.kind import PlanContext
from cluster.jobs.report import Report, ReportTable
from coinswarm.ledger.records import WHOLE_JOB, Job


def report(job: Job, context: PlanContext) -> Report:
    """Bars and funding added to each data set, as far as the job is."""
    steps = [record.figures for record in context.store.generations(job.id) if record.island == WHOLE_JOB]
    rows = tuple((entry["key"], entry["added"], entry["funding_added"] if entry["has_funding"] else None) for entry in steps)
    table = ReportTable(title="Fetched bars", columns=("data set", "bars added", "funding added"), rows=rows)
    parts: tuple[ReportTable | str, ...] = (table,) if rows else ("No market was fetched to its end; what was fetched of one is stored.",)
    nothing = [str(entry["key"]) for entry in steps if not entry["added"]]
    if nothing:
        parts += (f"The exchange had no candles of {', '.join(nothing)} in this span that were not stored already.",)
    data = {**(job.result or {}), "fetched": steps}
    return Report(title=f"Fetch {job.id}", parts=parts, data=data, synthetic=job.synthetic)
