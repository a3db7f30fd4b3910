"""The benchmark of honesty as a job: so many worlds of each kind, the real pipeline on every one, and a count of what it promoted.

A step is one world. Worlds of one kind follow each other, so that what is true of that kind is worked out once by each process.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from cluster import version
from cluster.compute.evaluator import Segment, Source
from cluster.compute.executor import Crew, Handle
from cluster.compute.sources import CatalogSource, MemorySource
from cluster.jobs.evolve import plan as planning
from cluster.run.steps import Step
from coinswarm import config, stats
from coinswarm.config import Costs
from coinswarm.evolve.settings import Constraint, SearchSettings
from coinswarm.ledger.records import DataSetRecord, Job, Json, new_job_id
from coinswarm.ledger.store import Store
from coinswarm.market import symbols, synthetic
from coinswarm.market.bars import Bars
from coinswarm.market.catalog import Catalog
from coinswarm.market.timeframe import Timeframe
from coinswarm.validate import gates, worlds
from coinswarm.validate.worlds import Plant

KIND = "honesty"
TEMPLATE_SEED = 1
USUAL_BARS, USUAL_MARKETS = 71_769, 3
"""Bars of each market that worlds are made like, and how many synthetic ones, unless told otherwise."""
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


class Cell(config.Settings):
    """One kind of world: a family, and what is hidden in it where that is not the family's own."""

    family: str
    plant: Plant | None = None

    @property
    def name(self) -> str:
        """As tables call it."""
        if self.plant is None:
            return self.family
        what = f"d {self.plant.effect:g}" if self.plant.gross is None else f"move {self.plant.gross:g}"
        return f"{self.family}, {what}, support {self.plant.support:g}, depth {self.plant.depth}"


class HonestySettings(config.Settings):
    """All that decides a run of the benchmark, besides the bars that worlds are made like."""

    pipeline: PipelineName = "patterns"
    cells: Annotated[tuple[Cell, ...], Field(min_length=1, max_length=200)] = tuple(Cell(family=name) for name in ("N0", "N1", "N2", "N3"))
    worlds: Annotated[int, Field(ge=1, le=100_000, description="worlds of each kind")] = 400
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    patterns: PatternSettings = PatternSettings()
    evolve: EvolveSettings = EvolveSettings()

    @model_validator(mode="after")
    def _known(self) -> HonestySettings:
        for cell in self.cells:
            worlds.family(cell.family)
        return self


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


def cell(name: str) -> Cell:
    """The kind of world of a family, under its own name.

    Raises:
        NotFound: there is no such family.
    """
    return Cell(family=worlds.family(name).name)


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One world, as it is sent to whoever judges it."""

    cell: Cell
    number: int
    settings: HonestySettings
    play: str = ""
    gates: str = ""

    @property
    def seed(self) -> int:
        """Of the world, of the trades drawn in it and of the search: no two worlds of a run share one."""
        return self.settings.seed * 1_000_003 + self.number


Judge = Callable[..., Json]
"""`judge(trial, *bars)`: makes the world like the bars, runs the pipeline and gives its figures as JSON: `promoted` (how many; None where
the pipeline has no gate), `true` and `false` of them, `flags` (what else would have promoted something), `tested`, `cpu_s`."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A job of the benchmark and where its bars are."""

    job: Job
    settings: HonestySettings
    sources: tuple[Source, ...]
    data_sets: tuple[DataSetRecord, ...]
    play: str
    gates: str


