"""Scoring by calls of an executor: works are cut into batches, and answers put together by index as they finish.

The number of workers, the size of batches and the order of answers change the time a work takes and nothing else. A batch that kills its
workers is halved down to the variant that does, which is put in quarantine.
"""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from cluster.compute import scoring
from cluster.compute.evaluator import Scored, ScoreRequest, Task, TimeSegment, unscored
from cluster.compute.executor import ATTEMPTS, Call, Executor, Finished, Handle, Loss
from cluster.compute.scoring import BatchScores
from coinswarm import errors
from coinswarm.ledger.records import IN_SAMPLE
from coinswarm.metrics.figures import SCORE_DTYPE, Status

TIMEOUT_S = 600.0
_ATTEMPTS_TOGETHER = 2
_SMOOTHING = 0.3
_REFILL_EVERY_S = 1.0
"""Workers that join are given work after no more than this."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RowRange:
    """Rows `start` to `stop` of a work on one of its markets.

    Attributes:
        deaths: workers that died of these rows before they were tried by themselves.
    """

    token: int
    market: int
    start: int
    stop: int
    deaths: int = 0

    def __len__(self) -> int:
        return self.stop - self.start

    @property
    def attempts(self) -> int:
        """How many more workers may die of them."""
        return (ATTEMPTS if len(self) == 1 else _ATTEMPTS_TOGETHER) - self.deaths

    def halves(self) -> tuple[RowRange, ...]:
        """What to try when the workers died of these rows; nothing when it is a single row."""
        if len(self) == 1:
            return ()
        middle = (self.start + self.stop) // 2
        return (
            RowRange(token=self.token, market=self.market, start=self.start, stop=middle, deaths=1),
            RowRange(token=self.token, market=self.market, start=middle, stop=self.stop, deaths=1),
        )


@dataclass(kw_only=True)
class BatchSize:
    """How many variants make a batch of about `target_s`, learned from batches that are done.

    Attributes:
        target_s: seconds that a batch should take.
        smallest_s: below this the overhead of a batch shows, so work is not divided further to keep all workers busy.
    """

    target_s: float = 0.5
    smallest_s: float = 0.02
    seconds_per_variant: float | None = None

    def learn(self, variants: int, seconds: float) -> None:
        """Take note of a batch."""
        speed = seconds / max(variants, 1)
        before = self.seconds_per_variant
        self.seconds_per_variant = speed if before is None else before + _SMOOTHING * (speed - before)

    def of(self, variants: int, workers: int) -> int:
        """Variants of the next batch, when `variants` times markets are waiting for `workers` processes."""
        fair = -(-variants // max(workers, 1))
        if self.seconds_per_variant is None:
            return max(1, -(-fair // 4))
        speed = max(self.seconds_per_variant, 1e-9)
        return max(1, min(int(self.target_s / speed), max(fair, int(self.smallest_s / speed))))


@dataclass(kw_only=True, eq=False)
class InFlight:
    """A work under way: its rows that are not sent yet, and the answers so far."""

    work: ScoreRequest
    markets: int
    figures: npt.NDArray[np.void] = field(init=False)
    reasons: dict[tuple[int, int], str] = field(default_factory=dict)
    seconds: float = 0.0
    missing: int = field(init=False)
    cursors: deque[tuple[int, int]] = field(init=False)

    def __post_init__(self) -> None:
        rows = len(self.work.genomes)
        self.figures = np.zeros((rows, self.markets), dtype=SCORE_DTYPE)
        self.missing = rows * self.markets
        self.cursors = deque((market, 0) for market in range(self.markets) if rows)

    @property
    def waiting(self) -> int:
        """Variants times markets that are not sent yet."""
        return sum(len(self.work.genomes) - row for _, row in self.cursors)

    def next_rows(self, size: int) -> RowRange | None:
        """The next rows to send, None when all are."""
        if not self.cursors:
            return None
        market, row = self.cursors[0]
        stop = min(row + size, len(self.work.genomes))
        if stop == len(self.work.genomes):
            self.cursors.popleft()
        else:
            self.cursors[0] = (market, stop)
        return RowRange(token=self.work.token, market=market, start=row, stop=stop)

    def enter(self, rows: RowRange, scores: BatchScores, market: str) -> None:
        """Put scores where they belong; reasons name the market."""
        self.figures[rows.start : rows.stop, rows.market] = scores.figures
        self.reasons |= {(rows.start + row, rows.market): f"{market}: {text}" for row, text in scores.reasons.items()}
        self.seconds += scores.seconds
        self.missing -= len(rows)

    def quarantine(self, rows: RowRange, why: str, status: Status, market: str) -> None:
        """Give up on the variants of some rows."""
        reasons = dict.fromkeys(range(len(rows)), why)
        self.enter(rows, BatchScores(figures=unscored(status, len(rows)), reasons=reasons, seconds=0.0), market)

    def scored(self) -> Scored:
        """The finished work; of each row the reason on the first market where it has one, in the order of rows: the same in any order."""
        first = {row: text for (row, _), text in sorted(self.reasons.items(), reverse=True)}
        reasons = dict(sorted(first.items()))
        return Scored(token=self.work.token, figures=self.figures, reasons=reasons, seconds=self.seconds)


class BatchEvaluator:
    """Scores by batches that an executor runs; see `cluster.compute.evaluator.Evaluator`.

    Args:
        executor: runs the batches; it stays its owner's to close.
        timeout_s: how long one batch may compute before its variants are tried alone, and one variant before it is given up.
    """

    def __init__(self, executor: Executor, *, timeout_s: float = TIMEOUT_S) -> None:
        self._executor = executor
        self._timeout_s = timeout_s
        self._task: Task | None = None
        self._sizes: dict[str, BatchSize] = {}
        self._works: dict[int, InFlight] = {}
        self._halves: deque[RowRange] = deque()
        self._batches: dict[Call, RowRange] = {}

    @property
    def workers(self) -> int:
        """How many processes compute at present."""
        return self._executor.workers

    def open(self, task: Task) -> None:
        """Load the in-sample bars of every market."""
        self.close()
        self._task = task
        self._bars(task.segment(IN_SAMPLE))

    def submit(self, work: ScoreRequest) -> None:
        """Take work on; the bars of another segment are loaded when they are first asked for."""
        task = self._opened()
        self._bars(task.segment(work.segment).whole)
        self._works[work.token] = InFlight(work=work, markets=len(task.sources))

    def collect(self, timeout_s: float) -> Scored | None:
        """Wait for a finished work; meanwhile send batches and take answers."""
        if not self._works:
            raise errors.NotFound("no work is under way", hint="submit some first")
        deadline = time.monotonic() + timeout_s
        while (scored := self._complete()) is None:
            self._fill()
            finished = self._executor.collect(self._batches, min(_REFILL_EVERY_S, max(0.0, deadline - time.monotonic())))
            if finished is not None:
                self._enter(finished)
            if time.monotonic() >= deadline:
                return self._complete()
        return scored

    def close(self) -> None:
        """Drop what is under way."""
        self._executor.drop(self._batches)
        for under_way in (self._batches, self._works, self._halves):
            under_way.clear()
        self._task = None

    def _opened(self) -> Task:
        if self._task is None:
            raise errors.NotFound("no task is open", hint="open one first")
        return self._task

    def _bars(self, segment: TimeSegment) -> tuple[Handle, ...]:
        """Bars of the traded markets, then of the others."""
        task = self._opened()
        return self._executor.load_all((*task.sources, *task.others.values()), segment)

    def _complete(self) -> Scored | None:
        """A work of which nothing is missing."""
        for token, in_flight in self._works.items():
            if not in_flight.missing:
                return self._works.pop(token).scored()
        return None

    def _fill(self) -> None:
        """Keep all workers busy."""
        while len(self._batches) < self._executor.slots and (rows := self._next()) is not None:
            call = self._call(rows)
            self._batches[call] = rows
            self._executor.submit(call)

    def _next(self) -> RowRange | None:
        if self._halves:
            return self._halves.popleft()
        waiting = sum(in_flight.waiting for in_flight in self._works.values())
        for in_flight in self._works.values():
            if rows := in_flight.next_rows(self._size(in_flight).of(waiting, self.workers)):
                return rows
        return None

    def _size(self, in_flight: InFlight) -> BatchSize:
        """The size of batches on a segment: a part of the bars takes a part of the time."""
        return self._sizes.setdefault(in_flight.work.segment, BatchSize())

    def _call(self, rows: RowRange) -> Call:
        task, in_flight = self._opened(), self._works[rows.token]
        bars = self._bars(task.segment(in_flight.work.segment).whole)
        batch = scoring.batch(task, in_flight.work, rows.market, in_flight.work.genomes[rows.start : rows.stop])
        markets = (bars[rows.market], *bars[len(task.sources) :])
        return Call(function=scoring.score, item=batch, markets=markets, limit_s=self._timeout_s, attempts=rows.attempts)

    def _enter(self, finished: Finished) -> None:
        rows = self._batches.pop(finished.call)
        if finished.loss is not None:
            self._divide(rows, finished.loss)
            return
        scores: BatchScores = finished.result()
        in_flight = self._works[rows.token]
        self._size(in_flight).learn(len(rows), scores.seconds)
        in_flight.enter(rows, scores, self._opened().sources[rows.market].key)

    def _divide(self, rows: RowRange, loss: Loss) -> None:
        """Try the halves of what its workers died of; a variant that kills alone is put in quarantine."""
        halves = rows.halves()
        self._halves.extend(halves)
        if not halves:
            died = f"its worker died {rows.deaths + loss.deaths} times ({loss.cause})"
            why = f"takes longer than {self._timeout_s:g} s" if loss.late else died
            status = Status.TIMEOUT if loss.late else Status.ERROR
            self._works[rows.token].quarantine(rows, why, status, self._opened().sources[rows.market].key)
