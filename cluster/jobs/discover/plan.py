"""Jobs that search patterns among the random trades of earlier jobs, and reviews of what such jobs have found."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from cluster import version
from cluster.compute.executor import Crew
from cluster.jobs.chaos import plan as chaos
from cluster.jobs.evolve import plan as planning
from cluster.run.steps import Step
from coinswarm import check, errors, patterns
from coinswarm.config import Costs
from coinswarm.ledger.campaigns import CampaignSplit
from coinswarm.ledger.chaos import ChaosStore, ChaosTrades, concatenate
from coinswarm.ledger.patterns import PatternRecord, PatternStore
from coinswarm.ledger.records import GenerationRecord, Job, Json, Lease, new_job_id
from coinswarm.ledger.store import Store
from coinswarm.market.catalog import Catalog
from coinswarm.market.timeframe import Timeframe
from coinswarm.patterns import DiscoverSettings, export, telling
from coinswarm.patterns import review as reviewing
from coinswarm.patterns.mining import Mined, Share
from coinswarm.patterns.power import Power, independent_markets, minimum_effect
from coinswarm.types import FloatArray

KIND = "discover"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A job and the chaos jobs whose trades it searches."""

    job: Job
    settings: DiscoverSettings
    drawn: tuple[Job, ...]


def plan(store: Store, settings: DiscoverSettings, *, jobs: Sequence[str] = (), campaign: str | None = None) -> Plan:
    """Settle what is searched: the trades of named chaos jobs, or of all finished ones of a campaign.

    Raises:
        NotFound: a job, or any chaos job of the campaign, is not there. Refused: a job is of another kind, or has not ended.
    """
    drawn = tuple(sorted((_drawn(store.job(name)) for name in jobs), key=lambda job: job.id)) if jobs else _of_campaign(store, campaign)
    trades = sum(int((job.result or {}).get("trades", 0)) for job in drawn)
    settled = {"discover": settings.model_dump(mode="json"), "drawn": [job.id for job in drawn], "trades": trades}
    created = datetime.now(UTC)
    hashes = tuple(dict.fromkeys(name for job in drawn for name in job.data_hashes))
    job = Job(
        id=new_job_id(KIND, created), kind=KIND, campaign=drawn[0].campaign, plays=(), data_hashes=hashes,
        data_hash=planning.data_hash(hashes),
        config={**settled, "environment": version.environment()}, config_hash=planning.config_hash(settled),
        code_version=version.code_version(), seed=settings.seed, synthetic=any(job.synthetic for job in drawn), created=created,
    )  # fmt: skip
    return Plan(job=job, settings=settings, drawn=drawn)


def plan_again(store: Store, job: Job) -> Plan:
    """The plan of a stored job."""
    drawn = tuple(store.job(name) for name in job.config["drawn"])
    return Plan(job=job, settings=DiscoverSettings.model_validate(job.config["discover"]), drawn=drawn)


def done_before(store: Store, wanted: Plan) -> Job | None:
    """The job that has made, or is making, this very search: searching twice finds the same and must not be paid for twice."""
    for job in store.jobs(campaign=wanted.job.campaign, limit=100_000):
        same = job.config_hash == wanted.job.config_hash and job.data_hash == wanted.job.data_hash
        if job.kind == KIND and same and job.status not in ("failed", "cancelled"):
            return job
    return None


def trades_of(kept: ChaosStore, jobs: Sequence[Job]) -> ChaosTrades:
    """The trades of several chaos jobs together.

    Raises:
        InvalidArgument: they differ in markets, features or bars. NotFound: a job's trades are gone.
    """
    return concatenate([kept.trades(job.id) for job in jobs])


def beside(drawn: Sequence[Job], trades: ChaosTrades, bars_file: Path) -> tuple[FloatArray | None, FloatArray | None]:
    """Quote turnover of each trade's decision bar, (n,), and simple return of the bar after it, (n,).

    Both are None where the bars of the first job are gone, or do not cover all trades.
    """
    turnover, moves = np.full((2, len(trades)), np.nan)
    sources = [planning.source(span, drawn[0].config, bars_file) for span in drawn[0].config["markets"]]
    try:
        markets = [source.load() for source in sources]
    except errors.CoinswarmError:
        return None, None
    for number, bars in enumerate(markets):
        rows = np.flatnonzero(trades.market == number)
        place = np.searchsorted(bars.ts, trades.entry_ts[rows])
        inside = (place >= 1) & (place < len(bars))
        after = place[inside]
        turnover[rows[inside]] = (bars.close * bars.volume)[after - 1]
        moves[rows[inside]] = bars.close[after] / bars.open[after] - 1
    return (None, None) if np.isnan(turnover).any() else (turnover, moves)


