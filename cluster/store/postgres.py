"""The store in PostgreSQL."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from typing_extensions import override

from cluster.store import counting, ranks, reading, rows, tables, writing
from cluster.store.database import Repository, transaction
from coinswarm import codec
from coinswarm.ledger import batches, columns, transitions
from coinswarm.ledger.records import (
    Ancestor,
    DataSetRecord,
    EvaluationBatch,
    EvaluationRecord,
    GenerationRecord,
    Job,
    JobStatus,
    Json,
    LeaderboardRow,
    Lease,
    PlayRecord,
    ScoreBatch,
    TrialCounts,
    TrialTally,
)
from coinswarm.ledger.store import Store


class PostgresStore(Repository, Store):
    """The store in a PostgreSQL database."""

    @override
    @transaction
    def save_data_sets(self, connection: sa.Connection, data_sets: Sequence[DataSetRecord]) -> None:
        writing.save_data_sets(connection, data_sets)

    @override
    @transaction
    def data_sets(self, connection: sa.Connection, hashes: Sequence[str]) -> tuple[DataSetRecord, ...]:
        return reading.data_sets(connection, hashes)

    @override
    @transaction
    def save_play(self, connection: sa.Connection, play: PlayRecord) -> None:
        writing.save_play(connection, play)

    @override
    @transaction
    def play(self, connection: sa.Connection, sha256: str) -> PlayRecord:
        return reading.play(connection, sha256)

    @override
    @transaction
    def create_job(self, connection: sa.Connection, job: Job) -> None:
        writing.create_job(connection, job)

    @override
    @transaction
    def job(self, connection: sa.Connection, job: str) -> Job:
        return reading.job(connection, job)

    @override
    @transaction
    def status(self, connection: sa.Connection, job: str) -> JobStatus:
        found: JobStatus | None = connection.scalar(sa.select(tables.jobs.c.status).where(tables.jobs.c.id == job))
        return reading.known_job(connection, job).status if found is None else found

    @override
    @transaction
    def jobs(
        self,
        connection: sa.Connection,
        *,
        campaign: str | None = None,
        kind: str | None = None,
        status: JobStatus | None = None,
        limit: int = 100,
    ) -> tuple[Job, ...]:
        table = tables.jobs
        query = sa.select(table).order_by(table.c.created.desc(), table.c.id.desc()).limit(limit)
        for column, wanted in ((table.c.campaign, campaign), (table.c.kind, kind), (table.c.status, status)):
            query = query if wanted is None else query.where(column == wanted)
        return tuple(map(rows.job_of, connection.execute(query)))

    @override
    def claim(self, job: str, owner: str, *, lease_s: float = 60.0) -> Lease:
        return transitions.lease_of(self._change(job, lambda stored, now: transitions.claimed(stored, owner, now, lease_s)))

    @override
    def heartbeat(self, lease: Lease, *, lease_s: float = 60.0) -> Lease:
        return transitions.lease_of(self._change(lease.job, lambda stored, now: transitions.extended(stored, lease, now, lease_s)))

    @override
    def release(self, lease: Lease) -> None:
        self._change(lease.job, lambda stored, _: transitions.released(stored, lease))

    @override
    def cancel(self, job: str) -> JobStatus:
        return self._change(job, transitions.cancelled).status

    @override
    def resume(self, job: str) -> None:
        self._change(job, transitions.resumed)

    @override
    def finish(self, lease: Lease, status: JobStatus, *, result: Json | None = None, result_hash: str = "", error: str = "") -> None:
        ending = (status, codec.copy(result), result_hash, codec.printable(error))
        self._change(lease.job, lambda stored, now: transitions.finished(stored, lease, now, *ending))

    @override
    @transaction
    def commit_generation(
        self,
        connection: sa.Connection,
        lease: Lease,
        generations: Sequence[GenerationRecord],
        evaluations: Sequence[EvaluationBatch] = (),
        scores: Sequence[ScoreBatch] = (),
    ) -> bool:
        batches.check_commit(lease.job, generations, evaluations, scores)
        return writing.commit_generation(connection, lease, generations, evaluations, scores)

    @override
    @transaction
    def save_scores(self, connection: sa.Connection, lease: Lease, scores: Sequence[ScoreBatch]) -> None:
        for batch in scores:
            batches.check_scores(batch)
        writing.copy_scores(connection, writing.held_job(connection, lease), scores)

    @override
    @transaction
    def last_generations(self, connection: sa.Connection, job: str) -> tuple[GenerationRecord, ...]:
        made = tables.generations.c
        newest = sa.select(made.island, sa.func.max(made.generation)).where(made.job == job).group_by(made.island)
        query = _generations(job).where(sa.tuple_(made.island, made.generation).in_(newest)).order_by(made.island)
        reading.known_job(connection, job)
        return tuple(map(rows.generation_of, connection.execute(query)))

    @override
    @transaction
    def generations(self, connection: sa.Connection, job: str) -> tuple[GenerationRecord, ...]:
        query = _generations(job).order_by(tables.generations.c.generation, tables.generations.c.island)
        reading.known_job(connection, job)
        return tuple(map(rows.generation_of, connection.execute(query)))

    @override
    @transaction
    def evaluations(self, connection: sa.Connection, job: str) -> tuple[EvaluationBatch, ...]:
        known = reading.known_job(connection, job)
        query = reading.trials().where(tables.trials.c.job == job).order_by(*_committed_order())
        return columns.evaluation_batches(rows.evaluation_of(row, known, ()) for row in connection.execute(query))

    @override
    @transaction
    def scores(self, connection: sa.Connection, job: str) -> tuple[ScoreBatch, ...]:
        reading.known_job(connection, job)
        scored, table = tables.score_rows.c, tables.trials.c
        query = (
            sa.select(table.variant, scored.data_set, scored.segment, scored.figures)
            .join(tables.trials, table.id == scored.evaluation)
            .join(tables.batches, tables.batches.c.number == table.batch)
            .where(table.job == job, scored.job == job)
            .order_by(scored.data_set, scored.segment, *_committed_order())
        )
        return columns.score_batches((row.variant, rows.score_of(row)) for row in connection.execute(query))

    @override
    @transaction
    def evaluation(self, connection: sa.Connection, evaluation: str) -> EvaluationRecord:
        return reading.evaluation(connection, evaluation)

    @override
    @transaction
    def leaderboard(self, connection: sa.Connection, job: str, *, by: str = "fitness", limit: int = 20) -> tuple[LeaderboardRow, ...]:
        batches.check_order(by)
        known = reading.known_job(connection, job)
        best = _fittest(connection, job, limit) if by == "fitness" else _best_by_figure(connection, job, by, limit)
        scored = reading.scores_of(connection, [row.id for row in best])
        found = (rows.evaluation_of(row, known, scored.get(row.id, ())) for row in best)
        return tuple(batches.leader(rank, record) for rank, record in enumerate(found, start=1))

    @override
    @transaction
    def lineage(self, connection: sa.Connection, evaluation: str) -> tuple[Ancestor, ...]:
        start = reading.trial(connection, evaluation)
        found = sa.func.ancestors(start.id).table_valued(sa.column("depth", sa.Integer), sa.column("ancestor", sa.Text)).alias("found")
        table = tables.trials.c
        query = sa.select(found.c.depth, tables.trials).join(found, found.c.ancestor == table.id).order_by(found.c.depth, table.variant)
        return tuple(map(rows.ancestor_of, connection.execute(query)))

    @override
    @transaction
    def count_trials(self, connection: sa.Connection, campaign: str) -> TrialCounts:
        return counting.of_campaign(connection, campaign)

    @override
    @transaction
    def tally(self, connection: sa.Connection, job: str) -> TrialTally:
        reading.known_job(connection, job)
        table = tables.trials.c
        counted = sa.select(sa.func.count(), sa.func.count(table.variant.distinct())).where(table.job == job)
        trials, variants = connection.execute(counted).one()
        query = sa.select(table.island, table.generation, sa.func.count()).where(table.job == job).group_by(table.island, table.generation)
        places = {(island, generation): number for island, generation, number in connection.execute(query)}
        identities, best = counting.of_job(connection, job), ranks.of_all(connection, job)
        return TrialTally(job=job, trials=trials, variants=variants, generations=places, identities=identities, best=best)

    @override
    @transaction
    def prune(self, connection: sa.Connection, job: str, *, keep: int = 100) -> None:
        transitions.refuse_going(reading.known_job(connection, job, lock=True))
        connection.execute(sa.delete(tables.checkpoints).where(tables.checkpoints.c.job == job))
        trials = tables.trials.c
        best = _best_first(job).with_only_columns(trials.id).limit(keep)
        losers = sa.select(trials.id).where(trials.job == job, trials.id.not_in(best.scalar_subquery())).scalar_subquery()
        connection.execute(sa.delete(tables.later_scores).where(tables.later_scores.c.evaluation.in_(losers)))
        forgotten = sa.update(tables.trials).where(trials.id.in_(losers), trials.part.is_not(None))
        connection.execute(forgotten.values(part=None, figures=None))
        ranks.rebuild(connection, job)

    def _change(self, job: str, change: Callable[[Job, datetime], Job]) -> Job:
        return self.run(lambda connection: writing.change_job(connection, job, change))


def _generations(job: str) -> sa.Select[Any]:
    """A job's generations, with the state where it is kept."""
    made, kept = tables.generations.c, tables.checkpoints.c
    newest = sa.and_(kept.job == made.job, kept.island == made.island, kept.generation == made.generation)
    return sa.select(tables.generations, kept.state).outerjoin(tables.checkpoints, newest).where(made.job == job)


def _committed_order() -> tuple[sa.Column[Any], ...]:
    table = tables.trials.c
    return (table.generation, table.island, tables.batches.c.play, table["index"], table.variant)


def _best_first(job: str) -> sa.Select[Any]:
    """A job's variants that have a fitness, best first: read from the index `trials_best`."""
    table = tables.trials.c
    return reading.trials().where(table.job == job, table.fitness.is_not(None)).order_by(table.fitness.desc(), table.id)


def _fittest(connection: sa.Connection, job: str, limit: int) -> Sequence[sa.Row[Any]]:
    connection.execute(sa.text("SET LOCAL enable_sort = off"))  # before it has statistics of a new job, the planner sorts all of it
    return connection.execute(_best_first(job).limit(limit)).all()


def _best_by_figure(connection: sa.Connection, job: str, figure: str, limit: int) -> Sequence[sa.Row[Any]]:
    ids = ranks.by_figure(connection, job, figure, limit)
    listed = sa.func.string_to_array(",".join(ids), ",")
    found = {row.id: row for row in connection.execute(reading.trials().where(tables.trials.c.id == sa.any_(listed)))}
    return [found[name] for name in ids]
