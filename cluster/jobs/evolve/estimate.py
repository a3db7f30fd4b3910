"""What a job would take, measured by scoring a few of its variants."""

from __future__ import annotations

import time
from dataclasses import dataclass

import psutil

from cluster.compute.evaluator import Evaluator, Work
from cluster.jobs.evolve.plan import Plan
from coinswarm.evolve import randomness
from coinswarm.evolve.randomness import Purpose
from coinswarm.ledger.records import IN_SAMPLE
from coinswarm.market.timeframe import YEAR_MS
from coinswarm.metrics.figures import SCORE_DTYPE
from coinswarm.report import luck

_PROBE = 48
_BAR_BYTES = 48
_ROW_BYTES = 900
"""An evaluation's row with its indexes, measured on the schema of `cluster.store`."""
_WORKER_BYTES = 260 * 2**20
_POLL_S = 1.0


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """What a job would take.

    Attributes:
        variants: trials of the search, without the baselines.
        seconds, variants_per_s: at the measured speed of fresh random variants; later generations share more and are faster. Racing is
            left out: it saves variant-bars, and less time than that.
        raced: whether the search races its variants.
        workers: processes that compute.
        bars, bars_bytes: in sample, over all markets.
        memory_bytes: of a node with its workers.
        database_bytes: growth of the database.
        sharpe_by_luck: expected best yearly Sharpe among so many variants without any edge, on these data.
    """

    variants: int
    seconds: float
    variants_per_s: float
    workers: int
    bars: int
    bars_bytes: int
    memory_bytes: int
    database_bytes: int
    sharpe_by_luck: float
    raced: bool = False


def estimate(evaluator: Evaluator, plan: Plan) -> Estimate:
    """Score a few random variants twice, the first time to warm up, and draw the line from there."""
    evaluator.open(plan.task)
    _probe(evaluator, plan, 1)
    speed = min(_probe(evaluator, plan, 2), _probe(evaluator, plan, 3))
    variants = plan.search.population * plan.search.generations * len(plan.plays)
    spans = plan.job.config["markets"]
    share = 1.0 - float(plan.job.config["out_of_sample"])
    bars = int(share * sum(span["n_bars"] for span in spans))
    years = share * (spans[0]["last_ts"] - spans[0]["first_ts"]) / YEAR_MS
    return Estimate(
        variants=variants,
        seconds=variants * speed,
        variants_per_s=1.0 / speed,
        workers=evaluator.workers,
        bars=bars,
        bars_bytes=bars * _BAR_BYTES,
        memory_bytes=bars * _BAR_BYTES + evaluator.workers * _WORKER_BYTES + int(psutil.Process().memory_info().rss),
        database_bytes=variants * (_ROW_BYTES + len(spans) * SCORE_DTYPE.itemsize),
        sharpe_by_luck=luck.best_sharpe_by_luck(variants, years),
        raced=plan.search.racing.enabled,
    )


def _probe(evaluator: Evaluator, plan: Plan, token: int) -> float:
    """Seconds a variant."""
    setup = plan.task.setups[0]
    genomes = setup.play.space.sample(randomness.generator(plan.search.seed, 0, token, Purpose.BASELINE), _PROBE)
    began = time.perf_counter()
    evaluator.submit(Work(token=-token, setup=0, segment=IN_SAMPLE, genomes=genomes))
    while evaluator.collect(_POLL_S) is None:
        pass  # the evaluator raises when nothing begins; what has begun, such as compiling, takes as long as it takes
    return (time.perf_counter() - began) / len(genomes)
