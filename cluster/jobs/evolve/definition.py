"""The kind of job that searches the variants of plays."""

from __future__ import annotations

from cluster.jobs.evolve import COMMAND, NAME, SUMMARY
from cluster.jobs.evolve.estimate import estimate
from cluster.jobs.evolve.loop import load
from cluster.jobs.evolve.plan import changes, check, cost, plan, stored_bytes
from cluster.jobs.evolve.report import report
from cluster.jobs.evolve.settings import OPTIONS, EvolveRequest, trials
from cluster.jobs.kind import JobKind

KIND = JobKind(
    name=NAME, summary=SUMMARY, command=COMMAND, settings=EvolveRequest, options=OPTIONS, plan=plan, load=load, cost=cost,
    estimate=estimate, report=report, trials=trials, changes=changes, check=check,
    stored_bytes=stored_bytes,
)  # fmt: skip
