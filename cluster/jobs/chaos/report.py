"""What a job of chaos trades came to."""

from __future__ import annotations

from cluster.jobs.kind import PlanContext
from cluster.jobs.report import Report, ReportTable
from coinswarm.ledger.records import Job
from coinswarm.printable import counted


def report(job: Job, _context: PlanContext) -> Report:
    """Means over all trades, once all are drawn."""
    result = job.result or {}
    steps = f"`coinswarm patterns discover --job {job.id}`, `coinswarm chaos export {job.id} --out trades.parquet`"
    return Report(
        title=f"Chaos trades of {job.id}", parts=(_means(job),) if job.status == "done" else (), data=result, synthetic=job.synthetic,
        next_steps=(steps,) if job.status == "done" else (),
    )  # fmt: skip


def _means(job: Job) -> ReportTable:
    result = job.result or {}
    rows = (
        ("trades", f"{result['trades']:,} on {counted(result['markets'], 'market')}"),
        ("won", f"{100 * result['win_rate']:.2f} %"),
        ("mean gross", f"{100 * result['gross']:+.4f} %"),
        ("mean net", f"{100 * result['net']:+.4f} %"),
    )
    return ReportTable(title=f"job {job.id}", columns=("what", "value"), rows=rows)
