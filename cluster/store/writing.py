"""What several repositories write inside their transactions: jobs, and generations with all of their trials in bulk."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import numpy as np
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from cluster.store import copying, quotas, ranks, reading, rows, tables, trial_rows
from cluster.store.ranks import Gained
from cluster.store.trial_rows import RowPart
from coinswarm import codec
from coinswarm.ledger import batches, identity, transitions
from coinswarm.ledger.records import (
    IN_SAMPLE,
    DataSetRecord,
    EvaluationBatch,
    GenerationRecord,
    Job,
    Lease,
    PlayRecord,
    ScoreBatch,
    evaluation_id,
)
from coinswarm.metrics.figures import Status
from coinswarm.types import IntArray

_SAVE_BATCH = sa.text("""
WITH counted AS (
    INSERT INTO job_ranks AS known (job, trials) VALUES (:job, :trials)
    ON CONFLICT (job) DO UPDATE SET trials = known.trials + excluded.trials RETURNING trials, floors
)
INSERT INTO batches (job, play, words, variants, failures) VALUES (:job, :play, :words, :variants, :failures)
RETURNING number, (SELECT trials FROM counted) AS trials, (SELECT floors FROM counted) AS floors
""").bindparams(sa.bindparam("words", type_=tables.batches.c.words.type))
"""One way to the server, as a text: to build it anew takes a millisecond."""


def save_data_sets(connection: sa.Connection, data_sets: Sequence[DataSetRecord]) -> None:
    """Insert the records that are not there.

    Raises:
        InvalidArgument: a text cannot be stored.
    """
    for record in data_sets:
        identity.check_text(record)
    if data_sets:
        connection.execute(insert(tables.data_sets).on_conflict_do_nothing(), list(map(rows.data_set_row, data_sets)))


def save_play(connection: sa.Connection, play: PlayRecord) -> None:
    """Insert a play, or check that it is the one stored.

    Raises:
        Conflict: another is; InvalidArgument: a text cannot be stored.
    """
    identity.check_text(play)
    connection.execute(insert(tables.plays).on_conflict_do_nothing(), [dataclasses.asdict(play)])
    identity.check_same_play(reading.play(connection, play.sha256), play)


def create_job(connection: sa.Connection, asked: Job) -> None:
    """Insert a job, or check that it is the one stored.

    Raises:
        Conflict: another is; NotFound: a play or a data set of it is not stored; InvalidArgument: it cannot be stored;
        LimitReached: it would take its campaign beyond its quota.
    """
    job = identity.checked_job(asked)
    stored = reading.find_job(connection, job.id)
    if stored is None:
        reading.data_sets(connection, job.data_hashes)
        identity.check_known("play", job.plays, _among(connection, tables.plays.c.sha256, job.plays))
        job = quotas.admitted(connection, "campaign", job.campaign, job)
        connection.execute(insert(tables.jobs).on_conflict_do_nothing(), [rows.job_row(job)])
        stored = reading.known_job(connection, job.id)
    identity.check_same_job(stored, job)


def change_job(connection: sa.Connection, job: str, change: Callable[[Job, datetime], Job]) -> Job:
    """Apply a transition to a job, alone: the row is locked until the transaction ends. The clock is the database's."""
    before = reading.known_job(connection, job, lock=True)
    now = connection.execute(sa.select(sa.func.clock_timestamp())).scalar_one()
    after = change(before, now)
    if after != before:
        connection.execute(sa.update(tables.jobs).where(tables.jobs.c.id == job).values(**rows.job_row(after)))
    return after


def held_job(connection: sa.Connection, lease: Lease) -> Job:
    """The job a lease holds, locked until the transaction ends.

    Raises:
        Conflict: the lease was lost.
    """
    job = reading.known_job(connection, lease.job, lock=True)
    transitions.refuse_lost(job, lease)
    return job


