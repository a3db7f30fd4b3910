"""The kind of job that fetches candles."""

from __future__ import annotations

import math

from cluster.jobs.fetch import NAME
from cluster.jobs.fetch.plan import cost, plan
from cluster.jobs.fetch.report import report
from cluster.jobs.fetch.settings import OPTIONS, amounts
from cluster.jobs.fetch.stages import estimate, load, recount
from cluster.jobs.kind import JobKind

KIND = JobKind(
    name=NAME, options=OPTIONS, plan=plan, load=load, cost=cost, estimate=estimate, report=report, amounts=amounts, recount=recount,
    alone_below=math.inf, any_code=True,
)  # fmt: skip
