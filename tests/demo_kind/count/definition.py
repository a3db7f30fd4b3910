"""The kind of job that counts bars."""

from __future__ import annotations

import math

from cluster.jobs.count import NAME
from cluster.jobs.count.plan import cost, plan
from cluster.jobs.count.report import report
from cluster.jobs.count.settings import OPTIONS
from cluster.jobs.count.stages import estimate, load

from cluster.jobs.kind import JobKind

KIND = JobKind(
    name=NAME, options=OPTIONS, plan=plan, load=load, cost=cost, estimate=estimate, report=report, alone_below=math.inf,
)  # fmt: skip
