"""Which figures of a commit go into the rows of its trials, and which into rows of their own.

Figures that come with their trial stand in its row: one row and two index entries less for each data set, which was half the cost of a
trial. Figures of other trials, or more of them than one segment, take the longer way.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import replace
from itertools import groupby

import numpy as np

from cluster.store import copying
from cluster.store.copying import Part
from coinswarm.ledger.records import EvaluationBatch, ScoreBatch
from coinswarm.metrics.figures import SCORE_DTYPE
from coinswarm.types import BoolArray, IntArray


def first_rows(ids: Sequence[str], there: Container[str]) -> IntArray:
    """(n,) rows whose id is not there yet, the first of each id."""
    seen = {name: row for row, name in zip(range(len(ids) - 1, -1, -1), reversed(ids), strict=True)}
    rows = [row for name, row in seen.items() if name not in there]
    return np.sort(np.array(rows, dtype=np.intp))


def gathered(batch: EvaluationBatch, scores: Sequence[ScoreBatch], new: IntArray) -> tuple[list[Part], list[ScoreBatch]]:
    """The rows `new` of a batch with the figures they carry, each row in one part; and the scores that none of them carries."""
    places = {variant: row for row, variant in enumerate(batch.variants)}
    wanted, taken = np.zeros((2, len(batch)), dtype=np.bool_)
    wanted[new] = True
    parts: list[Part] = []
    rest: list[ScoreBatch] = []
    for group in _alike(scores):
        part = _part(batch, group, places)
        if part is None or taken[part.rows].any():
            rest += group
            continue
        carried = wanted[part.rows]
        taken[part.rows] = True
        parts.append(copying.taken(part, carried))
        rest += [] if carried.all() else [_some(each, ~carried) for each in group]
    left = np.flatnonzero(wanted & ~taken)
    bare = Part(segment="", data_sets=(), rows=left, figures=np.empty((len(left), 0), dtype=SCORE_DTYPE))
    return [part for part in (*parts, bare) if len(part.rows)], rest


def _alike(scores: Sequence[ScoreBatch]) -> list[list[ScoreBatch]]:
    """Neighbouring scores of one segment and the same variants."""
    groups = groupby(scores, key=lambda each: (each.segment, each.variants))
    return [list(group) for _, group in groups]


def _part(batch: EvaluationBatch, group: Sequence[ScoreBatch], places: dict[str, int]) -> Part | None:
    """Scores of one segment as a part of a batch; None unless each is of another data set and each variant is in the batch once."""
    variants, data_sets = group[0].variants, tuple(each.data_set for each in group)
    rows = [places.get(variant, -1) for variant in variants]
    alone = len(set(data_sets)) == len(data_sets) and len(set(rows)) == len(rows) and -1 not in rows and len(places) == len(batch)
    if not alone or not rows:
        return None
    figures = np.stack([each.figures for each in group], axis=1)
    return Part(segment=group[0].segment, data_sets=data_sets, rows=np.array(rows, dtype=np.intp), figures=figures)


def _some(scores: ScoreBatch, rows: BoolArray) -> ScoreBatch:
    variants = tuple(variant for variant, wanted in zip(scores.variants, rows.tolist(), strict=True) if wanted)
    return replace(scores, variants=variants, figures=scores.figures[rows])
