"""From a request to a job: everything that decides the result is settled here and written into the job's config.

A resumed job is planned from its own config and the stored text of its plays, by the same lines that planned it first.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cluster.compute.evaluator import Setup, Task
from cluster.jobs import markets, warmup
from cluster.jobs.evolve.settings import EvolveRequest
from cluster.jobs.kind import JobSpec, PlanContext, Planned
from cluster.jobs.markets import TimeSpan
from cluster.jobs.plays import Overrides, described, looked_at, read
from cluster.jobs.settings import PlayGiven
from coinswarm import config, errors
from coinswarm.evolve import reduction
from coinswarm.evolve.settings import RacingSettings, SearchSettings
from coinswarm.ledger.campaigns import CampaignSplit
from coinswarm.ledger.records import DataSetRecord, Job, PlayRecord
from coinswarm.market import overlap, splits
from coinswarm.market.bars import Bars
from coinswarm.market.catalog import Catalog
from coinswarm.market.timeframe import Timeframe
from coinswarm.metrics.figures import SCORE_DTYPE
from coinswarm.play import fix, warmth
from coinswarm.play.model import Play

_WARMTH_SAMPLES = 32
_ROW_BYTES = 900
"""An evaluation's row with its indexes, measured on the schema of `cluster.store`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SearchPlan:
    """A job of a search and all that its loop needs.

    Attributes:
        task: what is to be scored.
        plays, data_sets: records that the job refers to.
        search: how to search.
    """

    job: Job
    task: Task
    plays: tuple[PlayRecord, ...]
    data_sets: tuple[DataSetRecord, ...]
    search: SearchSettings

    @property
    def bar_ms(self) -> int:
        """Length of a bar."""
        return markets.bar_ms(self.job.config["markets"])

    @property
    def in_sample_bars(self) -> int:
        """Bars that the search sees of the market that has fewest, as far as none is missing."""
        return in_sample_bars(self.job.config)

    @property
    def winners(self) -> int:
        """How many of the best are scored out of sample."""
        return int(self.job.config["winners"])


def plan(request: EvolveRequest, context: PlanContext) -> JobSpec:
    """Settle a request.

    Raises:
        BadPlay, BadSetting, NotFound, SpanTooShort, InvalidArgument: what is asked for cannot be done.
        Refused: it reaches into the campaign's vault.
    """
    plays = _plays(request)
    split = context.campaigns.split(request.campaign)
    when = TimeSpan(start_ts=request.start_ts, end_ts=request.end_ts, split=split).fenced()
    share = request.out_of_sample if split is None else _validation_share(split, when)
    with Catalog.open(context.bars_file, read_only=True) as catalog:
        keys = [catalog.find(market, _timeframe(plays)).key for market in _named(request, plays)]
        bars = _read_markets(catalog, keys, when)
        others = [when.read(catalog, catalog.find(name).key) for name in markets.looked_at(looked_at(plays), bars[0])]
    split_ts, train_end_ts = _held_out(bars, split, share)
    settled: dict[str, Any] = {
        "search": request.search.model_dump(mode="json"),
        "plays": [described(given, play) for given, play in zip(request.plays, plays, strict=True)],
        "overrides": request.overrides.model_dump(mode="json"),
        "timeframe": request.timeframe,
        "markets": [markets.span(one) for one in bars],
        "others": [markets.span(one) for one in others],
        **when.settled, "out_of_sample": share, "split_ts": split_ts, "train_end_ts": train_end_ts,
        "winners": request.winners, "baselines": request.baselines,
    }  # fmt: skip
    _refuse_cold(plays, bars, markets.search_end_ts(settled), split, share)
    return JobSpec(
        settled=settled, campaign=request.campaign, seed=request.search.seed,
        plays=tuple(
            PlayRecord(sha256=given.digest, name=play.name, text=given.yaml) for given, play in zip(request.plays, plays, strict=True)
        ),
        data_sets=markets.records((*bars, *others)),
        files=tuple(None if given.path is None else str(given.path.resolve()) for given in request.plays),
        notes=(_of_campaign(request.campaign, split), *warmup.notes(plays, markets.bar_ms(settled["markets"]), in_sample_bars(settled))),
    )  # fmt: skip