class Searches:
    """The one step of a job: search, and put what was found into the library in the transaction that records it."""

    unit = "searches"
    total = 1

    def __init__(self, wanted: Plan, kept: ChaosStore, library: PatternStore, crew: Crew, bars_file: Path) -> None:
        self._plan = wanted
        self._kept = kept
        self._library = library
        self._crew = crew
        self._bars_file = bars_file

    def steps(self, done: Sequence[Json], _halted: Callable[[], bool]) -> Iterator[Step]:
        """The search, unless it is done."""
        if not done:
            yield self._search()

    def conclude(self, figures: Sequence[Json]) -> tuple[Json, str]:
        """What was tried and found, as the library settled it."""
        found = figures[0]
        digest = hashlib.sha256(json.dumps(_deciding(found), sort_keys=True).encode()).hexdigest()
        records = self._library.patterns(job=self._plan.job.id)
        counts = {status: sum(record.status == status for record in records) for status in ("confirmed", "rejected", "candidate")}
        shown = (
            "tested", "counted", "significant", "profitable", "unproductive", "redundant", "p_family", "naive_promoted", "blocks", "leaks",
        )  # fmt: skip
        return {**{name: found[name] for name in shown}, **counts}, digest

    def _search(self) -> Step:
        wanted = self._plan
        trades = trades_of(self._kept, wanted.drawn)
        earlier = [spent.p_value for spent in self._library.spent(synthetic=wanted.job.synthetic)]
        turnover, moves = beside(wanted.drawn, trades, self._bars_file)
        found = patterns.discover(
            trades, wanted.settings, earlier=earlier, turnover=turnover, first_moves=moves, spread=self._spread
        )  # fmt: skip
        made_of = {"drawn": [job.id for job in wanted.drawn], "costs": wanted.drawn[0].config["chaos"]["costs"]}
        records = telling.records(
            found, job=wanted.job.id, synthetic=wanted.job.synthetic, found_at=datetime.now(UTC), made_of=made_of
        )  # fmt: skip
        return Step(number=0, figures=telling.summary(found), trials=found.tested, commit=self._commit(records))

    def _spread(self, function: Callable[[Share], Mined], shares: Any) -> Iterator[Mined]:
        return self._crew.run(function, shares)

    def _commit(self, records: Sequence[PatternRecord]) -> Callable[[Lease, GenerationRecord], object]:
        settings = self._plan.settings
        return lambda lease, record: self._library.commit(
            lease, record, records, alpha=settings.alpha, procedure=settings.procedure
        )  # fmt: skip


def review(
    store: Store,
    kept: ChaosStore,
    library: PatternStore,
    bars_file: Path,
    *,
    jobs: Sequence[str] = (),
    campaign: str | None = None,
    seed: int = 0,
) -> list[tuple[PatternRecord, reviewing.Reviewed | None, str]]:
    """Re-test every confirmed pattern of chaos on later random trades of its own markets, retire what died, and note it all.

    Returns:
        Each pattern as it is stored now, its review, and why there was none.

    Raises:
        Refused: none of them can be reviewed on these trades.
    """
    drawn = tuple(_drawn(store.job(name)) for name in jobs) if jobs else _of_campaign(store, campaign)
    trades, synthetic = trades_of(kept, drawn), any(job.synthetic for job in drawn)
    _, moves = beside(drawn, trades, bars_file)
    names = ",".join(job.id for job in drawn)
    found = library.patterns(source="chaos", status="confirmed")
    told = [_reviewed(library, record, trades, moves, names, seed) for record in found if record.synthetic is synthetic]
    if told and all(seen is None for _, seen, _ in told):
        raise errors.Refused(f"none of {len(told)} confirmed pattern(s) can be reviewed on the trades of {names}: {told[0][2]}")
    return told


def _reviewed(
    library: PatternStore, record: PatternRecord, trades: ChaosTrades, moves: FloatArray | None, names: str, seed: int
) -> tuple[PatternRecord, reviewing.Reviewed | None, str]:
    try:
        known = reviewing.belief(patterns.from_json(record.conditions), record.figures, record.evidence)
        seen = reviewing.review(known, trades, DiscoverSettings(seed=seed), first_moves=moves)
    except (errors.NotFound, errors.InvalidArgument, errors.Refused) as problem:
        return record, None, str(problem)
    if seen.verdict == "nothing new":
        return record, seen, seen.reason
    return library.amend(record.id, seen.note(names), status="retired" if seen.verdict == "dead" else None), seen, seen.reason