def commit_generation(
    connection: sa.Connection,
    lease: Lease,
    generations: Sequence[GenerationRecord],
    evaluations: Sequence[EvaluationBatch],
    scores: Sequence[ScoreBatch],
) -> bool:
    """Write generations, states, evaluations and scores; False when they are there already."""
    job = held_job(connection, lease)
    if batches.is_repeat(_stored_states(connection, generations), generations, job.id):
        return False
    connection.execute(sa.insert(tables.generations), [rows.generation_row(job, record) for record in generations])
    _save_states(connection, generations)
    gained: list[Gained] = []
    for batch in evaluations:
        scores = _copy_batch(connection, job, batch, scores, gained)
    ranks.add(connection, job.id, gained)
    copy_scores(connection, job, scores)
    return True


def copy_scores(connection: sa.Connection, job: Job, scores: Sequence[ScoreBatch]) -> None:
    """Copy the scores that are not there yet.

    Raises:
        NotFound: a variant was never evaluated.
    """
    in_sample = [evaluation_id(job.id, variant) for batch in scores if batch.segment == IN_SAMPLE for variant in batch.variants]
    before, later = _among(connection, tables.score_rows.c.evaluation, in_sample, segment=IN_SAMPLE), dict[str, None]()
    for batch in scores:
        copied = _copy_new_scores(connection, job, batch)
        later |= dict.fromkeys(copied if batch.segment == IN_SAMPLE else ())
    ranks.again(connection, job.id, list(later), changed=not before.isdisjoint(later))


def _copy_new_scores(connection: sa.Connection, job: Job, batch: ScoreBatch) -> list[str]:
    """Copy the scores of a batch that are not there yet; the ids of their evaluations."""
    ids = [evaluation_id(job.id, variant) for variant in batch.variants]
    known = _among(connection, tables.trials.c.id, ids)
    batches.check_evaluated(job.id, batch.variants, [name in known for name in ids])
    there = _among(connection, tables.score_rows.c.evaluation, ids, data_set=batch.data_set, segment=batch.segment)
    new = trial_rows.first_rows(ids, there)
    part = RowPart(segment=batch.segment, data_sets=(batch.data_set,), rows=new, figures=batch.figures[new, np.newaxis])
    copied = [ids[row] for row in new.tolist()]
    _copy_scores(connection, part, copied)
    return copied


def _copy_batch(
    connection: sa.Connection,
    job: Job,
    batch: EvaluationBatch,
    scores: Sequence[ScoreBatch],
    gained: list[Gained],
) -> list[ScoreBatch]:
    """Copy the variants the job does not have, with their figures, and add them to `gained`; the answer is what is left of the scores."""
    ids = [evaluation_id(job.id, variant) for variant in batch.variants]
    there = _among(connection, tables.trials.c.id, ids)
    _complete(connection, batch, ids, there)
    new = trial_rows.first_rows(ids, there)
    parts, rest = trial_rows.gathered(batch, scores, new)
    if len(new):
        saved = _save_batch(connection, job, batch, new, parts)
        for place, part in enumerate(parts):
            names = [ids[row] for row in part.rows.tolist()]
            _copy_trials(connection, job.id, batch, saved.number, place, part, names)
            gained.append(Gained(part=part, ids=names, trials=saved.trials, floors=saved.floors))
    return rest


def _complete(connection: sa.Connection, batch: EvaluationBatch, ids: Sequence[str], there: set[str]) -> None:
    """Put what a batch says of variants that were dropped before on a part of the bars into their rows."""
    first = trial_rows.first_rows(ids, ()).tolist() if there else []
    later = [row for row in first if ids[row] in there and batch.status[row] != Status.DROPPED]
    trials = tables.trials.c
    dropped = sa.update(tables.trials).where(trials.id == sa.bindparam("trial"), trials.status == int(Status.DROPPED))
    values: dict[str, Any] = {name: sa.bindparam(f"new_{name}") for name in ("fitness", "objectives", "status", "reason")}
    changes = [
        {
            "trial": ids[row], "new_fitness": None if math.isnan(batch.fitness[row]) else float(batch.fitness[row]),
            "new_objectives": batch.objectives[row].tolist(), "new_status": int(batch.status[row]),
            "new_reason": codec.printable(batch.reasons[row]),
        }
        for row in later
    ]  # fmt: skip
    if changes:
        failing = [change["trial"] for change in changes if change["new_status"] in batches.FAILURES]
        if failing:
            _count_failures(connection, failing)
        connection.execute(dropped.values(values), changes)


