"""The winners of a search: in sample and out of sample side by side, and how many variants were tried to find them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from cluster.jobs.kind import PlanContext
from cluster.jobs.report import Report, ReportTable
from coinswarm.ledger.records import Job, LeaderboardRow

_FIGURES = (
    ("sharpe", "sharpe", "{:.2f}"),
    ("total_return", "return", "{:+.1%}"),
    ("max_drawdown", "drawdown", "{:.1%}"),
    ("n_trades", "trades", "{:.0f}"),
)


def report(job: Job, context: PlanContext) -> Report:
    """The best variants of a job, whether it has ended or not."""
    rows = context.store.leaderboard(job.id, limit=int(job.config["winners"]))
    trials = context.store.count_trials(job.campaign).trials
    best = rows[0].evaluation if rows else "EVALUATION"
    commands = (
        f"coinswarm show {best}", f"coinswarm validate {best}", f"coinswarm report {best}", f"coinswarm replay {best}",
        f"coinswarm top {job.id}", "coinswarm db url",
    )  # fmt: skip
    return Report(
        title=f"Search {job.id}", parts=leaderboard(job, rows, trials=trials), data=job.result or {}, synthetic=job.synthetic,
        next_steps=commands,
    )  # fmt: skip


def leaderboard(job: Job, rows: Sequence[LeaderboardRow], *, trials: int, by: str = "fitness") -> tuple[ReportTable | str, ...]:
    """The best variants of a job.

    Args:
        job: the job.
        rows: its leaderboard, best first.
        trials: distinct variants that its campaign tried.
        by: what it is ordered by.
    """
    headings = ("#", "evaluation", "fitness", *(f"{name} {part}" for _, name, _ in _FIGURES for part in ("in", "out")), "parameters")
    cells = tuple([row.rank, row.evaluation, _cell(row.fitness, "{:.3f}"), *_pairs(row), _params(row.params)] for row in rows)
    title = f"{job.id}: best {len(rows)} by {by}; means over {len(job.config['markets'])} market(s), in sample and out"
    told = f"{_tried(job, trials)}: the best of many looks good by luck alone, so judge by the columns marked `out`."
    against = _baselines(job)
    return (ReportTable(title=title, columns=headings, rows=cells), told, *((against,) if against else ()))


def _tried(job: Job, trials: int) -> str:
    """How much was tried to find them: in the job, once it has ended, and in all jobs of its campaign."""
    distinct = (job.result or {}).get("distinct")
    if distinct is None:
        return f"{trials:,} distinct variants were tried in campaign {job.campaign}"
    return f"{int(distinct):,} distinct variants were tried in this job, {trials:,} in campaign {job.campaign}"


def _baselines(job: Job) -> str:
    """How evolution compares with its baselines; empty where they were not tried."""
    compared = (job.result or {}).get("baselines") or {}
    if not compared.get("random") or not compared.get("lottery"):
        return ""
    verdict = "beats both" if compared["beaten"] else "DOES NOT BEAT both of"
    evolved = _cell(compared["random"]["evolved_best"], "{:.3f}")
    return (
        f"evolution ({evolved} in sample) {verdict} baselines at equal cost: {_against(compared['random'])} random parameters,"
        f" {_against(compared['lottery'])} lottery trading (random entries, the winner's exits and costs)."
    )


def _against(baseline: Mapping[str, Any]) -> str:
    """How far from the best of a baseline: `+0.12 against the 1.03 of 480`."""
    best, margin = baseline["best"], baseline["margin"]
    if best is None or not math.isfinite(best):
        return f"none of {baseline['evaluations']:,} keeps the constraints among"
    return f"{_cell(margin, '{:+.3f}')} against the {best:.3f} of {baseline['evaluations']:,}"


def _pairs(row: LeaderboardRow) -> list[str]:
    parts = (row.in_sample, row.out_of_sample)
    return [_cell(part.get(name, math.nan), form) for name, _, form in _FIGURES for part in parts]


def _cell(value: float | None, form: str) -> str:
    return form.format(value) if value is not None and math.isfinite(value) else "-"


def _params(params: Mapping[str, object]) -> str:
    return " ".join(f"{name}={_short(value)}" for name, value in params.items())


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
