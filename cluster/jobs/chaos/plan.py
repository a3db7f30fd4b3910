"""Jobs of chaos trades: planned, estimated, and driven batch by batch into the store."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cluster import version
from cluster.compute.evaluator import Segment
from cluster.compute.executor import Crew, Handle
from cluster.compute.sources import CatalogSource
from cluster.jobs import spec as submit
from cluster.jobs.chaos import work as working
from cluster.jobs.chaos.work import Made, Range
from cluster.jobs.evolve import plan as planning
from cluster.jobs.progress import resident_bytes
from cluster.run.steps import Step
from coinswarm import chaos, check, config, errors
from coinswarm.chaos import ChaosFrame, ChaosSettings, naming
from coinswarm.ledger.campaigns import CampaignSplit
from coinswarm.ledger.chaos import SUMS, ChaosStore, row_bytes
from coinswarm.ledger.records import FINAL_STATUSES, DataSetRecord, GenerationRecord, Job, Json, Lease, PlayRecord, new_job_id
from coinswarm.ledger.store import Store
from coinswarm.market.bars import Bars
from coinswarm.market.catalog import Catalog
from coinswarm.market.timeframe import Timeframe

KIND = "chaos"
BATCH = 25_000
"""Trades a step: 8 MB of rows, a third of a second of work and commit."""
MOST_TRADES = 10**10
_ALL = 1_000_000
_SEGMENT = Segment(name=KIND)
_PROBE = 20_000
_BAR_BYTES = 48
_WORKER_BYTES = 260 * 2**20
_SPARE = 0.9
"""Share of the free disk that a job may take: PostgreSQL writes everything to its log as well, and needs room to work."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a person asks for: `trades` random trades on `markets`, stored `batch` at a time; features may look at other stored markets.

    `split` is that of the campaign, None when none was declared: trades end before its vault.
    """

    markets: tuple[str, ...]
    trades: int
    settings: ChaosSettings
    timeframe: str | None = None
    start_ts: int | None = None
    end_ts: int | None = None
    campaign: str = "default"
    batch: int = BATCH
    split: CampaignSplit | None = None


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A job and all that is needed to drive it. `sources` are the traded markets, then those that features look at."""

    job: Job
    settings: ChaosSettings
    trades: int
    traded: int
    sources: tuple[CatalogSource, ...]
    data_sets: tuple[DataSetRecord, ...]
    frame: ChaosFrame
    plays: tuple[PlayRecord, ...] = ()


def plan(request: Request, catalog_path: Path) -> Plan:
    """Settle a request: find the bars, refuse what cannot be drawn, and write down all that decides the trades.

    Raises:
        InvalidArgument: the number of trades is out of bounds, no market is named, one twice, or they differ in timeframe.
        Refused: bars of the campaign's vault are asked for.
        NotFound: a market is not stored. SpanTooShort: the bars are too few for the holds and features.
    """
    check.within(request.trades, "the number of trades", 1, MOST_TRADES)
    check.at_least(request.batch, "the size of a batch", 1)
    submit.require_name(request.campaign)
    request = _fenced(request)
    if not request.markets:
        raise errors.InvalidArgument("chaos trades need a market", found="none", hint="say --symbol BTC/USDT, or --bars FILE")
    wanted = None if request.timeframe is None else Timeframe.parse(request.timeframe)
    with Catalog.open(catalog_path, read_only=True) as catalog:
        keys = list(dict.fromkeys(catalog.find(market, wanted).key for market in request.markets))
        bars = [_read(catalog, key, request) for key in keys]
        others = [_read(catalog, key, request) for key in _looked_at(catalog, bars, request.settings)]
    urn = chaos.fill(bars, request.settings, {market.symbol: market for market in others})
    settled = _settled(request, bars, others, urn.frame)
    return _plan(_job(settled, request, [*bars, *others]), catalog_path, tuple(map(planning.data_set_record, (*bars, *others))))


def plan_again(job: Job, data_sets: Sequence[DataSetRecord], catalog_path: Path) -> Plan:
    """The plan of a stored job."""
    return _plan(job, catalog_path, tuple(data_sets))


def submit_plan(store: Store, kept: ChaosStore, plan: Plan) -> int:
    """Queue a planned job with all that it refers to.

    Returns:
        How many jobs of its campaign have chaos trades already: those of this job are added to them.

    Raises:
        Conflict: one of them drew the same trades, which would count twice.
    """
    earlier = refuse_repeated(store, kept, plan)
    store.save_data_sets(plan.data_sets)
    store.create_job(plan.job)
    return earlier


