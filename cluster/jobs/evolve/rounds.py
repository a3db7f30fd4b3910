"""A race as a driver sees it: works go in and scores come out, most of them of variants that were dropped on a part of the bars.

Between a driver and its evaluator each work passes through the rungs of `coinswarm.evolve.racing`: all of its variants on a few blocks,
the best of them on more, the last ones on everything. The decisions are functions of the scores, so they are the same wherever and in
whatever order these are computed; nothing of a race under way is stored, because a generation is committed whole or not at all.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from cluster.compute.evaluator import RACE, Evaluator, Scored, ScoreRequest, Task
from coinswarm.evolve import racing, reduction
from coinswarm.evolve.racing import Rung
from coinswarm.evolve.settings import SearchSettings
from coinswarm.metrics.figures import SCORE_DTYPE
from coinswarm.types import IntArray


@dataclass(kw_only=True, eq=False)
class _Race:
    """The race of one work: which variants are still in it, and what is known of each."""

    work: ScoreRequest
    rungs: tuple[Rung, ...]
    running: IntArray
    figures: npt.NDArray[np.void]
    last: IntArray
    step: int = 0
    reasons: dict[int, str] = field(default_factory=dict)
    seconds: float = 0.0
    cost: float = 0.0

    @property
    def stage(self) -> int:
        """The rung whose scores are waited for, counted from 1; 0 for the finish."""
        return self.step + 1 if self.step < len(self.rungs) else 0

    @property
    def next_work(self) -> ScoreRequest:
        """The variants still in the race on what they are shown next."""
        segment = f"{RACE}{self.stage}" if self.stage else self.work.segment
        return replace(self.work, segment=segment, genomes=self.work.genomes[self.running])

    @property
    def scored(self) -> Scored:
        """The answer to the work as it was submitted."""
        reasons = dict(sorted(self.reasons.items()))
        return Scored(token=self.work.token, figures=self.figures, reasons=reasons, seconds=self.seconds, rungs=self.last, cost=self.cost)


class Rounds:
    """Races the works of a search; with racing off they pass through unchanged.

    Args:
        evaluator: who scores.
    """

    def __init__(self, evaluator: Evaluator) -> None:
        self._evaluator = evaluator
        self._search = SearchSettings()
        self._shares = np.ones((1, 1))
        self._under_way: dict[int, _Race] = {}

    def open(self, task: Task, search: SearchSettings) -> None:
        """Get ready for a task, raced as `search` says; refuses what the evaluator refuses."""
        self._evaluator.open(task)
        self._under_way.clear()
        self._search = search
        self._shares = racing.shares(len(task.sources), search.racing)

    def submit(self, work: ScoreRequest) -> None:
        """Take work on; returns at once."""
        n, markets = len(work.genomes), self._shares.shape[1]
        rungs = racing.plan(n, markets, self._search.racing) if n else ()
        if not rungs:
            self._evaluator.submit(work)
            return
        table, last = np.zeros((n, markets), dtype=SCORE_DTYPE), np.zeros(n, dtype=np.int64)
        race = _Race(work=work, rungs=rungs, running=np.arange(n), figures=table, last=last)
        self._under_way[work.token] = race
        self._evaluator.submit(race.next_work)

    def collect(self, timeout_s: float) -> Scored | None:
        """A finished work, or None when none is within `timeout_s`, or when one of them only came to its next rung."""
        scored = self._evaluator.collect(timeout_s)
        race = None if scored is None else self._under_way.get(scored.token)
        if scored is None or race is None:
            return scored
        self._enter(race, scored)
        if race.stage and self._advance(race, scored):
            self._evaluator.submit(race.next_work)
            return None
        return self._under_way.pop(scored.token).scored

    def _enter(self, race: _Race, scored: Scored) -> None:
        """Put down what was learned of the variants in the race."""
        race.figures[race.running] = scored.figures
        race.last[race.running] = race.stage
        race.reasons |= {int(race.running[row]): text for row, text in scored.reasons.items()}
        race.seconds += scored.seconds
        race.cost += len(race.running) * float(self._shares[race.stage].mean())

    def _advance(self, race: _Race, scored: Scored) -> bool:
        """Let the best go on; False when there are none, because all failed."""
        part = np.full(len(race.running), race.stage, dtype=np.int64)
        found = reduction.results(racing.extended(scored.figures, part, self._search.racing), self._search)
        survivors = race.rungs[race.step].survivors
        rows = racing.decide(survivors, racing.minimised(found, self._search), found.violation, found.failed)
        race.running = race.running[rows]
        race.step += 1
        return bool(len(rows))
