"""An evaluator without machines: everything in this process, in the order it was handed in."""

from __future__ import annotations

from collections import deque

import numpy as np

from cluster.compute import scoring
from cluster.compute.evaluator import Scored, Segment, Source, Task, Work, refuse_changed
from coinswarm import errors
from coinswarm.metrics.figures import SCORE_DTYPE


class LocalEvaluator:
    """Scores in this process: for tests, notebooks and small jobs."""

    workers = 1

    def __init__(self) -> None:
        self._task: Task | None = None
        self._queue: deque[Work] = deque()
        self._columns: dict[tuple[str, str], scoring.Columns] = {}

    def open(self, task: Task) -> None:
        """Load the in-sample bars of every market."""
        self._task = task
        self._columns.clear()
        self._queue.clear()
        segment = task.segment("in_sample")
        for source in (*task.sources, *task.others.values()):
            self._load(source, segment)

    def submit(self, work: Work) -> None:
        """Take work on."""
        self._queue.append(work)

    def collect(self, timeout_s: float) -> Scored:  # noqa: ARG002 - nobody to wait for
        """Score the oldest work."""
        if self._task is None or not self._queue:
            raise errors.NotFound("no work is under way", hint="submit some first")
        return self._score(self._task, self._queue.popleft())

    def close(self) -> None:
        """Forget the task."""
        self._task = None
        self._queue.clear()
        self._columns.clear()

    def _score(self, task: Task, work: Work) -> Scored:
        segment = task.segment(work.segment).whole
        table = np.zeros((len(work.genomes), len(task.sources)), dtype=SCORE_DTYPE)
        reasons: dict[int, str] = {}
        seconds = 0.0
        for market, source in enumerate(task.sources):
            markets = [self._load(each, segment) for each in (source, *task.others.values())]
            symbols = [str(parts["symbol"]) for parts in markets]
            answer = scoring.score(scoring.batch(task, work, market, symbols, work.genomes), markets)
            table[:, market] = answer.figures
            reasons |= {row: f"{source.key}: {text}" for row, text in answer.reasons.items() if row not in reasons}
            seconds += answer.seconds
        return Scored(token=work.token, figures=table, reasons=reasons, seconds=seconds)

    def _load(self, source: Source, segment: Segment) -> scoring.Columns:
        key = (source.key, segment.name)
        if key not in self._columns:
            self._columns[key] = scoring.columns(segment.cut(refuse_changed(source, source.load())))
        return self._columns[key]
