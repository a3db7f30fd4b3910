"""What a driver needs scored and who scores it: the work, the answer, and the protocol between them.

The driver knows no machine and the evaluator knows no search, so a job gives the same figures in one process and on a cluster.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np
import numpy.typing as npt

from coinswarm import errors
from coinswarm.config import Account, Costs
from coinswarm.evolve import racing
from coinswarm.evolve.settings import RacingSettings
from coinswarm.ledger.records import IN_SAMPLE, OUT_OF_SAMPLE
from coinswarm.market.bars import Bars
from coinswarm.metrics import figures
from coinswarm.play.model import Play
from coinswarm.types import FloatArray, IntArray

RACE = "race_"
"""Segments of a race are called by how many rungs have been shown: `race_1`, `race_2`."""


class BarSource(Protocol):
    """Where the bars of one market are, small enough to be sent to the machine that loads them."""

    @property
    def key(self) -> str:
        """Name of the data set."""

    @property
    def content_hash(self) -> str:
        """SHA-256 that the loaded bars must have."""

    def load(self) -> Bars:
        """Read the bars of the whole job, held-out part included."""


@dataclass(frozen=True, kw_only=True)
class TimeSegment:
    """A stretch of the job's time on which variants are scored.

    Attributes:
        name: as the ledger knows it.
        start_ts: first time (ms) at which a decision may be taken; bars before only warm up. None: as soon as features are warm.
        end_ts: bars that open at or after it (ms) are cut away when they are loaded. None: all bars.
        bars: the segment whose bars it is scored on, when that is another one.
        blocks: blocks of each market (see `fitness.blocks`) in which trades may be entered; empty: in all.
        of: how many blocks there are.
    """

    name: str
    start_ts: int | None = None
    end_ts: int | None = None
    bars: str = ""
    blocks: tuple[tuple[int, ...], ...] = ()
    of: int = 1

    @property
    def whole(self) -> TimeSegment:
        """The segment whose bars and features this one shares: itself, or all of what it is a part of."""
        return replace(self, name=self.bars, bars="", blocks=(), of=1) if self.bars else self

    def load(self, source: BarSource) -> Bars:
        """The bars of a market that scoring on this segment may see.

        Raises:
            Conflict: the source has other bars than the job was made for.
        """
        bars = source.load()
        if bars.content_hash != source.content_hash:
            raise errors.Conflict(
                f"the bars of {source.key} changed since the job was made",
                found=f"{bars.content_hash[:12]} instead of {source.content_hash[:12]}",
                hint="start a new job on the new bars",
            )
        return bars if self.end_ts is None else bars[: bars.index_at(self.end_ts)]


@dataclass(frozen=True, kw_only=True)
class Setup:
    """A play with everything that its score depends on besides the bars."""

    play: Play
    costs: Costs
    account: Account


@dataclass(frozen=True, kw_only=True)
class Task:
    """All that is to be scored in one job.

    Attributes:
        id: names it; nothing is shared between tasks of different ids.
        setups: the plays, by their number in the job.
        sources: the traded markets, by their number in the job.
        others: markets that features look at and that are not traded, by symbol.
        split_ts: where the held-out part begins (ms); None: nothing is held out.
        racing: how variants are raced, which says what the segments of a race are.
        train_end_ts: where the searched part ends (ms), when bars between it and the held-out part are left out; None: they meet.
    """

    id: str
    setups: tuple[Setup, ...]
    sources: tuple[BarSource, ...]
    others: Mapping[str, BarSource] = field(default_factory=dict)
    split_ts: int | None = None
    racing: RacingSettings = field(default_factory=RacingSettings)
    train_end_ts: int | None = None

    @property
    def search_end_ts(self) -> int | None:
        """Bars that open at or after it (ms) are not searched on."""
        return self.split_ts if self.train_end_ts is None else self.train_end_ts

    def segment(self, name: str) -> TimeSegment:
        """The part with this name: in sample ends where out of sample begins."""
        if name == IN_SAMPLE:
            return TimeSegment(name=name, end_ts=self.search_end_ts)
        if name == OUT_OF_SAMPLE and self.split_ts is not None:
            return TimeSegment(name=name, start_ts=self.split_ts)
        if name.startswith(RACE) and name.removeprefix(RACE).isdecimal():
            blocks = racing.blocks_shown(int(name.removeprefix(RACE)), len(self.sources), self.racing)
            return TimeSegment(name=name, end_ts=self.search_end_ts, bars=IN_SAMPLE, blocks=blocks, of=self.racing.blocks)
        raise errors.NotFound(f"job {self.id} has no segment {name!r}", hint=f"it has {IN_SAMPLE}")


@dataclass(frozen=True, kw_only=True)
class Lottery:
    """The variant that lotteries are drawn on, and the seed of the run; see `coinswarm.fitness.lottery`."""

    genome: tuple[float, ...]
    seed: int


@dataclass(frozen=True, kw_only=True, eq=False)
class ScoreRequest:
    """Variants to be scored on all markets.

    Attributes:
        token: names the work in the answer.
        setup: which play of the task.
        segment: name of the stretch of time.
        genomes: (n_variants, n_dims); with a lottery (n, 1), the numbers of the lotteries.
        lottery: None: the variants as they are; else lotteries on this one.
    """

    token: int
    setup: int
    segment: str
    genomes: FloatArray
    lottery: Lottery | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Scored:
    """The answer to one work.

    Attributes:
        token: the work's.
        figures: (n_variants, n_markets) `SCORE_DTYPE`.
        reasons: why, for rows that could not be scored.
        seconds: computing time of all processes together.
        rungs: (n_variants,) after how many rungs of a race each was dropped or failed; 0 where it was scored on all of the segment. Its
            figures are those of the part it was shown. None: there was no race.
        cost: variant-bars gone over, in variants scored on all bars of the segment; NaN when there was no race.
    """

    token: int
    figures: npt.NDArray[np.void]
    reasons: Mapping[int, str]
    seconds: float
    rungs: IntArray | None = None
    cost: float = float("nan")

    @property
    def dropped_after(self) -> IntArray:
        """(n_variants,) `rungs`, zeros when there was no race."""
        return np.zeros(len(self.figures), dtype=np.int64) if self.rungs is None else self.rungs


class Evaluator(Protocol):
    """Scores variants of one task. Equal work gives bit-identical answers, on any machine and in any order."""

    @property
    def workers(self) -> int:
        """How many processes compute at present."""

    def open(self, task: Task) -> None:
        """Get ready: refuses bars that cannot be loaded or are not those that the job was made for."""

    def submit(self, work: ScoreRequest) -> None:
        """Take work on; returns at once."""

    def collect(self, timeout_s: float) -> Scored | None:
        """Wait for a finished work, but no longer than `timeout_s`: then None. Raises `NotFound` when none is under way."""

    def close(self) -> None:
        """Let go of everything; work under way is dropped."""


def unscored(status: figures.Status, rows: int) -> npt.NDArray[np.void]:
    """(rows,) `SCORE_DTYPE` of variants without a score: their status, every figure missing."""
    table = np.zeros(rows, dtype=figures.SCORE_DTYPE)
    for name in figures.FIGURES:
        table[name] = np.nan
    table["status"] = int(status)
    return table
