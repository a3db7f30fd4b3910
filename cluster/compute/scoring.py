"""Scoring a batch in whatever process one is in: no Ray here, so the same lines run on a laptop and on a cluster."""

from __future__ import annotations

import pickle
import re
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from cluster.compute.evaluator import Lottery, Segment, Setup, Task, Work, unscored
from coinswarm import errors, fitness
from coinswarm.market.bars import COLUMNS, Bars
from coinswarm.market.timeframe import Timeframe
from coinswarm.metrics.figures import Status
from coinswarm.types import FloatArray

Columns = Mapping[str, Any]
_ARRAYS = ("ts", *COLUMNS, "funding_ts", "funding_rate", "known_ts")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_LONGEST_REASON = 400
_KEPT = 64
"""Bars and setups that a process remembers: far more than one job has, few enough to let finished jobs go."""


@dataclass(frozen=True, kw_only=True)
class Batch:
    """What one process is asked to do at once.

    Attributes:
        key: names job, play and segment; processes remember what they unpacked under it.
        payload: the pickled `Setup` and `Segment`.
        symbols: markets of the columns that come along, the traded one first.
        genomes: (n, n_dims); with a lottery (n, 1), the numbers of the lotteries.
        lottery: None: the variants as they are; else lotteries on this one.
        blocks: in which blocks of the traded market entries are allowed; None: in all.
        of: how many blocks there are.
    """

    key: str
    payload: bytes
    symbols: tuple[str, ...]
    genomes: FloatArray
    lottery: Lottery | None = None
    blocks: tuple[int, ...] | None = None
    of: int = 1


@dataclass(frozen=True, kw_only=True, eq=False)
class Answer:
    """(n,) scores of a batch, the reasons of rows that failed, and the seconds it took."""

    figures: npt.NDArray[np.void]
    reasons: Mapping[int, str]
    seconds: float


@dataclass
class Memory:
    """What a process unpacked before, the least recently used forgotten first."""

    entries: OrderedDict[str, Any] = field(default_factory=OrderedDict)

    def get(self, key: str, make: Callable[[], Any]) -> Any:
        """The entry of `key`, made when it is not there."""
        if key not in self.entries:
            self.entries[key] = make()
        self.entries.move_to_end(key)
        while len(self.entries) > _KEPT:
            self.entries.popitem(last=False)
        return self.entries[key]

    def forget(self, key: str) -> None:
        """Drop an entry."""
        self.entries.pop(key, None)


_memory = Memory()


def columns(bars: Bars) -> dict[str, Any]:
    """Bars as plain columns, the form in which they travel without being copied."""
    facts = {"symbol": bars.symbol, "timeframe_ms": bars.timeframe.ms, "exchange": bars.exchange, "synthetic": bars.synthetic}
    return {**facts, "id": bars.content_hash, **{name: getattr(bars, name) for name in _ARRAYS}}


def rebuilt(parts: Columns) -> Bars:
    """The bars of such columns: the same object each time in one process, so that what was computed of them is found again."""
    made: Bars = _memory.get(f"bars:{parts['id']}", lambda: _bars(parts))
    return made


def _bars(parts: Columns) -> Bars:
    arrays: dict[str, Any] = {name: _frozen(parts[name]) for name in _ARRAYS}
    facts = {name: parts[name] for name in ("symbol", "exchange", "synthetic")}
    return Bars(timeframe=Timeframe(parts["timeframe_ms"]), **facts, **arrays)


