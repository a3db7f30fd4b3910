"""Checks and rearrangements of what is committed in bulk, shared by every store."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain

import numpy as np

from coinswarm import codec, errors
from coinswarm.ledger.records import (
    IN_SAMPLE,
    OUT_OF_SAMPLE,
    EvaluationBatch,
    EvaluationRecord,
    GenerationRecord,
    LeaderboardRow,
    ScoreBatch,
    ScoreRecord,
)
from coinswarm.metrics import figures
from coinswarm.printable import counted

STATUS_NAMES = tuple(status.name.lower() for status in figures.Status)
FAILURES = (int(figures.Status.INVALID), int(figures.Status.ERROR), int(figures.Status.TIMEOUT))
FAILED = frozenset(STATUS_NAMES[status] for status in FAILURES)


def check_commit(
    job: str, generations: Sequence[GenerationRecord], evaluations: Sequence[EvaluationBatch], scores: Sequence[ScoreBatch]
) -> None:
    """Raise unless every part of a commit is well formed: see the checks of the parts."""
    check_generations(job, generations)
    for evaluated in evaluations:
        check_evaluations(evaluated)
    for scored in scores:
        check_scores(scored)


def check_generations(job: str, generations: Sequence[GenerationRecord]) -> None:
    """Raise `InvalidArgument` unless there is a generation, all are the job's and no two are of one island and number."""
    if not generations:
        raise errors.InvalidArgument("a commit holds at least one generation", found="none")
    if any(record.job != job for record in generations):
        raise errors.InvalidArgument(f"all generations must be of job {job}", found=sorted({record.job for record in generations}))
    if len({(record.island, record.generation) for record in generations}) < len(generations):
        raise errors.InvalidArgument("an island commits a generation once", found="the same one twice")
    if any(record.island < -1 or record.generation < 0 for record in generations):
        raise errors.InvalidArgument("islands and generations count from 0", found="a negative one")


def check_evaluations(batch: EvaluationBatch) -> None:
    """Raise `ShapeMismatch` or `InvalidArgument` unless the columns of the batch fit together."""
    n = len(batch)
    for name in ("params", "reasons", "parents", "operators"):
        _check_length(name, len(getattr(batch, name)), n)
    for name, ndim in (("genomes", 2), ("objectives", 2), ("indices", 1), ("fitness", 1), ("status", 1)):
        column = getattr(batch, name)
        if column.ndim != ndim or len(column) != n:
            raise errors.ShapeMismatch(f"{name} must have {counted(ndim, 'dimension')} and {n} rows", found=f"shape {column.shape}")
    _check_status(batch.status)
    _check_words((*batch.variants, *batch.operators, *chain.from_iterable(batch.parents)))


def check_scores(batch: ScoreBatch) -> None:
    """Raise `ShapeMismatch` or `InvalidArgument` unless the batch has a name, a segment and a row of figures for each variant."""
    if batch.figures.dtype != figures.SCORE_DTYPE or batch.figures.ndim != 1:
        raise errors.ShapeMismatch(
            "scores are one row of SCORE_DTYPE a variant", found=f"{counted(batch.figures.ndim, 'dimension')} of {batch.figures.dtype}"
        )
    _check_length("figures", len(batch.figures), len(batch))
    _check_status(batch.figures["status"])
    _check_words((batch.data_set, batch.segment))


def is_repeat(stored: Mapping[tuple[int, int], str], generations: Sequence[GenerationRecord], job: str) -> bool:
    """Whether these generations are all stored with the same states; `stored`: state hash by island and generation.

    Raises:
        Conflict: only some are stored, or one is stored with another state.
    """
    known = [stored.get((record.island, record.generation)) for record in generations]
    if not any(known):
        return False
    same = [state == state_hash(record.state) for state, record in zip(known, generations, strict=True)]
    if all(same):
        return True
    other = generations[same.index(False)]
    raise errors.Conflict(
        f"generation {other.generation} of island {other.island} of job {job} is stored otherwise",
        hint="resume from the last stored generation instead of committing over it",
    )


def state_hash(state: bytes) -> str:
    """SHA-256 of a generation's state."""
    return hashlib.sha256(state).hexdigest()


def means(scores: Iterable[ScoreRecord], segment: str) -> dict[str, float]:
    """Each figure's mean over the data sets of a segment, over those where it is finite, NaN when none has it; empty without scores."""
    rows = [score.figures for score in scores if score.segment == segment]
    return {name: _mean([row[name] for row in rows]) for name in figures.FIGURES} if rows else {}


def leader(rank: int, record: EvaluationRecord) -> LeaderboardRow:
    """An evaluation with its scores as a row of the leaderboard."""
    same = ("job", "variant", "play", "params", "fitness", "objectives", "synthetic")
    return LeaderboardRow(
        rank=rank,
        evaluation=record.id,
        in_sample=means(record.scores, IN_SAMPLE),
        out_of_sample=means(record.scores, OUT_OF_SAMPLE),
        **{name: getattr(record, name) for name in same},
    )


def check_order(by: str) -> None:
    """Raise `InvalidArgument` unless a leaderboard can be ordered by `by`."""
    known = ("fitness", *figures.FIGURES)
    if by not in known:
        hint = errors.near_hint(by, known, listed=figures.COMMON)
        raise errors.InvalidArgument("a leaderboard is ordered by fitness or a figure", found=repr(by), hint=hint)


def check_evaluated(job: str, variants: Sequence[str], known: Sequence[bool]) -> None:
    """Raise `NotFound` when one of the variants is not known to be evaluated in the job."""
    if not all(known):
        variant = variants[known.index(False)]
        hint = "commit its evaluation with them"
        raise errors.NotFound(f"variant {variant} has figures and was never evaluated in job {job}", hint=hint)


def _mean(values: Sequence[float]) -> float:
    there = [value for value in values if math.isfinite(value)]
    return float(sum(there)) / len(there) if there else float("nan")


def _check_length(name: str, found: int, wanted: int) -> None:
    if found != wanted:
        raise errors.ShapeMismatch(f"{name} must have one entry for each of {wanted} variants", found=found)


def _check_status(status: np.ndarray[tuple[int, ...], np.dtype[np.int8]]) -> None:
    if len(status) and not (status.min() >= 0 and status.max() < len(STATUS_NAMES)):
        raise errors.InvalidArgument(f"status must be one of {', '.join(STATUS_NAMES)}", found=f"{status.min()}..{status.max()}")


def _check_words(words: Sequence[str]) -> None:
    together = "".join(words)
    if not all(words) or "\x00" in together:
        wrong = next(word for word in words if not word or "\x00" in word)
        raise errors.InvalidArgument("variants, operators, data sets and segments have a name", found=repr(wrong))
    if not together.isascii():
        for word in words:
            codec.storable(word, "a name")