def refuse_drawn(store: Store, plan: Plan) -> None:
    """Refuse to draw what a job of the campaign has drawn or will draw, as far as its status tells.

    Raises:
        Conflict: there is such a job.
    """
    for job in store.jobs(campaign=plan.job.campaign, limit=_ALL):
        if job.kind == KIND and job.status not in ("failed", "cancelled") and job.config["draw"] == plan.job.config["draw"]:
            raise errors.Conflict(
                f"campaign {plan.job.campaign} has these trades already, in job {job.id}",
                hint="another seed adds new ones, another campaign keeps them apart",
            )


def refuse_repeated(store: Store, kept: ChaosStore, plan: Plan) -> int:
    """How many jobs of the campaign have chaos trades, or will have them.

    Raises:
        Conflict: one of them drew the same trades.
    """
    campaign = plan.job.campaign
    held = {summary.job for summary in kept.summaries(campaign=campaign, limit=_ALL)}
    jobs = [job for job in store.jobs(campaign=campaign, limit=_ALL) if job.kind == KIND]
    earlier = [job for job in jobs if job.id in held or job.status not in FINAL_STATUSES]
    for job in earlier:
        if job.config["draw"] == plan.job.config["draw"]:
            goes_on = "" if job.status == "done" else f"; `coinswarm jobs resume {job.id}` goes on with it"
            raise errors.Conflict(
                f"campaign {campaign} has these trades already, in job {job.id}",
                hint=f"another --seed adds new ones, another --campaign keeps them apart{goes_on}",
            )
    return len(earlier)


