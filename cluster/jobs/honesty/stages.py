"""The steps of the calibration benchmark: each is one world.

Worlds of one kind follow each other, so that what is true of that kind is worked out once by each process.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cluster.compute.evaluator import BarSource, TimeSegment
from cluster.compute.executor import Executor, Handle
from cluster.jobs.honesty import work
from cluster.jobs.honesty.plan import sources
from cluster.jobs.honesty.settings import Cell, EvolveSettings, HonestySettings
from cluster.jobs.honesty.work import WorldRun
from cluster.jobs.kind import Estimate, PlanContext, Planned, Recount, RunContext
from cluster.jobs.recount import of_steps
from cluster.jobs.stages import Step, Steps
from coinswarm import codec, config, stats
from coinswarm.ledger.records import Json
from coinswarm.validate import worlds

_PROBES = 3
Judge = Callable[..., Json]
"""`judge(trial, *bars)`: makes the world like the bars, runs the pipeline and gives its figures as JSON: `promoted` (how many; None where
the pipeline has no gate), `true` and `false` of them, `flags` (what else would have promoted something), `tested`, `cpu_s`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Calibration:
    """What is run, and where the bars are that worlds are made like."""

    settings: HonestySettings
    sources: tuple[BarSource, ...]
    play: str
    gates: str

    @classmethod
    def of(cls, made: Planned, bars_file: Path) -> Calibration:
        """The run of a planned job."""
        settled, stored = made.job.config, made.job.config["honesty"]
        settings = HonestySettings.model_validate({**stored, "evolve": config.stored(EvolveSettings, stored["evolve"])})
        where = sources(settled["like"], bars_file, int(settled["n_bars"]))
        return cls(settings=settings, sources=where, play=str(settled["play"]), gates=str(settled["gates"]))

    def shortened(self, n_worlds: int) -> Calibration:
        """The same run with fewer worlds of each kind."""
        return replace(self, settings=self.settings.model_copy(update={"worlds": n_worlds}))


class Worlds:
    """The stages of a run: one world a step.

    Args:
        run: what is run.
        executor: what computes.
        judge: what is done to each world.
    """

    unit = "worlds"

    def __init__(self, run: Calibration, executor: Executor, judge: Judge = work.judge) -> None:
        self._settings, self._sources, self._texts = run.settings, run.sources, (run.play, run.gates)
        self._executor, self._judge = executor, judge

    @property
    def total(self) -> int:
        """Worlds of all kinds."""
        return self._settings.worlds * len(self._settings.cells)

    def world(self, step: int) -> WorldRun:
        """The world of a step."""
        cell, number = divmod(step, self._settings.worlds)
        return WorldRun(cell=self._settings.cells[cell], number=number, settings=self._settings, play=self._texts[0], gates=self._texts[1])

    def steps(self, done: Sequence[Json], _halted: Callable[[], bool]) -> Iterator[Step]:
        """The worlds that are missing, in order."""
        missing = range(len(done), self.total)
        answers = self._executor.run(self._judge, (self.world(step) for step in missing), markets=self._markets())
        for number, figures in zip(missing, answers, strict=True):
            yield Step(number=number, figures=figures, trials=int(figures.get("tested", 0)))

    def conclude(self, figures: Sequence[Json]) -> tuple[Json, str]:
        """Counts of every kind of world, and the hash of all verdicts; how long they took is left out."""
        counts = {"pipeline": self._settings.pipeline, "worlds": self._settings.worlds, "cells": tally(self._settings, figures)}
        return counts, _digest(figures)

    def _markets(self) -> list[Handle]:
        return [self._executor.load(source, TimeSegment(name="template")) for source in self._sources]


def recount(made: Planned, context: PlanContext) -> Iterator[Recount]:
    """Recounts of a job."""
    return of_steps(made, context, lambda _, figures: _digest(figures))


def _digest(figures: Sequence[Json]) -> str:
    return codec.canonical_hash([{name: value for name, value in entry.items() if name != "cpu_s"} for entry in figures])


def load(made: Planned, context: RunContext) -> Steps:
    """The work of a planned job."""
    executor = context.executor()
    return Steps(context.store, made.job.id, Worlds(Calibration.of(made, context.bars_file), executor), workers=lambda: executor.workers)


def estimate(made: Planned, context: RunContext) -> Estimate:
    """What a run would take: a few worlds of each kind are judged twice, the first time to warm up."""
    run = Calibration.of(made, context.bars_file)
    executor = context.executor()
    probe = Worlds(run.shortened(min(_PROBES, run.settings.worlds)), executor)
    figures = [step.figures for step in probe.steps([], lambda: False)]
    began = time.monotonic()
    list(probe.steps([], lambda: False))
    n_worlds = run.settings.worlds * len(run.settings.cells)
    seconds = (time.monotonic() - began) / probe.total * n_worlds * executor.workers / context.processors
    cpu_s = round(sum(entry["cpu_s"] for entry in figures) / len(figures), 3)
    rows = (("worlds", f"{n_worlds:,}"), ("processor time", f"{cpu_s} s a world"))
    return Estimate(seconds=seconds, facts={"worlds": n_worlds, "cpu_s_per_world": cpu_s}, rows=rows)


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
