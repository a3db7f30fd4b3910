"""Cutting work into batches and putting the answers together again: no Ray here, only rows."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from cluster.compute.evaluator import Scored, Work, unscored
from cluster.compute.scoring import Answer
from coinswarm.metrics.figures import SCORE_DTYPE, Status
from coinswarm.types import FloatArray

_DEATHS_TOGETHER = 2
_DEATHS_ALONE = 3
_SMOOTHING = 0.3


@dataclass(frozen=True, kw_only=True)
class Piece:
    """Rows `start` to `stop` of a work on one of its markets.

    Attributes:
        deaths: workers that died of it so far.
    """

    token: int
    market: int
    start: int
    stop: int
    deaths: int = 0

    def __len__(self) -> int:
        return self.stop - self.start

    def after_death(self) -> tuple[Piece, ...]:
        """What to try next when a worker died of this piece: the same again, its halves, or nothing when it is to be put in quarantine."""
        died = replace(self, deaths=self.deaths + 1)
        if len(self) == 1:
            return (died,) if died.deaths < _DEATHS_ALONE else ()
        if died.deaths < _DEATHS_TOGETHER:
            return (died,)
        middle = (self.start + self.stop) // 2
        return replace(self, stop=middle, deaths=1), replace(self, start=middle, deaths=1)


@dataclass(kw_only=True)
class Pace:
    """How many variants make a batch of about `target_s`, learned from batches that are done.

    Attributes:
        target_s: seconds that a batch should take.
        smallest_s: below this the overhead of a batch shows, so work is not divided further to keep everyone busy.
    """

    target_s: float = 0.5
    smallest_s: float = 0.02
    seconds_per_variant: float | None = None

    def learn(self, variants: int, seconds: float) -> None:
        """Take note of a batch."""
        speed = seconds / max(variants, 1)
        before = self.seconds_per_variant
        self.seconds_per_variant = speed if before is None else before + _SMOOTHING * (speed - before)

    def size(self, variants: int, slots: int) -> int:
        """Variants of the next batch, when `variants` times markets are waiting for `slots` processes."""
        fair = -(-variants // max(slots, 1))
        if self.seconds_per_variant is None:
            return max(1, -(-fair // 4))
        speed = max(self.seconds_per_variant, 1e-9)
        return max(1, min(int(self.target_s / speed), max(fair, int(self.smallest_s / speed))))


@dataclass(kw_only=True, eq=False)
class Ledger:
    """One work: its rows not yet handed out, and the answers so far."""

    work: Work
    markets: int
    figures: npt.NDArray[np.void] = field(init=False)
    reasons: dict[int, str] = field(default_factory=dict)
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
        """Variants times markets that are not handed out yet."""
        return sum(len(self.work.genomes) - row for _, row in self.cursors)

    def next_piece(self, size: int) -> Piece | None:
        """The next rows to hand out, None when all are."""
        if not self.cursors:
            return None
        market, row = self.cursors[0]
        stop = min(row + size, len(self.work.genomes))
        if stop == len(self.work.genomes):
            self.cursors.popleft()
        else:
            self.cursors[0] = (market, stop)
        return Piece(token=self.work.token, market=market, start=row, stop=stop)

    def genomes(self, piece: Piece) -> FloatArray:
        """(n, n_dims) the variants of a piece."""
        return self.work.genomes[piece.start : piece.stop]

    def enter(self, piece: Piece, answer: Answer, name: str) -> None:
        """Put an answer where it belongs; reasons name the market."""
        self.figures[piece.start : piece.stop, piece.market] = answer.figures
        self.reasons |= {
            piece.start + row: f"{name}: {text}" for row, text in answer.reasons.items() if piece.start + row not in self.reasons
        }
        self.seconds += answer.seconds
        self.missing -= len(piece)

    def quarantine(self, piece: Piece, name: str, why: str, status: Status = Status.ERROR) -> None:
        """Give up on the variants of a piece."""
        reasons = dict.fromkeys(range(len(piece)), why)
        self.enter(piece, Answer(figures=unscored(status, len(piece)), reasons=reasons, seconds=0.0), name)

    def result(self) -> Scored:
        """The finished work; reasons in the order of rows, so that equal work gives an equal answer."""
        return Scored(token=self.work.token, figures=self.figures, reasons=dict(sorted(self.reasons.items())), seconds=self.seconds)


def waiting(ledgers: Iterator[Ledger]) -> int:
    """Variants times markets that no process has been given yet, over all works."""
    return sum(ledger.waiting for ledger in ledgers)
