"""Jobs of report cards: one variant planned with its bars and trials, and its sections computed one by one.

All that a section depends on stands in the job's config, the trials drawn from the ledger included, so that a card says what was known
when it was asked for, and a resumed job makes the same one.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from cluster import version
from cluster.compute.evaluator import Segment
from cluster.compute.executor import Crew
from cluster.compute.sources import CatalogSource
from cluster.jobs.evolve import plan as planning
from cluster.jobs.evolve.plan import Overrides, PlayFile
from cluster.jobs.validate import work as working
from cluster.jobs.validate.work import Judged
from cluster.run.steps import Step
from coinswarm import config, errors
from coinswarm.ledger.records import DataSetRecord, Job, Json, PlayRecord, new_job_id
from coinswarm.ledger.store import Store
from coinswarm.market.bars import Bars
from coinswarm.market.catalog import Catalog
from coinswarm.market.splits import Span
from coinswarm.market.timeframe import Timeframe
from coinswarm.market.vault import Fence
from coinswarm.play import variants
from coinswarm.play.model import Play
from coinswarm.types import FloatArray
from coinswarm.validate import card as cards
from coinswarm.validate import names, walkforward
from coinswarm.validate.bench import Bench
from coinswarm.validate.card import ReportCard, Section
from coinswarm.validate.case import Effort, Splits, TrialFacts

KIND = "validate"
ORDER = (
    "in_sample", "validation", "markets", "years", "regimes", "unseen", "lint", "capacity", "crash", "plateau", "stress", "superiority",
    "montecarlo", "walk_forward", "cpcv", "odds", "overfitting",
)  # fmt: skip
"""The order in which sections are computed: what is there at once comes first."""


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What is to be judged, and on what.

    Attributes:
        file: text of the play.
        overrides, timeframe: what the run said instead of it.
        genome: (n_dims,) the variant.
        markets: keys of the data sets it was bred on.
        start_ts, end_ts: which of their bars; None: no bound.
        splits: train and validation.
        trials: what was tried before it was picked.
        fence: of the campaign's vault, as plain values; None: it has none.
        hashes: content hash of each data set of `markets`, where it must be the one of the search.
        job, evaluation: where it comes from; empty when it was not bred.
    """

    file: PlayFile
    overrides: Overrides
    timeframe: str | None
    genome: FloatArray
    markets: tuple[str, ...]
    splits: Splits
    start_ts: int | None = None
    end_ts: int | None = None
    trials: TrialFacts = field(default_factory=TrialFacts)
    campaign: str = "default"
    fence: Mapping[str, Any] | None = None
    hashes: Mapping[str, str] = field(default_factory=dict)
    job: str = ""
    evaluation: str = ""


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """How it is to be judged.

    Attributes:
        also: markets to try besides; `all_unseen`: every stored market of the timeframe.
        most_unseen: of those, at most so many.
        seed: of everything that is drawn.
        effort: how much is drawn.
    """

    also: tuple[str, ...] = ()
    all_unseen: bool = True
    most_unseen: int = 24
    seed: int = 0
    effort: Effort = field(default_factory=Effort)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A job and all that is needed to drive it. `sources`: the markets, those that features look at, the unseen ones."""

    job: Job
    play: Play
    sources: tuple[CatalogSource, ...]
    data_sets: tuple[DataSetRecord, ...]
    plays: tuple[PlayRecord, ...]


def plan(subject: Subject, wishes: Wishes, catalog_path: Path) -> Plan:
    """Settle what is to be judged: find the bars, refuse what cannot be judged, and write down all that decides the card.

    Raises:
        NotFound: a market is not stored. SpanTooShort: there are no bars. Conflict: they are not those of the search.
    """
    play = _read(subject)
    with Catalog.open(catalog_path, read_only=True) as catalog:
        bars = [_cut(catalog.read(key, start=subject.start_ts, end=subject.end_ts), subject) for key in subject.markets]
        others = [
            _cut(catalog.read(key, start=subject.start_ts, end=subject.end_ts), subject) for key in _looked_at(catalog, play, bars[0])
        ]
        unseen = [one for key in _unseen(catalog, bars, others, wishes) if len(one := _cut(_spanned(catalog, key, subject), subject))]
    _refuse_changed(subject, bars)
    settled = _settled(subject, wishes, play, bars, others, unseen)
    job = _job(subject, settled, [*bars, *others, *unseen])
    record = PlayRecord(sha256=subject.file.sha256, name=play.name, text=subject.file.text)
    return _plan(job, play, catalog_path, tuple(map(planning.data_set_record, (*bars, *others, *unseen))), (record,))


def plan_again(job: Job, plays: Sequence[PlayRecord], data_sets: Sequence[DataSetRecord], catalog_path: Path) -> Plan:
    """The plan of a stored job."""
    wanted = None if job.config["timeframe"] is None else Timeframe.parse(job.config["timeframe"])
    play = planning.read_play(PlayFile(text=plays[0].text), config.stored(Overrides, job.config["overrides"]), wanted)
    return _plan(job, play, catalog_path, tuple(data_sets), tuple(plays))


def submit_plan(store: Store, made: Plan) -> None:
    """Queue a planned job with all that it refers to."""
    store.save_data_sets(made.data_sets)
    for play in made.plays:
        store.save_play(play)
    store.create_job(made.job)


class Sections:
    """The steps of a job: each is one section, stored as JSON.

    Args:
        made: the plan.
        crew: who computes.
        tell: is told of each section as it comes in.
    """

    unit = "sections"

    def __init__(self, made: Plan, crew: Crew, tell: Callable[[Section], None] = lambda _: None) -> None:
        self._made = made
        self._crew = crew
        self._tell = tell

    @property
    def total(self) -> int:
        """How many sections there are."""
        return len(self._made.job.config["sections"])

    def steps(self, done: Sequence[Json], _halted: Callable[[], bool]) -> Iterator[Step]:
        """The sections that are missing, in order."""
        handles = [self._crew.load(source, Segment(name=KIND)) for source in self._made.sources]
        wanted = self._made.job.config["sections"][len(done) :]
        answers = self._crew.run(working.section, (item(self._made, name) for name in wanted), markets=handles)
        for number, found in enumerate(answers, start=len(done)):
            self._tell(cards.section_from_json(found))
            yield Step(number=number, figures=found)

    def conclude(self, figures: Sequence[Json]) -> tuple[Json, str]:
        """The card, and the hash of all that was found."""
        found = assembled(self._made.job, [cards.section_from_json(entry) for entry in figures])
        return {"evaluation": found.evaluation, "variant": found.variant, "card": cards.to_json(found)}, found.content_hash()


def require_folds(made: Plan, n_folds: int) -> None:
    """Refuse test stretches that are shorter than the warm-up, saying how many would fit.

    Raises:
        SpanTooShort: they are.
    """
    judged = item(made, "walk_forward")
    walkforward.walked(Bench(working.case_of(judged, *(source.load() for source in made.sources))), n_folds)


def item(made: Plan, name: str) -> Judged:
    """One section as it is sent to a worker."""
    settled = made.job.config
    known = settled["trials"]
    facts = TrialFacts(
        campaign=known["campaign"], trials=known["trials"], hole=known["hole"],
        sample=_rows(known["sample"], settled["genome"]), leaderboard=_rows(known["leaderboard"], settled["genome"]),
    )  # fmt: skip
    return Judged(
        key=made.job.id, name=name, play=made.play, genome=np.array(settled["genome"], dtype=np.float64),
        n_markets=len(settled["markets"]), others=tuple(span["symbol"] for span in settled["others"]),
        splits=splits_of(settled["splits"]), trials=facts, seed=made.job.seed, effort=Effort(**settled["effort"]),
    )  # fmt: skip


def assembled(job: Job, sections: Sequence[Section]) -> ReportCard:
    """The card of a job's sections, in the order in which a card is read."""
    settled = job.config
    known = {part.name: part for part in sections}
    return ReportCard(
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
        sections={name: known[name] for name in names.SECTIONS if name in known},
    )


