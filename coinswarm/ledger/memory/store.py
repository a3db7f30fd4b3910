"""A store in memory: the real contract without a database, for notebooks and tests. It forgets everything when the process ends."""

from __future__ import annotations

import dataclasses
import threading
from collections import ChainMap, Counter
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TypeVar

import numpy as np

from coinswarm import codec
from coinswarm.ledger import batches, columns, identity, transitions
from coinswarm.ledger.memory.quotas import MemoryQuotas
from coinswarm.ledger.records import (
    BEST,
    IN_SAMPLE,
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
    ScoreRecord,
    TrialCounts,
    TrialTally,
    evaluation_id,
)
from coinswarm.metrics import figures

_Key = TypeVar("_Key")
_Record = TypeVar("_Record")
_ScoreKey = tuple[str, str, str]


def utc_now() -> datetime:
    """The time of this machine."""
    return datetime.now(UTC)


_DROPPED = batches.STATUS_NAMES[figures.Status.DROPPED]


class MemoryStore:
    """Keeps the contract of `coinswarm.ledger.store.Store` with one lock around every method."""

    def __init__(self, clock: Callable[[], datetime] = utc_now) -> None:
        self._clock = clock
        self._lock = threading.RLock()
        self._data_sets: dict[tuple[str, str], DataSetRecord] = {}
        self._plays: dict[str, PlayRecord] = {}
        self._jobs: dict[str, Job] = {}
        self._generations: dict[str, dict[tuple[int, int], GenerationRecord]] = {}
        self._hashes: dict[str, dict[tuple[int, int], str]] = {}
        self._evaluations: dict[str, dict[str, EvaluationRecord]] = {}
        self._scores: dict[str, dict[_ScoreKey, ScoreRecord]] = {}
        self._openings: Counter[str] = Counter()
        self.quotas = MemoryQuotas(lambda: tuple(self._jobs.values()), self.generations)

    def save_data_sets(self, data_sets: Sequence[DataSetRecord]) -> None:
        with self._lock:
            for record in data_sets:
                identity.check_text(record)
            for record in data_sets:
                self._data_sets.setdefault((record.key, record.content_hash), record)

    def data_sets(self, hashes: Sequence[str]) -> tuple[DataSetRecord, ...]:
        with self._lock:
            return identity.in_order(self._data_sets.values(), hashes)

    def save_play(self, play: PlayRecord) -> None:
        with self._lock:
            identity.check_text(play)
            identity.check_same_play(self._plays.setdefault(play.sha256, play), play)

    def play(self, sha256: str) -> PlayRecord:
        with self._lock:
            return _by_prefix("play", self._plays, sha256)

    def create_job(self, job: Job) -> None:
        with self._lock:
            job = identity.checked_job(job)
            stored = self._jobs.get(job.id)
            if stored is not None:
                identity.check_same_job(stored, job)
                return
            self.data_sets(job.data_hashes)
            identity.check_known("play", job.plays, self._plays)
            self._jobs[job.id] = self.quotas.admitted("campaign", job.campaign, job)
            self._generations[job.id], self._hashes[job.id], self._evaluations[job.id], self._scores[job.id] = {}, {}, {}, {}

    def job(self, job: str) -> Job:
        with self._lock:
            return _by_prefix("job", self._jobs, job)

    def status(self, job: str) -> JobStatus:
        with self._lock:
            return self._known(job).status

    def jobs(
        self, *, campaign: str | None = None, kind: str | None = None, status: JobStatus | None = None, limit: int = 100
    ) -> tuple[Job, ...]:
        wanted = {name: value for name, value in (("campaign", campaign), ("kind", kind), ("status", status)) if value is not None}
        with self._lock:
            fitting = [job for job in self._jobs.values() if all(getattr(job, name) == value for name, value in wanted.items())]
            return tuple(sorted(fitting, key=lambda job: (job.created, job.id), reverse=True)[:limit])

    def claim(self, job: str, owner: str, *, lease_s: float = 60.0) -> Lease:
        with self._lock:
            return transitions.lease_of(self._put(transitions.claimed(self._known(job), owner, self._clock(), lease_s)))

    def heartbeat(self, lease: Lease, *, lease_s: float = 60.0) -> Lease:
        with self._lock:
            return transitions.lease_of(self._put(transitions.extended(self._known(lease.job), lease, self._clock(), lease_s)))

    def release(self, lease: Lease) -> None:
        with self._lock:
            self._put(transitions.released(self._known(lease.job), lease))

    def cancel(self, job: str) -> JobStatus:
        with self._lock:
            return self._put(transitions.cancelled(self._known(job), self._clock())).status

    def resume(self, job: str) -> None:
        with self._lock:
            self._put(transitions.resumed(self._known(job), self._clock()))

    def finish(self, lease: Lease, status: JobStatus, *, result: Json | None = None, result_hash: str = "", error: str = "") -> None:
        with self._lock:
            ending = (status, codec.copy(result), result_hash, codec.printable(error))
            self._put(transitions.finished(self._known(lease.job), lease, self._clock(), *ending))

    def commit_generation(
        self,
        lease: Lease,
        generations: Sequence[GenerationRecord],
        evaluations: Sequence[EvaluationBatch] = (),
        scores: Sequence[ScoreBatch] = (),
    ) -> bool:
        batches.check_commit(lease.job, generations, evaluations, scores)
        with self._lock:
            job = self._held(lease)
            if batches.is_repeat(self._hashes[job.id], generations, job.id):
                return False
            new = {record.variant: record for batch in reversed(evaluations) for record in reversed(_records(job, batch))}
            new_scores = _score_records(job.id, scores, ChainMap(self._evaluations[job.id], new))
            kept = [dataclasses.replace(record, figures=codec.copy(record.figures)) for record in generations]
            _add(self._evaluations[job.id], _completed(self._evaluations[job.id], new))
            _add(self._scores[job.id], new_scores)
            self._keep(job.id, kept)
            return True

    def save_scores(self, lease: Lease, scores: Sequence[ScoreBatch]) -> None:
        for batch in scores:
            batches.check_scores(batch)
        with self._lock:
            job = self._held(lease)
            _add(self._scores[job.id], _score_records(job.id, scores, self._evaluations[job.id]))

    def last_generations(self, job: str) -> tuple[GenerationRecord, ...]:
        newest = {record.island: record for record in self.generations(job)}
        return tuple(newest[island] for island in sorted(newest))

    def generations(self, job: str) -> tuple[GenerationRecord, ...]:
        with self._lock:
            stored = self._generations[self._known(job).id].values()
            return tuple(sorted(stored, key=lambda record: (record.generation, record.island)))

    def evaluations(self, job: str) -> tuple[EvaluationBatch, ...]:
        with self._lock:
            return columns.evaluation_batches(self._ordered(self._known(job).id))

    def scores(self, job: str) -> tuple[ScoreBatch, ...]:
        with self._lock:
            order = {record.variant: place for place, record in enumerate(self._ordered(self._known(job).id))}
            stored = sorted(self._scores[job].items(), key=lambda entry: (entry[0][1], entry[0][2], order[entry[0][0]]))
            return columns.score_batches((variant, score) for (variant, _, _), score in stored)

    def evaluation(self, evaluation: str) -> EvaluationRecord:
        with self._lock:
            known = {record.id: record for stored in self._evaluations.values() for record in stored.values()}
            record = _by_prefix("evaluation", known, evaluation)
            return dataclasses.replace(record, scores=self._scores_of(record))

    def leaderboard(self, job: str, *, by: str = "fitness", limit: int = 20) -> tuple[LeaderboardRow, ...]:
        batches.check_order(by)
        with self._lock:
            scores = self._scores_by_variant(self._known(job).id)
            records = [dataclasses.replace(record, scores=scores.get(record.variant, ())) for record in self._ordered(job)]
        worth = {record.id: _worth(record, by) for record in records}
        there = sorted((record for record in records if not np.isnan(worth[record.id])), key=lambda record: (-worth[record.id], record.id))
        return tuple(batches.leader(rank, record) for rank, record in enumerate(there[:limit], start=1))

    def lineage(self, evaluation: str) -> tuple[Ancestor, ...]:
        with self._lock:
            record = self.evaluation(evaluation)
            known, depths, layer, depth = self._evaluations[record.job], {record.variant: 0}, [record.variant], 0
            while layer:
                depth += 1
                parents = {parent for variant in layer for parent in known[variant].parents if parent in known}
                layer = [parent for parent in parents if depths.setdefault(parent, depth) == depth]
            return tuple(_ancestor(depths[variant], known[variant]) for variant in sorted(depths, key=lambda name: (depths[name], name)))

    def count_trials(self, campaign: str) -> TrialCounts:
        with self._lock:
            jobs = [job.id for job in self._jobs.values() if job.campaign == campaign]
            rows = [record for job in jobs for record in self._evaluations[job].values()]
        return TrialCounts(
            campaign=campaign,
            jobs=len(jobs),
            trials=len({(record.variant, record.data_hash) for record in rows}) + self._openings[campaign],
            variants=len({record.variant for record in rows}),
            evaluations=len(rows),
            failures=sum(record.status in batches.FAILED for record in rows),
            openings=self._openings[campaign],
        )

    def tally(self, job: str) -> TrialTally:
        with self._lock:
            rows = self._evaluations[self._known(job).id].values()
            places = Counter((record.island, record.generation) for record in rows)
            variants = len({record.variant for record in rows})
        best = {name: tuple(row.evaluation for row in self.leaderboard(job, by=name, limit=BEST)) for name in figures.FIGURES}
        return TrialTally(job=job, trials=len(rows), variants=variants, generations=places, identities=variants, best=best)

    def charge_opening(self, campaign: str) -> None:
        """Count a look into the campaign's vault as a trial."""
        with self._lock:
            self._openings[campaign] += 1

    def prune(self, job: str, *, keep: int = 100) -> None:
        with self._lock:
            transitions.refuse_going(self._known(job))
            kept = {row.variant for row in self.leaderboard(job, limit=keep)}
            self._scores[job] = {key: score for key, score in self._scores[job].items() if key[0] in kept}
            stored = self._generations[job]
            self._generations[job] = {key: dataclasses.replace(record, state=b"") for key, record in stored.items()}

    def _known(self, job: str) -> Job:
        if job not in self._jobs:
            raise identity.unknown("job", job)
        return self._jobs[job]

    def _held(self, lease: Lease) -> Job:
        job = self._known(lease.job)
        transitions.refuse_lost(job, lease)
        return job

    def _put(self, job: Job) -> Job:
        self._jobs[job.id] = job
        return job

    def _keep(self, job: str, generations: Sequence[GenerationRecord]) -> None:
        stored = self._generations[job]
        for record in generations:
            stored[record.island, record.generation] = record
            self._hashes[job][record.island, record.generation] = batches.state_hash(record.state)
        newest = {island: max(number for other, number in stored if other == island) for island, _ in stored}
        for (island, number), record in stored.items():
            if number < newest[island]:
                stored[island, number] = dataclasses.replace(record, state=b"")

    def _ordered(self, job: str) -> list[EvaluationRecord]:
        return sorted(self._evaluations[job].values(), key=lambda row: (row.generation, row.island, row.play, row.index, row.variant))

    def _scores_of(self, record: EvaluationRecord) -> tuple[ScoreRecord, ...]:
        stored = self._scores[record.job]
        return tuple(stored[key] for key in sorted(key for key in stored if key[0] == record.variant))

    def _scores_by_variant(self, job: str) -> dict[str, tuple[ScoreRecord, ...]]:
        """All scores of a job in one pass: a look for each of 60,000 variants on its own takes hours."""
        found: dict[str, list[ScoreRecord]] = {}
        for (variant, _, _), score in sorted(self._scores[job].items(), key=lambda entry: entry[0]):
            found.setdefault(variant, []).append(score)
        return {variant: tuple(scores) for variant, scores in found.items()}


