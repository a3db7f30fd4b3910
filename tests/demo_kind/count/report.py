"""What a count came to."""

from __future__ import annotations

from cluster.jobs.kind import PlanContext
from cluster.jobs.report import Report, ReportTable
from coinswarm.ledger.records import WHOLE_JOB, Job


def report(job: Job, context: PlanContext) -> Report:
    """How many bars of each market rise, as far as they are counted."""
    steps = [record.figures for record in context.store.generations(job.id) if record.island == WHOLE_JOB]
    rows = tuple((entry["key"], f"{entry['rising']:,}", f"{entry['bars']:,}") for entry in steps)
    table = ReportTable(title="Bars that rise", columns=("data set", "rising", "of"), rows=rows)
    return Report(title=f"Count {job.id}", parts=(table,), data=job.result or {}, synthetic=job.synthetic)
