"""The kind of job that samples chaos trades."""

from __future__ import annotations

from cluster.jobs.chaos import NAME
from cluster.jobs.chaos.plan import check, cost, plan, stored_bytes
from cluster.jobs.chaos.report import report
from cluster.jobs.chaos.settings import OPTIONS, amounts
from cluster.jobs.chaos.stages import estimate, load, recount
from cluster.jobs.kind import JobKind

KIND = JobKind(
    name=NAME, options=OPTIONS, plan=plan, load=load, cost=cost, estimate=estimate, report=report, amounts=amounts, recount=recount,
    check=check, stored_bytes=stored_bytes,
)  # fmt: skip
