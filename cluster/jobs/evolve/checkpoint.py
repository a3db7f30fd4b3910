"""What is stored with each commit so that a job can go on from it: islands, archives, and nothing that stands in the ledger anyway.

The scores of past variants grow with every generation, so they are left out and rebuilt from the stored figures. The ledger keeps the
first row of a variant only; where several islands evaluated the same one, the others are listed here.

An island stands in the row of its own newest generation. The row of the whole job holds the rest, and those islands only that have changed
since: by immigrants, while another island was told. Writing all of them with each commit cost more than its trials did.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from cluster.jobs.evolve.play_search import REPEAT_DTYPE, PlaySearch, segment_of
from coinswarm import errors
from coinswarm.evolve import packing, racing
from coinswarm.evolve.archive import Archive
from coinswarm.evolve.state import Island, State, names
from coinswarm.ledger.records import IN_SAMPLE, WHOLE_JOB, EvaluationBatch, GenerationRecord, ScoreBatch
from coinswarm.ledger.store import Store
from coinswarm.metrics.figures import SCORE_DTYPE
from coinswarm.types import BoolArray, IntArray

_LENGTH = struct.Struct("<Q")
_PARTS = 3
_ELSEWHERE = -1
"""Generation of an island in the row of the whole job that stands in a row of its own."""


def pack(found: Sequence[PlaySearch], stored: Mapping[int, Island]) -> bytes:
    """The searches of a job as bytes, without the scores of past variants and without islands that stand elsewhere.

    Args:
        found: the searches.
        stored: the islands that stand in rows of their own, as they were when they were written, by their number in the job.
    """
    return _joined(
        part
        for one in found
        for part in (
            packing.encode(_skeleton(one, stored).without_scores()),
            packing.encode(one.archive),
            one.repeats.tobytes(),
        )
    )


def pack_island(island: Island) -> bytes:
    """An island as bytes, without the scores of past variants."""
    return packing.encode(island.without_scores())


def _skeleton(one: PlaySearch, stored: Mapping[int, Island]) -> State:
    """The state, with nothing of the islands that have not changed since they were stored."""
    return replace(
        one.state,
        islands=tuple(_absent(island) if stored.get(one.island(island.index)) is island else island for island in one.state.islands),
    )


def _absent(island: Island) -> Island:
    empty = island.population.take(np.empty(0, dtype=np.int64))
    return replace(island, generation=_ELSEWHERE, population=empty, outbox=None, inbox=None, history=island.history[:0])


def archives(blob: bytes) -> tuple[Archive, ...]:
    """The archive of each search, from what `pack` wrote."""
    return tuple(packing.decode(part, Archive) for part in _cut(blob)[1::_PARTS])


def restore(found: Sequence[PlaySearch], newest: Sequence[GenerationRecord], store: Store, job: str) -> None:
    """Put searches back where they stood at the last commit; what was known then is read from the ledger.

    Args:
        found: the searches, at their start.
        newest: the last record of each island and of the whole job.
        store: the ledger.
        job: whose searches they are.

    Raises:
        Conflict: the records hold other searches, or the ledger lacks figures of the job.
    """
    states = {record.island: record.state for record in newest}
    parts = _cut(states[WHOLE_JOB])
    if len(parts) != _PARTS * len(found):
        raise errors.Conflict("the stored state is of another job", found=f"{len(parts)} parts for {len(found)} plays")
    batches, scores = store.evaluations(job), store.scores(job)
    for number, one in enumerate(found):
        state, kept, repeats = parts[_PARTS * number : _PARTS * (number + 1)]
        one.archive = packing.decode(kept, Archive)
        one.repeats = np.frombuffer(repeats, dtype=REPEAT_DTYPE).copy()
        one.state = _recalled(one, _whole(one, packing.decode(state, State), states), batches, scores)


def _whole(one: PlaySearch, state: State, states: Mapping[int, bytes]) -> State:
    """The state with the islands that stand in rows of their own."""
    for island in state.islands:
        if island.generation == _ELSEWHERE:
            state = state.with_island(packing.decode(states[one.island(island.index)], Island))
    return state


def _recalled(one: PlaySearch, state: State, batches: Sequence[EvaluationBatch], scores: Sequence[ScoreBatch]) -> State:
    own = [batch for batch in batches if batch.play == one.sha256]
    if not own:
        return state
    mine = np.concatenate([np.full(len(batch), batch.play == one.sha256) for batch in batches])
    stored = np.zeros(int(mine.sum()), dtype=REPEAT_DTYPE)
    stored["identity"] = np.concatenate([names(batch.variants) for batch in own])
    stored["island"] = np.concatenate([np.full(len(batch), batch.island - one.island(0)) for batch in own])
    stored["generation"] = np.concatenate([np.full(len(batch), batch.generation) for batch in own])
    trials, table = _raced(one, stored, scores) if one.settings.racing.enabled else _plain(one, stored, scores, mine)
    return one.search.recall(
        state, islands=trials["island"], generations=trials["generation"], identities=trials["identity"],
        results=racing.results(table, trials["rung"], one.settings),
    )  # fmt: skip


def _plain(
    one: PlaySearch, stored: npt.NDArray[np.void], scores: Sequence[ScoreBatch], mine: BoolArray
) -> tuple[npt.NDArray[np.void], npt.NDArray[np.void]]:
    """Every trial and its figures, when all were scored on everything."""
    rows = _rows_of(stored["identity"], one.repeats["identity"])
    table = _table(one.markets, scores, mine)
    return np.concatenate([stored, one.repeats]), table[np.concatenate([np.arange(len(stored)), rows])]


def _raced(
    one: PlaySearch, stored: npt.NDArray[np.void], scores: Sequence[ScoreBatch]
) -> tuple[npt.NDArray[np.void], npt.NDArray[np.void]]:
    """Every trial and its figures, when some were dropped: each from the segment that it came to.

    Where a variant has figures of several, because islands came to different ends, the first trial was that on everything, or the repeats
    say of each what it was.
    """
    segments = {(batch.segment, batch.data_set): batch for batch in scores}
    rungs = range(len(racing.shares(len(one.markets), one.settings.racing)))
    for rung in (*rungs[1:], 0):
        batch = segments.get((segment_of(rung), one.markets[0]))
        if batch is not None:
            stored["rung"][np.isin(stored["identity"], names(batch.variants))] = rung
    one.first_dropped(stored)
    trials = np.concatenate([stored[~np.isin(stored[["island", "identity"]], one.repeats[["island", "identity"]])], one.repeats])
    table = np.zeros((len(trials), len(one.markets)), dtype=SCORE_DTYPE)
    for rung in rungs:
        there = trials["rung"] == rung
        for column, key in enumerate(one.markets if there.any() else ()):
            batch = segments.get((segment_of(rung), key))
            if batch is None:
                raise errors.Conflict(f"the ledger lacks figures of {key}", hint="a pruned job cannot be resumed; start a new one")
            table[there, column] = batch.figures[_rows_of(names(batch.variants), trials["identity"][there])]
    return trials, table


def _table(markets: Sequence[str], scores: Sequence[ScoreBatch], mine: BoolArray) -> npt.NDArray[np.void]:
    """(n_variants, n_markets) `SCORE_DTYPE` of one search, in the order of its evaluations."""
    by_market = {batch.data_set: batch for batch in scores if batch.segment == IN_SAMPLE}
    table = np.zeros((int(mine.sum()), len(markets)), dtype=SCORE_DTYPE)
    for column, key in enumerate(markets):
        batch = by_market.get(key)
        if batch is None or len(batch) != len(mine):
            raise errors.Conflict(f"the ledger lacks figures of {key}", hint="a pruned job cannot be resumed; start a new one")
        table[:, column] = batch.figures[mine]
    return table


def _rows_of(identities: npt.NDArray[np.bytes_], wanted: npt.NDArray[np.bytes_]) -> IntArray:
    """(n,) the row of each wanted identity."""
    order = np.argsort(identities)
    rows = order[np.minimum(np.searchsorted(identities, wanted, sorter=order), len(order) - 1)]
    if not np.array_equal(identities[rows], wanted):
        raise errors.Conflict("the ledger lacks variants that the stored state knows", hint="start a new job")
    return np.asarray(rows)


def _joined(blobs: Iterable[bytes]) -> bytes:
    return b"".join(_LENGTH.pack(len(blob)) + blob for blob in blobs)


def _cut(blob: bytes) -> tuple[bytes, ...]:
    parts, place = [], 0
    while place < len(blob):
        (length,) = _LENGTH.unpack_from(blob, place)
        place += _LENGTH.size
        parts.append(blob[place : place + length])
        place += length
    return tuple(parts)
