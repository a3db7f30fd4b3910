"""Planning a job of chaos trades: the bars are found, what cannot be drawn is refused, and all that decides the trades is written down."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cluster.jobs import markets
from cluster.jobs.chaos import NAME
from cluster.jobs.chaos.settings import ChaosRequest
from cluster.jobs.kind import JobSpec, PlanContext
from cluster.jobs.markets import TimeSpan
from coinswarm import codec, config, errors
from coinswarm.chaos import drawing, naming
from coinswarm.chaos.settings import ChaosSettings, make
from coinswarm.ledger.chaos import ChaosFrame, row_bytes
from coinswarm.ledger.records import FINAL_STATUSES
from coinswarm.market.bars import Bars
from coinswarm.market.catalog import Catalog
from coinswarm.printable import counted

BATCH = 25_000
"""Trades a step: 8 MB of rows, a third of a second of work and commit."""
_TRADE_COST = 500
"""A chaos trade costs as much as this number of variant-bars."""
_ALL = 1_000_000


def plan(request: ChaosRequest, context: PlanContext) -> JobSpec:
    """Settle a request.

    Raises:
        InvalidArgument: no market is named, or they differ in timeframe. Refused: bars of the campaign's vault are asked for.
        NotFound: a market is not stored. SpanTooShort: the bars are too few for the holds and features.
        Conflict: a job of the campaign has drawn the same trades, which would count twice.
    """
    settings = _checked(request.settings)
    when = TimeSpan(start_ts=request.start_ts, end_ts=request.end_ts, split=context.campaigns.split(request.campaign)).fenced()
    if not request.markets:
        raise errors.InvalidArgument("chaos trades need a market", found="none", hint="say --symbol BTC/USDT, or --bars FILE")
    with Catalog.open(context.bars_file, read_only=True) as catalog:
        bars = [when.read(catalog, key) for key in markets.keys(catalog, request.markets, request.timeframe)]
        others = [when.read(catalog, catalog.find(name).key) for name in _looked_at(bars, settings)]
    sampler = drawing.sampler(bars, settings, {market.symbol: market for market in others})
    settled = _settled(request, settings, when, bars, others, sampler.frame.features)
    earlier = _refuse_drawn(context, request.campaign, settled)
    added = f"campaign {request.campaign} has chaos trades of {counted(earlier, 'job')}: these are added to them and searched with them"
    return JobSpec(
        settled=settled, campaign=request.campaign, seed=settings.seed, data_sets=markets.records((*bars, *others)),
        notes=(added,) if earlier else (),
    )  # fmt: skip


def check(request: ChaosRequest) -> None:
    """Refuse times and settings that nothing can be drawn with.

    Raises:
        InvalidArgument: they are.
    """
    TimeSpan(start_ts=request.start_ts, end_ts=request.end_ts).fenced()
    _checked(request.settings)


def cost(settled: Mapping[str, Any]) -> float:
    """What is computed, in variant-bars."""
    return float(settled["trades"] * _TRADE_COST)


def stored_bytes(settled: Mapping[str, Any]) -> int:
    """What the trades take in the database."""
    frame = ChaosFrame(
        markets=tuple(span["key"] for span in settled["markets"]), features=tuple(settled["features"]),
        bar_ms=markets.bar_ms(settled["markets"]),
    )  # fmt: skip
    return int(settled["trades"] * row_bytes(frame))


def _refuse_drawn(context: PlanContext, campaign: str, settled: Mapping[str, Any]) -> int:
    """How many jobs of the campaign have chaos trades, or will have them."""
    held = {summary.job for summary in context.chaos.summaries(campaign=campaign, limit=_ALL)}
    jobs = context.store.jobs(campaign=campaign, kind=NAME, limit=_ALL)
    earlier = [job for job in jobs if job.id in held or job.status not in FINAL_STATUSES]
    for job in earlier:
        if job.config["draw"] == settled["draw"]:
            resume = "" if job.status == "done" else f"; `coinswarm jobs resume {job.id}` resumes it"
            raise errors.Conflict(
                f"campaign {campaign} has these trades already, in job {job.id}",
                hint=f"another --seed adds new ones, another --campaign keeps them apart{resume}",
            )
    return len(earlier)


def _checked(settings: ChaosSettings) -> ChaosSettings:
    """The settings with features under their canonical names; what cannot be drawn is refused."""
    made = make(
        hold=settings.hold_ms, hold_law=settings.hold_law, side=settings.side, size=settings.size, features=settings.features,
        costs=settings.costs, seed=settings.seed, warmup_tolerance=settings.warmup_tolerance,
    )  # fmt: skip
    return made.model_copy(update={"maintenance": settings.maintenance})


def _looked_at(bars: Sequence[Bars], settings: ChaosSettings) -> list[str]:
    """Data sets of markets that features name and that are not traded."""
    named = {market for name in settings.features if (market := naming.read(name).market)}
    return markets.looked_at(named - {market.symbol for market in bars}, bars[0])


def _settled(
    request: ChaosRequest, settings: ChaosSettings, when: TimeSpan, bars: Sequence[Bars], others: Sequence[Bars], features: Sequence[str]
) -> dict[str, Any]:
    spans = {"markets": [markets.span(market) for market in bars], "others": [markets.span(market) for market in others]}
    drawn = settings.model_dump(mode="json")
    return {
        "chaos": drawn,
        **spans,
        "draw": _draw(drawn, spans),
        "features": list(features),
        "trades": request.trades,
        "batch": BATCH,
        **when.settled,
    }


def _draw(settings: Mapping[str, Any], spans: Mapping[str, Any]) -> str:
    """SHA-256 of what decides the trades. Jobs stored before the warm-up tolerance could be chosen did not name theirs."""
    named = dict(settings)
    if named["warmup_tolerance"] == config.FORMER_WARMUP_TOLERANCE:
        del named["warmup_tolerance"]
    return codec.canonical_hash({"chaos": named, **spans})
