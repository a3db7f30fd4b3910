"""What a search found: its winners judged out of sample, and the result that is stored."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from cluster.compute.evaluator import Evaluator, Scored, Work
from cluster.jobs.evolve import baselines as yardsticks
from cluster.jobs.evolve.plan import Plan
from cluster.jobs.evolve.play_search import Hunt
from coinswarm.evolve import archive, behaviour
from coinswarm.ledger.records import OUT_OF_SAMPLE, WHOLE_JOB, Json, LeaderboardRow, Lease, ScoreBatch
from coinswarm.ledger.store import Store

_TOLD_REASONS = 5


def result_hash(found: Sequence[Hunt]) -> str:
    """SHA-256 over the final populations, fitness and archives of all searches: equal for equal seeds, whatever computed them."""
    return hashlib.sha256(b"".join(hunt.digest() for hunt in found)).hexdigest()


def score_winners(plan: Plan, found: Sequence[Hunt], store: Store, evaluator: Evaluator, lease: Lease) -> None:
    """Score the best of the job on the part that was held out, and store it. Nothing is held out: nothing happens."""
    if plan.task.split_ts is None:
        return
    rows = store.leaderboard(plan.job.id, limit=plan.winners)
    batches: list[ScoreBatch] = []
    for hunt in found:
        chosen = [row for row in rows if row.play == hunt.sha256]
        if chosen:
            genomes = np.array([store.evaluation(row.evaluation).genome for row in chosen], dtype=np.float64)
            scored = yardsticks.answer(evaluator, Work(token=-1 - hunt.number, setup=hunt.number, segment=OUT_OF_SAMPLE, genomes=genomes))
            batches += _batches(plan, chosen, scored)
    store.save_scores(lease, batches)


def result(plan: Plan, found: Sequence[Hunt], store: Store, why: str, seconds: float, yardstick: Json) -> dict[str, Any]:
    """What is stored as the job's result and printed by `--json`."""
    rows = store.leaderboard(plan.job.id, limit=plan.winners)
    evaluations = sum(hunt.state.evaluations for hunt in found)
    return {
        "reason": why,
        "evaluations": evaluations,
        "distinct": sum(hunt.state.distinct for hunt in found),
        "failures": sum(hunt.state.failures for hunt in found),
        "failed_for": _failed_for(plan, store),
        "racing": _raced(plan, store, evaluations),
        "generations": min(hunt.state.generation for hunt in found),
        "seconds": seconds,
        "synthetic": plan.job.synthetic,
        "best": _row(rows[0]) if rows else None,
        "winners": [_row(row) for row in rows],
        "pareto": [entry for hunt in found for entry in _front(hunt)],
        "baselines": yardstick,
        "archive": {
            "kinds": sum(len(hunt.archive) for hunt in found),
            "coverage": float(np.mean([archive.coverage(hunt.archive, behaviour.TRADING) for hunt in found])),
        },
    }


def _failed_for(plan: Plan, store: Store) -> dict[str, int]:
    """The commonest reasons of failed trials with their counts, as the generations kept them."""
    counted: Counter[str] = Counter()
    for record in store.generations(plan.job.id):
        counted.update({str(reason): int(n) for reason, n in record.figures.get("failed_for", {}).items()})
    return dict(counted.most_common(_TOLD_REASONS))


def _raced(plan: Plan, store: Store, evaluations: int) -> dict[str, Any] | None:
    """How many evaluations ended on a part of the bars, and what share of all variant-bars was gone over; None without racing."""
    if not plan.search.racing.enabled:
        return None
    figures = [record.figures for record in store.generations(plan.job.id) if record.island != WHOLE_JOB]
    cost = sum(float(entry["cost"]) for entry in figures)
    return {"dropped": sum(int(entry["dropped"]) for entry in figures), "share": cost / max(evaluations, 1)}


def _batches(plan: Plan, rows: Sequence[LeaderboardRow], scored: Scored) -> list[ScoreBatch]:
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


def _front(hunt: Hunt) -> list[dict[str, Any]]:
    members = hunt.front()
    names = [objective.name for objective in hunt.settings.objectives]
    limits = np.array([objective.limit for objective in hunt.settings.objectives])
    figures = hunt.search.figures(members)
    figures = np.where(np.abs(figures) < limits, figures, np.nan)  # the worst end stands for a figure without a value
    return [
        {"variant": name, "play": hunt.sha256, "objectives": dict(zip(names, row, strict=True))}
        for name, row in zip(members.identities.astype("U64").tolist(), figures.tolist(), strict=True)
    ]
