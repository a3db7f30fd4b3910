"""What can be asked of the calibration benchmark."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from cluster.jobs.options import Machine, Option, Options
from cluster.jobs.settings import JobSettings, Name, PlayGiven
from coinswarm import config, errors, resources
from coinswarm.config import Costs
from coinswarm.evolve.settings import Constraint, SearchSettings
from coinswarm.ledger.quotas import JobAmounts
from coinswarm.validate import worlds
from coinswarm.validate.worlds.settings import Plant

USUAL_BARS, USUAL_MARKETS, MOST_BARS = 71_769, 3, 1_000_000
"""Bars of each market that worlds are made like, and how many synthetic ones, unless told otherwise."""
SYNTHETIC = ("BTC/USDT", "ETH/USDT", "SOL/USDT")
PipelineName = Literal["patterns", "evolve"]


class PatternSettings(config.Settings):
    """What the pipeline of patterns does on each world."""

    trades: Annotated[int, Field(ge=100, le=10_000_000, description="chaos trades")] = 20_000
    hold: Annotated[str, Field(description="shortest and longest hold")] = "30m..6h"
    side: Annotated[Literal["long", "short", "both"], Field(description="of the trades")] = "both"
    depth: Annotated[int, Field(ge=1, le=5, description="conditions a pattern may have")] = 3
    min_trades: Annotated[int, Field(ge=10, description="trades a pattern must have")] = 100
    flips: Annotated[int, Field(ge=99, le=99_999, description="sign flips")] = 499
    alpha: Annotated[float, Field(gt=0, lt=0.5, description="family-wise level")] = 0.05
    costs: Costs = Costs()


class WorldCosts(Costs):
    """Nearly nothing, and not nothing: trading for free is what the gates refuse.

    Null worlds are searched with them too: where costs eat whatever a search finds, nothing would be promoted for a reason that has nothing
    to do with the gates.
    """

    taker_bps: Annotated[float, Field(ge=0, le=1000, description="fee of market and stop fills, in basis points")] = 0.1
    maker_bps: Annotated[float, Field(ge=0, le=1000, description="fee of limit fills, in basis points")] = 0.1
    slippage_bps: Annotated[float, Field(ge=0, le=1000, description="fixed slippage of market and stop fills")] = 0.1


class WorldSearch(SearchSettings):
    """A search that is small enough for hundreds of worlds, and asks for the trades that the gates ask for."""

    population: Annotated[int, Field(ge=2, le=1_000_000, description="variants over all islands")] = 125
    generations: Annotated[int, Field(ge=1, le=1_000_000, description="generations, the first random one included")] = 10
    constraints: Annotated[tuple[Constraint, ...], Field(description="an empty list for none")] = (
        Constraint(figure="n_trades", operator=">=", threshold=30),
    )


class EvolveSettings(config.Settings):
    """What the pipeline of searched plays does on each world."""

    search: WorldSearch = WorldSearch()
    out_of_sample: Annotated[float, Field(gt=0, lt=1)] = 0.3
    costs: Annotated[WorldCosts | None, Field(description="null: those of the play")] = WorldCosts()
    warmup_tolerance: config.WarmupTolerance = config.WARMUP_TOLERANCE
    resamples: Annotated[int, Field(ge=99, description="of each bootstrap of a report card")] = 499
    lotteries: Annotated[int, Field(ge=19, description="lotteries of a report card")] = 99


def _family(name: str) -> str:
    """The family's own name; raises `NotFound` where there is none of this name."""
    return worlds.family(name).name


class Cell(config.Settings):
    """One kind of world: a family, and what is hidden in it where that is not the family's own."""

    family: Annotated[str, AfterValidator(_family)]
    plant: Plant | None = None

    @property
    def name(self) -> str:
        """As tables call it."""
        if self.plant is None:
            return self.family
        what = f"d {self.plant.effect:g}" if self.plant.gross is None else f"move {self.plant.gross:g}"
        return f"{self.family}, {what}, support {self.plant.support:g}, depth {self.plant.depth}"


