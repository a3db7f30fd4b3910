"""Going back to a stored evaluation: the same variant on the same bars, recomputed and compared, or simulated in full."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cluster import version
from cluster.compute.evaluator import RACE, Evaluator, ScoreRequest, Setup, TimeSegment
from cluster.jobs import spec
from cluster.jobs.evolve.plan import SearchPlan, planned_search
from coinswarm import errors
from coinswarm.backtest.run import Backtest, run
from coinswarm.ledger.records import OUT_OF_SAMPLE, EvaluationRecord, Job
from coinswarm.ledger.store import Store
from coinswarm.market.bars import Bars
from coinswarm.metrics.figures import FIGURES, Status
from coinswarm.play import fixing, variants
from coinswarm.play.runs import Side
from coinswarm.report.context import Context, MarketReport, Segment
from coinswarm.types import FloatArray

_WAIT_S = 3600.0


@dataclass(frozen=True, kw_only=True)
class Visit:
    """A stored evaluation with all that made it."""

    record: EvaluationRecord
    job: Job
    plan: SearchPlan

    @property
    def setup(self) -> Setup:
        """The play it is a variant of."""
        return self.plan.task.setups[self.number]

    @property
    def number(self) -> int:
        """The play's number in the job."""
        return [play.sha256 for play in self.plan.plays].index(self.record.play)

    @property
    def genome(self) -> FloatArray:
        """(n_dims,) the variant."""
        return np.array(self.record.genome, dtype=np.float64)


@dataclass(frozen=True, kw_only=True)
class Difference:
    """A figure that came out differently."""

    data_set: str
    segment: str
    figure: str
    stored: float
    computed: float


@dataclass(frozen=True, kw_only=True)
class Replay:
    """What recomputing an evaluation showed.

    Attributes:
        compared: figures compared.
        differences: those that are not equal to the last digit.
        reference: largest relative difference to the reference simulator, and where; NaN when it was not asked.
        same_code: whether this is the code that computed the stored figures.
    """

    evaluation: str
    compared: int
    differences: tuple[Difference, ...]
    reference: float
    reference_at: str
    same_code: bool


def visit(store: Store, name: str, catalog_path: Path) -> Visit:
    """The evaluation of this id, or a prefix of it, with its job planned again."""
    record = store.evaluation(name)
    made = spec.stored(store, record.job)
    return Visit(record=record, job=made.job, plan=planned_search(made, catalog_path))


def replay(found: Visit, evaluator: Evaluator, *, reference: bool = True) -> Replay:
    """Recompute every stored figure with the fast path, and with the reference simulator beside it; a race has no such twin."""
    evaluator.open(found.plan.task)
    keys = [source.key for source in found.plan.task.sources]
    differences: list[Difference] = []
    widest, where = (0.0, "") if reference else (math.nan, "")
    for token, segment in enumerate(dict.fromkeys(score.segment for score in found.record.scores)):
        again = figures(found, evaluator, segment, token=token)
        for score in (score for score in found.record.scores if score.segment == segment):
            row = again[keys.index(score.data_set)]
            pairs = [(name, score.figures[name], float(row[name])) for name in FIGURES]
            differences += [
                Difference(data_set=score.data_set, segment=segment, figure=name, stored=stored, computed=computed)
                for name, stored, computed in pairs
                if not _same(stored, computed)
            ]
            if reference and score.status in ("ok", "no_trades") and not segment.startswith(RACE):
                gap, name = _gap(score.figures, simulated(found, keys.index(score.data_set), segment).metrics)
                widest, where = max((widest, where), (gap, f"{name} of {score.data_set}, {segment}"))
    return Replay(
        evaluation=found.record.id,
        compared=len(found.record.scores) * len(FIGURES),
        differences=tuple(differences),
        reference=widest,
        reference_at=where,
        same_code=found.job.code_version == version.code_version(),
    )


def simulated(found: Visit, market: int, segment: str | None = None, *, side: Side | None = None) -> Backtest:
    """The variant in full on one market, on one segment or, without one, over all bars of the job; with a `side`, that one alone."""
    task, setup = found.plan.task, found.setup
    part = TimeSegment(name="all") if segment is None else task.segment(segment)
    source = task.sources[market]
    bars = part.load(source)
    others = {symbol: part.load(other) for symbol, other in task.others.items()}
    return run(
        setup.play, bars, genome=found.genome, costs=setup.costs, account=setup.account, markets=others, start_ts=part.start_ts, side=side
    )


