"""The kind of job that tests published rules."""

from __future__ import annotations

import math

from cluster.jobs.kind import JobKind
from cluster.jobs.rules import NAME
from cluster.jobs.rules.plan import check, cost, plan
from cluster.jobs.rules.report import report
from cluster.jobs.rules.settings import OPTIONS
from cluster.jobs.rules.stages import estimate, load, recount

KIND = JobKind(
    name=NAME, options=OPTIONS, plan=plan, load=load, cost=cost, estimate=estimate, report=report, recount=recount, check=check,
    alone_below=math.inf,
)  # fmt: skip
