"""What can be asked for over the network besides a search and chaos trades: patterns, report cards, the benchmark of honesty, candles.

Models of requests as in `cluster.jobs.requests`; what each kind means is said where it is planned.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from cluster.jobs.discover import plan as discover
from cluster.jobs.evolve.plan import PlayFile
from cluster.jobs.fetch import plan as fetch
from cluster.jobs.honesty import plan as honesty
from cluster.jobs.honesty.plan import HonestySettings
from cluster.jobs.requests import MAX_MARKETS, Moment, Name, Planned, PlayGiven, Supplies
from cluster.jobs.validate import plan as validate
from cluster.jobs.validate import targets as subjects
from cluster.jobs.validate import trials
from cluster.jobs.validate.plan import Subject
from coinswarm import chaos, config, errors
from coinswarm.evolve.settings import OUT_OF_SAMPLE
from coinswarm.ledger.records import DataSetRecord, Job, PlayRecord
from coinswarm.market.timeframe import DAY_MS
from coinswarm.patterns.settings import DiscoverSettings
from coinswarm.validate.case import Effort

MAX_JOBS, MAX_RANK, MAX_PARAMS = 100, 100, 1000
_JobName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:+-]{1,200}$")]
_MOST_BARS = 1_000_000
_Value = bool | Annotated[float, Field(allow_inf_nan=False)] | Name
_OF_A_PLAY = ("params", "markets", "timeframe", "out_of_sample", "campaign", "warmup_tolerance")


@dataclass(frozen=True, kw_only=True)
class Settled:
    """Keeps `Planned` for a plan that has other names for what it refers to."""

    job: Job
    plays: tuple[PlayRecord, ...] = ()
    data_sets: tuple[DataSetRecord, ...] = ()


class DiscoverRequest(config.Settings):
    """Search patterns among the trades of chaos jobs: see `coinswarm patterns discover --help`."""

    kind: Literal["discover"]
    jobs: Annotated[tuple[_JobName, ...], Field(max_length=MAX_JOBS, description="chaos jobs; none: all that the campaign has")] = ()
    campaign: Name = "default"
    settings: DiscoverSettings = DiscoverSettings()

    @property
    def plays(self) -> tuple[PlayGiven, ...]:
        """None: patterns follow no play."""
        return ()

    @property
    def trials(self) -> int:
        """None: patterns are counted by the library that spends alpha on them."""
        return 0

    def planned(self, texts: tuple[str, ...], supplies: Supplies) -> Planned:  # noqa: ARG002 - every kind takes them
        """The job, settled. See `discover.plan`.

        Raises:
            Conflict: it was searched, or is being searched, already.
        """
        made = discover.plan(supplies.store, self.settings, jobs=self.jobs, campaign=self.campaign)
        before = discover.done_before(supplies.store, made)
        if before is not None:
            raise errors.Conflict(
                f"job {before.id} has made this search, or is making it", found=before.status, hint="searching twice finds the same"
            )
        return Settled(job=made.job)


class EffortAsked(config.Settings):
    """How much a report card draws: `coinswarm.validate.case.Effort` with bounds."""

    resamples: Annotated[int, Field(ge=99, le=100_000, description="of each bootstrap")] = Effort.resamples
    lotteries: Annotated[int, Field(ge=19, le=100_000, description="random entries with the variant's exits")] = Effort.lotteries
    neighbours: Annotated[int, Field(ge=1, le=10_000, description="variants drawn around this one")] = Effort.neighbours
    worlds: Annotated[int, Field(ge=1, le=1000, description="runs on resampled bars")] = Effort.worlds
    moments: Annotated[int, Field(ge=1, le=100, description="positions of each market that a crash is put into")] = Effort.moments
    folds: Annotated[int, Field(ge=1, le=200, description="test stretches of the walk forward")] = Effort.folds
    periods: Annotated[int, Field(ge=64, le=100_000, description="most periods that bars are put together to")] = Effort.periods


class ValidateRequest(config.Settings):
    """The report card of an evaluation, of one of the best of a job, or of one variant of a play: see `coinswarm validate --help`."""

    kind: Literal["validate"]
    evaluation: Annotated[str, StringConstraints(pattern=r"^[0-9a-z]{4,64}$")] | None = None
    job: _JobName | None = None
    rank: Annotated[int, Field(ge=1, le=MAX_RANK, description="of a job: which of its best; 1 is the fittest")] = 1
    plays: Annotated[tuple[PlayGiven, ...], Field(max_length=1, description="one that no search has bred")] = ()
    params: dict[str, _Value] = Field(default_factory=dict, max_length=MAX_PARAMS, description="of a play: all that it leaves open")
    markets: Annotated[tuple[Name, ...], Field(max_length=MAX_MARKETS, description="of a play; none: those it names")] = ()
    timeframe: Annotated[Name, Field(description="of a play: length of a bar; none: the play's")] | None = None
    out_of_sample: Annotated[float, Field(ge=0, le=0.9, description="of a play: share of the bars, the newest, held out")] = OUT_OF_SAMPLE
    campaign: Annotated[Name, Field(description="of a play: whose splits it is judged on")] = "default"
    warmup_tolerance: config.WarmupTolerance = config.WARMUP_TOLERANCE
    also: Annotated[tuple[Name, ...], Field(max_length=MAX_MARKETS, description="markets it was not bred on")] = ()
    all_unseen: Annotated[bool, Field(description="try every stored market of its timeframe")] = True
    most_unseen: Annotated[int, Field(ge=0, le=MAX_MARKETS)] = validate.Wishes.most_unseen
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    effort: EffortAsked = EffortAsked()

    @property
    def trials(self) -> int:
        """None: what is drawn to judge a variant is not chosen from."""
        return 0

    def planned(self, texts: tuple[str, ...], supplies: Supplies) -> Planned:
        """The job, settled. See `validate.plan`.

        Raises:
            InvalidArgument: it is not one thing that is to be judged, or something is said that belongs to another.
        """
        wishes = validate.Wishes(
            also=self.also, all_unseen=self.all_unseen, most_unseen=self.most_unseen, seed=self.seed,
            effort=Effort(**self.effort.model_dump()),
        )  # fmt: skip
        return validate.plan(self._subject(texts, supplies), wishes, supplies.bars_file)

    def _subject(self, texts: tuple[str, ...], supplies: Supplies) -> Subject:
        self._refuse_mixed()
        if self.evaluation is not None:
            return trials.subject(supplies.store, self.evaluation, supplies.bars_file)
        if self.job is not None:
            found = subjects.of_job(supplies.store, self.job, self.rank, supplies.bars_file)
            if len(found) < self.rank:
                raise errors.NotFound(f"job {self.job} has no variant of rank {self.rank}", found=f"{len(found)} with a fitness")
            return found[-1]
        return subjects.of_play(
            PlayFile(text=texts[0]), self.params, self.markets, supplies.bars_file, supplies.campaigns, timeframe=self.timeframe,
            out_of_sample=self.out_of_sample, campaign=self.campaign, warmup_tolerance=self.warmup_tolerance,
        )  # fmt: skip

    def _refuse_mixed(self) -> None:
        """A variant that was bred has its markets and parameters already."""
        given = [name for name in ("evaluation", "job", "plays") if getattr(self, name)]
        if len(given) != 1:
            rule = "a report card is of one thing: `evaluation`, `job` or `plays`"
            raise errors.InvalidArgument(rule, found=" and ".join(given) or "none of them")
        foreign = {"plays": ("rank",), "job": _OF_A_PLAY, "evaluation": (*_OF_A_PLAY, "rank")}[given[0]]
        for name in foreign:
            if getattr(self, name) != type(self).model_fields[name].get_default(call_default_factory=True):
                raise errors.InvalidArgument(f"`{name}` does not go with `{given[0]}`", hint="what a job found is judged as it was bred")


class HonestyRequest(config.Settings):
    """Run a pipeline on worlds where nothing is to be found, or something is: see `coinswarm honesty --help`."""

    kind: Literal["honesty"]
    settings: HonestySettings = HonestySettings()
    plays: Annotated[tuple[PlayGiven, ...], Field(max_length=1, description="the play to evolve; the pipeline `patterns` has none")] = ()
    like: Annotated[tuple[Name, ...], Field(max_length=20, description="stored markets; none: synthetic ones")] = ()
    n_bars: Annotated[int, Field(ge=1000, le=_MOST_BARS, description="how many of their bars, the oldest")] = honesty.USUAL_BARS
    markets: Annotated[int, Field(ge=1, le=len(honesty.SYNTHETIC), description="how many synthetic ones")] = honesty.USUAL_MARKETS

    @property
    def trials(self) -> int:
        """How many variants it evaluates at most over all worlds; of the pipeline of patterns: how many worlds there are."""
        worlds, search = self.settings.worlds * len(self.settings.cells), self.settings.evolve.search
        return worlds * (search.population * search.generations if self.settings.pipeline == "evolve" else 1)

    def planned(self, texts: tuple[str, ...], supplies: Supplies) -> Planned:
        """The job, settled. See `honesty.plan`.

        Raises:
            InvalidArgument: a play is missing, or is given where none is evolved; or a hold is none.
        """
        if bool(texts) != (self.settings.pipeline == "evolve"):
            found = f"{len(texts)} plays for {self.settings.pipeline}"
            raise errors.InvalidArgument("the pipeline `evolve` needs a play, and `patterns` has none", found=found)
        chaos.make(hold=self.settings.patterns.hold)
        made = honesty.plan(
            self.settings, supplies.bars_file, self.like, n_bars=self.n_bars, play="".join(texts), markets=self.markets
        )  # fmt: skip
        return Settled(job=made.job, data_sets=made.data_sets)


class FetchRequest(config.Settings):
    """Fetch candles from an exchange, and funding of perpetuals: see `coinswarm bars fetch --help`."""

    kind: Literal["fetch"]
    exchange: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_]{1,40}$")]
    markets: Annotated[tuple[Name, ...], Field(min_length=1, max_length=MAX_MARKETS)]
    timeframe: Name = "5m"
    days: Annotated[int, Field(ge=1, le=10_000, description="how far back, unless `since_ts` is given")] = 90
    since_ts: Annotated[Moment | None, Field(description="first open time wanted")] = None
    until_ts: Annotated[Moment | None, Field(description="time before which bars open; none: now")] = None
    campaign: Name = "default"

    @property
    def plays(self) -> tuple[PlayGiven, ...]:
        """None."""
        return ()

    @property
    def trials(self) -> int:
        """None: nothing is searched."""
        return 0

    def planned(self, texts: tuple[str, ...], supplies: Supplies) -> Planned:  # noqa: ARG002 - every kind takes them
        """The job, settled. See `fetch.plan`."""
        until = int(time.time() * 1000) if self.until_ts is None else self.until_ts
        since = max(0, until - self.days * DAY_MS) if self.since_ts is None else self.since_ts
        return fetch.plan(
            fetch.Request(
                exchange=self.exchange, markets=self.markets, timeframe=self.timeframe, since_ms=since, until_ms=until,
                campaign=self.campaign,
            )
        )  # fmt: skip