def card_of(job: Job) -> ReportCard:
    """The card that a finished job made.

    Raises:
        NotFound: it has none.
    """
    result = job.result or {}
    if job.kind != KIND or "card" not in result:
        raise errors.NotFound(f"job {job.id} has no report card", hint=f"it is a job of kind {job.kind}, {job.status}")
    return cards.from_json(result["card"])


def splits_of(settled: Mapping[str, Any]) -> Splits:
    """Train and validation as a config has them."""
    later = settled["validation"]
    return Splits(train=Span(start_ts=settled["train"][0], end_ts=settled["train"][1]),
                  validation=None if later is None else Span(start_ts=later[0], end_ts=later[1]))  # fmt: skip


def _read(subject: Subject) -> Play:
    wanted = None if subject.timeframe is None else Timeframe.parse(subject.timeframe)
    return planning.read_play(subject.file, subject.overrides, wanted)


def _cut(bars: Bars, subject: Subject) -> Bars:
    """The bars this side of the campaign's vault."""
    return bars if subject.fence is None else Fence(**subject.fence).cut(bars)


def _spanned(catalog: Catalog, key: str, subject: Subject) -> Bars:
    """Bars of an unseen market in the time that the variant is judged on."""
    end = subject.splits.whole.end_ts if subject.end_ts is None else subject.end_ts
    return catalog.read(key, start=subject.start_ts, end=end)


