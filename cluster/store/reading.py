"""What is read inside a transaction, put back into records."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Any, TypeVar

import sqlalchemy as sa

from cluster.store import tables
from coinswarm.ledger import batches, columns, identity
from coinswarm.ledger.records import (
    IN_SAMPLE,
    OUT_OF_SAMPLE,
    Ancestor,
    DataSetRecord,
    EvaluationBatch,
    EvaluationRecord,
    GenerationRecord,
    Job,
    JobStatus,
    Json,
    LeaderboardRow,
    PlayRecord,
    ScoreBatch,
    ScoreRecord,
    TrialCounts,
)
from coinswarm.ledger.words import Words
from coinswarm.metrics.figures import FIGURES, SMALLER_IS_BETTER

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_AFTER_ALL = "\U0010ffff"
_SHOWN_MATCHES = 6
_INFINITY = sa.literal(float("inf"), sa.Double)
_PLACES = {name: place for place, name in enumerate(FIGURES, start=2)}
"""Where a figure stands in a score's array, which begins with the status and, in SQL, with 1."""
_Record = TypeVar("_Record")


def data_sets(connection: sa.Connection, hashes: Sequence[str]) -> tuple[DataSetRecord, ...]:
    """See `Store.data_sets`."""
    table = tables.data_sets
    rows = connection.execute(sa.select(table).where(table.c.content_hash.in_(hashes)))
    return identity.in_order([_data_set(row) for row in rows], hashes)


def play(connection: sa.Connection, sha256: str) -> PlayRecord:
    """See `Store.play`."""
    return _by_prefix(
        connection, "play", tables.plays.c.sha256, sha256, lambda row: PlayRecord(sha256=row.sha256, name=row.name, text=row.text)
    )


def known_plays(connection: sa.Connection, hashes: Sequence[str]) -> set[str]:
    """Those of the hashes that a play is stored under."""
    return set(connection.scalars(sa.select(tables.plays.c.sha256).where(tables.plays.c.sha256.in_(hashes))))


def job(connection: sa.Connection, prefix: str) -> Job:
    """See `Store.job`."""
    return _by_prefix(connection, "job", tables.jobs.c.id, prefix, job_of)


def find_job(connection: sa.Connection, name: str) -> Job | None:
    """The job with this id, if there is one."""
    row = connection.execute(sa.select(tables.jobs).where(tables.jobs.c.id == name)).one_or_none()
    return None if row is None else job_of(row)


def known_job(connection: sa.Connection, name: str, *, lock: bool = False) -> Job:
    """The job with this id, its row locked until the transaction ends if asked for.

    Raises:
        NotFound: there is none.
    """
    query = sa.select(tables.jobs).where(tables.jobs.c.id == name)
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        identity.only_match(
            "job", name, (), connection.scalars(sa.select(tables.jobs.c.id).order_by(tables.jobs.c.created.desc()).limit(100))
        )
    return job_of(row)


def status(connection: sa.Connection, name: str) -> JobStatus:
    """See `Store.status`."""
    found: JobStatus | None = connection.scalar(sa.select(tables.jobs.c.status).where(tables.jobs.c.id == name))
    return known_job(connection, name).status if found is None else found


def jobs(connection: sa.Connection, campaign: str | None, status: JobStatus | None, limit: int) -> tuple[Job, ...]:
    """See `Store.jobs`."""
    table = tables.jobs
    query = sa.select(table).order_by(table.c.created.desc(), table.c.id.desc()).limit(limit)
    for column, wanted in ((table.c.campaign, campaign), (table.c.status, status)):
        query = query if wanted is None else query.where(column == wanted)
    return tuple(job_of(row) for row in connection.execute(query))


def generations(connection: sa.Connection, name: str, *, last: bool) -> tuple[GenerationRecord, ...]:
    """See `Store.generations`; with `last`, `Store.last_generations`."""
    known_job(connection, name)
    made, kept = tables.generations.c, tables.checkpoints.c
    newest = sa.and_(kept.job == made.job, kept.island == made.island, kept.generation == made.generation)
    query = sa.select(tables.generations, kept.state).outerjoin(tables.checkpoints, newest).where(made.job == name)
    if last:
        numbers = sa.select(made.island, sa.func.max(made.generation)).where(made.job == name).group_by(made.island)
        query = query.where(sa.tuple_(made.island, made.generation).in_(numbers)).order_by(made.island)
    else:
        query = query.order_by(made.generation, made.island)
    return tuple(generation_of(row) for row in connection.execute(query))


