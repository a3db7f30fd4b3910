"""Scoring a batch in the process that calls it: no Ray here, so the same lines run on a laptop and on a cluster."""

from __future__ import annotations

import pickle
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cluster.compute.evaluator import Lottery, ScoreRequest, Setup, Task, TimeSegment, unscored
from cluster.compute.memory import Memory
from coinswarm import errors, fitness
from coinswarm.market.bars import Bars
from coinswarm.metrics.figures import Status
from coinswarm.types import FloatArray

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_LONGEST_REASON = 400


@dataclass(frozen=True, kw_only=True)
class Batch:
    """What one process is asked to do at once.

    Attributes:
        key: names job, play and segment; processes remember what they unpacked under it.
        payload: the pickled `Setup` and `TimeSegment`.
        genomes: (n, n_dims); with a lottery (n, 1), the numbers of the lotteries.
        lottery: None: the variants as they are; else lotteries on this one.
        blocks: in which blocks of the traded market entries are allowed; None: in all.
        of: how many blocks there are.
    """

    key: str
    payload: bytes
    genomes: FloatArray
    lottery: Lottery | None = None
    blocks: tuple[int, ...] | None = None
    of: int = 1


@dataclass(frozen=True, kw_only=True, eq=False)
class BatchScores:
    """(n,) scores of a batch, the reasons of rows that failed, and the seconds it took."""

    figures: npt.NDArray[np.void]
    reasons: Mapping[int, str]
    seconds: float


_scorers = Memory()


def batch(task: Task, work: ScoreRequest, market: int, genomes: FloatArray) -> Batch:
    """Some variants of a work on one market; the segments of a race share the scorer of the whole they are parts of."""
    segment = task.segment(work.segment)
    return Batch(
        key=f"{task.id}:{work.setup}:{segment.whole.name}",
        payload=packed(task.setups[work.setup], segment.whole),
        genomes=genomes,
        lottery=work.lottery,
        blocks=segment.blocks[market] if segment.blocks else None,
        of=segment.of,
    )


def packed(setup: Setup, segment: TimeSegment) -> bytes:
    """A setup and a segment as bytes, unpacked once by each process."""
    return pickle.dumps((setup, segment), protocol=pickle.HIGHEST_PROTOCOL)


def score(batch: Batch, *markets: Bars) -> BatchScores:
    """Score the variants of a batch on its first market.

    Args:
        batch: the variants and what they belong to.
        markets: bars of the traded market, then of those that features look at.

    Returns:
        One row a variant; a variant whose scoring raised has the status ERROR, or INVALID when the project refused it, and a reason.
    """
    began = time.perf_counter()
    key = f"scorer:{batch.key}:{':'.join(bars.content_hash for bars in markets)}"
    try:
        scorer = _scorers.get(key, lambda: _scorer(batch, markets))
        table, reasons = _scored(batch, scorer, batch.genomes)
    except Exception:  # noqa: BLE001 - whatever it was, it is found and named by trying each half alone
        _scorers.forget(key)
        table, reasons = _isolated(batch, markets, batch.genomes)
    return BatchScores(figures=table, reasons=reasons, seconds=time.perf_counter() - began)


def _scored(batch: Batch, scorer: fitness.Scorer, genomes: FloatArray) -> tuple[npt.NDArray[np.void], dict[int, str]]:
    """(n,) `SCORE_DTYPE` of variants, or of lotteries where the batch asks for those, and why rows have no figures."""
    table = _table(batch, scorer, genomes)
    failed = np.flatnonzero(table["status"] > Status.NO_TRADES)
    if not failed.size:
        return table, {}
    asked = np.repeat([batch.lottery.genome], failed.size, axis=0) if batch.lottery is not None else genomes[failed]
    return table, {int(row): text[:_LONGEST_REASON] for row, text in zip(failed, scorer.reasons(asked), strict=True)}


def _table(batch: Batch, scorer: fitness.Scorer, genomes: FloatArray) -> npt.NDArray[np.void]:
    if batch.blocks is not None:
        return scorer.score(genomes, entries=fitness.blocks.entries(len(scorer.bars), batch.blocks, batch.of))
    if batch.lottery is None:
        return scorer.score(genomes)
    numbers = genomes[:, 0].astype(np.int64)
    return fitness.lottery.score(scorer, np.array(batch.lottery.genome), numbers, seed=batch.lottery.seed)


def _scorer(batch: Batch, markets: Sequence[Bars]) -> fitness.Scorer:
    setup, segment = pickle.loads(batch.payload)  # noqa: S301 - our own bytes
    bars, *others = markets
    known = {market.symbol: market for market in others}
    return fitness.Scorer(setup.play, bars, costs=setup.costs, account=setup.account, markets=known, start_ts=segment.start_ts)


def _isolated(batch: Batch, markets: Sequence[Bars], genomes: FloatArray) -> tuple[npt.NDArray[np.void], dict[int, str]]:
    """Scores of variants that cannot all be scored together, each attempt with a fresh scorer; halved down to the one that fails."""
    try:
        return _scored(batch, _scorer(batch, markets), genomes)
    except Exception as problem:  # noqa: BLE001 - one bad variant must not take its neighbours with it
        if len(genomes) == 1:
            status = Status.INVALID if isinstance(problem, errors.BadInput) else Status.ERROR
            return unscored(status, 1), {0: _worded(problem)}
        middle = len(genomes) // 2
        left, left_reasons = _isolated(batch, markets, genomes[:middle])
        right, right_reasons = _isolated(batch, markets, genomes[middle:])
        return np.concatenate([left, right]), left_reasons | {row + middle: text for row, text in right_reasons.items()}


def _worded(problem: Exception) -> str:
    """An error in one short line: compilers colour theirs and make them as long as a page."""
    text = " ".join(_COLOUR.sub("", str(problem)).split())
    return f"{type(problem).__name__}: {text}"[:_LONGEST_REASON]
