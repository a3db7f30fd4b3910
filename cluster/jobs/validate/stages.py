"""The steps of a report card: each is one section, stored as JSON; the card is put together of them at the end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from cluster.compute.evaluator import TimeSegment
from cluster.compute.executor import Executor
from cluster.compute.sources import CatalogSource
from cluster.jobs import markets, plays
from cluster.jobs.kind import Estimate, PlanContext, Planned, Recount, RunContext
from cluster.jobs.plays import Overrides
from cluster.jobs.recount import of_steps
from cluster.jobs.settings import PlayGiven
from cluster.jobs.stages import Step, Steps
from cluster.jobs.validate import work
from cluster.jobs.validate.report import found, line
from cluster.jobs.validate.work import SectionTask
from coinswarm import codec, config
from coinswarm.ledger.records import Job, Json
from coinswarm.market.splits import Span
from coinswarm.play.model import Play
from coinswarm.types import FloatArray
from coinswarm.validate import card
from coinswarm.validate.card import ReportCard, Section
from coinswarm.validate.case import Effort, Splits, TrialFacts

_SEGMENT = TimeSegment(name="validate")
_PROBES = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class CardPlan:
    """What a card is made of. `sources`: the markets, those that features look at, the unseen ones."""

    job: Job
    play: Play
    sources: tuple[CatalogSource, ...]

    @classmethod
    def of(cls, made: Planned, bars_file: Path) -> CardPlan:
        """The card of a planned job."""
        settled = made.job.config
        overrides = config.stored(Overrides, settled["overrides"])
        play = plays.read(PlayGiven(text=made.plays[0].text), overrides, settled["timeframe"])
        bounded = {**settled, "to": splits_of(settled["splits"]).whole.end_ts if settled["to"] is None else settled["to"]}
        used = [markets.source(span, settled, bars_file) for span in (*settled["markets"], *settled["others"])]
        unseen = [markets.source(span, bounded, bars_file) for span in settled["unseen"]]
        return cls(job=made.job, play=play, sources=(*used, *unseen))


class Sections:
    """The steps of a job: each is one section, stored as JSON.

    Args:
        plan: the card.
        executor: what computes.
    """

    unit = "sections"

    def __init__(self, plan: CardPlan, executor: Executor) -> None:
        self._plan = plan
        self._executor = executor

    @property
    def total(self) -> int:
        """How many sections there are."""
        return len(self._plan.job.config["sections"])

    def steps(self, done: Sequence[Json], _halted: Callable[[], bool]) -> Iterator[Step]:
        """The sections that are missing, in order."""
        handles = [self._executor.load(source, _SEGMENT) for source in self._plan.sources]
        wanted = self._plan.job.config["sections"][len(done) :]
        answers = self._executor.run(work.section, (item(self._plan, name) for name in wanted), markets=handles)
        for number, section in enumerate(answers, start=len(done)):
            yield Step(number=number, figures=section, note=line(codec.decode(Section, section)))

    def conclude(self, figures: Sequence[Json]) -> tuple[Json, str]:
        """The card with its verdict, and the hash of all that was found."""
        made = _card(self._plan.job, figures)
        return found(made), made.content_hash()


def recount(made: Planned, context: PlanContext) -> Iterator[Recount]:
    """Recounts of a job."""
    return of_steps(made, context, lambda _, figures: _card(made.job, figures).content_hash())


def _card(job: Job, figures: Sequence[Json]) -> ReportCard:
    return card_of(job, [codec.decode(Section, entry) for entry in figures])


def load(made: Planned, context: RunContext) -> Steps:
    """The work of a planned job."""
    executor = context.executor()
    sections = Sections(CardPlan.of(made, context.bars_file), executor)
    return Steps(context.store, made.job.id, sections, workers=lambda: executor.workers)


def estimate(made: Planned, context: RunContext) -> Estimate:
    """What a card would take: its first section, which simulates the variant once, is computed twice, the first time to warm up.

    Each time it goes by another key, so that no process remembers the history that is to be timed.
    """
    settled, executor = made.job.config, context.executor()
    plan = CardPlan.of(made, context.bars_file)
    handles = [executor.load(source, _SEGMENT) for source in plan.sources]
    for number in range(_PROBES):
        began = time.perf_counter()
        list(executor.run(work.section, [replace(item(plan, "in_sample"), key=f"{plan.job.id} {number}")], markets=handles))
        each_s = time.perf_counter() - began
    effort, tried = settled["effort"], settled["trials"]
    variants = effort["lotteries"] + effort["neighbours"] + effort["worlds"] + len(tried["sample"]) + len(tried["leaderboard"])
    facts = {"sections": len(settled["sections"]), "variants": variants, "workers": context.processors}
    rows = (("sections", str(facts["sections"])), ("variants", f"{variants:,} are scored beside this one"),
            ("speed", f"{1000 * each_s:,.0f} ms a variant on {context.processors} processors, as measured on one section"))  # fmt: skip
    return Estimate(seconds=each_s * (len(settled["sections"]) + variants / context.processors), facts=facts, rows=rows)


def item(plan: CardPlan, name: str) -> SectionTask:
    """One section as it is sent to a worker."""
    settled = plan.job.config
    known = settled["trials"]
    facts = TrialFacts(
        campaign=known["campaign"], trials=known["trials"], hole=known["hole"],
        sample=_rows(known["sample"], settled["genome"]), leaderboard=_rows(known["leaderboard"], settled["genome"]),
    )  # fmt: skip
    return SectionTask(
        key=plan.job.id, name=name, play=plan.play, genome=np.array(settled["genome"], dtype=np.float64),
        n_markets=len(settled["markets"]), others=tuple(span["symbol"] for span in settled["others"]),
        splits=splits_of(settled["splits"]), trials=facts, seed=plan.job.seed, effort=Effort(**settled["effort"]),
    )  # fmt: skip


def card_of(job: Job, sections: Sequence[Section]) -> ReportCard:
    """The card of a job's sections."""
    settled = job.config
    return card.assembled(
        sections,
        play=settled["plays"][0]["name"],
        variant=settled["variant"],
        parameters=settled["parameters"],
        markets=tuple(span["key"] for span in settled["markets"]),
        data={span["key"]: span["content_hash"] for span in (*settled["markets"], *settled["others"], *settled["unseen"])},
        timeframe=str(settled["markets"][0]["key"]).rpartition(":")[2],
        spans={name: (int(span[0]), int(span[1])) for name, span in settled["splits"].items() if span is not None},
        campaign=job.campaign,
        job=settled["source_job"],
        evaluation=settled["evaluation"],
        seed=job.seed,
        synthetic=job.synthetic,
        code_version=job.code_version,
    )


def splits_of(settled: Mapping[str, Any]) -> Splits:
    """Train and validation as a config has them."""
    later = settled["validation"]
    return Splits(train=Span(start_ts=settled["train"][0], end_ts=settled["train"][1]),
                  validation=None if later is None else Span(start_ts=later[0], end_ts=later[1]))  # fmt: skip


def _rows(rows: Sequence[Sequence[float]], genome: Sequence[float]) -> FloatArray:
    return np.array(rows, dtype=np.float64).reshape(-1, len(genome)) if len(genome) else np.empty((0, 0))
