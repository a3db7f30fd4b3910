"""Planning a test of published rules: the rules are read, and the stretches of time are drawn that they are tried on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from cluster.jobs import markets
from cluster.jobs.kind import JobSpec, PlanContext
from cluster.jobs.markets import TimeSpan
from cluster.jobs.plays import looked_at
from cluster.jobs.rules.settings import RulesRequest
from cluster.jobs.settings import PlayGiven
from coinswarm import errors, play, resources
from coinswarm.ledger.records import PlayRecord
from coinswarm.market.catalog import Catalog
from coinswarm.patterns import foresight, rule_tests
from coinswarm.play.model import Play

_RULES = 30


def plan(request: RulesRequest, context: PlanContext) -> JobSpec:
    """Settle a request.

    Raises:
        BadPlay, InvalidArgument: a rule cannot be read, or two are the same or have the same name. NotFound: a market is not stored.
        SpanTooShort: not one segment fits. Refused: bars of the campaign's vault are asked for, or a column knows what comes next.
    """
    when = TimeSpan(start_ts=request.start_ts, end_ts=request.end_ts, split=context.campaigns.split(request.campaign)).fenced()
    rules = _rules(request)
    with Catalog.open(context.bars_file, read_only=True) as catalog:
        bars = [when.read(catalog, key) for key in markets.keys(catalog, request.markets, request.timeframe)]
        known = {entry.key for entry in catalog.list()}  # a rule whose market is missing says so when it is tried
        beside = looked_at(read for _, read in rules) - {market.symbol for market in bars}
        others = [when.read(catalog, key) for key in markets.looked_at(beside, bars[0]) if key in known]
    foresight.refuse([leak for market in (*bars, *others) for leak in foresight.of_bars(market)])
    drawn = rule_tests.draw_segments(bars, request.settings.segments, request.settings.segment_bars, seed=request.settings.seed)
    settled = {
        "test": request.settings.model_dump(mode="json"), "source": request.source, "start_ts": drawn.start_ts.tolist(),
        "end_ts": drawn.end_ts.tolist(), "markets": [markets.span(market) for market in bars],
        "others": [markets.span(market) for market in others], **when.settled,
    }  # fmt: skip
    return JobSpec(
        settled=settled,
        campaign=request.campaign,
        seed=request.settings.seed,
        plays=tuple(PlayRecord(sha256=given.digest, name=read.name, text=given.yaml) for given, read in rules),
        data_sets=markets.records((*bars, *others)),
    )


def check(request: RulesRequest) -> None:
    """Refuse times and rules that nothing can be tested with.

    Raises:
        BadPlay, InvalidArgument: they are.
    """
    TimeSpan(start_ts=request.start_ts, end_ts=request.end_ts).fenced()
    _rules(request)


def cost(settled: Mapping[str, Any]) -> float:
    """What is computed, in variant-bars: each of at most a few dozen rules once over the bars, and its random trades beside it."""
    return float(_RULES * markets.n_bars(settled))


def shipped(source: str) -> tuple[PlayGiven, ...]:
    """The rules of a source that come with the program."""
    return tuple(PlayGiven.read_from(path, path.read_text("utf-8")) for path in sorted(resources.plays(source).glob("*.yml")))


def _rules(request: RulesRequest) -> list[tuple[PlayGiven, Play]]:
    """The rules of a request; each has a name of its own, by which it is reported and kept in the library."""
    given = request.plays or shipped(request.source)
    rules = [(one, play.loads(one.yaml, file=None if one.path is None else str(one.path))) for one in given]
    if len({one.digest for one in given}) < len(rules):
        raise errors.InvalidArgument("each rule is tested once", found="the same one twice")
    twice = [name for name, times in Counter(read.name for _, read in rules).items() if times > 1]
    if twice:
        raise errors.InvalidArgument("each rule has a name of its own", found=f"several called {', '.join(twice)}", hint="rename one")
    return rules
