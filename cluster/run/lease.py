"""The lease of a job: the heartbeat that keeps it and hears of a cancel, and retry while the database is unavailable."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self, TypeVar

from coinswarm import errors
from coinswarm.ledger import transitions
from coinswarm.ledger.records import LEASE_S, JobStatus, Json, Lease
from coinswarm.ledger.store import Store
from coinswarm.retry import RetryPolicy, retry

LOOK_S = 1.0
"""Seconds between looks for a cancel; a look reads one word of one row."""
PASSING = (errors.Unavailable, errors.Conflict)
"""Errors that may be over when the job is tried again."""
_Value = TypeVar("_Value")


class Heartbeat:
    """Extends a lease, and looks for a cancel, from a thread of its own while a driver computes.

    Args:
        store: where the lease is held.
        lease: the lease.
        lease_s: how long each extension lasts; a beat takes place every sixth of it, a look every second.
    """

    def __init__(self, store: Store, lease: Lease, *, lease_s: float = LEASE_S) -> None:
        self.lease = lease
        self.cancelled = False
        self.limit_s: float | None = None
        """How long the job may run; None: as long as it takes."""
        self.lost: errors.CoinswarmError | None = None
        self._store = store
        self._lease_s = lease_s
        self._stopped = threading.Event()
        self._began = time.monotonic()
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._stopped.set()
        self._thread.join(timeout=10.0)

    def refuse_overtime(self) -> None:
        """Raise `LimitReached` when the job has run for longer than it may."""
        if self.limit_s is not None and time.monotonic() - self._began > self.limit_s:
            rule = f"job {self.lease.job} may run for {self.limit_s:g} s at a time"
            raise errors.LimitReached(rule, hint="what it committed is kept; ask for less, or for a greater quota")

    def _beat(self) -> None:
        pause_s = self._lease_s / 6
        due = time.monotonic() + pause_s
        while not self._stopped.wait(min(pause_s, LOOK_S)):
            try:
                if time.monotonic() >= due:
                    self._store.heartbeat(self.lease, lease_s=self._lease_s)
                    due = time.monotonic() + pause_s
                self.cancelled = self.cancelled or self._store.status(self.lease.job) == "cancelled"
            except errors.Unavailable:
                continue
            except errors.CoinswarmError as problem:
                self.lost = problem
                return


def patiently(call: Callable[[], _Value], *, tell: Callable[[str], None], stopped: Callable[[], bool], limit_s: float = 3600.0) -> _Value:
    """The result of `call`, repeated while the database is away.

    Args:
        call: something the store does; repeating it must be harmless, as the store's contract promises.
        tell: hears once that the database is waited for, and once that it is back.
        stopped: whether to give up waiting.
        limit_s: how long to wait at most.

    Raises:
        Unavailable: it did not come back in time, or waiting was given up.
    """
    waited = False

    def on_pause(problem: errors.Unavailable, _pause_s: float) -> None:
        nonlocal waited
        if not waited:
            tell(f"waiting for the database: {problem}")
        waited = True

    policy = RetryPolicy(limit_s=limit_s, first_s=0.2, longest_s=5.0)
    value = retry(call, policy, on=errors.Unavailable, when=lambda _: not stopped(), on_pause=on_pause)
    if waited:
        tell("the database is back")
    return value


def finish(
    store: Store, lease: Lease, status: JobStatus, result: Json, result_hash: str, *, tell: Callable[[str], None],
    stopped: Callable[[], bool],
) -> Json:  # fmt: skip
    """End a job as `status`, or as cancelled where a cancel came first; the answer is the result as stored, its `status` included.

    Raises:
        Conflict: the lease was lost to another driver. Unavailable: the database stayed away.
    """
    try:
        ended = {**result, "status": status}
        patiently(lambda: store.finish(lease, status, result=ended, result_hash=result_hash), tell=tell, stopped=stopped)
    except errors.Cancelled:
        return finish(store, lease, "cancelled", result, result_hash, tell=tell, stopped=stopped)
    return ended


def fail(store: Store, lease: Lease, error: str) -> None:
    """End a job as failed, or as cancelled where a cancel came first.

    Raises:
        Conflict: the lease was lost to another driver.
    """
    try:
        store.finish(lease, "failed", error=error)
    except errors.Cancelled:
        store.finish(lease, "cancelled", error=error)


def give_up(store: Store, lease: Lease, problem: BaseException, *, tell: Callable[[str], None], lent: bool = False) -> None:
    """A job that cannot succeed has failed; whatever may be over at the next try gives it back. A lost or `lent` lease stays."""
    try:
        transitions.refuse_lost(store.job(lease.job), lease)
        if isinstance(problem, errors.CoinswarmError) and not isinstance(problem, PASSING):
            fail(store, lease, str(problem))
        elif not lent:
            store.release(lease)
            tell(f"job {lease.job} is given back; `coinswarm jobs resume {lease.job}` resumes it")
    except errors.Conflict:
        return  # the job is another's by now
    except errors.CoinswarmError as second:
        tell(f"the job could not be given back, its lease runs out by itself: {second}")
