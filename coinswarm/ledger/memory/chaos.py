"""Chaos trades in memory."""

from __future__ import annotations

import threading

import numpy as np

from coinswarm.ledger import transitions
from coinswarm.ledger.chaos import SUMS, ChaosFrame, ChaosSummary, ChaosTrades, check_frame, concatenate, empty, no_trades
from coinswarm.ledger.memory.store import MemoryStore
from coinswarm.ledger.records import GenerationRecord, Job, Lease


class MemoryChaosStore:
    """Keeps the contract of `ChaosStore` beside a store in memory; it forgets everything when the process ends."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self._lock = threading.RLock()
        self._frames: dict[str, ChaosFrame] = {}
        self._steps: dict[str, list[tuple[GenerationRecord, ChaosTrades]]] = {}

    def prepare(self, job: str, frame: ChaosFrame) -> None:
        with self._lock:
            name = self._store.job(job).id
            check_frame(name, self._frames.setdefault(name, frame), frame)
            self._steps.setdefault(name, [])

    def commit(self, lease: Lease, record: GenerationRecord, trades: ChaosTrades) -> bool:
        with self._lock:
            check_frame(lease.job, self.frame(lease.job), trades.frame)
            new = self._store.commit_generation(lease, [record])
            if new:
                self._steps[lease.job].append((record, trades))
            return new

    def frame(self, job: str) -> ChaosFrame:
        with self._lock:
            found = self._store.job(job)
            if found.id not in self._frames:
                raise no_trades(found)
            return self._frames[found.id]

    def trades(self, job: str) -> ChaosTrades:
        with self._lock:
            frame = self.frame(job)
            parts = [trades for _, trades in self._steps[self._store.job(job).id]]
        joined = concatenate([empty(frame), *parts])
        return joined.select(np.argsort(joined.number, kind="stable"))

    def count(self, job: str) -> int:
        return len(self.trades(job))

    def summaries(self, *, campaign: str | None = None, limit: int = 100) -> tuple[ChaosSummary, ...]:
        with self._lock:
            jobs = [job for job in self._store.jobs(campaign=campaign, limit=2**31) if job.id in self._frames]
            return tuple(self._summary(job) for job in jobs[:limit])

    def drop(self, job: str) -> None:
        with self._lock:
            found = self._store.job(job)
            transitions.refuse_going(found)
            self._frames.pop(found.id, None)
            self._steps.pop(found.id, None)

    def _summary(self, job: Job) -> ChaosSummary:
        records = [record for record, _ in self._steps[job.id]]
        made = sum(record.evaluations for record in records)
        sums = {name: sum(float(record.figures.get(key, 0.0)) for record in records) for name, key in SUMS.items()}
        means = {name: total / made if made else float("nan") for name, total in sums.items()}
        return ChaosSummary(job=job.id, campaign=job.campaign, trades=made, markets=len(self._frames[job.id].markets), **means)
