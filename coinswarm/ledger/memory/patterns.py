"""The library of patterns in memory."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from coinswarm.ledger import identity
from coinswarm.ledger.memory.store import MemoryStore
from coinswarm.ledger.patterns import PatternRecord, PatternStatus, Spent, amended, checked, fresh, settle
from coinswarm.ledger.records import GenerationRecord, Json, Lease


class MemoryPatternStore:
    """Keeps the contract of `PatternStore` beside a store in memory; it forgets everything when the process ends."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store
        self._lock = threading.RLock()
        self._patterns: dict[str, PatternRecord] = {}
        self._spent: dict[bool, tuple[Spent, ...]] = {False: (), True: ()}

    def add(self, patterns: Sequence[PatternRecord], *, alpha: float, procedure: str) -> tuple[PatternRecord, ...]:
        with self._lock:
            new = fresh(patterns, self._patterns)
            done = {
                kind: self._settle([record for record in new if record.synthetic is kind], kind, alpha, procedure) for kind in (False, True)
            }
            for kind, (records, tests) in done.items():
                self._patterns |= {record.id: record for record in records}
                self._spent[kind] += tests
            return tuple(self._patterns[record.id] for record in patterns)

    def commit(self, lease: Lease, record: GenerationRecord, patterns: Sequence[PatternRecord], *, alpha: float, procedure: str) -> bool:
        with self._lock:
            for kind in (False, True):
                self._settle([checked(one) for one in patterns if one.synthetic is kind], kind, alpha, procedure)
            if not self._store.commit_generation(lease, [record]):
                return False
            self.add(patterns, alpha=alpha, procedure=procedure)
            return True

    def pattern(self, pattern: str) -> PatternRecord:
        with self._lock:
            fits = [pattern] if pattern in self._patterns else [name for name in self._patterns if name.startswith(pattern)]
            return self._patterns[identity.only_match("pattern", pattern, fits)]

    def patterns(
        self, *, source: str | None = None, status: str | None = None, job: str | None = None, limit: int = 1000
    ) -> tuple[PatternRecord, ...]:
        wanted = {name: value for name, value in (("source", source), ("status", status), ("job", job)) if value is not None}
        with self._lock:
            found = [record for record in self._patterns.values() if all(getattr(record, name) == value for name, value in wanted.items())]
        return tuple(sorted(found, key=lambda record: (-record.discovered_at.timestamp(), record.id))[:limit])

    def spent(self, *, synthetic: bool = False) -> tuple[Spent, ...]:
        with self._lock:
            return self._spent[synthetic]

    def amend(self, pattern: str, note: Json, *, status: PatternStatus | None = None) -> PatternRecord:
        with self._lock:
            found = self.pattern(pattern)
            self._patterns[found.id] = amended(found, note, status)
            return self._patterns[found.id]

    def _settle(
        self, new: Sequence[PatternRecord], synthetic: bool, alpha: float, procedure: str
    ) -> tuple[tuple[PatternRecord, ...], tuple[Spent, ...]]:
        return settle(new, self._spent[synthetic], alpha=alpha, procedure=procedure) if new else ((), ())