_NULLS = tuple(Cell.model_construct(family=name) for name in ("N0", "N1", "N2", "N3"))  # not checked: that would import what makes worlds


class HonestySettings(config.Settings):
    """All that decides a run of the benchmark, besides the bars that worlds are made like."""

    pipeline: PipelineName = "patterns"
    cells: Annotated[tuple[Cell, ...], Field(min_length=1, max_length=200)] = _NULLS
    worlds: Annotated[int, Field(ge=1, le=100_000, description="worlds of each kind")] = 400
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    patterns: PatternSettings = PatternSettings()
    evolve: EvolveSettings = EvolveSettings()


FREE = Costs(taker_bps=0, maker_bps=0, slippage_bps=0)
POWER = PatternSettings(trades=300_000, hold="15m", side="long", min_trades=1000, flips=199, costs=FREE)
"""The power curve measures how small a move is found, so costs take nothing off it; what does not pay for them is a family of its own."""
_POWER_HOLD = 3  # bars: longer moves overlap, and then every bar of a busy hour shares in them
_SEARCHED = (0.05, 0.1, 0.2, 0.3)
_EFFECTS, _SUPPORTS, _DEPTHS = (0.02, 0.05, 0.1, 0.2, 0.3), (0.02, 0.06, 0.1), (1, 2, 3)


def planted_play_cells() -> tuple[Cell, ...]:
    """The planted worlds of the search: a rule of one condition, which `plays/worlds/volume_surge.yml` can say."""
    return tuple(Cell(family="planted", plant=Plant(effect=effect, depth=1)) for effect in _SEARCHED)


def power_cells() -> tuple[Cell, ...]:
    """The planted worlds of the power curve: all effects, supports and depths around the middle of the design."""
    plants = [Plant(effect=effect, hold=_POWER_HOLD) for effect in _EFFECTS]
    plants += [Plant(effect=0.1, support=support, hold=_POWER_HOLD) for support in _SUPPORTS if support != Plant().support]
    plants += [Plant(effect=0.1, depth=depth, hold=_POWER_HOLD) for depth in _DEPTHS if depth != Plant().depth]
    return tuple(Cell(family="planted", plant=plant) for plant in plants)


class HonestyRequest(JobSettings):
    """Run a pipeline on worlds where nothing is to be found, or something is: see `coinswarm honesty --help`."""

    kind: Literal["honesty"] = "honesty"
    settings: HonestySettings = HonestySettings()
    plays: Annotated[tuple[PlayGiven, ...], Field(max_length=1, description="the play to evolve; the pipeline `patterns` has none")] = ()
    like: Annotated[tuple[Name, ...], Field(max_length=20, description="stored markets; none: synthetic ones")] = ()
    n_bars: Annotated[int, Field(ge=1000, le=MOST_BARS, description="how many of their bars, the oldest")] = USUAL_BARS
    markets: Annotated[int, Field(ge=1, le=len(SYNTHETIC), description="how many synthetic ones")] = USUAL_MARKETS


def amounts(request: HonestyRequest) -> JobAmounts:
    """What is computed at most over all worlds; of the pipeline of patterns each world counts as a trial, and its trades are not stored."""
    n_worlds, search = request.settings.worlds * len(request.settings.cells), request.settings.evolve.search
    if request.settings.pipeline == "patterns":
        return JobAmounts(trials=n_worlds)
    return JobAmounts(trials=n_worlds * search.population * search.generations, generations=search.generations)


_THREE_YEARS = 315_576


