"""The winners of a search: in sample and out of sample side by side, and how many variants were tried to find them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from cluster.jobs.kind import PlanContext
from cluster.jobs.report import Report, ReportTable
from coinswarm.ledger.records import Job, LeaderboardRow
from coinswarm.printable import counted
from coinswarm.report import wording

_FIGURES = (("sharpe", "Sharpe"), ("total_return", "return"), ("n_trades", "trades"))
"""What a leaderboard shows in and out of sample, and its headings; `show` has all figures."""


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
    headings = ("#", "id", "fitness", *(f"{name} {part}" for _, name in _FIGURES for part in ("in", "out")), "parameters")
    cells = tuple([row.rank, row.evaluation, wording.number(row.fitness, digits=3), *_pairs(row), _params(row.params)] for row in rows)
    markets = len(job.config["markets"])
    over = "" if markets == 1 else f", means over {markets} markets"
    title = f"{job.id}: the best {len(rows)} by {by}, in and out of sample{over}"
    told = f"{_tried(job, trials)}. The best of many looks good by luck alone: judge by the columns marked `out`."
    against = _baselines(job)
    return (ReportTable(title=title, columns=headings, rows=cells, below=True), told, *((against,) if against else ()))


def _tried(job: Job, trials: int) -> str:
    """How much was tried to find them: in the job, once it has ended, and in all jobs of its campaign."""
    distinct = (job.result or {}).get("distinct")
    if distinct is None:
        return f"This job is not done; {counted(trials, 'distinct variant')} tried in campaign {job.campaign} so far"
    return f"{counted(int(distinct), 'distinct variant')} tried in this job, {trials:,} in campaign {job.campaign}"


def _baselines(job: Job) -> str:
    """How evolution compares with its baselines; empty where they were not tried."""
    compared = (job.result or {}).get("baselines") or {}
    if not compared.get("random") or not compared.get("lottery"):
        return ""
    random, lottery = compared["random"], compared["lottery"]
    return (
        f"Best in sample {wording.number(_known(random['evolved_best']), digits=3)}. Random parameters: {_against(random)}. "
        f"Random entries with the winner's exits: {_against(lottery)}."
    )


def _against(baseline: Mapping[str, Any]) -> str:
    """The best of a baseline, and whether evolution was better: `1.296 of 480 trials (beaten)`."""
    best, trials = _known(baseline["best"]), counted(int(baseline["evaluations"]), "trial")
    if not math.isfinite(best):
        return f"none of {trials} keeps the constraints"
    return f"{wording.number(best, digits=3)} of {trials} ({'beaten' if _known(baseline['margin']) > 0 else 'not beaten'})"


def _pairs(row: LeaderboardRow) -> list[str]:
    parts = (row.in_sample, row.out_of_sample)
    return [_FORMS.get(name, wording.number)(part.get(name, math.nan)) for name, _ in _FIGURES for part in parts]


_FORMS: Mapping[str, Callable[[float], str]] = {
    "total_return": partial(wording.percent, signed=True, digits=1), "n_trades": wording.count,
}  # fmt: skip


def _known(value: float | None) -> float:
    return math.nan if value is None else value


def _params(params: Mapping[str, object]) -> str:
    return " ".join(f"{name}={_short(value)}" for name, value in params.items())


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