def play_text(found: Visit, tags: Mapping[str, Any]) -> str:
    """The variant as a play in YAML in which nothing varies, on the markets of its job, with its account and costs.

    Raises:
        Refused: it cannot be written so that it reads back as itself.
    """
    play = found.setup.play
    family = found.plan.plays[found.number].text
    symbols = tuple(span["symbol"] for span in found.job.config["markets"])
    return fixing.text(family, variants.fix(play, found.genome), play.space.decode(found.genome), symbols=symbols, tags=tags)


def exported(found: Visit, trials: int) -> str:
    """The variant as a play of its own that says where it comes from, how much was tried to find it, and that no gate has passed it.

    Args:
        found: the variant.
        trials: different variants that its campaign has tried.

    Raises:
        Refused: as `play_text`.
    """
    record, job = found.record, found.job
    tags = {
        "standing": "exported, not vetted",
        "evaluation": record.id, "variant": record.variant, "job": job.id, "campaign": job.campaign, "trials_of_campaign": trials,
        "seed": job.seed, "code_version": job.code_version, "data": {span["key"]: span["content_hash"] for span in job.config["markets"]},
        "synthetic": job.synthetic,
    }  # fmt: skip
    heading = (
        f"# One of {trials:,} variants that campaign {job.campaign} tried, written out as it was scored. No gate has passed it:\n"
        f"# the best of many looks good by luck alone. `coinswarm play vet {record.id}` holds it against the gates.\n"
    )
    return heading + play_text(found, tags)


def markets(found: Visit) -> Iterator[MarketReport]:
    """Each market of the job with the variant simulated over all of it, and its stored figures by segment."""
    for number, source in enumerate(found.plan.task.sources):
        whole = simulated(found, number)
        yield MarketReport(backtest=whole, segments=tuple(_segments(found, source.key, whole.bars)))


def context(found: Visit, trials: int) -> Context:
    """Where the variant comes from, for a report."""
    job = found.job
    return Context(
        job_id=job.id,
        evaluation_id=found.record.id,
        variant=found.record.variant,
        parameters=dict(found.record.params),
        data={span["key"]: span["content_hash"] for span in job.config["markets"]},
        seed=job.seed,
        code_version=job.code_version,
        trials=trials,
        synthetic=job.synthetic,
    )


def _segments(found: Visit, key: str, bars: Bars) -> Iterator[Segment]:
    split, searched = found.plan.task.split_ts, found.plan.task.search_end_ts
    for score in found.record.scores:
        if score.data_set == key and score.segment in ("in_sample", OUT_OF_SAMPLE):
            held_out = score.segment == OUT_OF_SAMPLE
            start = int(bars.ts[0]) if not held_out or split is None else split
            end = int(bars.close_ts[-1]) if held_out or searched is None else searched
            name = score.segment.replace("_", " ")
            yield Segment(name=name, start_ts=start, end_ts=end, metrics=score.figures, held_out=held_out)


def figures(found: Visit, evaluator: Evaluator, segment: str, *, token: int = 0) -> np.ndarray:
    """(n_markets, n_figures) figures of the variant on one segment, scored again by the task that is open.

    Raises:
        Unavailable: the evaluator does not answer.
    """
    evaluator.submit(ScoreRequest(token=token, setup=found.number, segment=segment, genomes=found.genome[np.newaxis]))
    scored = evaluator.collect(_WAIT_S)
    if scored is None:
        raise errors.Unavailable("the evaluator does not answer", found=f"nothing in {_WAIT_S:g} s")
    return np.asarray(scored.figures[0])


def _same(left: float, right: float) -> bool:
    return left == right or (math.isnan(left) and math.isnan(right))


def _gap(stored: Mapping[str, float], reference: Mapping[str, float]) -> tuple[float, str]:
    """Largest relative difference and the figure it is in; differences below 1 are taken as they are."""
    gaps = [
        (0.0 if _same(stored[name], reference[name]) else abs(stored[name] - reference[name]) / max(1.0, abs(reference[name])), name)
        for name in FIGURES
    ]
    return max(gaps)


def is_scored(record: EvaluationRecord) -> bool:
    """Whether there are figures to look at."""
    return record.status in (Status.OK.name.lower(), Status.NO_TRADES.name.lower())
