"""The winners of a search: in sample and out of sample side by side, and how many variants were tried to find them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from cluster.jobs.evolve import goals
from cluster.jobs.kind import PlanContext
from cluster.jobs.report import Report, ReportTable
from coinswarm.evolve.settings import ENOUGH_TRADES, Constraint
from coinswarm.ledger.records import Job, LeaderboardRow
from coinswarm.printable import counted
from coinswarm.report import wording

ENOUGH_UNSEEN_TRADES = 30
"""What the gates ask of the bars that no search saw."""
_FIGURES = (("sharpe", "Sharpe"), ("total_return", "return"), ("n_trades", "trades"))
"""What a leaderboard shows in and out of sample, and its headings; `show` has all figures."""


def report(job: Job, context: PlanContext) -> Report:
    """The best variants of a job, whether it has ended or not."""
    rows = context.store.leaderboard(job.id, limit=int(job.config["winners"]))
    trials = context.store.count_trials(job.campaign).trials
    parts = leaderboard(job, rows, trials=trials)
    if not rows or not math.isfinite(rows[0].fitness):
        return Report(title=f"Search {job.id}", parts=(*parts, _nothing(job)), data=job.result or {}, synthetic=job.synthetic)
    best = rows[0].evaluation
    commands = (
        f"coinswarm validate {best}", f"coinswarm show {best}", f"coinswarm report {best}", f"coinswarm play export {best} --out best.yml",
        f"coinswarm top {job.id}",
    )  # fmt: skip
    advice = _advice(job, rows[0], has_vault=context.campaigns.split(job.campaign) is not None)
    return Report(
        title=f"Search {job.id}", parts=(*parts, advice), data=job.result or {}, synthetic=job.synthetic, next_steps=commands,
    )  # fmt: skip


def leaderboard(job: Job, rows: Sequence[LeaderboardRow], *, trials: int, by: str = "fitness") -> tuple[ReportTable | str, ...]:
    """The best variants of a job.

    Args:
        job: the job.
        rows: its leaderboard, best first.
        trials: distinct variants that its campaign tried.
        by: what it is ordered by.
    """
    if not rows:
        return (f"{job.id}: no winners so far. {_tried(job, trials)}.",)
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
    """How the best compares with its baselines; empty where they were not tried."""
    compared = (job.result or {}).get("baselines") or {}
    random, lottery = compared.get("random"), compared.get("lottery")
    if not lottery:
        return ""
    alike = f"Random parameters: {_against(random)}" if random else "All variants were tried, so there are no others to compare with"
    best = wording.number(_known(lottery["evolved_best"]), digits=3)
    return f"Best in sample {best}. {alike}. Random entries with the winner's exits: {_against(lottery)}."


def _against(baseline: Mapping[str, Any]) -> str:
    """The best of a baseline, and whether evolution was better: `1.296 of 480 trials (beaten)`."""
    best, trials = _known(baseline["best"]), counted(int(baseline["evaluations"]), "trial")
    if not math.isfinite(best):
        return f"none of {trials} keeps the constraints"
    return f"{wording.number(best, digits=3)} of {trials} ({'beaten' if _known(baseline['margin']) > 0 else 'not beaten'})"


def _nothing(job: Job) -> str:
    """Why there is no winner, and what would help."""
    limits = goals.limits([Constraint.model_validate(each) for each in job.config["search"]["constraints"]])
    return f"No variant keeps {limits}: search more bars or markets, wider ranges, or with another --constraint."


def _advice(job: Job, best: LeaderboardRow, *, has_vault: bool) -> str:
    """What the best is worth, and the next sensible step, in a sentence each."""
    found, inside, outside = _verdict(job, best), *(_trades(job, part) for part in (best.in_sample, best.out_of_sample))
    if inside < ENOUGH_TRADES.threshold:
        asked = goals.typed(ENOUGH_TRADES)
        step = f"{inside:,.0f} trades; promotion asks {ENOUGH_TRADES.threshold:g}: search more bars or markets, or with -c '{asked}'"
    elif not has_vault:
        step = "to promote a result, search again in a campaign with a final hold-out: `--campaign NAME --vault 0.2`"
    elif not best.out_of_sample.get("sharpe", math.nan) > 0:
        step = "try other markets, other ranges or another play; `coinswarm validate` says where this one fails"
    elif outside < ENOUGH_UNSEEN_TRADES:
        step = f"{outside:,.0f} trades out of sample; promotion asks {ENOUGH_UNSEEN_TRADES}: use more bars or markets"
    else:
        step = f"`coinswarm validate {best.evaluation}` tests whether it is luck"
    return f"{found} Next: {step}."


def _verdict(job: Job, best: LeaderboardRow) -> str:
    """Against random variants, and out of sample, in one sentence."""
    unseen = best.out_of_sample.get("sharpe", math.nan)
    beaten = ((job.result or {}).get("baselines") or {}).get("beaten")
    if math.isnan(unseen):
        found = "nothing was held out to judge the best by"
    else:
        found = f"a Sharpe of {unseen:.2f} out of sample{'' if unseen > 0 else ': the best did not hold up'}"
    if beaten is None:
        return f"{found[:1].upper()}{found[1:]}."
    joined = "and" if beaten == (unseen > 0) else "but"
    return f"{'Better' if beaten else 'No better'} than random search, {joined} {found}."


def _trades(job: Job, part: Mapping[str, float]) -> float:
    """Closed trades of all markets; a leaderboard has their mean."""
    return part.get("n_trades", 0.0) * len(job.config["markets"])


def _pairs(row: LeaderboardRow) -> list[str]:
    parts = (row.in_sample, row.out_of_sample)
    return [_FORMS.get(name, wording.number)(part.get(name, math.nan)) for name, _ in _FIGURES for part in parts]


_FORMS: Mapping[str, Callable[[float], str]] = {
    "total_return": partial(wording.percent, signed=True, digits=1), "n_trades": wording.count,
}  # fmt: skip


def _known(value: float | None) -> float:
    return math.nan if value is None else value


def _params(params: Mapping[str, object]) -> str:
    return " ".join(f"{name}={wording.value(value)}" for name, value in params.items())