def _by_prefix(kind: str, records: dict[str, _Record], prefix: str) -> _Record:
    matches = [prefix] if prefix in records else sorted(key for key in records if key.startswith(prefix))
    return records[identity.only_match(kind, prefix, matches)]


def _add(stored: dict[_Key, _Record], new: Mapping[_Key, _Record]) -> None:
    """Add what is not there yet; what is there stays."""
    for key, record in new.items():
        stored.setdefault(key, record)


def _completed(stored: dict[str, EvaluationRecord], new: Mapping[str, EvaluationRecord]) -> Mapping[str, EvaluationRecord]:
    """`new`, after what it says of variants that were dropped before on a part of the bars has been put into their records."""
    for variant, record in new.items():
        before = stored.get(variant)
        if before is not None and before.status == _DROPPED != record.status:
            stored[variant] = dataclasses.replace(
                before, fitness=record.fitness, objectives=record.objectives, status=record.status, reason=record.reason
            )
    return new


def _records(job: Job, batch: EvaluationBatch) -> list[EvaluationRecord]:
    return [
        EvaluationRecord(
            id=evaluation_id(job.id, variant),
            job=job.id,
            campaign=job.campaign,
            variant=variant,
            play=batch.play,
            island=batch.island,
            generation=batch.generation,
            index=int(batch.indices[row]),
            genome=tuple(batch.genomes[row].tolist()),
            params=codec.copy(batch.params[row]),
            fitness=float(batch.fitness[row]),
            objectives=tuple(batch.objectives[row].tolist()),
            status=batches.STATUS_NAMES[batch.status[row]],
            reason=codec.printable(batch.reasons[row]),
            seed=job.seed,
            parents=tuple(batch.parents[row]),
            operator=batch.operators[row],
            config_hash=job.config_hash,
            data_hash=job.data_hash,
            code_version=job.code_version,
            synthetic=job.synthetic,
            scores=(),
        )
        for row, variant in enumerate(batch.variants)
    ]


