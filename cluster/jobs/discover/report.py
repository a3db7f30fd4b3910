"""What a search for patterns tried, and what survived."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from cluster.jobs.kind import PlanContext
from cluster.jobs.report import Report, ReportTable
from coinswarm import errors
from coinswarm.ledger.patterns import PatternRecord
from coinswarm.ledger.records import Job, Json
from coinswarm.ledger.store import Store
from coinswarm.patterns.foresight import FeatureLeak
from coinswarm.printable import counted


def report(job: Job, context: PlanContext) -> Report:
    """What was tried and what survived, once the search is done."""
    records = context.patterns.patterns(job=job.id)
    data = {**(job.result or {}), "job": job.id, "patterns": records}
    title = f"Patterns of {job.id}"
    if job.status != "done":
        return Report(title=title, parts=(), data=data, synthetic=job.synthetic)
    shown = f"`coinswarm patterns show {records[0].id}`" if records else "`coinswarm patterns power` says what could be found"
    return Report(
        title=title, parts=tuple(_parts(job, records)), data=data, synthetic=job.synthetic,
        page=partial(_page, job, records, context.store), next_steps=(f"`coinswarm patterns report {job.id}`, {shown}",),
    )  # fmt: skip


def table(title: str, records: Sequence[PatternRecord]) -> ReportTable:
    """Patterns of the library."""
    headings = ("id", "status", "trades", "effect %", "later %", "p family", "p later", "conditions")
    return ReportTable(title=title, columns=headings, rows=tuple(map(_row, records)), below=True)


def summary_of(store: Store, job: Job) -> Json:
    """What a search found, as `results.summary` wrote it.

    Raises:
        NotFound: it has not ended.
    """
    steps = store.generations(job.id)
    if not steps:
        raise errors.NotFound(f"job {job.id} has found nothing yet", hint=f"`coinswarm jobs resume {job.id}` resumes it")
    return steps[0].figures


def _page(job: Job, records: Sequence[PatternRecord], store: Store) -> str:
    from coinswarm.report import patterns

    return patterns.render(summary_of(store, job), records, job=job.id, synthetic=job.synthetic)


def _parts(job: Job, records: Sequence[PatternRecord]) -> Iterable[ReportTable | str]:
    result = job.result or {}
    yield _tried(job, result)
    leaks = result.get("leaks", ())
    yield from (str(FeatureLeak(**leak)) for leak in leaks)
    if leaks:
        yield "Nothing is promoted from such trades: repair the data, or search with --feature and without these."
    if records:
        yield table(f"{counted(len(records), 'pattern')} survived", records)
    elif not leaks:
        yield "No pattern survived. That is the usual outcome."


def _tried(job: Job, result: Mapping[str, Any]) -> ReportTable:
    naive = ", ".join(f"{name} {number:,}" for name, number in result["naive_promoted"].items())
    rows = (
        ("patterns tested", f"{result['tested']:,} on {result['blocks']['discovery']:,} independent blocks of time"),
        ("smallest family-wise p", f"{result['p_family']:.4f}"),
        ("significant", f"{result['significant']:,}, of which {result['profitable']:,} made money net of costs"),
        ("distinct rules", f"{result['confirmed'] + result['rejected'] + result['candidate']:,}"),
        ("confirmed on later bars", f"{result['confirmed']:,}"),
        ("usual tests would promote", naive),
    )
    return ReportTable(title=f"job {job.id}", columns=("what", "how many"), rows=rows)


def _row(record: PatternRecord) -> list[object]:
    seen, later = record.figures.get("discovery") or {}, record.figures.get("confirmation") or {}
    p = record.evidence.get("p_family", math.nan)
    return [
        record.id, record.status, f"{seen.get('trades', 0):,}", percent(seen.get("effect")), percent(later.get("effect")),
        _number(p), _number(record.p_confirm), record.name,
    ]  # fmt: skip


def percent(value: float | None) -> str:
    """A share as it is printed: in percent, with its sign; empty where it is not known."""
    return "" if value is None or not math.isfinite(value) else f"{100 * value:+.4f}"


def _number(value: float) -> str:
    return "" if not math.isfinite(value) else f"{value:.4f}"
