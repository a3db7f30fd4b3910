"""The steps of a count: each is one market."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from cluster.compute.evaluator import TimeSegment
from cluster.jobs import markets
from cluster.jobs.kind import Estimate, Planned, RunContext
from cluster.jobs.stages import Step, Steps, estimated
from coinswarm.ledger.records import Json
from coinswarm.market.bars import Bars

_SEGMENT = TimeSegment(name="count")


def rising(_item: str, bars: Bars) -> int:
    """How many bars close above their open."""
    return int(np.count_nonzero(bars.close > bars.open))


class Markets:
    """The steps of a job."""

    unit = "markets"

    def __init__(self, settled: Json, bars_file: Path, context: RunContext) -> None:
        self._spans = settled["markets"]
        self._sources = [markets.source(span, settled, bars_file) for span in self._spans]
        self._pause_s = float(settled["pause_s"])
        self._executor = context.executor()

    @property
    def total(self) -> int:
        """How many markets there are."""
        return len(self._spans)

    def steps(self, done: Sequence[Json], _halted: Callable[[], bool], /) -> Iterator[Step]:
        """The markets that are missing, in order."""
        for number in range(len(done), self.total):
            held = self._executor.load(self._sources[number], _SEGMENT)
            (count,) = self._executor.run(rising, ["count"], markets=[held])
            time.sleep(self._pause_s)
            yield Step(number=number, figures={"key": self._spans[number]["key"], "rising": count, "bars": self._spans[number]["n_bars"]})

    def conclude(self, figures: Sequence[Json]) -> tuple[Json, str]:
        """All counts, and their hash."""
        counts = {entry["key"]: entry["rising"] for entry in figures}
        return {"rising": counts}, hashlib.sha256(json.dumps(counts, sort_keys=True).encode()).hexdigest()


def load(made: Planned, context: RunContext) -> Steps:
    """The work of a planned job."""
    return Steps(context.store, made.job.id, Markets(made.job.config, context.bars_file, context))


def estimate(made: Planned, context: RunContext) -> Estimate:
    """What a count would take."""
    return estimated(Markets(made.job.config, context.bars_file, context))
