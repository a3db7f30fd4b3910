"""Rows read from a store, put back into the columns they were committed as."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

import numpy as np

from coinswarm.ledger.batches import STATUS_NAMES
from coinswarm.ledger.records import EvaluationBatch, EvaluationRecord, ScoreBatch, ScoreRecord
from coinswarm.metrics import figures


def evaluation_batches(records: Iterable[EvaluationRecord]) -> tuple[EvaluationBatch, ...]:
    """One batch for each run of equal generation, island and play; `records` are sorted by those."""
    return tuple(_evaluation_batch(list(rows)) for _, rows in groupby(records, key=lambda row: (row.generation, row.island, row.play)))


def score_batches(scores: Iterable[tuple[str, ScoreRecord]]) -> tuple[ScoreBatch, ...]:
    """One batch for each run of equal data set and segment; `scores` are pairs of variant and figures, sorted by those."""
    return tuple(_score_batch(list(rows)) for _, rows in groupby(scores, key=lambda pair: (pair[1].data_set, pair[1].segment)))


def _evaluation_batch(rows: Sequence[EvaluationRecord]) -> EvaluationBatch:
    return EvaluationBatch(
        island=rows[0].island,
        generation=rows[0].generation,
        play=rows[0].play,
        variants=tuple(row.variant for row in rows),
        genomes=np.array([row.genome for row in rows], dtype=np.float64),
        params=tuple(row.params for row in rows),
        indices=np.array([row.index for row in rows], dtype=np.int64),
        fitness=np.array([row.fitness for row in rows], dtype=np.float64),
        objectives=np.array([row.objectives for row in rows], dtype=np.float64),
        status=np.array([STATUS_NAMES.index(row.status) for row in rows], dtype=np.int8),
        reasons=tuple(row.reason for row in rows),
        parents=tuple(row.parents for row in rows),
        operators=tuple(row.operator for row in rows),
    )


def _score_batch(rows: Sequence[tuple[str, ScoreRecord]]) -> ScoreBatch:
    table = np.empty(len(rows), dtype=figures.SCORE_DTYPE)
    table["status"] = [STATUS_NAMES.index(score.status) for _, score in rows]
    for name in figures.FIGURES:
        table[name] = [score.figures[name] for _, score in rows]
    _, first = rows[0]
    return ScoreBatch(data_set=first.data_set, segment=first.segment, variants=tuple(variant for variant, _ in rows), figures=table)