def play_of(record: PatternRecord, *, hold_bars: int | None, side: int | None) -> str:
    """A stored pattern as a play; hold and side follow from its own trades unless given.

    Raises:
        InvalidArgument: the hold or the side is not the pattern's, or it is not one of random trades.
    """
    if record.source != "chaos":
        raise errors.InvalidArgument("only patterns of random trades are exported: others are plays already", found=record.source)
    pattern, costs = patterns.from_json(record.conditions), record.evidence.get("costs")
    own_side = any(isinstance(condition, patterns.Side) for condition in pattern.conditions)
    chosen = side if side is not None or own_side else export.better_side(record.figures["slices"])
    return export.to_play(
        pattern, name=f"pattern_{record.id}", bar_ms=int(record.evidence["bar_ms"]),
        hold_bars=hold_bars or max(1, round(record.figures["discovery"]["hold_bars"])), side=chosen,
        costs=None if costs is None else Costs.model_validate(costs),
    )  # fmt: skip


def found_by(store: Store, name: str) -> tuple[Job, Json]:
    """A discovery job and what its search found, as `telling.summary` wrote it.

    Raises:
        NotFound: there is no such job, or it has not ended. Refused: it is of another kind.
    """
    job = store.job(name)
    if job.kind != KIND:
        raise errors.Refused("only a search for patterns or a test of rules has this report", found=f"{job.id} of kind {job.kind}")
    steps = store.generations(job.id)
    if not steps:
        raise errors.NotFound(f"job {job.id} has found nothing yet", hint=f"`coinswarm jobs resume {job.id}` goes on with it")
    return job, steps[0].figures


def power(
    bars_file: Path, library: PatternStore, markets: Sequence[str], timeframe: str | None, hold: str, *, support: float, candidates: int,
    chance: float, split: CampaignSplit | None = None,
) -> Power:  # fmt: skip
    """What a search on stored bars could find; markets that move together count as fewer.

    Only bars that a search of the campaign would be given count: with a split, those before its vault.

    Raises:
        InvalidArgument: no market is named, or a number is out of bounds. NotFound: a market is missing. SpanTooShort: no bars are left.
    """
    if not markets:
        raise errors.InvalidArgument("power needs a market", found="none", hint="say --symbol BTC/USDT")
    wanted = None if timeframe is None else Timeframe.parse(timeframe)
    with Catalog.open(bars_file, read_only=True) as catalog:
        whole = [catalog.read(key) for key in dict.fromkeys(catalog.find(market, wanted).key for market in markets)]
    bars = whole if split is None else [split.fence.cut(market) for market in whole]
    if short := [market.key for market in bars if len(market) < 3]:
        raise errors.SpanTooShort(f"{short[0]} has no bars before the vault of campaign {split.campaign if split else ''}")
    lengths = sorted({market.timeframe for market in bars})
    if len(lengths) > 1:
        raise errors.InvalidArgument("markets that are searched together share a timeframe", found=", ".join(map(str, lengths)))
    hold_bars = Timeframe.parse(hold).ms // lengths[0].ms
    check.at_least(hold_bars, f"bars of {lengths[0]} that {hold} takes", 1, hint="hold longer, or name a faster --timeframe")
    earlier = tuple(spent.p_value for spent in library.spent(synthetic=any(market.synthetic for market in bars)))
    return minimum_effect(
        min(len(market) for market in bars), hold_bars, support, n_markets=independent_markets(bars), n_candidates=candidates, power=chance,
        volatility=float(np.mean([np.std(np.diff(np.log(market.close))) for market in bars])), earlier=earlier,
    )  # fmt: skip


def _drawn(job: Job) -> Job:
    if job.kind != chaos.KIND:
        raise errors.Refused(
            "patterns are searched among chaos trades", found=f"{job.id} of kind {job.kind}", hint="`coinswarm chaos list`"
        )
    if job.status != "done":
        raise errors.Refused(
            f"chaos job {job.id} must be done before it is searched", found=job.status, hint=f"`coinswarm jobs resume {job.id}`"
        )
    return job


def _of_campaign(store: Store, campaign: str | None) -> tuple[Job, ...]:
    name = campaign or "default"
    found = [job for job in store.jobs(campaign=name, status="done", limit=100_000) if job.kind == chaos.KIND]
    if not found:
        raise errors.NotFound(
            f"campaign {name} has no finished chaos job", hint="`coinswarm chaos run` draws trades, or name one with --job"
        )
    return tuple(sorted(found, key=lambda job: job.id))


def _deciding(found: Mapping[str, Any]) -> dict[str, Any]:
    """What must be the same whoever computed it: not what the library had spent before."""
    kept = ("tested", "counted", "threshold", "p_family", "significant", "best")
    return {
        **{name: found[name] for name in kept},
        "findings": [[one["conditions"], one["t"], repr(one["p_confirm"])] for one in found["findings"]],
    }
