"""Quotas in memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from coinswarm.ledger import quotas
from coinswarm.ledger.quotas import ANY, JobAmounts, Quota, Scope
from coinswarm.ledger.records import GenerationRecord, Job


class MemoryQuotas:
    """Keeps the contract of `Quotas` beside a `MemoryStore`, which holds its own lock around what it asks.

    Args:
        jobs: all that are stored.
        generations: of a job.
    """

    def __init__(self, jobs: Callable[[], Sequence[Job]], generations: Callable[[str], Sequence[GenerationRecord]]) -> None:
        self._jobs, self._generations = jobs, generations
        self._quotas: dict[tuple[Scope, str], Quota] = {}
        self.tokens: dict[str, str] = {}
        """The token that submitted a job, for those of the queue."""

    def set_quota(self, scope: Scope, name: str, quota: Quota, *, by: str) -> None:  # noqa: ARG002 - the audit log is beside
        self._quotas[scope, name] = quota

    def quota(self, scope: Scope, name: str) -> Quota:
        return self._quotas.get((scope, name), ANY)

    def used(self, scope: Scope, name: str) -> JobAmounts:
        return self._used(scope, name, but="")

    def admitted(self, scope: Scope, name: str, job: Job) -> Job:
        """The job with its limit of time; raises `LimitReached` where it would go beyond a quota."""
        quota = self.quota(scope, name)
        quotas.refuse_more(scope, name, quota, self._used(scope, name, but=job.id), quotas.asked_of(job))
        return quotas.timed(job, quota)

    def _used(self, scope: Scope, name: str, *, but: str) -> JobAmounts:
        theirs = [job for job in self._jobs() if name == (self.tokens.get(job.id) if scope == "token" else job.campaign) and job.id != but]
        return sum((quotas.counted(job, self._generations(job.id)) for job in theirs), JobAmounts())
