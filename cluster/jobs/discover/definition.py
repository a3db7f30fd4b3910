"""The kind of job that searches patterns among random trades."""

from __future__ import annotations

from cluster.jobs.discover import NAME
from cluster.jobs.discover.plan import cost, plan, repeated
from cluster.jobs.discover.report import report
from cluster.jobs.discover.settings import OPTIONS
from cluster.jobs.discover.stages import estimate, load, recount
from cluster.jobs.kind import JobKind

KIND = JobKind(
    name=NAME, options=OPTIONS, plan=plan, load=load, cost=cost, estimate=estimate, report=report, recount=recount,
    repeated=repeated, alone_below=1e9,
)  # fmt: skip
