"""One run of one job: claimed, kept by a heartbeat, driven, and ended once, whatever happens."""

from __future__ import annotations

from collections.abc import Callable

from cluster.jobs.kind import Work
from cluster.jobs.progress import Silent, Watcher
from cluster.run import owners
from cluster.run.commit import Committer
from cluster.run.lease import Heartbeat, finish, give_up, patiently
from coinswarm.ledger import quotas
from coinswarm.ledger.records import LEASE_S, Json, Lease
from coinswarm.ledger.store import Store


class LeasedDrive:
    """Keeps `cluster.jobs.kind.Drive` under a lease.

    Args:
        heartbeat: keeps it, and hears of a cancel.
        watcher: hears of progress.
        stopped: whether the process is to end.
        committer: writes in order, on a thread of its own.
    """

    def __init__(self, heartbeat: Heartbeat, watcher: Watcher, stopped: Callable[[], bool], committer: Committer) -> None:
        self._heartbeat = heartbeat
        self._stopped = stopped
        self._committer = committer
        self.watcher = watcher

    @property
    def lease(self) -> Lease:
        """The right to commit."""
        return self._heartbeat.lease

    def halted(self) -> bool:
        """Whether to stop at the next safe moment.

        Raises:
            Conflict: the lease was lost to another driver. LimitReached: the job has run for longer than it may.
        """
        if self._heartbeat.lost is not None:
            raise self._heartbeat.lost
        self._heartbeat.refuse_overtime()
        return self._heartbeat.cancelled or self._stopped()

    def cancelled(self) -> bool:
        """Whether a user cancelled the job."""
        return self._heartbeat.cancelled

    def commit(self, call: Callable[[], object]) -> None:
        """Do `call` now, again and again while the database is away."""
        patiently(call, tell=self.watcher.on_note, stopped=self._stopped)

    def commit_later(self, call: Callable[[], object], then: Callable[[], None]) -> None:
        """Do `call` on the thread of commits; `then` is called by `settle`."""
        self._committer.put(call, then)

    def settle(self, *, everything: bool = False) -> None:
        """Take note of commits that are in, or wait for all of them."""
        self._committer.settle(everything=everything)


def claim(store: Store, job: str, *, owner: str = "", lease_s: float = LEASE_S) -> Lease:
    """The right to drive a job, for this process, or for `owner`, who lends it.

    Raises:
        Conflict: another driver has it. Cancelled: the job is cancelled.
    """
    return store.claim(job, owner or owners.new(), lease_s=lease_s)


def drive(
    store: Store, lease: Lease, work: Work, *, watcher: Watcher | None = None, stopped: Callable[[], bool] = lambda: False,
    lease_s: float = LEASE_S, lent: bool = False,
) -> Json:  # fmt: skip
    """Run `work` under `lease` to its end; the answer is the result as it is stored, its status and hash included.

    Args:
        store: where everything is remembered.
        lease: the right to drive the job.
        work: the job, ready to run.
        watcher: hears of progress.
        stopped: asked often; True ends the job as cancelled, with all that was committed kept.
        lease_s: how long the lease lasts after each heartbeat.
        lent: the lease is another's, who gives it back when the run is interrupted.

    Raises:
        Conflict: the lease was lost to another driver.
        Unavailable: database or cluster stayed away; the job can be resumed.
        CoinswarmError: the job failed, and is stored as failed.
    """
    watcher = watcher or Silent()
    with Heartbeat(store, lease, lease_s=lease_s) as heartbeat:
        try:
            heartbeat.limit_s = quotas.run_limit_s(store.job(lease.job))
            with Committer(tell=watcher.on_note, stopped=stopped) as committer:
                outcome = work.run(LeasedDrive(heartbeat, watcher, stopped, committer))
            if outcome.status == "cancelled" and not heartbeat.cancelled:
                heartbeat.refuse_overtime()
            result = {"job": lease.job, "status": outcome.status, **outcome.result, "result_hash": outcome.result_hash}
            return finish(store, lease, outcome.status, result, outcome.result_hash, tell=watcher.on_note, stopped=stopped)
        except BaseException as problem:
            give_up(store, lease, problem, tell=watcher.on_note, lent=lent)
            raise
