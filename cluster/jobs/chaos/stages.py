"""The steps of a job of chaos trades: each is a range of trades, stored with its record in one transaction."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cluster.compute.evaluator import TimeSegment
from cluster.compute.executor import Executor, Handle
from cluster.compute.sources import CatalogSource
from cluster.jobs import markets
from cluster.jobs.chaos import work
from cluster.jobs.chaos.plan import stored_bytes
from cluster.jobs.chaos.work import TradeBatch, TradeRange
from cluster.jobs.kind import Estimate, PlanContext, Planned, Recount, RunContext
from cluster.jobs.progress import resident_bytes
from cluster.jobs.recount import of_steps
from cluster.jobs.stages import Step, Steps
from coinswarm import config, errors
from coinswarm.chaos import drawing
from coinswarm.chaos.settings import ChaosSettings
from coinswarm.ledger.chaos import SUMS, ChaosFrame, ChaosStore
from coinswarm.ledger.records import GenerationRecord, Job, Json, Lease
from coinswarm.printable import counted

_SEGMENT = TimeSegment(name="chaos")
_PROBE = 20_000
_BAR_BYTES = 48
_WORKER_BYTES = 260 * 2**20
_COMMIT_S = 5e-6
"""Seconds a trade takes to be laid out, copied and committed: 1.3 us measured here, 2.5 us in the server, and the disk is waited for."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Draw:
    """What a job draws, read from its config.

    Attributes:
        settings: how trades are drawn.
        trades: how many, `batch` a step.
        traded: how many of the sources are traded; features look at the others.
        sources: where the bars are.
        frame: what the rows of trades refer to.
    """

    settings: ChaosSettings
    trades: int
    batch: int
    traded: int
    sources: tuple[CatalogSource, ...]
    frame: ChaosFrame

    @classmethod
    def of(cls, job: Job, bars_file: Path) -> Draw:
        """The draw of a stored job."""
        settled = job.config
        traded, others = settled["markets"], settled["others"]
        return cls(
            settings=config.stored(ChaosSettings, settled["chaos"]),
            trades=settled["trades"],
            batch=int(settled["batch"]),
            traded=len(traded),
            sources=tuple(markets.source(span, settled, bars_file) for span in (*traded, *others)),
            frame=ChaosFrame(
                markets=tuple(span["key"] for span in traded), features=tuple(settled["features"]), bar_ms=markets.bar_ms(traded)
            ),
        )


class Batches:
    """The steps of a job: each is a range of trades."""

    unit = "batches"

    def __init__(self, job: str, draw: Draw, executor: Executor, store: ChaosStore) -> None:
        self._job = job
        self._draw = draw
        self._executor = executor
        self._store = store

    @property
    def total(self) -> int:
        """How many batches there are."""
        return -(-self._draw.trades // self._draw.batch)

    def steps(self, done: Sequence[Json], _halted: Callable[[], bool]) -> Iterator[Step]:
        """The batches that are missing, in order."""
        self._store.prepare(self._job, self._draw.frame)
        ranges = (self._range(number) for number in range(len(done), self.total))
        answers = self._executor.run(work.make, ranges, markets=held(self._executor, self._draw))
        for number, batch in enumerate(answers, start=len(done)):
            yield Step(number=number, figures=batch.figures, trials=len(batch.trades), commit=self._commit(batch))

    def conclude(self, figures: Sequence[Json]) -> tuple[Json, str]:
        """Means over all trades, and a hash over every number of them."""
        trades = sum(int(entry["trades"]) for entry in figures)
        means = {name: sum(float(entry[key]) for entry in figures) / trades for name, key in SUMS.items()}
        return {"trades": trades, "markets": self._draw.traded, **means}, _digest(figures)

    def _range(self, number: int) -> TradeRange:
        draw = self._draw
        stop = min((number + 1) * draw.batch, draw.trades)
        return TradeRange(settings=draw.settings, traded=draw.traded, start=number * draw.batch, stop=stop)

    def _commit(self, batch: TradeBatch) -> Callable[[Lease, GenerationRecord], object]:
        return lambda lease, record: self._store.commit(lease, record, batch.trades)


def load(made: Planned, context: RunContext) -> Steps:
    """The work of a planned job."""
    executor = context.executor()
    batches = Batches(made.job.id, Draw.of(made.job, context.bars_file), executor, context.chaos)
    return Steps(context.store, made.job.id, batches, workers=lambda: executor.workers)


def recount(made: Planned, context: PlanContext) -> Iterator[Recount]:
    """Recounts of a job, its trades in the store among them unless they were dropped."""
    yield from of_steps(made, context, lambda _, figures: _digest(figures))
    trades = sum(record.evaluations for record in context.store.generations(made.job.id))
    try:
        yield Recount(what="trades", stored=trades, counted=context.chaos.count(made.job.id))
    except errors.NotFound as problem:
        yield Recount(what="trades", stored=trades, counted=None, note=str(problem))


def _digest(figures: Sequence[Json]) -> str:
    return hashlib.sha256("".join(str(entry["hash"]) for entry in figures).encode()).hexdigest()


def held(executor: Executor, draw: Draw) -> list[Handle]:
    """The bars of a draw, held by the executor."""
    return [executor.load(source, _SEGMENT) for source in draw.sources]


def estimate(made: Planned, context: RunContext) -> Estimate:
    """What a job would take, measured by drawing one batch twice: the first time only warms up."""
    draw, executor = Draw.of(made.job, context.bars_file), context.executor()
    handles = held(executor, draw)
    probe = TradeRange(settings=draw.settings, traded=draw.traded, start=0, stop=min(_PROBE, draw.trades))
    began = time.perf_counter()
    seconds = [batch.seconds for batch in executor.run(work.make, [probe] * (1 + 2 * executor.workers), markets=handles)]
    warm_s = time.perf_counter() - began
    processors = context.processors
    each = max(min(seconds) / (probe.stop - probe.start) / processors, _COMMIT_S)
    traded, others = made.job.config["markets"], made.job.config["others"]
    values = sum(span["n_bars"] for span in (*traded, *others)) * _BAR_BYTES
    states = sum(span["n_bars"] for span in traded) * 8 * (len(draw.frame.features) + 2)
    facts = {
        "trades": draw.trades, "markets": draw.traded, "trades_per_s": 1.0 / each, "workers": processors, "shares": _shares(draw),
        "memory_bytes": values + processors * (_WORKER_BYTES + states) + resident_bytes(),
        "database_bytes": stored_bytes(made.job.config),
    }  # fmt: skip
    return Estimate(seconds=warm_s + each * draw.trades, facts=facts, rows=_rows(facts))


def _shares(draw: Draw) -> dict[str, float]:
    """Each market's part of the trades, by key."""
    bars = [source.load() for source in draw.sources]
    others = {market.symbol: market for market in bars[draw.traded :]}
    shares = drawing.sampler(bars[: draw.traded], draw.settings, others).shares()
    return dict(zip(draw.frame.markets, shares.tolist(), strict=True))


def _rows(facts: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    shares = sorted(facts["shares"].values())
    parts = f", each with {100 * shares[0]:.1f} to {100 * shares[-1]:.1f} % of the trades" if len(shares) > 1 else ""
    return (
        ("rows", f"{facts['trades']:,}"),
        ("speed", f"{facts['trades_per_s']:,.0f} trades/s on {counted(facts['workers'], 'processor')}"),
        ("markets", f"{facts['markets']}{parts}"),
        ("memory", f"about {facts['memory_bytes'] / 2**20:,.0f} MB a node with its workers"),
        ("database", f"about {facts['database_bytes'] / 2**20:,.1f} MB"),
    )
