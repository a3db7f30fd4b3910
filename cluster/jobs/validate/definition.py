"""The kind of job that makes report cards."""

from __future__ import annotations

from cluster.jobs.kind import JobKind
from cluster.jobs.validate import COMMAND, NAME, SUMMARY
from cluster.jobs.validate.plan import cost, plan
from cluster.jobs.validate.report import report
from cluster.jobs.validate.settings import OPTIONS, ValidateRequest
from cluster.jobs.validate.stages import estimate, load

KIND = JobKind(
    name=NAME, summary=SUMMARY, command=COMMAND, settings=ValidateRequest, options=OPTIONS, plan=plan, load=load, cost=cost,
    estimate=estimate, report=report, writes_page=True,
)  # fmt: skip