def plan(
    settings: HonestySettings, catalog_path: Path, like: Sequence[str], *, n_bars: int, play: Path | str | None, markets: int = 3
) -> Plan:
    """Settle a run.

    Args:
        settings: what to run.
        catalog_path: the bars of this machine.
        like: stored markets that worlds are made like; none: three synthetic ones.
        n_bars: how many of their bars, the oldest, are used.
        play: the play to evolve, a file or its text; the pipeline of patterns has none.
        markets: how many synthetic ones.

    Raises:
        NotFound, InvalidArgument: a market or a family is not there, or the markets do not fit together.
    """
    text = play.read_text("utf-8-sig") if isinstance(play, Path) else play or ""
    rules = gates.load().text if text else ""
    template, spans = _template(catalog_path, like, n_bars, markets)
    worlds.make("N0", [bars[:2] for bars in template], seed=0)
    settled = {"honesty": settings.model_dump(mode="json"), "play": text, "gates": rules, "like": spans, "n_bars": n_bars}
    job = _job(settled, settings, template)
    records = tuple(_record(bars) for bars in template)
    return Plan(job=job, settings=settings, sources=_sources(spans, catalog_path, n_bars), data_sets=records, play=text, gates=rules)


def plan_again(job: Job, catalog_path: Path) -> Plan:
    """The plan of a stored job."""
    stored = job.config["honesty"]
    settings = HonestySettings.model_validate({**stored, "evolve": config.stored(EvolveSettings, stored["evolve"])})
    sources = _sources(job.config["like"], catalog_path, int(job.config["n_bars"]))
    return Plan(job=job, settings=settings, sources=sources, data_sets=(), play=str(job.config["play"]), gates=str(job.config["gates"]))


def shortened(plan: Plan, worlds: int) -> Plan:
    """The same run with fewer worlds of each kind; it is not a job of its own."""
    return replace(plan, settings=plan.settings.model_copy(update={"worlds": worlds}))


def submit(store: Store, plan: Plan) -> None:
    """Queue a planned run."""
    store.save_data_sets(plan.data_sets)
    store.create_job(plan.job)


class Worlds:
    """The stages of a run: one world a step.

    Args:
        plan: the run.
        crew: who computes.
        judge: what is done to each world.
    """

    unit = "worlds"

    def __init__(self, plan: Plan, crew: Crew, judge: Judge) -> None:
        self._settings, self._sources, self._texts = plan.settings, plan.sources, (plan.play, plan.gates)
        self._crew, self._judge = crew, judge

    @property
    def total(self) -> int:
        """Worlds of all kinds."""
        return self._settings.worlds * len(self._settings.cells)

    def trial(self, step: int) -> Trial:
        """The world of a step."""
        cell, number = divmod(step, self._settings.worlds)
        return Trial(cell=self._settings.cells[cell], number=number, settings=self._settings, play=self._texts[0], gates=self._texts[1])

    def steps(self, done: Sequence[Json], _halted: Callable[[], bool]) -> Iterator[Step]:
        """The worlds that are missing, in order."""
        missing = range(len(done), self.total)
        answers = self._crew.run(self._judge, (self.trial(step) for step in missing), markets=self._markets())
        for number, figures in zip(missing, answers, strict=True):
            yield Step(number=number, figures=figures, trials=int(figures.get("tested", 0)))

    def conclude(self, figures: Sequence[Json]) -> tuple[Json, str]:
        """Counts of every kind of world, and the hash of all verdicts; how long they took is left out."""
        verdicts = [{name: value for name, value in entry.items() if name != "cpu_s"} for entry in figures]
        digest = hashlib.sha256(json.dumps(verdicts, sort_keys=True).encode()).hexdigest()
        return {"pipeline": self._settings.pipeline, "worlds": self._settings.worlds, "cells": tally(self._settings, figures)}, digest

    def _markets(self) -> list[Handle]:
        return [self._crew.load(source, Segment(name="template")) for source in self._sources]


def tally(settings: HonestySettings, figures: Sequence[Json]) -> list[dict[str, Any]]:
    """What was promoted in each kind of world, with 95 % Wilson intervals.

    Args:
        settings: of the run.
        figures: of its worlds, in order of the steps; kinds that are missing are left out.
    """
    n = settings.worlds
    parts = [(cell, figures[place * n : (place + 1) * n]) for place, cell in enumerate(settings.cells)]
    return [_counted(cell, part) for cell, part in parts if part]


