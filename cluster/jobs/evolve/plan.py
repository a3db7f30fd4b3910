"""From a request to a job: everything that decides the result is settled here and written into the job's config.

A resumed job is planned from its own config and the stored text of its plays, by the same lines that planned it first.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import ValidationError

from cluster import version
from cluster.compute.evaluator import Setup, Task
from cluster.compute.sources import CatalogSource
from coinswarm import config, errors
from coinswarm import play as play_language
from coinswarm.evolve import reduction
from coinswarm.evolve.settings import OUT_OF_SAMPLE, WINNERS, RacingSettings, SearchSettings
from coinswarm.ledger.campaigns import CampaignSplit
from coinswarm.ledger.records import DataSetRecord, Job, PlayRecord, new_job_id
from coinswarm.market import overlap, splits
from coinswarm.market.bars import Bars
from coinswarm.market.catalog import Catalog
from coinswarm.market.timeframe import Timeframe
from coinswarm.market.vault import Fence
from coinswarm.play import warmth
from coinswarm.play.model import Play

KIND = "evolve"
_WARMTH_SAMPLES = 32


class Overrides(config.Settings):
    """What a run says instead of its plays; None leaves it to the play. The warm-up tolerance is the run's alone."""

    taker_bps: float | None = None
    maker_bps: float | None = None
    slippage_bps: float | None = None
    starting_equity: float | None = None
    max_leverage: float | None = None
    max_hold_bars: int | None = None
    stop_loss_pct: float | None = None
    take_profit_pct: float | None = None
    warmup_tolerance: config.WarmupTolerance = config.WARMUP_TOLERANCE


@dataclass(frozen=True, kw_only=True)
class PlayFile:
    """A play as it was handed in; `path` is None when it came without a file."""

    text: str
    path: Path | None = None

    @property
    def sha256(self) -> str:
        """SHA-256 of the text."""
        return hashlib.sha256(self.text.encode()).hexdigest()


