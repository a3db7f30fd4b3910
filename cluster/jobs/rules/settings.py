"""What can be asked of a test of published rules."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from cluster.jobs.options import Option, Options
from cluster.jobs.settings import MAX_MARKETS, MAX_PLAYS, Campaign, JobSettings, Moment, Name, PlayGiven
from cluster.jobs.typed import BARS, FROM, MARKETS, PLAYS, TIMEFRAME, TO
from coinswarm import config

Source = Literal["technical", "academic"]


class RuleSettings(config.Settings):
    """How rules are tested."""

    segments: Annotated[int, Field(ge=1, le=100_000, description="random stretches of time that trades are taken from")] = 30
    segment_bars: Annotated[int, Field(ge=1, description="bars of each")] = 2016
    alpha: Annotated[float, Field(gt=0, lt=0.5, description="chance that any rule is called better by luck")] = 0.05
    flips: Annotated[int, Field(ge=99, le=99_999, description="sign flips behind each p")] = 4999
    seed: Annotated[int, Field(ge=0, lt=2**63, description="of the stretches and the flips")] = 0
    warmup_tolerance: config.WarmupTolerance = config.WARMUP_TOLERANCE


class RulesRequest(JobSettings):
    """Test published rules against random-entry trades of their kind: see `coinswarm patterns test --help`."""

    kind: Literal["rules"] = "rules"
    plays: Annotated[tuple[PlayGiven, ...], Field(max_length=MAX_PLAYS, description="rules; none: those of `source`")] = ()
    source: Annotated[Source, Field(description="technical or academic: the rules that come with the program")] = "technical"
    markets: Annotated[tuple[Name, ...], Field(min_length=1, max_length=MAX_MARKETS, description="names of data sets")]
    settings: RuleSettings = RuleSettings()
    timeframe: Annotated[Name, Field(description="of the bars, such as 5m")] | None = None
    start_ts: Moment | None = None
    end_ts: Moment | None = None
    campaign: Campaign = "default"


OPTIONS = Options(
    settings=RulesRequest,
    declares=True,
    panel="Test",
    options=(
        Option(names=("plays",), fills=("plays",), type=PLAYS.type, read=PLAYS.read, metavar="PLAY…",
               help="YAML files to test in place of those of the source."),
        Option(names=("--source",), fills=("source",)),
        MARKETS, BARS, TIMEFRAME, FROM, TO,
    ),
)  # fmt: skip
