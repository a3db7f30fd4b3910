"""What can be asked for over the network, one model a kind of job, and who plans it: searches and chaos trades; others in `studies`.

A request carries plays as text or by the hash of one that is stored; it has no field for a path or for code. A kind of job is one entry of
`cluster.jobs.registry`; its planner runs in a process of its own, for it reads bars.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Protocol

from pydantic import ConfigDict, Field, StringConstraints

from cluster.jobs.chaos import plan as chaos
from cluster.jobs.evolve import plan as planning
from cluster.jobs.evolve.plan import Overrides, PlayFile, Request
from coinswarm import config
from coinswarm.chaos.settings import ChaosSettings
from coinswarm.evolve.settings import OUT_OF_SAMPLE, WINNERS, SearchSettings
from coinswarm.ledger.campaigns import Campaigns
from coinswarm.ledger.records import DataSetRecord, Job, PlayRecord
from coinswarm.ledger.store import Store

MAX_PLAY_CHARACTERS = 1_000_000
MAX_PLAYS, MAX_MARKETS = 64, 500
_LATEST = 4_102_444_800_000
"""The year 2100 in ms: times beyond it are mistakes."""

Name = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
Moment = Annotated[int, Field(ge=0, le=_LATEST, description="ms since 1970, UTC")]


class PlayGiven(config.Settings):
    """A play: its YAML, or the SHA-256 (or the beginning of it) of one that was uploaded."""

    text: Annotated[str, Field(min_length=1, max_length=MAX_PLAY_CHARACTERS)] | None = None
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{6,64}$")] | None = None


def _require_kind(schema: dict[str, Any]) -> None:
    """Say in the description that `kind` is needed: requests are told apart by it, whatever its default is in Python."""
    schema["required"] = sorted({*schema.get("required", []), "kind"})


class EvolveRequest(config.Settings):
    """Search the variants of plays: see `coinswarm evolve --help` for what each setting does."""

    model_config = ConfigDict(json_schema_extra=_require_kind)

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
    campaign: Annotated[Name, Field(description="jobs whose trials are counted together")] = "default"

    @property
    def trials(self) -> int:
        """How many variants it evaluates at most, baselines left out."""
        return self.search.max_evaluations or self.search.population * self.search.generations * len(self.plays)

    def planned(self, texts: tuple[str, ...], supplies: Supplies) -> Planned:
        """The job, settled. See `plan`."""
        split = supplies.campaigns.split(self.campaign)
        return planning.plan(dataclasses.replace(self.request(texts), split=split), supplies.bars_file)

    @classmethod
    def of(cls, request: Request) -> EvolveRequest:
        """What a person at the command line asks for, as it is sent."""
        return cls(
            plays=tuple(PlayGiven(text=file.text) for file in request.plays), markets=request.markets, timeframe=request.timeframe,
            start_ts=request.start_ts, end_ts=request.end_ts, out_of_sample=request.out_of_sample, search=request.search,
            overrides=request.overrides, winners=request.winners, baselines=request.baselines, campaign=request.campaign,
        )  # fmt: skip

    def request(self, texts: tuple[str, ...]) -> Request:
        """The same as a person at the command line would ask for."""
        return Request(
            plays=tuple(PlayFile(text=text) for text in texts), markets=self.markets, timeframe=self.timeframe,
            start_ts=self.start_ts, end_ts=self.end_ts, out_of_sample=self.out_of_sample, search=self.search,
            overrides=self.overrides, winners=self.winners, baselines=self.baselines, campaign=self.campaign,
        )  # fmt: skip


class ChaosRequest(config.Settings):
    """Draw random trades and store what became of them: see `coinswarm chaos --help`."""

    kind: Literal["chaos"]
    markets: Annotated[tuple[Name, ...], Field(min_length=1, max_length=MAX_MARKETS, description="names of data sets")]
    trades: Annotated[int, Field(ge=1, le=chaos.MOST_TRADES)] = 100_000
    settings: ChaosSettings = ChaosSettings()
    timeframe: Annotated[Name, Field(description="of the bars, such as 5m")] | None = None
    start_ts: Moment | None = None
    end_ts: Moment | None = None
    campaign: Name = "default"

    @property
    def plays(self) -> tuple[PlayGiven, ...]:
        """None: chaos trades follow no play."""
        return ()

    @property
    def trials(self) -> int:
        """None: nothing is searched, so nothing is tried."""
        return 0

    def planned(self, texts: tuple[str, ...], supplies: Supplies) -> Planned:  # noqa: ARG002 - every kind takes them
        """The job, settled. See `chaos.plan`.

        Raises:
            Conflict: the campaign has these very trades; they would count twice.
        """
        named = ("markets", "trades", "settings", "timeframe", "start_ts", "end_ts", "campaign")
        split = supplies.campaigns.split(self.campaign)
        made = chaos.plan(chaos.Request(**{name: getattr(self, name) for name in named}, split=split), supplies.bars_file)
        chaos.refuse_drawn(supplies.store, made)
        return made


@dataclass(frozen=True, kw_only=True)
class Supplies:
    """What planning may look at: everything remembered, the splits of campaigns, and the bars of this machine."""

    store: Store
    campaigns: Campaigns
    bars_file: Path


class Planned(Protocol):
    """A job and what is stored for it."""

    @property
    def job(self) -> Job:
        """The job."""

    @property
    def plays(self) -> tuple[PlayRecord, ...]:
        """The plays it refers to."""

    @property
    def data_sets(self) -> tuple[DataSetRecord, ...]:
        """The data sets it refers to."""


def fingerprint(request: config.Settings, texts: tuple[str, ...]) -> str:
    """SHA-256 of all that a request asks for, the texts of its plays included."""
    asked = {**request.model_dump(mode="json", exclude={"plays"}), "plays": texts}
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode("utf-8", "surrogatepass")).hexdigest()
