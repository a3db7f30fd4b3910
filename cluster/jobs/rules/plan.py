"""Jobs that test known rules: a step a rule, and one judgement over all of them at the end."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from cluster import version
from cluster.compute.evaluator import Segment
from cluster.compute.executor import Crew
from cluster.compute.sources import CatalogSource
from cluster.jobs import spec as submit
from cluster.jobs.evolve import plan as planning
from cluster.jobs.evolve.plan import PlayFile
from cluster.jobs.rules import work as working
from cluster.run.steps import Step
from coinswarm import config, errors, play
from coinswarm.ledger.campaigns import CampaignSplit
from coinswarm.ledger.patterns import PatternRecord, PatternSource, PatternStatus, PatternStore, pattern_id
from coinswarm.ledger.records import DataSetRecord, Job, Json, PlayRecord, new_job_id
from coinswarm.ledger.store import Store
from coinswarm.market.bars import Bars
from coinswarm.market.catalog import Catalog
from coinswarm.market.timeframe import Timeframe
from coinswarm.patterns import foresight, ruling
from coinswarm.patterns.ruling import Ruling, Tried

KIND = "test"
_SEGMENT = Segment(name=KIND)
_PACKAGE = Path(__file__).resolve().parents[2]
PROCEDURE, ALPHA = "lond", 0.05


class RulingSettings(config.Settings):
    """How rules are tested."""

    segments: Annotated[int, Field(ge=1, le=100_000, description="random stretches of time")] = 30
    segment_bars: Annotated[int, Field(ge=1, description="bars of each")] = 2016
    alpha: Annotated[float, Field(gt=0, lt=0.5, description="chance that any rule is called better by luck")] = 0.05
    flips: Annotated[int, Field(ge=99, le=99_999, description="sign flips")] = 4999
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    warmup_tolerance: config.WarmupTolerance = config.WARMUP_TOLERANCE


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a person asks for: rules of a source on markets, each test within the campaign's own split."""

    source: PatternSource
    plays: tuple[PlayFile, ...]
    markets: tuple[str, ...]
    settings: RulingSettings
    timeframe: str | None = None
    start_ts: int | None = None
    end_ts: int | None = None
    campaign: str = "default"
    split: CampaignSplit | None = None


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A job and all that is needed to drive it. `sources` are the traded markets, then those that features look at."""

    job: Job
    settings: RulingSettings
    source: PatternSource
    plays: tuple[PlayRecord, ...]
    traded: int
    sources: tuple[CatalogSource, ...]
    data_sets: tuple[DataSetRecord, ...]


def catalogue(source: PatternSource) -> tuple[PlayFile, ...]:
    """The plays of a source that come with the program.

    Raises:
        NotFound: there are none.
    """
    for folder in (_PACKAGE / "plays" / source, _PACKAGE.parent / "plays" / source):
        if files := sorted(folder.glob("*.yml")):
            return tuple(PlayFile(text=path.read_text("utf-8"), path=path) for path in files)
    raise errors.NotFound(f"the program must come with {source} rules", found="none", hint="name plays of your own")


def plan(request: Request, catalog_path: Path) -> Plan:
    """Settle a request.

    Raises:
        BadPlay, InvalidArgument: a rule cannot be read, or the same one stands twice. NotFound: a market is not stored.
        SpanTooShort: not one segment fits. Refused: bars of the campaign's vault are asked for, or a column knows what comes next.
    """
    if not request.markets:
        raise errors.InvalidArgument("rules are tested on a market", found="none", hint="say --symbol BTC/USDT, or --bars FILE")
    submit.require_name(request.campaign)
    read = [play.loads(file.text, file=None if file.path is None else str(file.path)) for file in request.plays]
    if len({file.sha256 for file in request.plays}) < len(read):
        raise errors.InvalidArgument("each rule is tested once", found="the same one twice")
    wanted = None if request.timeframe is None else Timeframe.parse(request.timeframe)
    with Catalog.open(catalog_path, read_only=True) as catalog:
        keys = list(dict.fromkeys(catalog.find(market, wanted).key for market in request.markets))
        bars = [_read(catalog, key, request) for key in keys]
        others = [_read(catalog, key, request) for key in _looked_at(catalog, bars, read)]
    foresight.refuse([leak for market in (*bars, *others) for leak in foresight.of_bars(market)])
    when = ruling.stretches(bars, request.settings.segments, request.settings.segment_bars, seed=request.settings.seed)
    settled = {
        "test": request.settings.model_dump(mode="json"), "source": request.source, "start_ts": when.start_ts.tolist(),
        "end_ts": when.end_ts.tolist(), "markets": [planning.span(market) for market in bars],
        "others": [planning.span(market) for market in others], "from": request.start_ts, "to": _end(request),
        "fence": None if request.split is None else asdict(request.split.fence),
    }  # fmt: skip
    records = tuple(PlayRecord(sha256=file.sha256, name=one.name, text=file.text) for file, one in zip(request.plays, read, strict=True))
    job = _job(settled, request, records, [*bars, *others])
    return _plan(job, records, tuple(map(planning.data_set_record, (*bars, *others))), catalog_path)


def plan_again(store: Store, job: Job, catalog_path: Path) -> Plan:
    """The plan of a stored job."""
    return _plan(job, tuple(store.play(sha256) for sha256 in job.plays), store.data_sets(job.data_hashes), catalog_path)


def submit_plan(store: Store, plan: Plan) -> None:
    """Queue a planned job with all that it refers to."""
    store.save_data_sets(plan.data_sets)
    for record in plan.plays:
        store.save_play(record)
    store.create_job(plan.job)


class Rules:
    """The steps of a job: each tries one rule on all markets."""

    unit = "rules"

    def __init__(self, plan: Plan, crew: Crew, library: PatternStore) -> None:
        self._plan, self._crew, self._library = plan, crew, library

    @property
    def total(self) -> int:
        """How many rules there are."""
        return len(self._plan.plays)

    def steps(self, done: Sequence[Json], _halted: Callable[[], bool]) -> Iterator[Step]:
        """The rules that are missing, in order."""
        markets = [self._crew.load(source, _SEGMENT) for source in self._plan.sources]
        when = self._plan.job.config["start_ts"], self._plan.job.config["end_ts"]
        items = (
            working.Rule(
                text=record.text,
                traded=self._plan.traded,
                start_ts=tuple(when[0]),
                end_ts=tuple(when[1]),
                warmup_tolerance=self._plan.settings.warmup_tolerance,
            )
            for record in self._plan.plays[len(done) :]
        )
        for number, figures in enumerate(self._crew.run(working.try_rule, items, markets=markets), start=len(done)):
            yield Step(number=number, figures=figures, trials=len(figures["sides"]), failures=int(bool(figures["refused"])))

    def conclude(self, figures: Sequence[Json]) -> tuple[Json, str]:
        """All rules judged together; what was judged goes into the library."""
        settings = self._plan.settings
        tried = [Tried(**{**side, "sums": tuple(side["sums"])}) for entry in figures for side in entry["sides"]]
        rulings = ruling.judge(tried, seed=settings.seed, alpha=settings.alpha, n_flips=settings.flips)
        digest = hashlib.sha256(json.dumps([asdict(entry) for entry in rulings], sort_keys=True).encode()).hexdigest()
        self._library.add([record for entry in rulings if (record := self._record(entry)) is not None], alpha=ALPHA, procedure=PROCEDURE)
        refused = {entry["rule"]: entry["refused"] for entry in figures if entry["refused"]}
        better = sum(entry.verdict == "better" for entry in rulings)
        return {"rulings": [asdict(entry) for entry in rulings], "refused": refused, "better": better, "tested": len(rulings)}, digest

    def _record(self, entry: Ruling) -> PatternRecord | None:
        """A ruling as the library keeps it; nothing of a rule that there was too little of to judge."""
        status: PatternStatus | None = {"better": "candidate", "no better": "rejected"}.get(entry.verdict)  # type: ignore[assignment]
        if status is None:
            return None
        job = self._plan.job
        sha256 = next(record.sha256 for record in self._plan.plays if record.name == entry.rule)
        conditions = [{"rule": entry.rule, "play": sha256, "side": entry.side}]
        seen = {
            "trades": entry.n_trades, "net": entry.net, "effect": entry.excess, "effect_low": entry.low, "effect_high": entry.high,
            "win_rate": entry.win_rate, "blocks": entry.n_blocks, "active_blocks": entry.active_blocks,
        }  # fmt: skip
        return PatternRecord(
            id=pattern_id(self._plan.source, job.id, conditions), source=self._plan.source, name=f"{entry.rule}, {entry.side}",
            conditions=conditions, figures={"discovery": seen}, status=status, job=job.id, discovered_at=datetime.now(UTC),
            evidence={"p_family": entry.p_adjusted, "p_value": entry.p_value, "naive_p": entry.naive_p, "markets": list(self._keys())},
            synthetic=job.synthetic,
        )  # fmt: skip

    def _keys(self) -> Iterator[str]:
        return (str(span["key"]) for span in self._plan.job.config["markets"])


def judged_by(job: Job) -> Json:
    """What a test of rules found.

    Raises:
        NotFound: it has not ended.
    """
    if job.status != "done" or job.result is None:
        raise errors.NotFound(f"job {job.id} has judged nothing yet", hint=f"`coinswarm jobs resume {job.id}` goes on with it")
    return job.result


def _end(request: Request) -> int | None:
    if request.split is None:
        return request.end_ts
    end = request.split.fence.ts if request.end_ts is None else request.end_ts
    request.split.fence.require(end)
    return end


def _read(catalog: Catalog, key: str, request: Request) -> Bars:
    bars = catalog.read(key, start=request.start_ts, end=_end(request))
    bars = bars if request.split is None else request.split.fence.cut(bars)
    if not len(bars):
        raise planning.without_bars(catalog, key)
    return bars


def _looked_at(catalog: Catalog, bars: Sequence[Bars], plays: Sequence[play.Play]) -> list[str]:
    """Stored data sets of markets that rules look at and nobody trades; a rule whose market is missing says so itself when it is tried."""
    named = {feature.market for one in plays for feature in one.features.values() if feature.market} - {market.symbol for market in bars}
    known = {entry.key for entry in catalog.list()}
    keys = [f"{bars[0].exchange}:{symbol}:{bars[0].timeframe}" for symbol in sorted(named)]
    return [key for key in keys if key in known]


def _job(settled: dict[str, Any], request: Request, plays: Sequence[PlayRecord], markets: Sequence[Bars]) -> Job:
    created = datetime.now(UTC)
    hashes = tuple(bars.content_hash for bars in markets)
    return Job(
        id=new_job_id(KIND, created), kind=KIND, campaign=request.campaign, plays=tuple(record.sha256 for record in plays),
        data_hashes=hashes, data_hash=planning.data_hash(hashes),
        config={**settled, "environment": version.environment()}, config_hash=planning.config_hash(settled),
        code_version=version.code_version(), seed=request.settings.seed, synthetic=any(bars.synthetic for bars in markets), created=created,
    )  # fmt: skip


def _plan(job: Job, plays: tuple[PlayRecord, ...], data_sets: tuple[DataSetRecord, ...], catalog_path: Path) -> Plan:
    settled = job.config
    spans = (*settled["markets"], *settled["others"])
    return Plan(
        job=job, settings=config.stored(RulingSettings, settled["test"]), source=settled["source"], plays=plays,
        traded=len(settled["markets"]), sources=tuple(planning.source(span, settled, catalog_path) for span in spans), data_sets=data_sets,
    )  # fmt: skip
