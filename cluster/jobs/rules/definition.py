"""The kind of job that tests published rules."""

from __future__ import annotations

import math

from cluster.jobs.kind import JobKind
from cluster.jobs.rules import COMMAND, NAME, SUMMARY
from cluster.jobs.rules.plan import cost, plan
from cluster.jobs.rules.report import report
from cluster.jobs.rules.settings import OPTIONS, RulesRequest
from cluster.jobs.rules.stages import estimate, load

KIND = JobKind(
    name=NAME, summary=SUMMARY, command=COMMAND, settings=RulesRequest, options=OPTIONS, plan=plan, load=load, cost=cost,
    estimate=estimate, report=report, alone_below=math.inf,
)  # fmt: skip
