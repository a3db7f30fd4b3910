"""What a search found: its winners judged out of sample, the yardstick of random parameters, and the result that is stored."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from cluster.driver.evaluator import Evaluator, Scored, Work
from cluster.driver.hunt import Hunt
from cluster.driver.plan import Plan
from coinswarm import errors
from coinswarm.evolve import randomness, reduction
from coinswarm.evolve.randomness import Purpose
from coinswarm.ledger.records import IN_SAMPLE, OUT_OF_SAMPLE, Json, LeaderboardRow, Lease, ScoreBatch
from coinswarm.ledger.store import Store
from coinswarm.types import FloatArray

_WAIT_S = 3600.0


def result_hash(found: Sequence[Hunt]) -> str:
    """SHA-256 over the final populations and fitness of all searches: equal for equal seeds, whatever computed them."""
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
            scored = _scored(evaluator, Work(token=-1 - hunt.number, setup=hunt.number, segment=OUT_OF_SAMPLE, genomes=genomes))
            batches += _batches(plan, chosen, scored)
    store.save_scores(lease, batches)


def random_baseline(plan: Plan, found: Sequence[Hunt], evaluator: Evaluator) -> dict[str, Any]:
    """The best of as many random variants as the search evaluated, on the same bars: what luck alone would have found.

    They are a yardstick and no candidates, so they are not written into the ledger.
    """
    fits = [_random_fitness(plan, hunt, evaluator) for hunt in found]
    fit = np.concatenate(fits)
    best = float(np.nanmax(fit)) if np.isfinite(fit).any() else math.nan
    evolved = max(
        (float(hunt.population_fitness(i).max(initial=-np.inf)) for hunt in found for i in range(plan.search.islands)), default=-math.inf
    )
    return {
        "evaluations": int(fit.size),
        "best": best,
        "median": float(np.nanmedian(fit)) if np.isfinite(fit).any() else math.nan,
        "evolved_best": evolved,
        "beaten": bool(evolved > best or math.isnan(best)),
        "margin": evolved - best,
    }


def result(plan: Plan, found: Sequence[Hunt], store: Store, why: str, seconds: float, yardstick: Json | None) -> dict[str, Any]:
    """What is stored as the job's result and printed by `--json`."""
    rows = store.leaderboard(plan.job.id, limit=plan.winners)
    evaluations = sum(hunt.state.evaluations for hunt in found)
    return {
        "reason": why,
        "evaluations": evaluations,
        "distinct": sum(hunt.state.distinct for hunt in found),
        "failures": sum(hunt.state.failures for hunt in found),
        "generations": min(hunt.state.generation for hunt in found),
        "seconds": seconds,
        "synthetic": plan.job.synthetic,
        "best": _row(rows[0]) if rows else None,
        "winners": [_row(row) for row in rows],
        "pareto": [entry for hunt in found for entry in _front(hunt)],
        "baselines": {"random": yardstick},
    }


def _random_fitness(plan: Plan, hunt: Hunt, evaluator: Evaluator) -> FloatArray:
    rng = randomness.generator(plan.search.seed, hunt.number, 0, Purpose.BASELINE)
    genomes = hunt.setup.play.space.sample(rng, max(hunt.state.evaluations, 1))
    scored = _scored(evaluator, Work(token=-1 - hunt.number, setup=hunt.number, segment=IN_SAMPLE, genomes=genomes))
    return reduction.fitness(reduction.results(scored.figures, plan.search), plan.search)


def _scored(evaluator: Evaluator, work: Work) -> Scored:
    """The answer to one work; others that are still under way were given up and are passed over."""
    evaluator.submit(work)
    while True:
        scored = evaluator.collect(_WAIT_S)
        if scored is None:
            raise errors.Unavailable("the cluster does not answer", found=f"nothing in {_WAIT_S:g} s", hint="resume the job when it does")
        if scored.token == work.token:
            return scored


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
    figures = hunt.search.figures(members)
    return [
        {"variant": name, "play": hunt.sha256, "objectives": dict(zip(names, row, strict=True))}
        for name, row in zip(members.identities.astype("U64").tolist(), figures.tolist(), strict=True)
    ]
