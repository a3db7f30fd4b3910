"""What a search found: its winners judged out of sample, and the result that is stored."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from cluster.compute.evaluator import Evaluator, Scored, ScoreRequest
from cluster.jobs.evolve import baselines
from cluster.jobs.evolve.plan import SearchPlan
from cluster.jobs.evolve.play_search import PlaySearch
from coinswarm.evolve import archive, behaviour
from coinswarm.ledger.records import OUT_OF_SAMPLE, WHOLE_JOB, Json, LeaderboardRow, Lease, ScoreBatch
from coinswarm.ledger.store import Store

_TOLD_REASONS = 5


def result_hash(found: Sequence[PlaySearch]) -> str:
    """SHA-256 over the final populations, fitness and archives of all searches: equal for equal seeds, whatever computed them."""
    return hashlib.sha256(b"".join(one.digest() for one in found)).hexdigest()


def score_winners(plan: SearchPlan, found: Sequence[PlaySearch], store: Store, evaluator: Evaluator, lease: Lease) -> None:
    """Score the best of the job on the part that was held out, and store it. Nothing is held out: nothing happens."""
    if plan.task.split_ts is None:
        return
    rows = store.leaderboard(plan.job.id, limit=plan.winners)
    batches: list[ScoreBatch] = []
    for one in found:
        chosen = [row for row in rows if row.play == one.sha256]
        if chosen:
            genomes = np.array([store.evaluation(row.evaluation).genome for row in chosen], dtype=np.float64)
            scored = baselines.answer(
                evaluator, ScoreRequest(token=-1 - one.number, setup=one.number, segment=OUT_OF_SAMPLE, genomes=genomes)
            )
            batches += _batches(plan, chosen, scored)
    store.save_scores(lease, batches)


def result(plan: SearchPlan, found: Sequence[PlaySearch], store: Store, why: str, seconds: float, compared: Json) -> dict[str, Any]:
    """What is stored as the job's result and printed by `--json`."""
    rows = store.leaderboard(plan.job.id, limit=plan.winners)
    evaluations = sum(one.state.evaluations for one in found)
    return {
        "reason": why,
        "evaluations": evaluations,
        "distinct": sum(one.state.distinct for one in found),
        "whole": baselines.is_whole(found),
        "failures": sum(one.state.failures for one in found),
        "failed_for": _failed_for(plan, store),
        "racing": _raced(plan, store, evaluations),
        "generations": min(one.state.generation for one in found),
        "seconds": seconds,
        "synthetic": plan.job.synthetic,
        "best": _row(rows[0]) if rows else None,
        "winners": [_row(row) for row in rows],
        "pareto": [entry for one in found for entry in _front(one)],
        "baselines": compared,
        "archive": {
            "kinds": sum(len(one.archive) for one in found),
            "coverage": float(np.mean([archive.coverage(one.archive, behaviour.TRADING) for one in found])),
        },
    }


def _failed_for(plan: SearchPlan, store: Store) -> dict[str, int]:
    """The commonest reasons of failed trials with their counts, as the generations kept them."""
    counted: Counter[str] = Counter()
    for record in store.generations(plan.job.id):
        counted.update({str(reason): int(n) for reason, n in record.figures.get("failed_for", {}).items()})
    return dict(counted.most_common(_TOLD_REASONS))


def _raced(plan: SearchPlan, store: Store, evaluations: int) -> dict[str, Any] | None:
    """How many evaluations ended on a part of the bars, and what share of all variant-bars was gone over; None without racing."""
    if not plan.search.racing.enabled:
        return None
    figures = [record.figures for record in store.generations(plan.job.id) if record.island != WHOLE_JOB]
    cost = sum(float(entry["cost"]) for entry in figures)
    return {"dropped": sum(int(entry["dropped"]) for entry in figures), "share": cost / max(evaluations, 1)}


def _batches(plan: SearchPlan, rows: Sequence[LeaderboardRow], scored: Scored) -> list[ScoreBatch]:
    variants = tuple(row.variant for row in rows)
    return [
        ScoreBatch(data_set=source.key, segment=OUT_OF_SAMPLE, variants=variants, figures=scored.figures[:, market])
        for market, source in enumerate(plan.task.sources)
    ]


def _row(row: LeaderboardRow) -> dict[str, Any]:
    return {
        "rank": row.rank, "evaluation": row.evaluation, "variant": row.variant, "play": row.play, "params": dict(row.params),
        "fitness": row.fitness, "objectives": list(row.objectives), "in_sample": dict(row.in_sample),
        "out_of_sample": dict(row.out_of_sample),
    }  # fmt: skip


def _front(one: PlaySearch) -> list[dict[str, Any]]:
    members = one.front()
    names = [objective.name for objective in one.settings.objectives]
    limits = np.array([objective.limit for objective in one.settings.objectives])
    figures = one.search.figures(members)
    figures = np.where(np.abs(figures) < limits, figures, np.nan)  # the worst end stands for a figure without a value
    return [
        {"variant": name, "play": one.sha256, "objectives": dict(zip(names, row, strict=True))}
        for name, row in zip(members.identities.astype("U64").tolist(), figures.tolist(), strict=True)
    ]