def _count_failures(connection: sa.Connection, ids: Sequence[str]) -> None:
    """Count dropped trials that fail now with their batches."""
    table, counted = tables.trials.c, tables.batches
    among = table.id == sa.any_(sa.func.string_to_array(",".join(ids), ","))
    failed = sa.select(table.batch, sa.func.count().label("trials")).where(among, table.status == int(Status.DROPPED))
    each = failed.group_by(table.batch).subquery()
    connection.execute(sa.update(counted).where(counted.c.number == each.c.batch).values(failures=counted.c.failures + each.c.trials))


def _save_batch(connection: sa.Connection, job: Job, batch: EvaluationBatch, new: IntArray, parts: Sequence[RowPart]) -> sa.Row[Any]:
    """The number under which the rows `new` of a batch find what they share; and `trials` and `floors` of the job, see `Gained`."""
    decoder = trial_rows.decoder_of(batch)
    row = {
        "job": job.id, "play": batch.play, "words": None if decoder is None else decoder.plain(),
        "variants": trial_rows.identities([batch.variants[row] for row in new.tolist()]),
        "failures": int(np.isin(batch.status[new], batches.FAILURES).sum()), "trials": len(new),
    }  # fmt: skip
    saved = connection.execute(_SAVE_BATCH, row).one()
    places = [
        {"batch": saved.number, "part": place, "segment": part.segment, "data_sets": list(part.data_sets)}
        for place, part in enumerate(parts)
        if part.data_sets
    ]
    if places:
        connection.execute(sa.insert(tables.batch_parts), places)
    return saved


def _copy_trials(
    connection: sa.Connection, job: str, batch: EvaluationBatch, number: int, place: int, part: RowPart, ids: Sequence[str]
) -> None:
    def laid_out(piece: slice) -> bytes:
        return trial_rows.trials(batch, number, place, part.select(piece), ids[piece], job)

    copying.copy(connection, "trials", trial_rows.TRIAL_COLUMNS, laid_out, len(ids))


def _copy_scores(connection: sa.Connection, part: RowPart, ids: Sequence[str]) -> None:
    def laid_out(piece: slice) -> bytes:
        return trial_rows.scores(part.select(piece), ids[piece])

    copying.copy(connection, "later_scores", trial_rows.SCORE_COLUMNS, laid_out, len(ids))


def _among(connection: sa.Connection, column: sa.Column[Any], ids: Sequence[str], **where: str) -> set[str]:
    """Which of `ids` are in a column, in the rows with the values `where`. They go as one text: an array would cost 2 us an id."""
    if not ids:
        return set()
    listed = sa.func.string_to_array(",".join(ids), ",")
    query = sa.select(column).where(column == sa.any_(listed), *(column.table.c[name] == value for name, value in where.items()))
    return set(connection.scalars(query))


def _stored_states(connection: sa.Connection, generations: Sequence[GenerationRecord]) -> dict[tuple[int, int], str]:
    table = tables.generations.c
    numbers = [record.generation for record in generations]
    query = sa.select(table.island, table.generation, table.state_hash).where(
        table.job == generations[0].job, table.generation.in_(numbers)
    )
    return {(island, generation): state for island, generation, state in connection.execute(query)}


def _save_states(connection: sa.Connection, generations: Sequence[GenerationRecord]) -> None:
    """Keep the newest state of each island."""
    new = insert(tables.checkpoints)
    newest = new.on_conflict_do_update(
        index_elements=["job", "island"],
        set_={"generation": new.excluded.generation, "state": new.excluded.state},
        where=tables.checkpoints.c.generation < new.excluded.generation,
    )
    for record in generations:
        connection.execute(newest, [{"job": record.job, "island": record.island, "generation": record.generation, "state": record.state}])