def _looked_at(catalog: Catalog, play: Play, first: Bars) -> list[str]:
    """Data sets of markets that features look at, of the exchange and timeframe of the first market."""
    symbols = sorted({feature.market for feature in play.features.values() if feature.market})
    return [catalog.find(f"{first.exchange}:{symbol}:{first.timeframe}").key for symbol in symbols]


def _unseen(catalog: Catalog, bars: Sequence[Bars], others: Sequence[Bars], wishes: Wishes) -> list[str]:
    """Data sets of the same timeframe that the variant was not bred on: those named, then the stored ones by name, made ones apart."""
    bred = {one.key for one in (*bars, *others)}
    timeframe = bars[0].timeframe
    named = [catalog.find(market, timeframe).key for market in wishes.also]
    stored = [entry.key for entry in catalog.list() if str(entry.timeframe) == str(timeframe) and entry.synthetic == bars[0].synthetic]
    rest = sorted(key for key in stored if key not in named) if wishes.all_unseen else []
    return [key for key in dict.fromkeys([*named, *rest]) if key not in bred][: max(len(named), wishes.most_unseen)]


def _refuse_changed(subject: Subject, bars: Sequence[Bars]) -> None:
    for one in bars:
        if not len(one):
            raise errors.SpanTooShort(f"{one.key} has no bars in the span", hint="`coinswarm bars list` shows what is stored")
        before = subject.hashes.get(one.key, one.content_hash)
        if before != one.content_hash:
            raise errors.Conflict(
                f"the bars of {one.key} changed since the search", found=f"{one.content_hash[:12]} instead of {before[:12]}",
                hint="search again on the new bars",
            )  # fmt: skip


def _settled(
    subject: Subject, wishes: Wishes, play: Play, bars: Sequence[Bars], others: Sequence[Bars], unseen: Sequence[Bars]
) -> dict[str, Any]:
    facts, later = subject.trials, subject.splits.validation
    described = {"sha256": subject.file.sha256, "name": play.name, "costs": play.costs.model_dump(mode="json"),
                 "account": play.account.model_dump(mode="json")}  # fmt: skip
    return {
        "plays": [described],
        "overrides": subject.overrides.model_dump(mode="json"),
        "timeframe": subject.timeframe,
        "genome": [float(gene) for gene in subject.genome],
        "variant": variants.identities(play, subject.genome[np.newaxis])[0],
        "parameters": play.space.decode(subject.genome) if len(play.space) else {},
        "markets": [planning.span(one) for one in bars],
        "others": [planning.span(one) for one in others],
        "unseen": [planning.span(one) for one in unseen],
        "from": subject.start_ts,
        "to": subject.end_ts,
        "fence": None if subject.fence is None else dict(subject.fence),
        "splits": {
            "train": [subject.splits.train.start_ts, subject.splits.train.end_ts],
            "validation": None if later is None else [later.start_ts, later.end_ts],
        },
        "trials": {"campaign": facts.campaign, "trials": facts.trials, "hole": facts.hole,
                   "sample": facts.sample.tolist(), "leaderboard": facts.leaderboard.tolist()},
        "seed": wishes.seed,
        "effort": dataclasses.asdict(wishes.effort),
        "sections": list(ORDER),
        "source_job": subject.job,
        "evaluation": subject.evaluation,
    }  # fmt: skip


def _job(subject: Subject, settled: dict[str, Any], markets: Sequence[Bars]) -> Job:
    created = datetime.now(UTC)
    hashes = tuple(bars.content_hash for bars in markets)
    return Job(
        id=new_job_id(KIND, created),
        kind=KIND,
        campaign=subject.campaign,
        plays=(subject.file.sha256,),
        data_hashes=hashes,
        data_hash=planning.data_hash(hashes),
        config={**settled, "environment": version.environment()},
        config_hash=planning.config_hash(settled),
        code_version=version.code_version(),
        seed=settled["seed"],
        synthetic=any(bars.synthetic for bars in markets),
        created=created,
    )


def _plan(job: Job, play: Play, catalog_path: Path, data_sets: tuple[DataSetRecord, ...], plays: tuple[PlayRecord, ...]) -> Plan:
    settled = job.config
    bounded = {**settled, "to": splits_of(settled["splits"]).whole.end_ts if settled["to"] is None else settled["to"]}
    bred = [planning.source(span, settled, catalog_path) for span in (*settled["markets"], *settled["others"])]
    unseen = [planning.source(span, bounded, catalog_path) for span in settled["unseen"]]
    return Plan(job=job, play=play, sources=(*bred, *unseen), data_sets=data_sets, plays=plays)


def _rows(rows: Sequence[Sequence[float]], genome: Sequence[float]) -> FloatArray:
    return np.array(rows, dtype=np.float64).reshape(-1, len(genome)) if len(genome) else np.empty((0, 0))
