"""The kind of job that runs the calibration benchmark."""

from __future__ import annotations

from cluster.jobs.honesty import NAME
from cluster.jobs.honesty.plan import check, cost, plan
from cluster.jobs.honesty.report import report
from cluster.jobs.honesty.settings import OPTIONS, amounts
from cluster.jobs.honesty.stages import estimate, load, recount
from cluster.jobs.kind import JobKind

KIND = JobKind(
    name=NAME, options=OPTIONS, plan=plan, load=load, cost=cost, estimate=estimate, report=report, recount=recount, amounts=amounts,
    check=check,
)  # fmt: skip
