"""The store in PostgreSQL. Each method is one transaction; while the server is away it waits, as repeating a call is harmless."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar

import sqlalchemy as sa

from cluster.store import connect, reading, schema, writing
from coinswarm.ledger import batches, identity, jsontext, transitions
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
)

PATIENCE_S = 300.0
"""How long a run waits for a database that went away before it gives up."""

_T = TypeVar("_T")


class PostgresStore:
    """Keeps the contract of `coinswarm.ledger.store.Store` in a PostgreSQL database, which it brings to the current schema."""

    def __init__(self, url: str, *, patience_s: float = PATIENCE_S) -> None:
        """Connect and migrate.

        Args:
            url: `postgresql://user:password@host:port/database`.
            patience_s: how long a call waits for a database that went away. The first connection is not waited for.

        Raises:
            BadSetting: `url` is not one; Unavailable: nobody answers there within seconds; Refused: the schema is of a later program.
        """
        self._engine = connect.engine(url)
        self._patience_s = 0.0
        try:
            self._do(schema.migrate)
        except BaseException:
            self._engine.dispose()
            raise
        self._patience_s = patience_s

    def save_data_sets(self, data_sets: Sequence[DataSetRecord]) -> None:
        """See `Store`."""
        for record in data_sets:
            identity.check_text(record)
        self._do(lambda connection: writing.save_data_sets(connection, data_sets))

    def data_sets(self, hashes: Sequence[str]) -> tuple[DataSetRecord, ...]:
        """See `Store`."""
        return self._do(lambda connection: reading.data_sets(connection, hashes))

    def save_play(self, play: PlayRecord) -> None:
        """See `Store`."""
        identity.check_text(play)
        self._do(lambda connection: writing.save_play(connection, play))

    def play(self, sha256: str) -> PlayRecord:
        """See `Store`."""
        return self._do(lambda connection: reading.play(connection, sha256))

    def create_job(self, job: Job) -> None:
        """See `Store`."""
        checked = identity.checked_job(job)
        self._do(lambda connection: writing.create_job(connection, checked))

    def job(self, job: str) -> Job:
        """See `Store`."""
        return self._do(lambda connection: reading.job(connection, job))

    def status(self, job: str) -> JobStatus:
        """See `Store`."""
        return self._do(lambda connection: reading.status(connection, job))

    def jobs(self, *, campaign: str | None = None, status: JobStatus | None = None, limit: int = 100) -> tuple[Job, ...]:
        """See `Store`."""
        return self._do(lambda connection: reading.jobs(connection, campaign, status, limit))

    def claim(self, job: str, owner: str, *, lease_s: float = 60.0) -> Lease:
        """See `Store`."""
        return transitions.lease_of(self._change(job, lambda stored, now: transitions.claimed(stored, owner, now, lease_s)))

    def heartbeat(self, lease: Lease, *, lease_s: float = 60.0) -> Lease:
        """See `Store`."""
        return transitions.lease_of(self._change(lease.job, lambda stored, now: transitions.extended(stored, lease, now, lease_s)))

    def release(self, lease: Lease) -> None:
        """See `Store`."""
        self._change(lease.job, lambda stored, _: transitions.released(stored, lease))

    def cancel(self, job: str) -> JobStatus:
        """See `Store`."""
        return self._change(job, transitions.cancelled).status

    def resume(self, job: str) -> None:
        """See `Store`."""
        self._change(job, transitions.resumed)

    def finish(self, lease: Lease, status: JobStatus, *, result: Json | None = None, result_hash: str = "", error: str = "") -> None:
        """See `Store`."""
        ending = (status, jsontext.copy(result), result_hash, jsontext.printable(error))
        self._change(lease.job, lambda stored, now: transitions.finished(stored, lease, now, *ending))

    def commit_generation(
        self,
        lease: Lease,
        generations: Sequence[GenerationRecord],
        evaluations: Sequence[EvaluationBatch] = (),
        scores: Sequence[ScoreBatch] = (),
    ) -> bool:
        """See `Store`."""
        batches.check_commit(lease.job, generations, evaluations, scores)
        return self._do(lambda connection: writing.commit_generation(connection, lease, generations, evaluations, scores))

    def save_scores(self, lease: Lease, scores: Sequence[ScoreBatch]) -> None:
        """See `Store`."""
        for batch in scores:
            batches.check_scores(batch)
        self._do(lambda connection: writing.copy_scores(connection, writing.held_job(connection, lease), scores))

    def last_generations(self, job: str) -> tuple[GenerationRecord, ...]:
        """See `Store`."""
        return self._do(lambda connection: reading.generations(connection, job, last=True))

    def generations(self, job: str) -> tuple[GenerationRecord, ...]:
        """See `Store`."""
        return self._do(lambda connection: reading.generations(connection, job, last=False))

    def evaluations(self, job: str) -> tuple[EvaluationBatch, ...]:
        """See `Store`."""
        return self._do(lambda connection: reading.evaluation_batches(connection, job))

    def scores(self, job: str) -> tuple[ScoreBatch, ...]:
        """See `Store`."""
        return self._do(lambda connection: reading.score_batches(connection, job))

    def evaluation(self, evaluation: str) -> EvaluationRecord:
        """See `Store`."""
        return self._do(lambda connection: reading.evaluation(connection, evaluation))

    def leaderboard(self, job: str, *, by: str = "fitness", limit: int = 20) -> tuple[LeaderboardRow, ...]:
        """See `Store`."""
        batches.check_order(by)
        return self._do(lambda connection: reading.leaderboard(connection, job, by, limit))

    def lineage(self, evaluation: str) -> tuple[Ancestor, ...]:
        """See `Store`."""
        return self._do(lambda connection: reading.lineage(connection, evaluation))

    def count_trials(self, campaign: str) -> TrialCounts:
        """See `Store`."""
        return self._do(lambda connection: reading.count_trials(connection, campaign))

    def prune(self, job: str, *, keep: int = 100) -> None:
        """See `Store`."""
        self._do(lambda connection: writing.forget(connection, job, keep))

    def close(self) -> None:
        """See `Store`."""
        self._engine.dispose()

    def _do(self, work: Callable[[sa.Connection], _T]) -> _T:
        return connect.run(self._engine, work, patience_s=self._patience_s)

    def _change(self, job: str, change: Callable[[Job, datetime], Job]) -> Job:
        return self._do(lambda connection: writing.change_job(connection, job, change))
