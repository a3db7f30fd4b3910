"""The queue in memory."""

from __future__ import annotations

import dataclasses
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from coinswarm.ledger import transitions
from coinswarm.ledger.access import Access, Token
from coinswarm.ledger.memory.store import MemoryStore, utc_now
from coinswarm.ledger.queue import Entry, Standing, Submission, check_submission, is_ready, may_delay, refuse_more, refuse_other
from coinswarm.ledger.records import LEASE_S, Job, JobStatus, Lease


class MemoryQueue:
    """Keeps the contract of `Queue` beside a `MemoryStore`.

    Args:
        store: where the jobs are.
        access: where tokens are, which bound how many of their jobs run, and the audit log.
        clock: the time.
    """

    def __init__(self, store: MemoryStore, access: Access, clock: Callable[[], datetime] = utc_now) -> None:
        self._store = store
        self._access = access
        self._clock = clock
        self._lock = threading.RLock()
        self._entries: dict[str, Entry] = {}
        self._keys: dict[tuple[str, str], tuple[str, str]] = {}

    def submit(self, submission: Submission) -> str:
        check_submission(submission)
        job, token = submission.job, submission.token
        with self._lock:
            known = self.keyed(token, submission.key, submission.fingerprint)
            if known is not None:
                return known
            refuse_more(token, self.standing(token).queued, submission.max_queued)
            self._store.save_data_sets(submission.data_sets)
            for play in submission.plays:
                self._store.save_play(play)
            self._store.create_job(self._store.quotas.admitted("token", token, job))
            self._store.quotas.tokens[job.id] = token
            self._entries[job.id] = _fresh(job.id, token, submission.priority, self._clock())
            if submission.key:
                self._keys[token, submission.key] = (submission.fingerprint, job.id)
            self._access.note(token, "job submit", job.id, {"kind": job.kind, "priority": submission.priority})
            return job.id

    def keyed(self, token: str, key: str, fingerprint: str) -> str | None:
        with self._lock:
            found = self._keys.get((token, key)) if key else None
        if found is None:
            return None
        refuse_other(key, found[0], fingerprint)
        return found[1]

    def again(self, job: str, *, by: str, max_queued: int | None = None) -> Entry:
        with self._lock:
            stored = self._store.job(job)
            before = self._entries.get(stored.id)
            refuse_more(by, self.standing(by).queued, max_queued)
            token, priority = (by, 0) if before is None else (before.token, before.priority)
            self._store.quotas.admitted("token", token, stored)
            self._store.quotas.admitted("campaign", stored.campaign, stored)
            self._store.resume(stored.id)
            self._store.quotas.tokens[stored.id] = token
            self._entries[stored.id] = _fresh(stored.id, token, priority, self._clock())
            self._access.note(by, "job resume", stored.id, {})
            return self._entries[stored.id]

    def cancel(self, job: str, *, by: str) -> JobStatus:
        with self._lock:
            status = self._store.cancel(job)
            self._access.note(by, "job cancel", job, {"status": status})
            return status

    def terminate(self, job: str, *, by: str) -> tuple[JobStatus, str]:
        with self._lock:
            status, before = self._store.cancel(job), self._store.job(job)
            if before.lease_expires is not None:
                self._store.release(Lease(job=job, owner=before.lease_owner, expires=before.lease_expires))
            self._access.note(by, "job terminate", job, {"status": status, "owner": before.lease_owner})
            return status, before.lease_owner

    def take(self, owner: str, *, lease_s: float = LEASE_S) -> tuple[Entry, Lease] | None:
        with self._lock:
            now = self._clock()
            jobs = {name: self._store.job(name) for name in self._entries}
            running = Counter(entry.token for entry in self._entries.values() if _runs(jobs[entry.job], now))
            limits: Mapping[str, Token] = {token.id: token for token in self._access.tokens()}
            ready = [
                entry
                for entry in self._entries.values()
                if is_ready(jobs[entry.job], entry, now)
                and (entry.token not in limits or running[entry.token] < limits[entry.token].max_running)
            ]
            if not ready:
                return None
            first = min(ready, key=lambda entry: (-entry.priority, running[entry.token], entry.submitted, entry.job))
            lease = self._store.claim(first.job, owner, lease_s=lease_s)
            taken = dataclasses.replace(first, attempts=first.attempts + 1)
            self._entries[first.job] = taken
            return taken, lease

    def leave(self, lease: Lease, *, delay_s: float = 0.0) -> None:
        with self._lock:
            entry = self._entries.get(lease.job)
            if entry is not None and may_delay(self._store.job(lease.job), lease):
                later = self._clock() + timedelta(seconds=delay_s)
                self._entries[lease.job] = dataclasses.replace(entry, not_before=later)
            self._store.release(lease)

    def entry(self, job: str) -> Entry | None:
        with self._lock:
            return self._entries.get(job)

    def standing(self, token: str | None = None) -> Standing:
        with self._lock:
            counts = Counter(self._store.status(entry.job) for entry in self._entries.values() if token in (None, entry.token))
            return Standing(queued=counts["queued"], running=counts["running"])


def _runs(job: Job, now: datetime) -> bool:
    return job.status == "running" and transitions.is_driven(job, now)


def _fresh(job: str, token: str, priority: int, now: datetime) -> Entry:
    return Entry(job=job, token=token, priority=priority, submitted=now, attempts=0, not_before=now)
