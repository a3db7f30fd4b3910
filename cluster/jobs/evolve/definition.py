"""The kind of job that searches the variants of plays."""

from __future__ import annotations

from cluster.jobs.evolve import NAME
from cluster.jobs.evolve.estimate import estimate
from cluster.jobs.evolve.loop import load
from cluster.jobs.evolve.plan import changes, check, cost, plan, stored_bytes
from cluster.jobs.evolve.recount import recount
from cluster.jobs.evolve.report import report
from cluster.jobs.evolve.settings import OPTIONS, amounts
from cluster.jobs.kind import JobKind

KIND = JobKind(
    name=NAME, options=OPTIONS, plan=plan, load=load, cost=cost, estimate=estimate, report=report, recount=recount, amounts=amounts,
    check=check, changes=changes, stored_bytes=stored_bytes,
)  # fmt: skip