def evaluation_batches(connection: sa.Connection, name: str) -> tuple[EvaluationBatch, ...]:
    """See `Store.evaluations`."""
    known = known_job(connection, name)
    query = _trials().where(tables.trials.c.job == name).order_by(*_committed_order())
    return columns.evaluation_batches(_evaluation(row, known, ()) for row in connection.execute(query))


def score_batches(connection: sa.Connection, name: str) -> tuple[ScoreBatch, ...]:
    """See `Store.scores`."""
    known_job(connection, name)
    scored, table = tables.score_rows.c, tables.trials.c
    query = (
        sa.select(table.variant, scored.data_set, scored.segment, scored.figures)
        .join(tables.trials, table.id == scored.evaluation)
        .join(tables.batches, tables.batches.c.number == table.batch)
        .where(table.job == name, scored.job == name)
        .order_by(scored.data_set, scored.segment, *_committed_order())
    )
    return columns.score_batches((row.variant, _score(row)) for row in connection.execute(query))


def evaluation(connection: sa.Connection, prefix: str) -> EvaluationRecord:
    """See `Store.evaluation`."""
    row = _trial(connection, prefix)
    return _evaluation(row, known_job(connection, row.job), _scores_of(connection, [row.id]).get(row.id, ()))


def best_first(name: str) -> sa.Select[Any]:
    """A job's variants that have a fitness, best first: read from the index `trials_best`."""
    table = tables.trials.c
    return _trials().where(table.job == name, table.fitness.is_not(None)).order_by(table.fitness.desc(), table.id)


def leaderboard(connection: sa.Connection, name: str, by: str, limit: int) -> tuple[LeaderboardRow, ...]:
    """See `Store.leaderboard`: two queries, whatever the limit."""
    known = known_job(connection, name)
    if by == "fitness":
        connection.execute(sa.text("SET LOCAL enable_sort = off"))  # before it has statistics of a new job, the planner sorts all of it
    query = best_first(name) if by == "fitness" else _best_by_figure(name, by)
    rows = connection.execute(query.limit(limit)).all()
    scored = _scores_of(connection, [row.id for row in rows])
    return tuple(_place(rank, row, known, scored.get(row.id, ())) for rank, row in enumerate(rows, start=1))


def lineage(connection: sa.Connection, prefix: str) -> tuple[Ancestor, ...]:
    """See `Store.lineage`."""
    start = _trial(connection, prefix)
    found = sa.func.ancestors(start.id).table_valued(sa.column("depth", sa.Integer), sa.column("ancestor", sa.Text)).alias("found")
    table = tables.trials.c
    query = sa.select(found.c.depth, tables.trials).join(found, found.c.ancestor == table.id).order_by(found.c.depth, table.variant)
    return tuple(_ancestor(row) for row in connection.execute(query))


def count_trials(connection: sa.Connection, campaign: str) -> TrialCounts:
    """See `Store.count_trials`: the view `trial_counts`."""
    query = sa.text("SELECT jobs, trials, variants, evaluations, failures, openings FROM trial_counts WHERE campaign = :campaign")
    row = connection.execute(query, {"campaign": campaign}).one_or_none()
    names = ("jobs", "trials", "variants", "evaluations", "failures", "openings")
    return TrialCounts(campaign=campaign, **dict(zip(names, row or (0,) * len(names), strict=True)))


def _by_prefix(
    connection: sa.Connection, kind: str, column: sa.Column[Any], prefix: str, record: Callable[[sa.Row[Any]], _Record]
) -> _Record:
    """The only row whose id starts with `prefix`; one whose id is `prefix` is always meant."""
    fits = sa.and_(column >= prefix, column < prefix + _AFTER_ALL)
    rows = connection.execute(sa.select(column.table).where(fits).order_by(column).limit(_SHOWN_MATCHES)).all()
    ids = [getattr(row, column.name) for row in rows]
    known = () if ids else connection.scalars(sa.select(column).limit(100))
    return record(rows[ids.index(identity.only_match(kind, prefix, [prefix] if prefix in ids else ids, known))])


def _trials() -> sa.Select[Any]:
    """Trials with what they share with others of their batch."""
    shared = tables.batches.c
    return sa.select(tables.trials, shared.play, shared.words).join(tables.batches, shared.number == tables.trials.c.batch)


def _trial(connection: sa.Connection, prefix: str) -> sa.Row[Any]:
    """The only trial whose id starts with `prefix`."""
    name = _by_prefix(connection, "evaluation", tables.trials.c.id, prefix, lambda found: str(found.id))
    return connection.execute(_trials().where(tables.trials.c.id == name)).one()


def _committed_order() -> tuple[sa.Column[Any], ...]:
    table = tables.trials.c
    return (table.generation, table.island, tables.batches.c.play, table["index"], table.variant)