@dataclass(frozen=True, kw_only=True)
class Request:
    """What a person asks for.

    Attributes:
        plays: the plays to search.
        markets: names of data sets; empty: those that the plays name.
        timeframe: of the bars; None: that of the plays.
        start_ts, end_ts: the span in ms, end excluded; None: all that is stored.
        out_of_sample: share of the bars kept from the search, in [0, 1); 0 keeps none.
        search: how to search.
        overrides: what the run says instead of the plays.
        winners: how many of the best are scored out of sample.
        baselines: whether random parameters are tried at equal cost.
        campaign: jobs whose trials are counted together.
        split: how the campaign's time is cut, which then decides what is searched and what is held out; None: it has no vault.
    """

    plays: tuple[PlayFile, ...]
    markets: tuple[str, ...] = ()
    timeframe: str | None = None
    start_ts: int | None = None
    end_ts: int | None = None
    out_of_sample: float = OUT_OF_SAMPLE
    search: SearchSettings = field(default_factory=SearchSettings)
    overrides: Overrides = field(default_factory=Overrides)
    winners: int = WINNERS
    baselines: bool = True
    campaign: str = "default"
    split: CampaignSplit | None = None


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A job and all that its driver needs.

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
        return Timeframe.parse(str(self.job.config["markets"][0]["key"]).rpartition(":")[2]).ms

    @property
    def in_sample_bars(self) -> int:
        """Bars that the search sees of the market that has fewest, as far as none is missing."""
        end = self.task.search_end_ts
        return min(
            span["n_bars"] if end is None else min(span["n_bars"], max(0, (end - span["first_ts"]) // self.bar_ms))
            for span in self.job.config["markets"]
        )

    @property
    def winners(self) -> int:
        """How many of the best are scored out of sample."""
        return int(self.job.config["winners"])


def plan(request: Request, catalog_path: Path) -> Plan:
    """Settle a request.

    Raises:
        BadPlay, BadSetting, NotFound, SpanTooShort, InvalidArgument: what is asked for cannot be done; nothing was written.
        Refused: it reaches into the campaign's vault.
    """
    _check(request)
    request = _inherited(request)
    wanted = None if request.timeframe is None else Timeframe.parse(request.timeframe)
    plays = [_read(file, request.overrides, wanted) for file in request.plays]
    with Catalog.open(catalog_path, read_only=True) as catalog:
        keys = [catalog.find(market, _timeframe(plays)).key for market in _wanted(request, plays)]
        markets = _read_markets(catalog, keys, request)
        others = _read_markets(catalog, _others(catalog, plays, markets), request)
    split_ts, train_end_ts = _split(markets, request)
    _refuse_cold(plays, markets, split_ts if train_end_ts is None else train_end_ts, request)
    settled = {
        "search": request.search.model_dump(mode="json"),
        "plays": [_described(file, play) for file, play in zip(request.plays, plays, strict=True)],
        "overrides": request.overrides.model_dump(mode="json"),
        "timeframe": request.timeframe,
        "markets": [span(bars) for bars in markets],
        "others": [span(bars) for bars in others],
        "from": request.start_ts, "to": request.end_ts, "out_of_sample": request.out_of_sample, "split_ts": split_ts,
        "winners": request.winners, "baselines": request.baselines,
        "fence": None if request.split is None else dataclasses.asdict(request.split.fence), "train_end_ts": train_end_ts,
    }  # fmt: skip
    job = _job(settled, request, [*markets, *others])
    records = tuple(PlayRecord(sha256=file.sha256, name=play.name, text=file.text) for file, play in zip(request.plays, plays, strict=True))
    return Plan(
        job=job,
        task=_task(job, plays, catalog_path),
        plays=records,
        data_sets=tuple(data_set_record(bars) for bars in (*markets, *others)),
        search=request.search,
    )


def plan_again(job: Job, plays: Sequence[PlayRecord], data_sets: Sequence[DataSetRecord], catalog_path: Path) -> Plan:
    """The plan of a stored job, from what was stored with it."""
    overrides = config.stored(Overrides, job.config["overrides"])
    wanted = None if job.config["timeframe"] is None else Timeframe.parse(job.config["timeframe"])
    read = [_read(PlayFile(text=record.text), overrides, wanted) for record in plays]
    search = SearchSettings.model_validate(job.config["search"])
    return Plan(job=job, task=_task(job, read, catalog_path), plays=tuple(plays), data_sets=tuple(data_sets), search=search)


def config_hash(settled: Mapping[str, Any]) -> str:
    """SHA-256 over what decides a result: file names and versions of the environment do not."""
    deciding = {name: value for name, value in settled.items() if name not in ("environment", "files")}
    return hashlib.sha256(json.dumps(deciding, sort_keys=True).encode()).hexdigest()


def data_hash(hashes: Sequence[str]) -> str:
    """SHA-256 over the content hashes of a job's bars, in their order."""
    return hashlib.sha256("".join(hashes).encode()).hexdigest()


def _check(request: Request) -> None:
    reduction.check(request.search)
    if not request.plays:
        raise errors.InvalidArgument("a search needs a play", found="none", hint="name a file, such as plays/examples/trend.yaml")
    if not 0 <= request.out_of_sample < 1:
        raise errors.InvalidArgument("out_of_sample must be in [0, 1)", found=request.out_of_sample)
    if len({file.sha256 for file in request.plays}) < len(request.plays):
        raise errors.InvalidArgument("each play is searched once", found="the same one twice")


def _read(file: PlayFile, overrides: Overrides, timeframe: Timeframe | None = None) -> Play:
    """The play as the run wants it, with something to search."""
    play = read_play(file, overrides, timeframe)
    if not play.space.dimensions:
        raise errors.InvalidArgument(
            f"{play.name} has nothing to search", found="no list and no range", hint="give a parameter a list or range"
        )
    return play


def read_play(file: PlayFile, overrides: Overrides, timeframe: Timeframe | None = None) -> Play:
    """The play as the run wants it: checked, and with something that closes its positions."""
    play = play_language.loads(file.text, file=None if file.path is None else str(file.path))
    costs = _changed(play.costs, taker_bps=overrides.taker_bps, maker_bps=overrides.maker_bps, slippage_bps=overrides.slippage_bps)
    account = _changed(play.account, starting_equity=overrides.starting_equity, max_leverage=overrides.max_leverage)
    play = play_language.with_run(
        play, costs=costs, account=account, timeframe=timeframe,
        max_hold_bars=overrides.max_hold_bars, stop_loss_pct=overrides.stop_loss_pct, take_profit_pct=overrides.take_profit_pct,
        warmup_tolerance=overrides.warmup_tolerance,
    )  # fmt: skip
    play_language.check_runnable(play)
    return play


def _changed(settings: Any, **values: float | None) -> Any:
    given = {name: value for name, value in values.items() if value is not None}
    try:
        return type(settings).model_validate(settings.model_dump() | given) if given else settings
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}" for problem in error.errors())
        raise errors.BadSetting("what a run says instead of its play must be in its domain", found=problems) from None


def _timeframe(plays: Sequence[Play]) -> Timeframe | None:
    known = {play.timeframe_ms for play in plays if play.timeframe_ms is not None}
    if len(known) > 1:
        found = ", ".join(str(Timeframe(ms)) for ms in sorted(known))
        raise errors.InvalidArgument("plays of one search share a timeframe", found=found, hint="search them apart")
    return Timeframe(known.pop()) if known else None


def _wanted(request: Request, plays: Sequence[Play]) -> tuple[str, ...]:
    named = request.markets or tuple(dict.fromkeys(symbol for play in plays for symbol in play.symbols))
    if not named:
        raise errors.InvalidArgument("a search needs a market", found="none", hint="say --symbol BTC/USDT, or name it in the play")
    return named


def _others(catalog: Catalog, plays: Sequence[Play], markets: Sequence[Bars]) -> list[str]:
    """Data sets of markets that features look at, of the same exchange and timeframe."""
    symbols = sorted({feature.market for play in plays for feature in play.features.values() if feature.market})
    first = markets[0]
    return [catalog.find(f"{first.exchange}:{symbol}:{first.timeframe}").key for symbol in symbols]


def _read_markets(catalog: Catalog, keys: Sequence[str], request: Request) -> list[Bars]:
    if len(set(keys)) < len(keys):
        raise errors.InvalidArgument("each market is named once", found=", ".join(keys))
    markets = [catalog.read(key, start=request.start_ts, end=request.end_ts) for key in keys]
    markets = [bars if request.split is None else request.split.fence.cut(bars) for bars in markets]
    for key, bars in zip(keys, markets, strict=True):
        if not len(bars):
            raise without_bars(catalog, key)
    return markets


def without_bars(catalog: Catalog, key: str) -> errors.SpanTooShort:
    """The refusal of a span in which a data set has no bars, with the span that it has."""
    stored = catalog.read(key)
    had = f"{overlap.moment(int(stored.ts[0]))} to {overlap.moment(int(stored.close_ts[-1]))}" if len(stored) else "no bars"
    return errors.SpanTooShort(f"{key} has no bars between --from and --to", hint=f"it has {had}")


def _inherited(request: Request) -> Request:
    """The request as its campaign's split has it: up to the vault, and judged on the campaign's validation part."""
    if request.split is None:
        return request
    if request.split.campaign != request.campaign:
        raise errors.InvalidArgument(f"a job of campaign {request.campaign} has its own split", found=f"that of {request.split.campaign}")
    end = request.split.fence.ts if request.end_ts is None else request.end_ts
    request.split.fence.require(end)
    if end <= request.split.validation.start_ts:
        raise errors.SpanTooShort(
            f"searches of campaign {request.campaign} are judged on its validation part", found="an end before it", hint="leave --to out"
        )
    return dataclasses.replace(request, end_ts=end, out_of_sample=request.split.validation_share)


def _split(markets: Sequence[Bars], request: Request) -> tuple[int | None, int | None]:
    """Where the held-out part begins, and where the searched part ends when they do not meet."""
    if request.split is not None:
        return request.split.validation.start_ts, request.split.train.end_ts
    if request.out_of_sample == 0:
        return None, None
    inside, outside = splits.holdout(markets, request.out_of_sample)
    return outside.start_ts, None if inside.end_ts == outside.start_ts else inside.end_ts


def _refuse_cold(plays: Sequence[Play], markets: Sequence[Bars], split_ts: int | None, request: Request) -> None:
    """Refuse a span that is shorter than the warm-up of every one of a few dozen variants, before anything is started."""
    for play in plays:
        genomes = play.space.sample(np.random.default_rng(0), _WARMTH_SAMPLES)
        asked = [warmth.of(play_language.fix(play, genome), markets[0].timeframe.ms) for genome in genomes]
        shortest = min(asked, key=lambda one: one.bars)
        needed = shortest.bars
        for bars in markets:
            seen = len(bars) if split_ts is None else bars.index_at(split_ts)
            if needed + 2 > seen:
                raise errors.SpanTooShort(
                    f"{play.name} needs at least {needed + 2} in-sample bars: the warm-up of {shortest.feature or 'nothing'}, and a bar to "
                    "decide on and one to fill in",
                    found=f"{seen} of {bars.key}",
                    hint=_more_bars(markets, needed + 2, request),
                )


def _more_bars(markets: Sequence[Bars], needed: int, request: Request) -> str:
    """What to do when a market has fewer in-sample bars than are needed: where some were listed later, to search the time of all."""
    usual = "use a longer span, a smaller --out-of-sample, shorter features, or a larger --warmup-tolerance"
    if len(markets) == 1 or request.split is not None:
        return usual
    common = overlap.of(markets)
    if common.alike:
        return usual
    if common.end_ts <= common.start_ts:
        return f"{common.told}, so search them apart"
    shared = [bars[bars.index_at(common.start_ts) :] for bars in markets]
    end = None if request.out_of_sample == 0 else splits.holdout(shared, request.out_of_sample)[0].end_ts
    fewest = min(shared, key=lambda bars: len(bars) if end is None else bars.index_at(end))
    seen = len(fewest) if end is None else fewest.index_at(end)
    if seen >= needed:
        return f"{common.told}: {common.option} searches those"
    return f"{common.told}, but {seen} in-sample bars of {fewest.key} are too few even then: leave it out, or {usual}"


def _described(file: PlayFile, play: Play) -> dict[str, Any]:
    return {
        "sha256": file.sha256,
        "name": play.name,
        "costs": play.costs.model_dump(mode="json"),
        "account": play.account.model_dump(mode="json"),
    }


def span(bars: Bars) -> dict[str, Any]:
    """What a job's config says of its bars: which, from when to when, and their hash."""
    return {
        "key": bars.key,
        "symbol": bars.symbol,
        "content_hash": bars.content_hash,
        "first_ts": int(bars.ts[0]),
        "last_ts": int(bars.ts[-1]),
        "n_bars": len(bars),
    }


def data_set_record(bars: Bars) -> DataSetRecord:
    """The ledger's record of bars."""
    return DataSetRecord(exchange=bars.exchange, timeframe=str(bars.timeframe), synthetic=bars.synthetic, **span(bars))


def _job(settled: dict[str, Any], request: Request, markets: Sequence[Bars]) -> Job:
    created = datetime.now(UTC)
    hashes = tuple(bars.content_hash for bars in markets)
    files = [None if file.path is None else str(file.path.resolve()) for file in request.plays]
    return Job(
        id=new_job_id(KIND, created),
        kind=KIND,
        campaign=request.campaign,
        plays=tuple(file.sha256 for file in request.plays),
        data_hashes=hashes,
        data_hash=data_hash(hashes),
        config={**settled, "files": files, "environment": version.environment()},
        config_hash=config_hash(settled),
        code_version=version.code_version(),
        seed=request.search.seed,
        synthetic=any(bars.synthetic for bars in markets),
        created=created,
    )


def _task(job: Job, plays: Sequence[Play], catalog_path: Path) -> Task:
    settled = job.config
    setups = tuple(Setup(play=play, costs=play.costs, account=play.account) for play in plays)
    sources = tuple(source(span, settled, catalog_path) for span in settled["markets"])
    others = {span["symbol"]: source(span, settled, catalog_path) for span in settled["others"]}
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


def source(span: Mapping[str, Any], settled: Mapping[str, Any], catalog_path: Path) -> CatalogSource:
    """The span as it was: bars stored since then after its end, or before its start, are not part of the job."""
    end = settled["to"] if settled["to"] is not None else span["last_ts"] + 1
    start = settled["from"] if settled["from"] is not None else span["first_ts"]
    fence = Fence(**settled["fence"]) if settled.get("fence") else None
    return CatalogSource(path=catalog_path, key=span["key"], content_hash=span["content_hash"], start_ts=start, end_ts=end, fence=fence)