def _compose(settings: Mapping[str, Any], given: Mapping[str, Any], machine: Machine) -> Sequence[Mapping[str, Any]]:
    """The cells of families, or those of the power curve with what belongs to it."""
    asked = dict(settings)
    inner = dict(asked.get("settings", {}))
    planted, searched = bool(given.get("planted")), inner.get("pipeline") == "evolve"
    _refuse_idle(given, inner, planted=planted, searched=searched, plays=bool(asked.get("plays")))
    families = [name.strip() for name in str(given.get("families") or "N0,N1,N2,N3").split(",") if name.strip()]
    hidden = planted_play_cells() if searched else power_cells()
    inner["cells"] = [each.model_dump() for each in (hidden if planted else tuple(Cell(family=name) for name in families))]
    usual = POWER if planted else PatternSettings()
    inner["patterns"] = {**usual.model_dump(), **inner.get("patterns", {})}
    asked["settings"] = inner
    if planted:
        asked = {"n_bars": _THREE_YEARS, "markets": 1, **asked}
    if searched and not asked.get("plays"):
        usual_play = resources.plays("worlds") / "volume_surge.yml" if planted else resources.plays("examples") / "band_reversion.yml"
        asked["plays"] = machine.plays([usual_play])
    return [asked]


def _refuse_idle(given: Mapping[str, Any], inner: Mapping[str, Any], *, planted: bool, searched: bool, plays: bool) -> None:
    """Refuse options that would say nothing to the pipeline or the worlds that are asked for."""
    if planted and given.get("families"):
        raise errors.InvalidArgument("--families does not go with --planted", hint="--planted brings worlds of its own")
    if plays and not searched:
        raise errors.InvalidArgument("--play goes with --pipeline evolve", hint="the pipeline of patterns has no play")
    if searched and (named := sorted(inner.get("patterns", {}))):
        raise errors.InvalidArgument(
            f"--{named[0].replace('_', '-')} does not go with --pipeline evolve", hint="it is of the pipeline of patterns"
        )


def _like(names: list[str], machine: Machine) -> list[str]:
    """Names of stored markets; files are imported first."""
    files = [Path(name) for name in names if Path(name).is_file()]
    return [*machine.imported(files), *(name for name in names if Path(name) not in files)]


def _play(file: Path, machine: Machine) -> list[Any]:
    return list(machine.plays([file]))


OPTIONS = Options(
    settings=HonestyRequest,
    panel="Worlds and pipeline",
    options=(
        Option(names=("--pipeline",), fills=("settings.pipeline",),
               help="patterns: chaos trades and discovery; evolve: a search of a play."),
        Option(names=("--families",), type=str, default="N0,N1,N2,N3",
               help="Kinds of worlds, with commas; `coinswarm worlds list` shows all."),
        Option(names=("--worlds",), fills=("settings.worlds",), help="Worlds of each kind."),
        Option(names=("--planted/--no-planted",), type=bool, help="The power curve: planted worlds over effect, support and depth."),
        Option(names=("--like",), fills=("like",), type=list[str], read=_like, late=True, extends=True,
               help="A stored market or a file that worlds are made like; repeat for several. Else synthetic ones."),
        Option(names=("--bars",), fills=("n_bars",), help="How many of its bars, the oldest."),
        Option(names=("--trades",), fills=("settings.patterns.trades",), help="Chaos trades a world."),
        Option(names=("--hold",), fills=("settings.patterns.hold",), help="Shortest and longest hold of a chaos trade."),
        Option(names=("--depth",), fills=("settings.patterns.depth",), help="Conditions a pattern may have."),
        Option(names=("--flips",), fills=("settings.patterns.flips",), help="Sign flips."),
        Option(names=("--play",), fills=("plays",), type=Path, read=_play, help="The play to evolve."),
        Option(names=("--seed",), fills=("settings.seed",),
               help="The same seed gives the same worlds and verdicts, with any number of workers."),
    ),
    left_out={
        "settings.cells": "by --families and --planted", "settings.patterns.costs": "the benchmark's own",
        "settings.evolve": "the benchmark's own", "settings.patterns.side": "the benchmark's own",
        "settings.patterns.min_trades": "the benchmark's own", "settings.patterns.alpha": "the benchmark's own",
        "markets": "three, or one with --planted",
    },
    compose=_compose,
)  # fmt: skip
