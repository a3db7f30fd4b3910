"""The driver service: takes jobs from the line and has them run by a few warm processes, its hands.

A hand runs one job after the other, because starting Python and importing the engine costs more than a small job does. It is replaced when
it dies, grows too large or has run many. The service holds a lease on what its hands work on; each hand holds the job's own lease as any
driver does. So whoever dies, be it a hand, the service or the machine, the job is taken up again from its last commit, once.
"""

from __future__ import annotations

import logging
import math
import queue as inboxes
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from cluster.run import lease as patience
from coinswarm import errors
from coinswarm.ledger.queue import LEASE_S, Entry, Queue
from coinswarm.ledger.records import FINAL_STATUSES, Job, Json, Lease, new_owner
from coinswarm.ledger.store import Store

_log = logging.getLogger(__name__)

MAX_ATTEMPTS = 8
SMALL_WORK = 2e8
"""Variant-bars, about a second of one core: less is scored in the hand itself, for a cluster would take longer to answer."""
_LONGEST_DELAY_S = 60.0
_TRADE_WORK, _MINED = 500, 4
"""A chaos trade costs as much as so many variant-bars; one that patterns are searched among, so many times that."""

Ending: TypeAlias = Literal["ended", "refused", "interrupted", "died"]


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of a job in a hand.

    Attributes:
        hand: its number.
        job: the job; "" when the hand died without one.
        ending: `ended` as far as the hand knows; `refused` for good; `interrupted` by something that may pass; or the hand `died`.
        error: what was said.
    """

    hand: int
    job: str
    ending: Ending
    error: str = ""


class Hand(Protocol):
    """A process that runs jobs one after the other and puts an `Outcome` of each into an inbox."""

    @property
    def pid(self) -> int:
        """Its process id."""

    @property
    def address(self) -> str:
        """The cluster its jobs run on; "": the hand itself."""

    def start(self, job: str) -> None:
        """Run a job."""

    def warm(self) -> None:
        """Make ready for the first job beside whatever it does."""

    def worn(self) -> bool:
        """Whether it had better be replaced before its next job."""

    def stop(self) -> None:
        """End it; a job that it runs is given back."""


Hire: TypeAlias = "Callable[[int, str, inboxes.Queue[Outcome]], Hand]"
"""Starts the hand with this number for jobs on the cluster at this address; "" for jobs that need none."""


class Service:
    """Runs jobs of the line until it is stopped.

    Args:
        store: where jobs are.
        queue: the line.
        hire: starts a hand with this number.
        slots: how many jobs run at one time.
        cluster: the address of the cluster that larger jobs share, started when it is first asked for.
        stopped: asked often.
        lease_s: how long the line keeps what we hold when we die.
        poll_s: seconds between looks at a line that was empty.
        pid: of this process.
        warm: start a hand before there is a job, so that the first one waits for no import and no compiler.
    """

    def __init__(
        self, store: Store, queue: Queue, *, hire: Hire, slots: int, cluster: Callable[[], str], stopped: Callable[[], bool],
        lease_s: float = LEASE_S, poll_s: float = 0.5, pid: int = 0, warm: bool = False,
    ) -> None:  # fmt: skip
        self._store, self._queue, self._hire, self._slots = store, queue, hire, slots
        self._cluster, self._stopped, self._lease_s, self._poll_s, self._warm = cluster, stopped, lease_s, poll_s, warm
        self.owner = new_owner(socket.gethostname(), pid)
        self._inbox: inboxes.Queue[Outcome] = inboxes.Queue()
        self._hands: dict[int, Hand] = {}
        self._work: dict[int, Entry] = {}
        self._next = 0
        self._rest = threading.Event()

    def run(self) -> None:
        """Take and run jobs until stopped; then give back what runs."""
        holder = threading.Thread(target=self._hold, name="queue heartbeat", daemon=True)
        holder.start()
        try:
            if self._warm:
                self._greet()
            while not self._stopped():
                self._fill()
                self._settle_next()
        finally:
            for hand in self._hands.values():
                hand.stop()
            for entry in self._work.values():
                self._quietly(lambda job=entry.job: self._queue.leave(self.owner, job))  # type: ignore[misc]
            self._rest.set()

    def _greet(self) -> None:
        """Hire a hand for small jobs in advance; without one the first job hires it."""
        self._next += 1
        with suppress(errors.CoinswarmError, OSError):
            self._hired(self._next, "")
            self._hands[self._next].warm()

    def _hold(self) -> None:
        while not self._rest.wait(self._lease_s / 6):
            self._quietly(lambda: self._queue.hold(self.owner, lease_s=self._lease_s))

    def _fill(self) -> None:
        """Give every free hand a job, as long as there are any."""
        while len(self._work) < self._slots:
            entry = self._quietly(lambda: self._queue.take(self.owner, lease_s=self._lease_s))
            if entry is None:
                return
            self._begin(entry)

    def _begin(self, entry: Entry) -> None:
        """Find or hire a hand. Those for clusters are hired once the cluster is there, for they inherit how to talk to it."""
        number = self._next = self._next + 1
        try:
            address = "" if is_small(self._store.job(entry.job)) else self._cluster()
            number = self._free_hand(address) or self._hired(number, address)
            self._work[number] = entry
            self._hands[number].start(entry.job)
            _log.info("a job begins, attempt %d", entry.attempts, extra={"job": entry.job, "hand": number})
        except (errors.CoinswarmError, OSError) as problem:
            self._work[number] = entry
            self._inbox.put(Outcome(hand=number, job=entry.job, ending="interrupted", error=str(problem)))

    def _free_hand(self, address: str) -> int:
        """The number of a hand that has nothing to do; 0 when there is none. One that is worn is let go."""
        for number in [number for number, hand in self._hands.items() if number not in self._work and hand.address == address]:
            if not self._hands[number].worn():
                return number
            self._hands.pop(number).stop()
        return 0

    def _hired(self, number: int, address: str) -> int:
        self._hands[number] = self._hire(number, address, self._inbox)
        return number

    def _settle_next(self) -> None:
        try:
            outcome = self._inbox.get(timeout=self._poll_s)
        except inboxes.Empty:
            return
        entry = self._work.pop(outcome.hand, None)
        pid = 0
        if outcome.ending == "died" and outcome.hand in self._hands:
            hand = self._hands.pop(outcome.hand)
            pid = hand.pid
            hand.stop()
        if entry is not None:
            self._quietly(lambda: self._settle(entry, outcome, pid))

    def _settle(self, entry: Entry, outcome: Outcome, pid: int) -> None:
        """Let go of an entry whose job has ended; one that has not is tried again a little later, or given up.

        An entry that a user put back in the line meanwhile is another try's, and not ours to judge.
        """
        if outcome.ending == "died":
            _log.warning("the process that ran a job died", extra={"job": entry.job, "hand": outcome.hand})
            self._free(self._store.job(entry.job), pid)
        if not self._holds(entry):
            return
        job = self._store.job(entry.job)
        delay_s = 0.0
        if job.status not in FINAL_STATUSES and outcome.ending != "ended":
            delay_s = min(2.0**entry.attempts, _LONGEST_DELAY_S)
            _log.warning("a job did not end: %s", outcome.error or "its process died", extra={"job": job.id, "hand": outcome.hand})
            if outcome.ending == "refused" or entry.attempts >= MAX_ATTEMPTS:
                self._fail(job, outcome.error or f"its process died {entry.attempts} times")
        self._queue.leave(self.owner, entry.job, delay_s=delay_s)
        _log.info("a job is %s", job.status, extra={"job": job.id, "hand": outcome.hand})

    def _holds(self, entry: Entry) -> bool:
        """Whether the entry is still as we took it."""
        now = self._queue.entry(entry.job)
        return now is not None and (now.owner, now.submitted, now.attempts) == (self.owner, entry.submitted, entry.attempts)

    def _free(self, job: Job, pid: int) -> None:
        """A process that is dead drives nothing: its lease need not run out first."""
        if job.lease_expires is not None and job.lease_owner.startswith(f"{socket.gethostname()}:{pid}:"):
            self._store.release(Lease(job=job.id, owner=job.lease_owner, expires=job.lease_expires))

    def _fail(self, job: Job, error: str) -> None:
        """End a job that cannot succeed; one that was cancelled meanwhile, or that another drives, is left alone."""
        with suppress(errors.Cancelled, errors.Conflict):
            patience.fail(self._store, self._store.claim(job.id, self.owner, lease_s=patience.LEASE_S), error)

    def _quietly(self, call: Callable[[], object]) -> Entry | None:
        """What `call` gives; a database that is away is waited for at the next turn, for what we hold is ours until its lease runs out."""
        try:
            found = call()
        except errors.Unavailable as problem:
            _log.warning("%s", problem)
            time.sleep(self._poll_s)
            return None
        except errors.CoinswarmError as problem:
            _log.warning("%s", problem)
            return None
        return found if isinstance(found, Entry) else None


def is_small(job: Job) -> bool:
    """Whether a job is so small, or so little of it is computed, that a cluster only costs time."""
    return _WORK.get(job.kind, _unknown)(job.config) <= SMALL_WORK


def _unknown(_config: Json) -> float:
    return math.inf


def _searched(config: Json) -> float:
    search = config.get("search")
    return search["population"] * search["generations"] * len(config["plays"]) * _bars(config) if search else math.inf


def _judged(config: Json) -> float:
    effort, tried = config["effort"], config["trials"]
    variants = effort["lotteries"] + effort["neighbours"] + effort["worlds"] + len(tried["sample"]) + len(tried["leaderboard"])
    return float(variants * _bars(config))


def _drawn(config: Json) -> float:
    return float(config["trades"] * _TRADE_WORK)


def _worlds(config: Json) -> float:
    asked = config["honesty"]
    if asked["pipeline"] != "patterns":
        return math.inf
    return float(asked["worlds"] * len(asked["cells"]) * asked["patterns"]["trades"] * _TRADE_WORK * _MINED)


def _bars(config: Json) -> int:
    return int(sum(span["n_bars"] for span in config["markets"]))


_WORK: dict[str, Callable[[Json], float]] = {
    "evolve": _searched, "validate": _judged, "chaos": _drawn, "honesty": _worlds, "discover": lambda config: _drawn(config) * _MINED,
    "fetch": lambda _: 0.0,
}  # fmt: skip
"""How much a job computes, in variant-bars."""