def check(request: EvolveRequest) -> None:
    """Refuse what can be refused without bars: times, goals, plays and what the run says instead of them.

    Raises:
        BadPlay, BadSetting, InvalidArgument: it is.
    """
    TimeSpan(start_ts=request.start_ts, end_ts=request.end_ts).fenced()
    _plays(request)


def planned_search(made: Planned, bars_file: Path) -> SearchPlan:
    """The search of a planned job, from what is stored with it."""
    job = made.job
    overrides = config.stored(Overrides, job.config["overrides"])
    plays = [_read(PlayGiven(text=record.text), overrides, job.config["timeframe"]) for record in made.plays]
    search = SearchSettings.model_validate(job.config["search"])
    return SearchPlan(job=job, task=_task(job, plays, bars_file), plays=made.plays, data_sets=made.data_sets, search=search)


def in_sample_bars(settled: Mapping[str, Any]) -> int:
    """Bars that the search sees of the market that has fewest, as far as none is missing."""
    end, step = markets.search_end_ts(settled), markets.bar_ms(settled["markets"])
    return min(
        span["n_bars"] if end is None else min(span["n_bars"], max(0, (end - span["first_ts"]) // step)) for span in settled["markets"]
    )


def changes(made: Planned) -> list[str]:
    """What the plays cost now against what the job was made with: defaults of the program may have changed."""
    found: list[str] = []
    for stored, setup in zip(made.job.config["plays"], planned_search(made, Path()).task.setups, strict=True):
        for group, settings in (("costs", setup.costs), ("account", setup.account)):
            before, now = stored[group], settings.model_dump(mode="json")
            found += [
                f"{stored['name']}.{group}.{key}: {before.get(key)} -> {now.get(key)}"
                for key in sorted({*before, *now})
                if before.get(key) != now.get(key)
            ]
    return found


def cost(settled: Mapping[str, Any]) -> float:
    """What is computed, in variant-bars."""
    search = settled.get("search")
    if not search:
        return math.inf
    return float(search["population"] * search["generations"] * len(settled["plays"]) * markets.n_bars(settled))


def stored_bytes(settled: Mapping[str, Any]) -> int:
    """What the trials take in the database."""
    search = settled["search"]
    variants = search["population"] * search["generations"] * len(settled["plays"])
    return int(variants * (_ROW_BYTES + len(settled["markets"]) * SCORE_DTYPE.itemsize))


def _plays(request: EvolveRequest) -> list[Play]:
    """The plays of a request whose goals and plays fit together."""
    reduction.check(request.search)
    if not request.plays:
        raise errors.InvalidArgument("a search needs a play", found="none", hint="name a file, such as plays/examples/trend.yaml")
    if len({given.digest for given in request.plays}) < len(request.plays):
        raise errors.InvalidArgument("each play is searched once", found="the same one twice")
    plays = [_read(given, request.overrides, request.timeframe) for given in request.plays]
    _timeframe(plays)
    return plays


def _read(given: PlayGiven, overrides: Overrides, timeframe: str | None) -> Play:
    """The play as the run wants it, with something to search."""
    play = read(given, overrides, timeframe)
    if not play.space.dimensions:
        raise errors.InvalidArgument(
            f"{play.name} has nothing to search", found="no list and no range", hint="give a parameter a list or range"
        )
    return play


def _timeframe(plays: Sequence[Play]) -> Timeframe | None:
    known = {play.timeframe_ms for play in plays if play.timeframe_ms is not None}
    if len(known) > 1:
        found = ", ".join(str(Timeframe(ms)) for ms in sorted(known))
        raise errors.InvalidArgument("plays of one search share a timeframe", found=found, hint="search them apart")
    return Timeframe(known.pop()) if known else None


def _named(request: EvolveRequest, plays: Sequence[Play]) -> tuple[str, ...]:
    named = request.markets or tuple(dict.fromkeys(symbol for play in plays for symbol in play.symbols))
    if not named:
        raise errors.InvalidArgument("a search needs a market", found="none", hint="say --symbol BTC/USDT, or name it in the play")
    return named


def _read_markets(catalog: Catalog, keys: Sequence[str], when: TimeSpan) -> list[Bars]:
    if len(set(keys)) < len(keys):
        raise errors.InvalidArgument("each market is named once", found=", ".join(keys))
    return [when.read(catalog, key) for key in keys]


def _validation_share(split: CampaignSplit, when: TimeSpan) -> float:
    """The held-out share of a campaign with a split: its validation part, which the span must reach."""
    if when.end_ts is not None and when.end_ts <= split.validation.start_ts:
        rule = f"searches of campaign {split.campaign} are judged on its validation part"
        raise errors.SpanTooShort(rule, found="an end before it", hint="leave --to out")
    return split.validation_share


def _of_campaign(name: str, split: CampaignSplit | None) -> str:
    if split is None:
        return (
            f"No final hold-out (vault) is set for campaign {name}, so results of this run cannot be promoted. "
            "`--campaign NAME --vault 0.2` searches with one."
        )
    since, until = (overlap.moment(ts) for ts in (split.validation.start_ts, split.validation.end_ts))
    return f"Campaign {name} judges its winners on bars from {since} to {until}; its final hold-out (vault) stays closed."


def _held_out(bars: Sequence[Bars], split: CampaignSplit | None, share: float) -> tuple[int | None, int | None]:
    """Where the held-out part begins, and where the searched part ends when they do not meet."""
    if split is not None:
        return split.validation.start_ts, split.train.end_ts
    if share == 0:
        return None, None
    inside, outside = splits.holdout(bars, share)
    return outside.start_ts, None if inside.end_ts == outside.start_ts else inside.end_ts


def _refuse_cold(plays: Sequence[Play], bars: Sequence[Bars], split_ts: int | None, split: CampaignSplit | None, share: float) -> None:
    """Refuse a span that is shorter than the warm-up of every one of a few dozen variants, before anything is started."""
    for play in plays:
        genomes = play.space.sample(np.random.default_rng(0), _WARMTH_SAMPLES)
        asked = [warmth.of(fix(play, genome), bars[0].timeframe.ms) for genome in genomes]
        shortest = min(asked, key=lambda one: one.bars)
        needed = shortest.bars
        for one in bars:
            seen = len(one) if split_ts is None else one.index_at(split_ts)
            if needed + 2 > seen:
                raise errors.SpanTooShort(
                    f"{play.name} needs at least {needed + 2} in-sample bars: the warm-up of {shortest.feature or 'nothing'}, and a bar to "
                    "decide on and one to fill in",
                    found=f"{seen} of {one.key}",
                    hint=_more_bars(bars, needed + 2, split, share),
                )


def _more_bars(listed: Sequence[Bars], needed: int, split: CampaignSplit | None, share: float) -> str:
    """What to do when a market has fewer in-sample bars than are needed: where some were listed later, to search the time of all."""
    usual = "use a longer span, a smaller --out-of-sample, shorter features, or a larger --warmup-tolerance"
    if len(listed) == 1 or split is not None:
        return usual
    common = overlap.of(listed)
    if common.alike:
        return usual
    if common.end_ts <= common.start_ts:
        return f"{common.text}, so search them apart"
    shared = [bars[bars.index_at(common.start_ts) :] for bars in listed]
    end = None if share == 0 else splits.holdout(shared, share)[0].end_ts
    fewest = min(shared, key=lambda bars: len(bars) if end is None else bars.index_at(end))
    seen = len(fewest) if end is None else fewest.index_at(end)
    if seen >= needed:
        return f"{common.text}: {common.option} searches those"
    return f"{common.text}, but {seen} in-sample bars of {fewest.key} are too few even then: leave it out, or {usual}"


def _task(job: Job, plays: Sequence[Play], catalog_path: Path) -> Task:
    settled = job.config
    setups = tuple(Setup(play=play, costs=play.costs, account=play.account) for play in plays)
    sources = tuple(markets.source(span, settled, catalog_path) for span in settled["markets"])
    others = {span["symbol"]: markets.source(span, settled, catalog_path) for span in settled["others"]}
    raced = RacingSettings.model_validate(settled["search"].get("racing", {}))
    return Task(
        id=job.id,
        setups=setups,
        sources=sources,
        others=others,
        split_ts=settled["split_ts"],
        racing=raced,
        train_end_ts=settled.get("train_end_ts"),
    )