class Batches:
    """The steps of a job: each is a range of trades, stored with its record in one transaction."""

    unit = "batches"

    def __init__(self, plan: Plan, crew: Crew, kept: ChaosStore) -> None:
        self._plan = plan
        self._crew = crew
        self._kept = kept
        self._batch = int(plan.job.config["batch"])

    @property
    def total(self) -> int:
        """How many batches there are."""
        return -(-self._plan.trades // self._batch)

    def steps(self, done: Sequence[Json], _halted: Callable[[], bool]) -> Iterator[Step]:
        """The batches that are missing, in order."""
        self._kept.prepare(self._plan.job.id, self._plan.frame)
        markets = load(self._crew, self._plan)
        answers = self._crew.run(working.make, (self._range(number) for number in range(len(done), self.total)), markets=markets)
        for number, made in enumerate(answers, start=len(done)):
            yield Step(number=number, figures=made.figures, trials=len(made.trades), commit=self._commit(made))

    def conclude(self, figures: Sequence[Json]) -> tuple[Json, str]:
        """Means over all trades, and a hash over every number of them."""
        made = sum(int(entry["trades"]) for entry in figures)
        means = {name: sum(float(entry[key]) for entry in figures) / made for name, key in SUMS.items()}
        digest = hashlib.sha256("".join(str(entry["hash"]) for entry in figures).encode()).hexdigest()
        return {"trades": made, "markets": self._plan.traded, **means}, digest

    def _range(self, number: int) -> Range:
        stop = min((number + 1) * self._batch, self._plan.trades)
        return Range(settings=self._plan.settings, traded=self._plan.traded, start=number * self._batch, stop=stop)

    def _commit(self, made: Made) -> Callable[[Lease, GenerationRecord], object]:
        return lambda lease, record: self._kept.commit(lease, record, made.trades)


def load(crew: Crew, plan: Plan) -> list[Handle]:
    """The bars of a plan, held by the crew."""
    return [crew.load(source, _SEGMENT) for source in plan.sources]


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """What a job would take.

    Attributes:
        trades, markets: rows of the table, and how many markets they are drawn from.
        seconds, trades_per_s: at the measured speed of drawing and the known speed of the database, `workers` processes computing.
        shares: each market's part of the trades, by key.
        memory_bytes: of a node with its workers.
        database_bytes: growth of the database.
    """

    trades: int
    markets: int
    seconds: float
    trades_per_s: float
    workers: int
    shares: Mapping[str, float]
    memory_bytes: int
    database_bytes: int


COMMIT_S = 5e-6
"""Seconds a trade takes to be laid out, copied and committed: 1.3 us measured here, 2.5 us in the server, and the disk is waited for."""


def estimate(crew: Crew, plan: Plan) -> Estimate:
    """Draw one batch twice, the first time to warm up, and draw the line from there."""
    markets = load(crew, plan)
    probe = Range(settings=plan.settings, traded=plan.traded, start=0, stop=min(_PROBE, plan.trades))
    began = time.perf_counter()
    made = [answer.seconds for answer in crew.run(working.make, [probe] * (1 + 2 * crew.workers), markets=markets)]
    warm_s = time.perf_counter() - began
    each = max(min(made) / (probe.stop - probe.start) / crew.workers, COMMIT_S)
    spans = plan.job.config["markets"] + plan.job.config["others"]
    values = sum(span["n_bars"] for span in spans) * _BAR_BYTES
    states = sum(span["n_bars"] for span in plan.job.config["markets"]) * 8 * (len(plan.frame.features) + 2)
    bars = [source.load() for source in plan.sources]
    shares = chaos.fill(bars[: plan.traded], plan.settings, {market.symbol: market for market in bars[plan.traded :]}).shares()
    return Estimate(
        trades=plan.trades,
        markets=plan.traded,
        seconds=warm_s + each * plan.trades,
        trades_per_s=1.0 / each,
        workers=crew.workers,
        shares=dict(zip(plan.frame.markets, shares.tolist(), strict=True)),
        memory_bytes=values + crew.workers * (_WORKER_BYTES + states) + resident_bytes(),
        database_bytes=plan.trades * row_bytes(plan.frame),
    )


def refuse_too_large(plan: Plan, free_bytes: int) -> None:
    """Raise `Refused` when the trades would not fit the disk of the database."""
    each = row_bytes(plan.frame)
    needed = plan.trades * each
    if needed > _SPARE * free_bytes:
        most = int(_SPARE * free_bytes / each)
        raise errors.Refused(
            f"{plan.trades:,} trades take about {needed / 2**30:,.1f} GB in the database",
            found=f"{free_bytes / 2**30:,.1f} GB free",
            hint=f"at most {most:,} fit; free some disk, or `coinswarm chaos drop` jobs that are mined",
        )


def _fenced(request: Request) -> Request:
    """The request up to the vault of its campaign."""
    if request.split is None:
        return request
    end = request.split.fence.ts if request.end_ts is None else request.end_ts
    request.split.fence.require(end)
    return replace(request, end_ts=end)


def _read(catalog: Catalog, key: str, request: Request) -> Bars:
    bars = catalog.read(key, start=request.start_ts, end=request.end_ts)
    bars = bars if request.split is None else request.split.fence.cut(bars)
    if not len(bars):
        raise planning.without_bars(catalog, key)
    return bars


def _looked_at(catalog: Catalog, bars: Sequence[Bars], settings: ChaosSettings) -> list[str]:
    """Data sets of markets that features name and nobody trades, of the exchange and timeframe of the first market."""
    named = {naming.read(name).market for name in settings.features} - {market.symbol for market in bars} - {None}
    return [catalog.find(f"{bars[0].exchange}:{symbol}:{bars[0].timeframe}").key for symbol in sorted(map(str, named))]


def _settled(request: Request, bars: Sequence[Bars], others: Sequence[Bars], frame: ChaosFrame) -> dict[str, Any]:
    spans = {"markets": [planning.span(market) for market in bars], "others": [planning.span(market) for market in others]}
    settings = request.settings.model_dump(mode="json")
    return {
        "chaos": settings,
        **spans,
        "draw": _draw(settings, spans),
        "features": list(frame.features),
        "trades": request.trades,
        "batch": request.batch,
        "from": request.start_ts,
        "to": request.end_ts,
        "fence": None if request.split is None else asdict(request.split.fence),
    }


def _draw(settings: Mapping[str, Any], spans: Mapping[str, Any]) -> str:
    """SHA-256 of what decides the trades. Jobs stored before the warm-up tolerance could be chosen did not name theirs."""
    named = dict(settings)
    if named["warmup_tolerance"] == config.FORMER_WARMUP_TOLERANCE:
        del named["warmup_tolerance"]
    return hashlib.sha256(json.dumps({"chaos": named, **spans}, sort_keys=True).encode()).hexdigest()


def _job(settled: dict[str, Any], request: Request, markets: Sequence[Bars]) -> Job:
    created = datetime.now(UTC)
    hashes = tuple(bars.content_hash for bars in markets)
    return Job(
        id=new_job_id(KIND, created),
        kind=KIND,
        campaign=request.campaign,
        plays=(),
        data_hashes=hashes,
        data_hash=planning.data_hash(hashes),
        config={**settled, "environment": version.environment()},
        config_hash=planning.config_hash(settled),
        code_version=version.code_version(),
        seed=request.settings.seed,
        synthetic=any(bars.synthetic for bars in markets),
        created=created,
    )


def _plan(job: Job, catalog_path: Path, data_sets: tuple[DataSetRecord, ...]) -> Plan:
    settled = job.config
    markets, others = settled["markets"], settled["others"]
    bar_ms = Timeframe.parse(str(markets[0]["key"]).rpartition(":")[2]).ms
    return Plan(
        job=job,
        settings=config.stored(ChaosSettings, settled["chaos"]),
        trades=settled["trades"],
        traded=len(markets),
        sources=tuple(planning.source(span, settled, catalog_path) for span in (*markets, *others)),
        data_sets=data_sets,
        frame=ChaosFrame(markets=tuple(span["key"] for span in markets), features=tuple(settled["features"]), bar_ms=bar_ms),
    )