def _best_by_figure(name: str, figure: str) -> sa.Select[Any]:
    table, scored = tables.trials.c, tables.score_rows.c
    value = scored.figures[_PLACES[figure]]
    worth = sa.func.avg(value).filter(value < _INFINITY, value > -_INFINITY)  # NaN is above infinity here
    means = (
        sa.select(scored.evaluation, worth.label("worth"))
        .where(scored.job == name, scored.segment == IN_SAMPLE)
        .group_by(scored.evaluation)
        .having(worth.is_not(None))
        .subquery()
    )
    order = means.c.worth if figure in SMALLER_IS_BETTER else means.c.worth.desc()
    return _trials().join(means, means.c.evaluation == table.id).order_by(order, table.id)


def _scores_of(connection: sa.Connection, ids: Sequence[str]) -> dict[str, tuple[ScoreRecord, ...]]:
    """The scores of some evaluations, one index look-up each: in a join the planner may read the whole table before it has statistics."""
    listed = sa.cast(sa.bindparam("ids", list(ids)), tables.IDS)
    asked = sa.func.unnest(listed).table_valued(sa.column("evaluation", sa.Text)).render_derived(name="asked")
    table = tables.score_rows.c
    each = (
        sa.select(tables.score_rows).where(table.evaluation == asked.c.evaluation).order_by(table.data_set, table.segment).lateral("each")
    )
    rows = connection.execute(sa.select(each).select_from(asked).join(each, sa.true()))
    return {name: tuple(_score(row) for row in group) for name, group in groupby(rows, key=lambda row: row.evaluation)}


def _float(value: float | None) -> float:
    return float("nan") if value is None else value


def _data_set(row: Any) -> DataSetRecord:
    named = {name: getattr(row, name) for name in ("key", "exchange", "symbol", "timeframe", "content_hash", "n_bars", "synthetic")}
    first, last = ((time - _EPOCH) // timedelta(milliseconds=1) for time in (row.first_bar, row.last_bar))
    return DataSetRecord(**named, first_ts=first, last_ts=last)


def job_of(row: Any) -> Job:
    """The job in a row of `jobs`."""
    fields = {**row._asdict(), "plays": tuple(row.plays), "data_hashes": tuple(row.data_hashes)}
    return Job(**fields)


def generation_of(row: Any) -> GenerationRecord:
    """The generation in a row of `generations` with its `state`."""
    fields: dict[str, Any] = {name: getattr(row, name) for name in ("job", "island", "generation", "evaluations", "failures", "figures")}
    fields |= {name: _float(getattr(row, name)) for name in ("best", "median", "diversity", "seconds")}
    return GenerationRecord(**fields, state=b"" if row.state is None else bytes(row.state))


def _evaluation(row: Any, known: Job, scores: Iterable[ScoreRecord]) -> EvaluationRecord:
    same = ("id", "job", "variant", "play", "island", "generation", "index", "reason", "operator")
    return EvaluationRecord(
        **{name: getattr(row, name) for name in same},
        **{name: getattr(known, name) for name in ("campaign", "seed", "config_hash", "data_hash", "code_version", "synthetic")},
        genome=tuple(row.genome),
        params=_params(row),
        fitness=_float(row.fitness),
        objectives=tuple(row.objectives),
        status=batches.STATUS_NAMES[row.status],
        parents=tuple(row.parents),
        scores=tuple(scores),
    )


def _params(row: Any) -> Json:
    return row.params if row.words is None or row.params is not None else Words.parse(row.words).say(row.genome)


def _score(row: Any) -> ScoreRecord:
    status, *found = row.figures
    figures = dict(zip(FIGURES, found, strict=True))
    return ScoreRecord(data_set=row.data_set, segment=row.segment, status=batches.STATUS_NAMES[int(status)], figures=figures)


def _place(rank: int, row: Any, known: Job, scores: Sequence[ScoreRecord]) -> LeaderboardRow:
    return LeaderboardRow(
        rank=rank,
        evaluation=row.id,
        job=row.job,
        variant=row.variant,
        play=row.play,
        params=_params(row),
        fitness=_float(row.fitness),
        objectives=tuple(row.objectives),
        in_sample=batches.means(scores, IN_SAMPLE),
        out_of_sample=batches.means(scores, OUT_OF_SAMPLE),
        synthetic=known.synthetic,
    )


def _ancestor(row: Any) -> Ancestor:
    named = {name: getattr(row, name) for name in ("depth", "variant", "operator", "island", "generation")}
    return Ancestor(**named, evaluation=row.id, parents=tuple(row.parents), fitness=_float(row.fitness))
