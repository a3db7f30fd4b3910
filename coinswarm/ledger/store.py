"""The protocol every store keeps, and the contract on concurrency that the laws in `tests/laws` hold it to.

**Atomic.** Each method is one transaction: it happens wholly or not at all, also when the process is killed in the middle.
**Durable.** What a method has returned from is there after a crash of the process or of the machine's power.
**Idempotent.** Repeating a call with equal arguments changes nothing and raises nothing, so a caller who lost the answer may ask again.
**Fenced.** `commit_generation`, `save_scores` and `finish` take a lease and raise `Conflict` once another driver has claimed the job, even
when the lease ran out unnoticed: two drivers never both write. An expired lease that no other took is still good.
**Cancelled stays cancelled.** What `cancel` has answered `cancelled` to is cancelled from then on, whatever its driver, a service or the
clock does next, in whatever order: it is never claimed, `release` and a lease that runs out leave it as it is, and its driver, who still
holds the lease, may store what it has and end it as cancelled, not as done or failed. Only `resume` takes a cancel back, which a user asks
for and no program by itself; the driver of before has then lost the job.
**Readers** never block writers, see only whole commits, and may use any number of processes. A store may be used by several threads.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

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


@runtime_checkable
class Store(Protocol):
    """Where runs are remembered."""

    def save_data_sets(self, data_sets: Sequence[DataSetRecord]) -> None:
        """Remember what bars there are; a record with the same key and content hash is already there and stays."""

    def data_sets(self, hashes: Sequence[str]) -> tuple[DataSetRecord, ...]:
        """The data sets with these content hashes, in the order asked for.

        Raises:
            NotFound: a hash is unknown.
        """

    def save_play(self, play: PlayRecord) -> None:
        """Remember a play's text under its hash.

        Raises:
            Conflict: the hash is taken by another text.
        """

    def play(self, sha256: str) -> PlayRecord:
        """The play known by this hash, or by a prefix of it that no other hash has.

        Raises:
            NotFound: there is none; Conflict: the prefix fits several.
        """

    def create_job(self, job: Job) -> None:
        """Queue a job whose plays and data sets are saved.

        Raises:
            Conflict: the id is taken by a different job; NotFound: a play or data set of it was never saved.
        """

    def job(self, job: str) -> Job:
        """The job with this id, or with a prefix of it that no other job has.

        Raises:
            NotFound: there is none; Conflict: the prefix fits several.
        """

    def status(self, job: str) -> JobStatus:
        """A job's status alone, cheap enough to be asked for every second.

        Raises:
            NotFound: there is no such job.
        """

    def jobs(
        self, *, campaign: str | None = None, kind: str | None = None, status: JobStatus | None = None, limit: int = 100
    ) -> tuple[Job, ...]:
        """Jobs, newest first; None: of every campaign, kind or status."""

    def claim(self, job: str, owner: str, *, lease_s: float = 60.0) -> Lease:
        """Take the right to drive a job for `lease_s` seconds of the store's clock, and set it running.

        A job that is queued can be claimed, and a running one whose lease ran out. The holder may claim again.

        Raises:
            Cancelled: it was cancelled; Conflict: another driver holds it, it is done, or it failed; NotFound: there is no such job.
        """

    def heartbeat(self, lease: Lease, *, lease_s: float = 60.0) -> Lease:
        """Extend the lease from now; the answer says whether the job was cancelled.

        Raises:
            Conflict: the lease was lost to another driver, or the job has ended.
        """

    def release(self, lease: Lease) -> None:
        """Give the job back unfinished: it is queued and can be claimed at once, or stays cancelled. A lost lease changes nothing."""

    def cancel(self, job: str) -> JobStatus:
        """Cancel a job at once, whether it waits or runs; the answer is its status now, which is that of before where it had ended.

        A driver hears of it by `status` or at its next heartbeat, and keeps its lease until it lets go.

        Raises:
            NotFound: there is no such job.
        """

    def resume(self, job: str) -> None:
        """Queue a job that was cancelled, failed or lost its driver, because a user asks for it.

        Raises:
            Conflict: it is done, or driven; NotFound: there is no such job.
        """

    def finish(self, lease: Lease, status: JobStatus, *, result: Json | None = None, result_hash: str = "", error: str = "") -> None:
        """End a job as done, failed or cancelled and give up the lease.

        Raises:
            Cancelled: the job was cancelled and `status` is another ending; Conflict: the lease was lost to another driver, or the job
            ended otherwise; InvalidArgument: `status` is not an ending.
        """

    def commit_generation(
        self,
        lease: Lease,
        generations: Sequence[GenerationRecord],
        evaluations: Sequence[EvaluationBatch] = (),
        scores: Sequence[ScoreBatch] = (),
    ) -> bool:
        """Store generations with their states and all of their trials, in one transaction.

        The first row of a variant wins: identities the job already has are left as they are, as are scores that are already there. Only
        a variant that was dropped on a part of the bars takes fitness, objectives, status and reason of a later row that was not.

        Returns:
            False when these generations were committed before, in which case nothing changes.

        Raises:
            Conflict: the lease was lost, or one of these generations is stored with another state, or some are stored and some are not;
            NotFound: a score's variant was never evaluated; ShapeMismatch, InvalidArgument: a batch's columns do not fit together.
        """

    def save_scores(self, lease: Lease, scores: Sequence[ScoreBatch]) -> None:
        """Add figures of variants that are already evaluated, such as those out of sample. Scores already there stay.

        Raises:
            Conflict: the lease was lost; NotFound: a variant was never evaluated.
        """

    def last_generations(self, job: str) -> tuple[GenerationRecord, ...]:
        """The newest generation of each island with its state, by island; `WHOLE_JOB` comes first. Empty when none was committed."""

    def generations(self, job: str) -> tuple[GenerationRecord, ...]:
        """All generations by generation and island; only each island's newest carries its state."""

    def evaluations(self, job: str) -> tuple[EvaluationBatch, ...]:
        """All variants of a job as columns, one batch per generation, island and play, in that order; rows by index, then identity."""

    def scores(self, job: str) -> tuple[ScoreBatch, ...]:
        """All figures of a job as columns, one batch per data set and segment, rows in the order of `evaluations`."""

    def evaluation(self, evaluation: str) -> EvaluationRecord:
        """The evaluation with this id, or with a prefix of it that no other evaluation has.

        Raises:
            NotFound: there is none; Conflict: the prefix fits several.
        """

    def leaderboard(self, job: str, *, by: str = "fitness", limit: int = 20) -> tuple[LeaderboardRow, ...]:
        """The best variants of a job, best first; equal ones by id. Variants without the figure are left out.

        Args:
            job: its id.
            by: "fitness", or a name of `metrics.figures.FIGURES`: then the mean over the data sets, in sample; drawdown, stagnation and
                costs are better when small.
            limit: how many rows at most.

        Raises:
            NotFound: there is no such job; InvalidArgument: `by` is neither.
        """

    def lineage(self, evaluation: str) -> tuple[Ancestor, ...]:
        """An evaluation and all of its ancestors within its job, each once at its smallest depth, by depth and then identity.

        Raises:
            NotFound, Conflict: as `evaluation`.
        """

    def count_trials(self, campaign: str) -> TrialCounts:
        """How much a campaign has tried; all zero when it has no job."""

    def tally(self, job: str) -> TrialTally:
        """The trials of a job, counted row by row.

        Raises:
            NotFound: there is no such job.
        """

    def prune(self, job: str, *, keep: int = 100) -> None:
        """Forget the states of a job that ended, and the figures of all but its `keep` fittest variants; every trial stays counted.

        Raises:
            NotFound: there is no such job; Conflict: it has not ended.
        """
