"""The kind of job that makes report cards."""

from __future__ import annotations

from cluster.jobs.kind import JobKind
from cluster.jobs.validate import NAME
from cluster.jobs.validate.plan import check, cost, plan
from cluster.jobs.validate.report import report
from cluster.jobs.validate.settings import OPTIONS
from cluster.jobs.validate.stages import estimate, load, recount

KIND = JobKind(
    name=NAME, options=OPTIONS, plan=plan, load=load, cost=cost, estimate=estimate, report=report, recount=recount, check=check,
)  # fmt: skip
