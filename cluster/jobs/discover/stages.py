"""The one step of a search for patterns: search, and put what was found into the library in the transaction that records it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from cluster.compute.executor import Executor
from cluster.jobs import markets
from cluster.jobs.discover.plan import trades_of
from cluster.jobs.kind import Estimate, PlanContext, Planned, Recount, RunContext
from cluster.jobs.recount import of_steps
from cluster.jobs.stages import Step, Steps
from coinswarm import codec, errors, patterns
from coinswarm.ledger.chaos import ChaosTrades
from coinswarm.ledger.patterns import PatternRecord
from coinswarm.ledger.records import GenerationRecord, Job, Json, Lease
from coinswarm.patterns import DiscoverSettings, results
from coinswarm.printable import counted
from coinswarm.types import FloatArray

_MINE_S, _FLIP_S = 4e-6, 4.4e-8
"""Seconds a trade takes to be mined to depth 3, and a trade and sign flip: docs/benchmarks.md, on one core."""


class Searches:
    """The steps of a job: one."""

    unit = "searches"
    total = 1

    def __init__(self, made: Planned, context: RunContext, executor: Executor) -> None:
        self._job, self._settings = made.job, DiscoverSettings.model_validate(made.job.config["discover"])
        self._sampled = tuple(context.store.job(name) for name in made.job.config["drawn"])
        self._chaos, self._library, self._bars_file, self._executor = context.chaos, context.patterns, context.bars_file, executor

    def steps(self, done: Sequence[Json], _halted: Callable[[], bool]) -> Iterator[Step]:
        """The search, unless it is done."""
        if not done:
            yield self._step()

    def conclude(self, figures: Sequence[Json]) -> tuple[Json, str]:
        """What was tried and found, as the library settled it."""
        summary = figures[0]
        records = self._library.patterns(job=self._job.id)
        counts = {status: sum(record.status == status for record in records) for status in ("confirmed", "rejected", "candidate")}
        shown = (
            "tested", "counted", "significant", "profitable", "unproductive", "redundant", "p_family", "naive_promoted", "blocks", "leaks",
        )  # fmt: skip
        return {**{name: summary[name] for name in shown}, **counts}, _digest(figures)

    def _step(self) -> Step:
        job, sampled = self._job, self._sampled
        trades = trades_of(self._chaos, sampled)
        earlier = [spent.p_value for spent in self._library.spent(synthetic=job.synthetic)]
        turnover, moves = beside(sampled, trades, self._bars_file)
        spread = self._executor.run
        discovery = patterns.discover(trades, self._settings, earlier=earlier, turnover=turnover, first_moves=moves, spread=spread)
        made_of = {"drawn": [each.id for each in sampled], "costs": sampled[0].config["chaos"]["costs"]}
        records = results.records(discovery, job=job.id, synthetic=job.synthetic, found_at=datetime.now(UTC), made_of=made_of)
        return Step(number=0, figures=results.summary(discovery), trials=discovery.tested, commit=self._commit(records))

    def _commit(self, records: Sequence[PatternRecord]) -> Callable[[Lease, GenerationRecord], object]:
        settings, library = self._settings, self._library
        return lambda lease, record: library.commit(lease, record, records, alpha=settings.alpha, procedure=settings.procedure)


def load(made: Planned, context: RunContext) -> Steps:
    """The work of a planned job."""
    executor = context.executor()
    return Steps(context.store, made.job.id, Searches(made, context, executor), workers=lambda: executor.workers)


def estimate(made: Planned, _context: RunContext) -> Estimate:
    """What a search would take on one core, by the speeds that are measured for docs/benchmarks.md; nothing is searched for it."""
    settings = DiscoverSettings.model_validate(made.job.config["discover"])
    trades = int(made.job.config["trades"])
    seconds = trades * (_MINE_S + _FLIP_S * settings.flips)
    facts = {"trades": trades, "flips": settings.flips, "depth": settings.depth}
    rows = (("trades", f"{trades:,} of {counted(len(made.job.config['drawn']), 'job')}"), ("sign flips", f"{settings.flips:,}"),
            ("speed", "as measured on one core for docs/benchmarks.md; a cluster is faster"))  # fmt: skip
    return Estimate(seconds=seconds, facts=facts, rows=rows)


def beside(sampled: Sequence[Job], trades: ChaosTrades, bars_file: Path) -> tuple[FloatArray | None, FloatArray | None]:
    """Quote turnover of each trade's decision bar, (n,), and simple return of the bar after it, (n,).

    Both are None where the bars of the first job are gone, or do not cover all trades.
    """
    turnover, moves = np.full((2, len(trades)), np.nan)
    sources = [markets.source(span, sampled[0].config, bars_file) for span in sampled[0].config["markets"]]
    try:
        traded = [source.load() for source in sources]
    except errors.CoinswarmError:
        return None, None
    for number, bars in enumerate(traded):
        rows = np.flatnonzero(trades.market == number)
        place = np.searchsorted(bars.ts, trades.entry_ts[rows])
        inside = (place >= 1) & (place < len(bars))
        after = place[inside]
        turnover[rows[inside]] = (bars.close * bars.volume)[after - 1]
        moves[rows[inside]] = bars.close[after] / bars.open[after] - 1
    return (None, None) if np.isnan(turnover).any() else (turnover, moves)


def recount(made: Planned, context: PlanContext) -> Iterator[Recount]:
    """Recounts of a job, its patterns in the library among them: their status may change, their number does not."""
    yield from of_steps(made, context, lambda _, figures: _digest(figures))
    if made.job.status == "done" and made.job.result:
        found = sum(int(made.job.result[status]) for status in ("confirmed", "rejected", "candidate"))
        yield Recount(what="patterns", stored=found, counted=len(context.patterns.patterns(job=made.job.id)))


def _digest(figures: Sequence[Json]) -> str:
    return codec.canonical_hash(_deciding(figures[0]))


def _deciding(summary: Mapping[str, Any]) -> dict[str, Any]:
    """What must be the same wherever it is computed: not what the library had spent before."""
    kept = ("tested", "counted", "threshold", "p_family", "significant", "best")
    return {
        **{name: summary[name] for name in kept},
        "findings": [[one["conditions"], one["t"], repr(one["p_confirm"])] for one in summary["findings"]],
    }
