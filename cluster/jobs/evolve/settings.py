"""What can be asked of a search."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from cluster.jobs.evolve import goals
from cluster.jobs.options import Machine, Option, Options
from cluster.jobs.plays import Overrides
from cluster.jobs.settings import MAX_MARKETS, MAX_PLAYS, Campaign, JobSettings, Moment, Name, PlayGiven
from cluster.jobs.typed import BARS, FROM, PLAYS, TO
from coinswarm import errors
from coinswarm.evolve.settings import OUT_OF_SAMPLE, WINNERS, SearchSettings
from coinswarm.ledger.quotas import JobAmounts

_USUAL = SearchSettings()


class EvolveRequest(JobSettings):
    """Search the variants of plays: see `coinswarm evolve --help` for what each setting does."""

    kind: Literal["evolve"] = "evolve"
    plays: Annotated[tuple[PlayGiven, ...], Field(min_length=1, max_length=MAX_PLAYS)]
    markets: Annotated[tuple[Name, ...], Field(max_length=MAX_MARKETS, description="names of data sets; empty: those of the plays")] = ()
    timeframe: Annotated[Name, Field(description="of the bars, such as 5m; none: that of the plays")] | None = None
    start_ts: Moment | None = Field(default=None, description="first open time in ms; none: all that is stored")
    end_ts: Moment | None = Field(default=None, description="time in ms before which bars open; none: all that is stored")
    out_of_sample: Annotated[float, Field(ge=0, lt=1, description="share of the bars, the newest, no search sees")] = OUT_OF_SAMPLE
    search: SearchSettings = SearchSettings()
    overrides: Overrides = Overrides()
    winners: Annotated[int, Field(ge=1, le=1000, description="how many of the best are scored out of sample")] = WINNERS
    baselines: Annotated[bool, Field(description="try random parameters at equal cost")] = True
    campaign: Campaign = "default"


def amounts(request: EvolveRequest) -> JobAmounts:
    """What a search asks for at most, baselines left out."""
    search = request.search
    trials = search.population * search.generations * len(request.plays)
    return JobAmounts(trials=min(trials, search.max_evaluations or trials), generations=search.generations * len(request.plays))


def _objectives(texts: list[str], _machine: Machine) -> list[Any]:
    return [goals.objective(text) for text in texts]


def _constraints(texts: list[str], _machine: Machine) -> list[Any]:
    return [goals.constraint(text) for text in texts if text != "none"]


def _racing(pairs: list[str], _machine: Machine) -> dict[str, str]:
    parted = [text.partition("=") for text in pairs]
    unknown = [name.strip() for name, _, _ in parted if not name.strip()]
    if unknown:
        raise errors.InvalidArgument("--race reads NAME=VALUE", found=", ".join(pairs), hint="such as keep=0.3")
    return {name.strip(): value.strip() for name, _, value in parted}


OPTIONS = Options(
    settings=EvolveRequest,
    declares=True,
    panel="Search",
    options=(
        PLAYS,
        Option(names=("--symbol", "-s"), fills=("markets",), extends=True, help="A market; repeat for several. Else those of the play."),
        BARS,
        Option(names=("--timeframe", "-t"), fills=("timeframe",), help="Bar interval; else the play's."),
        FROM, TO,
        Option(names=("--population", "-p"), fills=("search.population",)),
        Option(names=("--generations", "-g"), fills=("search.generations",)),
        Option(names=("--islands",), fills=("search.islands",), help="Populations that exchange copies of their best."),
        Option(names=("--objective", "-o"), fills=("search.objectives",), type=list[str], read=_objectives, metavar="FIGURE",
               default=_USUAL.objectives[0].name, help="What to optimise: FIGURE[:max|min][:mean|worst]; repeat for several (Pareto)."),
        Option(names=("--constraint", "-c"), fills=("search.constraints",), type=list[str], read=_constraints, metavar="LIMIT",
               default=goals.limits(_USUAL.constraints),
               help="A limit to keep: FIGURE>=N or FIGURE<=N, then [:worst|mean|sum]; `none` for none."),
        Option(names=("--seed",), fills=("search.seed",), help="The same seed gives the same populations, with any number of workers."),
        Option(names=("--max-evaluations",), fills=("search.max_evaluations",), help="Stop after N evaluations."),
        Option(names=("--max-seconds",), fills=("search.max_seconds",), help="Stop after so many seconds."),
        Option(names=("--racing/--no-racing",), fills=("search.racing.enabled",),
               help="Drop most new variants of a generation after a part of the bars."),
        Option(names=("--race",), fills=("search.racing",), type=list[str], read=_racing, extends=True, metavar="NAME=VALUE",
               help="A setting of racing, such as keep=0.3; repeat for several."),
        Option(names=("--fee-bps",), fills=("overrides.taker_bps", "overrides.maker_bps"),
               help="Fee of every fill, in basis points; else the play's."),
        Option(names=("--slippage-bps",), fills=("overrides.slippage_bps",)),
        Option(names=("--winners",), fills=("winners",)),
        Option(names=("--campaign",), fills=("campaign",), panel="Judging"),
    ),
    left_out={"search.variations": "operators of islands are a list of groups of settings"},
)  # fmt: skip