def _counted(cell: Cell, figures: Sequence[Json]) -> dict[str, Any]:
    flags = {name: None for entry in figures for name in entry["flags"]}
    rates = {name: _rate(sum(bool(entry["flags"].get(name)) for entry in figures), len(figures)) for name in flags}
    gated = [entry for entry in figures if entry["promoted"] is not None]
    own = {
        "promoted": sum(entry["promoted"] > 0 for entry in gated),
        "recovered": sum(entry["true"] > 0 for entry in gated),
        "false": sum(entry["false"] > 0 for entry in gated),
    }
    return {
        "cell": cell.name, "family": cell.family, "null": worlds.family(cell.family).null, "worlds": len(figures),
        "plant": None if cell.plant is None else cell.plant.model_dump(mode="json"),
        "cpu_s": sum(entry["cpu_s"] for entry in figures) / max(len(figures), 1),
        **({name: _rate(count, len(gated)) for name, count in own.items()} if gated else {}),
        "flags": rates,
    }  # fmt: skip


def _rate(count: int, n: int) -> dict[str, Any]:
    low, high = stats.wilson_interval(count, n) if n else (0.0, 1.0)
    return {"count": count, "of": n, "rate": count / n if n else 0.0, "low": low, "high": high}


def _template(catalog_path: Path, like: Sequence[str], n_bars: int, synthetics: int) -> tuple[list[Bars], list[Mapping[str, Any]]]:
    """The first bars of the markets, and how they are found again."""
    if like:
        with Catalog.open(catalog_path, read_only=True) as catalog:
            markets = [catalog.read(name)[:n_bars] for name in like]
    else:
        markets = [_synthetic(symbol, n_bars).bars for symbol in SYNTHETIC[:synthetics]]
    return markets, [_span(bars, stored=bool(like)) for bars in markets]


SYNTHETIC = ("BTC/USDT", "ETH/USDT", "SOL/USDT")


def _synthetic(symbol: str, n_bars: int) -> MemorySource:
    return MemorySource(bars=synthetic.market(symbols.canonical(symbol), Timeframe.parse("5m"), n_bars, seed=TEMPLATE_SEED))


def _span(bars: Bars, *, stored: bool) -> dict[str, Any]:
    end = int(bars.close_ts[-1])
    return {"key": bars.key, "symbol": bars.symbol, "content_hash": bars.content_hash, "end_ts": end, "n_bars": len(bars), "stored": stored}


def _sources(spans: Sequence[Mapping[str, Any]], catalog_path: Path, n_bars: int) -> tuple[Source, ...]:
    return tuple(
        CatalogSource(path=catalog_path, key=span["key"], content_hash=span["content_hash"], end_ts=span["end_ts"])
        if span["stored"]
        else _synthetic(span["symbol"], n_bars)
        for span in spans
    )


def _record(bars: Bars) -> DataSetRecord:
    return DataSetRecord(
        key=bars.key, exchange=bars.exchange, symbol=bars.symbol, timeframe=str(bars.timeframe), content_hash=bars.content_hash,
        first_ts=int(bars.ts[0]), last_ts=int(bars.ts[-1]), n_bars=len(bars), synthetic=bars.synthetic,
    )  # fmt: skip


def _job(settled: Mapping[str, Any], settings: HonestySettings, markets: Sequence[Bars]) -> Job:
    created, hashes = datetime.now(UTC), tuple(bars.content_hash for bars in markets)
    return Job(
        id=new_job_id(KIND, created), kind=KIND, campaign=KIND, plays=(), data_hashes=hashes,
        data_hash=planning.data_hash(hashes), config=settled, config_hash=planning.config_hash(settled),
        code_version=version.code_version(), seed=settings.seed, synthetic=True, created=created,
    )  # fmt: skip