def _score_records(job: str, scores: Iterable[ScoreBatch], known: Container[str]) -> dict[_ScoreKey, ScoreRecord]:
    records: dict[_ScoreKey, ScoreRecord] = {}
    for batch in scores:
        batches.check_evaluated(job, batch.variants, [variant in known for variant in batch.variants])
        for variant, row in zip(batch.variants, batch.figures, strict=True):
            records.setdefault((variant, batch.data_set, batch.segment), _score(batch, row))
    return records


def _score(batch: ScoreBatch, row: np.void) -> ScoreRecord:
    return ScoreRecord(
        data_set=batch.data_set,
        segment=batch.segment,
        status=batches.STATUS_NAMES[row["status"]],
        figures={name: float(row[name]) for name in figures.FIGURES},
    )


def _worth(record: EvaluationRecord, by: str) -> float:
    if by == "fitness":
        return record.fitness
    found = batches.means(record.scores, IN_SAMPLE).get(by, float("nan"))
    return -found if by in figures.SMALLER_IS_BETTER else found


def _ancestor(depth: int, record: EvaluationRecord) -> Ancestor:
    return Ancestor(
        depth=depth,
        evaluation=record.id,
        variant=record.variant,
        parents=record.parents,
        operator=record.operator,
        island=record.island,
        generation=record.generation,
        fitness=record.fitness,
    )
