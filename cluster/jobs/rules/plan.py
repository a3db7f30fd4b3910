"""Planning a test of published rules: the rules are read, and the stretches of time are drawn that they are tried on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from cluster.jobs import markets
from cluster.jobs.kind import JobSpec, PlanContext
from cluster.jobs.markets import TimeSpan
from cluster.jobs.rules.settings import RulesRequest
from cluster.jobs.settings import PlayGiven
from coinswarm import errors, play, resources
from coinswarm.ledger.records import PlayRecord
from coinswarm.market.bars import Bars
from coinswarm.market.catalog import Catalog
from coinswarm.patterns import foresight, rule_tests

_RULES = 30


def plan(request: RulesRequest, context: PlanContext) -> JobSpec:
    """Settle a request.

    Raises:
        BadPlay, InvalidArgument: a rule cannot be read, or the same one stands twice. NotFound: a market is not stored.
        SpanTooShort: not one segment fits. Refused: bars of the campaign's vault are asked for, or a column knows what comes next.
    """
    when = TimeSpan(start_ts=request.start_ts, end_ts=request.end_ts, split=context.campaigns.split(request.campaign)).fenced()
    given = request.plays or shipped(request.source)
    read = [play.loads(one.yaml, file=None if one.path is None else str(one.path)) for one in given]
    if len({one.digest for one in given}) < len(read):
        raise errors.InvalidArgument("each rule is tested once", found="the same one twice")
    with Catalog.open(context.bars_file, read_only=True) as catalog:
        bars = [when.read(catalog, key) for key in markets.keys(catalog, request.markets, request.timeframe)]
        others = [when.read(catalog, key) for key in _looked_at(catalog, bars, read)]
    foresight.refuse([leak for market in (*bars, *others) for leak in foresight.of_bars(market)])
    drawn = rule_tests.draw_segments(bars, request.settings.segments, request.settings.segment_bars, seed=request.settings.seed)
    settled = {
        "test": request.settings.model_dump(mode="json"), "source": request.source, "start_ts": drawn.start_ts.tolist(),
        "end_ts": drawn.end_ts.tolist(), "markets": [markets.span(market) for market in bars],
        "others": [markets.span(market) for market in others], "from": when.start_ts, "to": when.end_ts,
        "fence": None if when.split is None else asdict(when.split.fence),
    }  # fmt: skip
    return JobSpec(
        settled=settled,
        campaign=request.campaign,
        seed=request.settings.seed,
        plays=tuple(PlayRecord(sha256=one.digest, name=rule.name, text=one.yaml) for one, rule in zip(given, read, strict=True)),
        data_sets=markets.records((*bars, *others)),
    )


def cost(settled: Mapping[str, Any]) -> float:
    """What is computed, in variant-bars: each of at most a few dozen rules once over the bars, and its random trades beside it."""
    return float(_RULES * markets.n_bars(settled))


def shipped(source: str) -> tuple[PlayGiven, ...]:
    """The rules of a source that come with the program."""
    return tuple(PlayGiven.read_from(path, path.read_text("utf-8")) for path in sorted(resources.plays(source).glob("*.yml")))


def _looked_at(catalog: Catalog, bars: Sequence[Bars], rules: Sequence[play.Play]) -> list[str]:
    """Stored data sets of markets that rules look at and nobody trades; a rule whose market is missing says so when it is tried."""
    named = {feature.market for one in rules for feature in one.features.values() if feature.market} - {market.symbol for market in bars}
    known = {entry.key for entry in catalog.list()}
    keys = [f"{bars[0].exchange}:{symbol}:{bars[0].timeframe}" for symbol in sorted(named)]
    return [key for key in keys if key in known]