def _frozen(array: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """A view nobody can write to: what Ray hands out is read-only, and compiled code must see the same type everywhere."""
    view = array.view()
    view.flags.writeable = False
    return view


def batch(task: Task, work: Work, market: int, symbols: Sequence[str], genomes: FloatArray) -> Batch:
    """Some variants of a work on one market; the segments of a race share the scorer of the whole they are parts of."""
    segment = task.segment(work.segment)
    return Batch(
        key=f"{task.id}:{work.setup}:{segment.whole.name}",
        payload=packed(task.setups[work.setup], segment.whole),
        symbols=tuple(symbols),
        genomes=genomes,
        lottery=work.lottery,
        blocks=segment.blocks[market] if segment.blocks else None,
        of=segment.of,
    )


def packed(setup: Setup, segment: Segment) -> bytes:
    """A setup and a segment as bytes, unpacked once by each process."""
    return pickle.dumps((setup, segment), protocol=pickle.HIGHEST_PROTOCOL)


def score(batch: Batch, markets: Sequence[Columns]) -> Answer:
    """Score the variants of a batch on its first market.

    Args:
        batch: the variants and what they belong to.
        markets: columns of `batch.symbols`, in that order.

    Returns:
        One row a variant; a variant whose scoring raised has the status ERROR, or INVALID when the project refused it, and a reason.
    """
    began = time.perf_counter()
    key = f"scorer:{batch.key}:{':'.join(str(parts['id']) for parts in markets)}"
    try:
        scorer = _memory.get(key, lambda: _scorer(batch, markets))
        table = _table(batch, scorer, batch.genomes)
        reasons = _reasons(batch, scorer, batch.genomes, table)
    except Exception:  # noqa: BLE001 - whatever it was, it is found and named by trying each half alone
        _memory.forget(key)
        table, reasons = _isolated(batch, markets, batch.genomes)
    return Answer(figures=table, reasons=reasons, seconds=time.perf_counter() - began)


def _table(batch: Batch, scorer: fitness.Scorer, genomes: FloatArray) -> npt.NDArray[np.void]:
    """(n,) `SCORE_DTYPE` of variants, or of lotteries where the batch asks for those."""
    if batch.blocks is not None:
        return scorer.score(genomes, entries=fitness.blocks.entries(len(scorer.bars), batch.blocks, batch.of))
    if batch.lottery is None:
        return scorer.score(genomes)
    numbers = genomes[:, 0].astype(np.int64)
    return fitness.lottery.score(scorer, np.array(batch.lottery.genome), numbers, seed=batch.lottery.seed)


def _scorer(batch: Batch, markets: Sequence[Columns]) -> fitness.Scorer:
    setup, segment = pickle.loads(batch.payload)  # noqa: S301 - our own bytes
    bars, *others = [rebuilt(parts) for parts in markets]
    known = dict(zip(batch.symbols[1:], others, strict=True))
    return fitness.Scorer(setup.play, bars, costs=setup.costs, account=setup.account, markets=known, start_ts=segment.start_ts)


def _isolated(batch: Batch, markets: Sequence[Columns], genomes: FloatArray) -> tuple[npt.NDArray[np.void], dict[int, str]]:
    """Scores of variants that cannot all be scored together, each attempt with a fresh scorer; halved down to the one that fails."""
    try:
        scorer = _scorer(batch, markets)
        table = _table(batch, scorer, genomes)
        reasons = _reasons(batch, scorer, genomes, table)
    except Exception as problem:  # noqa: BLE001 - one bad variant must not take its neighbours with it
        if len(genomes) == 1:
            status = Status.INVALID if isinstance(problem, errors.BadInput) else Status.ERROR
            return unscored(status, 1), {0: _worded(problem)}
        middle = len(genomes) // 2
        left, left_reasons = _isolated(batch, markets, genomes[:middle])
        right, right_reasons = _isolated(batch, markets, genomes[middle:])
        return np.concatenate([left, right]), left_reasons | {row + middle: text for row, text in right_reasons.items()}
    return table, reasons


def _worded(problem: Exception) -> str:
    """An error in one short line: compilers colour theirs and make them as long as a page."""
    text = " ".join(_COLOUR.sub("", str(problem)).split())
    return f"{type(problem).__name__}: {text}"[:_LONGEST_REASON]


def _reasons(batch: Batch, scorer: fitness.Scorer, genomes: FloatArray, table: npt.NDArray[np.void]) -> dict[int, str]:
    """Why variants have no figures, by row."""
    failed = np.flatnonzero(table["status"] > Status.NO_TRADES)
    if not failed.size:
        return {}
    asked = np.repeat([batch.lottery.genome], failed.size, axis=0) if batch.lottery is not None else genomes[failed]
    return {int(row): text[:_LONGEST_REASON] for row, text in zip(failed, scorer.reasons(asked), strict=True)}
