"""The table of winners: in sample and out of sample side by side, and how many variants were tried to find them."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

from cluster.cli import console
from cluster.settings import Settings
from coinswarm.ledger.records import Job, LeaderboardRow

_FIGURES = (
    ("sharpe", "sharpe", "{:.2f}"),
    ("total_return", "return", "{:+.1%}"),
    ("max_drawdown", "drawdown", "{:.1%}"),
    ("n_trades", "trades", "{:.0f}"),
)


def show(job: Job, rows: Sequence[LeaderboardRow], *, trials: int, by: str = "fitness") -> None:
    """Print the best variants of a job.

    Args:
        job: the job.
        rows: its leaderboard, best first.
        trials: distinct variants that its campaign tried.
        by: what it is ordered by.
    """
    headings = ["#", "evaluation", "fitness", *(f"{name} {part}" for _, name, _ in _FIGURES for part in ("in", "out")), "parameters"]
    cells = [[row.rank, row.evaluation, _cell(row.fitness, "{:.3f}"), *_pairs(row), _params(row.params)] for row in rows]
    console.table(
        f"{job.id}: best {len(rows)} by {by}; means over {len(job.config['markets'])} market(s), in sample and out",
        headings,
        cells,
        synthetic=job.synthetic,
    )
    console.text(f"{_tried(job, trials)}: the best of many looks good by luck alone, so judge by the columns marked `out`.")
    _baseline(job)


def _tried(job: Job, trials: int) -> str:
    """How much was tried to find them: in the job, once it has ended, and in all jobs of its campaign."""
    distinct = (job.result or {}).get("distinct")
    if distinct is None:
        return f"{trials:,} distinct variants were tried in campaign {job.campaign}"
    return f"{int(distinct):,} distinct variants were tried in this job, {trials:,} in campaign {job.campaign}"


def show_remote(job: Mapping[str, Any], found: Mapping[str, Any], *, by: str) -> None:
    """Print the leaderboard that a control plane answered with, as `show` would."""
    from coinswarm.ledger.records import Job, LeaderboardRow

    names = {field.name for field in dataclasses.fields(LeaderboardRow)}
    rows = [LeaderboardRow(**{name: _back(value) for name, value in row.items() if name in names}) for row in found["rows"]]
    known = {field.name for field in dataclasses.fields(Job)} - {"plays", "data_hashes", "status"}
    shown = Job(**{name: value for name, value in job.items() if name in known}, plays=(), data_hashes=())
    show(shown, rows, trials=int(found["trials"]), by=by)


def _back(value: Any) -> Any:
    """A missing number as the records have it."""
    if value is None:
        return math.nan
    return {name: _back(entry) for name, entry in value.items()} if isinstance(value, Mapping) else value


def next_steps(job: Job, rows: Sequence[LeaderboardRow], settings: Settings) -> None:
    """Print what can be done with the result."""
    best = rows[0].evaluation if rows else "EVALUATION"
    lines = (
        f"coinswarm show {best}",
        f"coinswarm validate {best}",
        f"coinswarm report {best}",
        f"coinswarm replay {best}",
        f"coinswarm top {job.id}",
        "coinswarm db url",
    )
    console.text("next:  " + "\n       ".join(lines))
    console.text(f"home:  {console.path(settings.home.expanduser())}")


def _baseline(job: Job) -> None:
    found = (job.result or {}).get("baselines") or {}
    if not found.get("random") or not found.get("lottery"):
        return
    verdict = "beats both" if found["beaten"] else "DOES NOT BEAT both of"
    evolved = _cell(found["random"]["evolved_best"], "{:.3f}")
    console.text(
        f"evolution ({evolved} in sample) {verdict} yardsticks at equal cost: {_against(found['random'])} random parameters,"
        f" {_against(found['lottery'])} lottery trading (random entries, the winner's exits and costs)."
    )


def _against(yardstick: Mapping[str, Any]) -> str:
    """How far from the best of a yardstick: `+0.12 over the 1.03 of 480`."""
    best, margin = yardstick["best"], yardstick["margin"]
    if best is None or not math.isfinite(best):
        return f"none of {yardstick['evaluations']:,} keeps the constraints among"
    return f"{_cell(margin, '{:+.3f}')} against the {best:.3f} of {yardstick['evaluations']:,}"


def _pairs(row: LeaderboardRow) -> list[str]:
    parts = (row.in_sample, row.out_of_sample)
    return [_cell(part.get(name, math.nan), form) for name, _, form in _FIGURES for part in parts]


def _cell(value: float | None, form: str) -> str:
    return form.format(value) if value is not None and math.isfinite(value) else "-"


def _params(params: Mapping[str, object]) -> str:
    return " ".join(f"{name}={_short(value)}" for name, value in params.items())


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
