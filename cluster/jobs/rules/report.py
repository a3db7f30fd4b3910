"""What became of each rule of a test."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from cluster.jobs.kind import PlanContext
from cluster.jobs.report import Report, ReportTable
from coinswarm.ledger.records import Job

_HEADINGS = ("rule", "side", "trades", "net %", "random %", "excess %", "naive p", "p", "verdict", "details")


def report(job: Job, _context: PlanContext) -> Report:
    """Each side of each rule, once all are judged."""
    result, title = job.result or {}, f"Rules tested by {job.id}"
    if job.status != "done":
        return Report(title=title, parts=(), data=result, synthetic=job.synthetic)
    source = job.config["source"]
    steps = f"`coinswarm patterns report {job.id}`, `coinswarm patterns list --source {source}`"
    return Report(
        title=title, parts=tuple(_parts(result)), data=result, synthetic=job.synthetic, page=lambda: _page(job), next_steps=(steps,),
    )  # fmt: skip


def _page(job: Job) -> str:
    from coinswarm.report import rules

    return rules.render(job.result or {}, job.config, job=job.id, synthetic=job.synthetic)


def _parts(result: Mapping[str, Any]) -> Iterable[ReportTable | str]:
    ranked = sorted(result["rulings"], key=lambda entry: (entry["p_adjusted"], entry["p_value"]))
    title = f"{len(ranked)} sides of rules, {result['better']} better than random trades of their kind"
    yield ReportTable(title=title, columns=_HEADINGS, rows=tuple(map(_row, ranked)), below=True)
    yield from (f"{rule} was not tested: {why}" for rule, why in result["refused"].items())
    yield "The naive p takes every trade for independent and any profit for an edge; p is family-wise, by sign flips of blocks of time."


def _row(entry: Mapping[str, Any]) -> list[object]:
    judged = entry["verdict"] in ("better", "no better")
    interval = f"{_percent(entry['low'])}..{_percent(entry['high'])}".strip(".")
    return [
        entry["rule"], entry["side"], f"{entry['n_trades']:,}", *(_percent(entry[name]) for name in ("net", "random", "excess")),
        "" if math.isnan(entry["naive_p"]) else f"{entry['naive_p']:.3f}", f"{entry['p_adjusted']:.3f}" if judged else "", entry["verdict"],
        f"{entry['active_blocks']} of {entry['n_blocks']} blocks of time" + (f"; 95 % of the excess in {interval}" if interval else ""),
    ]  # fmt: skip


def _percent(value: float) -> str:
    return "" if math.isnan(value) else f"{100 * value:+.3f}"
