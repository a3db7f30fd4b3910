"""Trials and scores as rows of a binary COPY, and which figures of a commit stand in which rows.

Figures that come with their trial stand in its row: one row and two index entries less for each data set, which was half the cost of a
trial. Figures of other trials, or more of them than one segment, take the longer way.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Container, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np
import numpy.typing as npt

from cluster.store import copying
from cluster.store.copying import CopyColumn
from coinswarm import codec
from coinswarm.ledger.parameters import DecodedParameters, ParameterDecoder
from coinswarm.ledger.records import EvaluationBatch, Json, ScoreBatch
from coinswarm.metrics.figures import FIGURES, SCORE_DTYPE
from coinswarm.types import BoolArray, FloatArray, IntArray

TRIAL_COLUMNS = (
    "id", "variant", "index", "genome", "params", "fitness", "objectives", "status", "reason", "parents", "operator",
    "job", "batch", "island", "generation", "part", "figures",
)  # fmt: skip
SCORE_COLUMNS = ("evaluation", "figures", "data_set", "segment")
STRIDE = 1 + len(FIGURES)
"""Numbers that a score is stored as: its status and its figures."""

_PIECE_BYTES = 32 * 2**20
_DIGITS = 64
"""Of the SHA-256 that identifies a variant."""


@dataclass(frozen=True, kw_only=True, eq=False)
class RowPart:
    """Trials of a batch that have figures of the same segment and data sets.

    Attributes:
        segment, data_sets: what the figures are of; without data sets there are none.
        rows: (n,) rows of the batch.
        figures: (n, n_data_sets) `SCORE_DTYPE`.
    """

    segment: str
    data_sets: tuple[str, ...]
    rows: IntArray
    figures: npt.NDArray[np.void]

    def select(self, piece: slice | BoolArray) -> RowPart:
        """Some of its trials."""
        return replace(self, rows=self.rows[piece], figures=self.figures[piece])


def first_rows(ids: Sequence[str], there: Container[str]) -> IntArray:
    """(n,) rows whose id is not there yet, the first of each id."""
    seen = {name: row for row, name in zip(range(len(ids) - 1, -1, -1), reversed(ids), strict=True)}
    rows = [row for name, row in seen.items() if name not in there]
    return np.sort(np.array(rows, dtype=np.intp))


def gathered(batch: EvaluationBatch, given: Sequence[ScoreBatch], new: IntArray) -> tuple[list[RowPart], list[ScoreBatch]]:
    """The rows `new` of a batch with the figures they carry, each row in one part; and the scores that none of them carries."""
    places = {variant: row for row, variant in enumerate(batch.variants)}
    wanted, taken = np.zeros((2, len(batch)), dtype=np.bool_)
    wanted[new] = True
    parts: list[RowPart] = []
    rest: list[ScoreBatch] = []
    for group in _alike(given):
        part = _part(batch, group, places)
        if part is None or taken[part.rows].any():
            rest += group
            continue
        carried = wanted[part.rows]
        taken[part.rows] = True
        parts.append(part.select(carried))
        rest += [] if carried.all() else [_some(each, ~carried) for each in group]
    left = np.flatnonzero(wanted & ~taken)
    bare = RowPart(segment="", data_sets=(), rows=left, figures=np.empty((len(left), 0), dtype=SCORE_DTYPE))
    return [part for part in (*parts, bare) if len(part.rows)], rest


def trials(batch: EvaluationBatch, number: int, place: int, part: RowPart, ids: Sequence[str], job: str) -> bytes:
    """Rows of `TRIAL_COLUMNS` for the trials of a part; `ids` are theirs, `number` and `place` those of the batch and the part."""
    rows = part.rows.tolist()
    params = _as_json(batch, rows)
    reasons = [batch.reasons[row] and codec.printable(batch.reasons[row]) for row in rows]
    if len(rows) > 1 and _widest(reasons, params) * len(rows) > _PIECE_BYTES:
        half = len(rows) // 2
        pieces = ((part.select(piece), ids[piece]) for piece in (slice(half), slice(half, None)))
        return b"".join(trials(batch, number, place, less, names, job) for less, names in pieces)
    picked = part.rows
    return copying.rows(
        len(TRIAL_COLUMNS),
        copying.texts(ids),
        copying.texts([batch.variants[row] for row in rows]),
        copying.numbers(batch.indices[picked], ">i8"),
        copying.float_arrays(batch.genomes[picked]),
        copying.constant(copying.NULL) if params is None else copying.texts(params),
        copying.nullable(batch.fitness[picked]),
        copying.float_arrays(batch.objectives[picked]),
        copying.numbers(batch.status[picked], ">i2"),
        copying.texts(reasons),
        *copying.text_arrays([batch.parents[row] for row in rows]),
        copying.texts([batch.operators[row] for row in rows]),
        copying.constant(copying.text(job) + struct.pack("!iqiiii", 8, number, 4, batch.island, 4, batch.generation)),
        copying.constant(struct.pack("!ih", 2, place) if part.data_sets else copying.NULL),
        _figures(part.figures) if part.data_sets else copying.constant(copying.NULL),
    )


def scores(part: RowPart, ids: Sequence[str]) -> bytes:
    """Rows of `SCORE_COLUMNS` for a part with a single data set, whose evaluations are `ids`."""
    return copying.rows(
        len(SCORE_COLUMNS),
        copying.texts(ids),
        _figures(part.figures),
        copying.constant(copying.text(part.data_sets[0]) + copying.text(part.segment)),
    )


def decoder_of(batch: EvaluationBatch) -> ParameterDecoder | None:
    """What decodes the genomes of a batch; None where its parameters are not decoded from them, and are stored row by row."""
    params = batch.params
    return params.decoder if isinstance(params, DecodedParameters) and params.genomes is batch.genomes else None


def figure_values(table: npt.NDArray[np.void]) -> FloatArray:
    """(n, n_data_sets, n_figures) the figures of scores, (n, n_data_sets) `SCORE_DTYPE`."""
    raw = np.ascontiguousarray(table).view(np.uint8).reshape(*table.shape, SCORE_DTYPE.itemsize)
    values: FloatArray = np.ascontiguousarray(raw[:, :, 1:]).view(np.float64)
    return values


def identities(variants: Sequence[str]) -> bytes:
    """Eight bytes of the identity of each variant, to count those of several jobs once.

    Among 100 million identities two have the same bytes with a chance of 3e-4.
    """
    digests = _digests("".join(variants)) if set(map(len, variants)) == {_DIGITS} else b""
    if len(digests) * 2 == _DIGITS * len(variants):
        return np.frombuffer(digests, dtype="V8").reshape(-1, _DIGITS // 16)[:, 0].tobytes()
    return b"".join(map(_identity, variants))


def _identity(variant: str) -> bytes:
    digest = _digests(variant) if len(variant) == _DIGITS else b""
    return (digest if len(digest) * 2 == _DIGITS else hashlib.sha256(variant.encode()).digest())[:8]


def _digests(text: str) -> bytes:
    """Hexadecimal digits as bytes; fewer, or none, where there is anything else. Ten times as fast as to look first."""
    try:
        return bytes.fromhex(text)
    except ValueError:
        return b""


def _as_json(batch: EvaluationBatch, rows: Sequence[int]) -> list[str] | None:
    if decoder_of(batch) is not None:
        return None
    params: Sequence[Json] = batch.params
    return [codec.dumps(params[row]) for row in rows]


def _widest(*columns: Sequence[str] | None) -> int:
    return 4 * sum(max(map(len, column)) for column in columns if column)


def _figures(table: npt.NDArray[np.void]) -> CopyColumn:
    """An array a row: the status and the figures of each data set, (n, n_data_sets) `SCORE_DTYPE`."""
    n, markets = table.shape
    values = np.empty((n, markets, STRIDE))
    values[:, :, 0] = table["status"]
    values[:, :, 1:] = figure_values(table)
    return copying.float_arrays(values.reshape(n, markets * STRIDE))


def _alike(scores: Sequence[ScoreBatch]) -> list[list[ScoreBatch]]:
    """Neighbouring scores of one segment and the same variants."""
    groups = groupby(scores, key=lambda each: (each.segment, each.variants))
    return [list(group) for _, group in groups]


def _part(batch: EvaluationBatch, group: Sequence[ScoreBatch], places: dict[str, int]) -> RowPart | None:
    """Scores of one segment as a part of a batch; None unless each is of another data set and each variant is in the batch once."""
    variants, data_sets = group[0].variants, tuple(each.data_set for each in group)
    rows = [places.get(variant, -1) for variant in variants]
    alone = len(set(data_sets)) == len(data_sets) and len(set(rows)) == len(rows) and -1 not in rows and len(places) == len(batch)
    if not alone or not rows:
        return None
    figures = np.stack([each.figures for each in group], axis=1)
    return RowPart(segment=group[0].segment, data_sets=data_sets, rows=np.array(rows, dtype=np.intp), figures=figures)


def _some(scores: ScoreBatch, rows: BoolArray) -> ScoreBatch:
    variants = tuple(variant for variant, wanted in zip(scores.variants, rows.tolist(), strict=True) if wanted)
    return replace(scores, variants=variants, figures=scores.figures[rows])
