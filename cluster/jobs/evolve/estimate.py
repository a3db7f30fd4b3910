"""What a search would take, measured by scoring a few of its variants."""

from __future__ import annotations

import time
from typing import Any

from cluster.compute.evaluator import Evaluator, ScoreRequest
from cluster.jobs import markets, warmup
from cluster.jobs.evolve.plan import SearchPlan, planned_search, stored_bytes
from cluster.jobs.kind import Estimate, Planned, RunContext
from cluster.jobs.progress import resident_bytes
from coinswarm.evolve import randomness
from coinswarm.evolve.randomness import Purpose
from coinswarm.ledger.records import IN_SAMPLE
from coinswarm.market.timeframe import YEAR_MS
from coinswarm.printable import counted
from coinswarm.report import luck

_PROBE = 48
_BASELINES = 2
"""Random parameters and lottery trading, each with as many variants as the search."""
_BAR_BYTES = 48
_WORKER_BYTES = 260 * 2**20
_POLL_S = 1.0


def estimate(made: Planned, context: RunContext) -> Estimate:
    """Score a few random variants twice, the first time to warm up.

    Baselines cost as much again, each. Later generations share more work than fresh random variants and are faster. Racing is left out:
    it saves variant-bars, and less time than that. `sharpe_by_luck` is the expected best yearly Sharpe among so many variants without any
    edge, on these data.
    """
    plan, evaluator = planned_search(made, context.bars_file), context.evaluator()
    evaluator.open(plan.task)
    _probe(evaluator, plan, 1)
    processors = context.processors
    speed = min(_probe(evaluator, plan, 2), _probe(evaluator, plan, 3)) * evaluator.workers / processors
    variants = plan.search.population * plan.search.generations * len(plan.plays)
    settled = plan.job.config
    share = 1.0 - float(settled["out_of_sample"])
    bars = int(share * markets.n_bars(settled))
    years = share * (settled["markets"][0]["last_ts"] - settled["markets"][0]["first_ts"]) / YEAR_MS
    plays = [setup.play for setup in plan.task.setups]
    facts = {
        "variants": variants, "variants_per_s": 1.0 / speed, "workers": processors, "bars": bars, "bars_bytes": bars * _BAR_BYTES,
        "memory_bytes": bars * _BAR_BYTES + processors * _WORKER_BYTES + resident_bytes(),
        "database_bytes": stored_bytes(settled), "sharpe_by_luck": luck.best_sharpe_by_luck(variants, years),
        "raced": plan.search.racing.enabled,
        "warm_up": [{"play": play.name, **warmup.facts(play, plan.bar_ms, plan.in_sample_bars)} for play in plays],
    }  # fmt: skip
    warm = tuple((str(name), str(text)) for name, text in warmup.rows(plays, plan.bar_ms, plan.in_sample_bars))
    return Estimate(seconds=variants * speed * (1 + _BASELINES * settled["baselines"]), facts=facts, rows=_rows(facts, warm))


def _rows(facts: dict[str, Any], warm: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    raced = (("racing", "is left out of the time: with it the search may take less"),) if facts["raced"] else ()
    return (
        ("variants", f"{facts['variants']:,}"),
        *raced,
        ("speed", f"{facts['variants_per_s']:,.0f} variants/s on {counted(facts['workers'], 'processor')}"),
        ("bars", f"{facts['bars']:,} in sample, {facts['bars_bytes'] / 2**20:,.1f} MB a node"),
        ("memory", f"about {facts['memory_bytes'] / 2**20:,.0f} MB a node with its workers"),
        ("database", f"about {facts['database_bytes'] / 2**20:,.1f} MB"),
        *warm,
        ("luck", _luck(facts["variants"], facts["sharpe_by_luck"])),
    )


def _luck(variants: int, sharpe: float) -> str:
    return f"by chance alone, the best of {variants:,} variants would show an annual Sharpe of about {sharpe:.2f} in sample"


def _probe(evaluator: Evaluator, plan: SearchPlan, token: int) -> float:
    """Seconds a variant."""
    setup = plan.task.setups[0]
    genomes = setup.play.space.sample(randomness.generator(plan.search.seed, 0, token, Purpose.BASELINE), _PROBE)
    began = time.perf_counter()
    evaluator.submit(ScoreRequest(token=-token, setup=0, segment=IN_SAMPLE, genomes=genomes))
    while evaluator.collect(_POLL_S) is None:
        pass  # the evaluator raises when nothing begins; what has begun, such as compiling, takes as long as it takes
    return (time.perf_counter() - began) / len(genomes)
