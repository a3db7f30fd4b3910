"""What several repositories read inside their transactions, put back into records."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any, TypeVar

import sqlalchemy as sa

from cluster.store import rows, tables
from coinswarm.ledger import identity
from coinswarm.ledger.records import DataSetRecord, EvaluationRecord, Job, PlayRecord, ScoreRecord

_AFTER_ALL = "\U0010ffff"
_SHOWN_MATCHES = 6
_Record = TypeVar("_Record")


def data_sets(connection: sa.Connection, hashes: Sequence[str]) -> tuple[DataSetRecord, ...]:
    """See `Store.data_sets`."""
    table = tables.data_sets
    found = connection.execute(sa.select(table).where(table.c.content_hash.in_(hashes)))
    return identity.in_order(map(rows.data_set_of, found), hashes)


def play(connection: sa.Connection, sha256: str) -> PlayRecord:
    """See `Store.play`."""
    return by_prefix(
        connection, "play", tables.plays.c.sha256, sha256, lambda row: PlayRecord(sha256=row.sha256, name=row.name, text=row.text)
    )


def job(connection: sa.Connection, prefix: str) -> Job:
    """See `Store.job`."""
    return by_prefix(connection, "job", tables.jobs.c.id, prefix, rows.job_of)


def find_job(connection: sa.Connection, name: str, *, lock: bool = False) -> Job | None:
    """The job with this id, if there is one, its row locked until the transaction ends if asked for."""
    query = sa.select(tables.jobs).where(tables.jobs.c.id == name)
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    return None if row is None else rows.job_of(row)


def known_job(connection: sa.Connection, name: str, *, lock: bool = False) -> Job:
    """As `find_job`.

    Raises:
        NotFound: there is none.
    """
    found = find_job(connection, name, lock=lock)
    if found is None:
        raise identity.unknown("job", name)
    return found


def evaluation(connection: sa.Connection, prefix: str) -> EvaluationRecord:
    """See `Store.evaluation`."""
    row = trial(connection, prefix)
    return rows.evaluation_of(row, known_job(connection, row.job), scores_of(connection, [row.id]).get(row.id, ()))


def by_prefix(
    connection: sa.Connection, kind: str, column: sa.Column[Any], prefix: str, record: Callable[[sa.Row[Any]], _Record]
) -> _Record:
    """The only row whose id starts with `prefix`; one whose id is `prefix` is always meant."""
    fits = sa.and_(column >= prefix, column < prefix + _AFTER_ALL)
    found = connection.execute(sa.select(column.table).where(fits).order_by(column).limit(_SHOWN_MATCHES)).all()
    ids = [getattr(row, column.name) for row in found]
    return record(found[ids.index(identity.only_match(kind, prefix, [prefix] if prefix in ids else ids))])


def trials() -> sa.Select[Any]:
    """Trials with what they share with others of their batch."""
    shared = tables.batches.c
    return sa.select(tables.trials, shared.play, shared.words).join(tables.batches, shared.number == tables.trials.c.batch)


def trial(connection: sa.Connection, prefix: str) -> sa.Row[Any]:
    """The only trial whose id starts with `prefix`."""
    name = by_prefix(connection, "evaluation", tables.trials.c.id, prefix, lambda found: str(found.id))
    return connection.execute(trials().where(tables.trials.c.id == name)).one()


def scores_of(connection: sa.Connection, ids: Sequence[str]) -> dict[str, tuple[ScoreRecord, ...]]:
    """The scores of some evaluations, one index look-up each: in a join the planner may read the whole table before it has statistics."""
    listed = sa.cast(sa.bindparam("ids", list(ids)), tables.IDS)
    asked = sa.func.unnest(listed).table_valued(sa.column("evaluation", sa.Text)).render_derived(name="asked")
    table = tables.score_rows.c
    each = (
        sa.select(tables.score_rows).where(table.evaluation == asked.c.evaluation).order_by(table.data_set, table.segment).lateral("each")
    )
    found = connection.execute(sa.select(each).select_from(asked).join(each, sa.true()))
    return {name: tuple(map(rows.score_of, group)) for name, group in groupby(found, key=lambda row: row.evaluation)}
