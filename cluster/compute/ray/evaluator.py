"""Scoring on Ray: batches out, answers in as they finish, put together by index.

The number of workers, the size of batches and the order of answers change the time a work takes and nothing else.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import ray
from ray import exceptions

from cluster import version
from cluster.compute import overtime, scoring
from cluster.compute.evaluator import Scored, Segment, Source, Task, Work
from cluster.compute.ray import startup as beginning
from cluster.compute.ray import tasks
from cluster.compute.ray.pieces import Ledger, Pace, Piece, waiting
from coinswarm import errors
from coinswarm.ledger.records import IN_SAMPLE
from coinswarm.metrics.figures import Status

_log = logging.getLogger(__name__)
DEATHS = (
    exceptions.WorkerCrashedError,
    exceptions.NodeDiedError,
    exceptions.OutOfMemoryError,
    exceptions.LocalRayletDiedError,
    exceptions.ObjectLostError,
    exceptions.TaskCancelledError,
)
"""What a lost process or machine looks like from here."""
_SLOTS_EVERY_S = 2.0
LOAD_TIMEOUT_S = 600.0


@dataclass(frozen=True, kw_only=True, eq=False)
class _Market:
    source: Source
    columns: Any
    symbol: str


class RayEvaluator:
    """Scores on a Ray cluster that is already connected.

    Args:
        timeout_s: how long one batch may compute before its variants are tried alone, and one variant before it is given up.
        max_workers: how many processors of the cluster to use at most; None: all that there are.
        room_s: how long to wait for a first process to begin before the cluster counts as full.
        tell: hears that kernels are compiled.
    """

    def __init__(
        self, *, timeout_s: float = 600.0, max_workers: int | None = None, room_s: float = beginning.ROOM_S,
        tell: Callable[[str], None] = beginning.silent,
    ) -> None:  # fmt: skip
        self._timeout_s = timeout_s
        self._beginning = beginning.Beginning(tell, room_s=room_s)
        self._max_workers = max_workers
        self._paces: dict[str, Pace] = {}
        self._task: Task | None = None
        self._markets: dict[tuple[str, str], _Market] = {}
        self._ledgers: dict[int, Ledger] = {}
        self._again: deque[Piece] = deque()
        self._running: dict[Any, Piece] = {}
        self._slots, self._slots_at = 1, 0.0
        self.deaths = 0

    @property
    def workers(self) -> int:
        """Processors that the cluster has at present."""
        if time.monotonic() - self._slots_at > _SLOTS_EVERY_S:
            there = max(1, int(ray.cluster_resources().get("CPU", 1)))
            self._slots = min(there, self._max_workers or there)
            self._slots_at = time.monotonic()
        return self._slots

    @property
    def seconds_per_variant(self) -> float | None:
        """Measured time of one variant on one market; None before the first batch."""
        return self._pace(IN_SAMPLE).seconds_per_variant

    def open(self, task: Task) -> None:
        """Load the in-sample bars of every market."""
        self.close()
        self._task = task
        self._load((*task.sources, *task.others.values()), task.segment(IN_SAMPLE))

    def submit(self, work: Work) -> None:
        """Take work on; the bars of another segment are loaded when they are first asked for."""
        task = self._opened()
        self._load((*task.sources, *task.others.values()), task.segment(work.segment).whole)
        self._ledgers[work.token] = Ledger(work=work, markets=len(task.sources))

    def collect(self, timeout_s: float) -> Scored | None:
        """Wait for a finished work; meanwhile hand out batches and take answers."""
        if not self._ledgers:
            raise errors.NotFound("no work is under way", hint="submit some first")
        deadline = time.monotonic() + timeout_s
        while (done := next((token for token, ledger in self._ledgers.items() if not ledger.missing), None)) is None:
            self._fill()
            self._take(min(1.0, max(0.0, deadline - time.monotonic())))
            if time.monotonic() >= deadline and not any(not ledger.missing for ledger in self._ledgers.values()):
                return None
        return self._ledgers.pop(done).result()

    def close(self) -> None:
        """Drop what is under way and let go of the bars."""
        for reference in self._running:
            ray.cancel(reference, force=True)
        for held in (self._running, self._ledgers, self._again, self._markets):
            held.clear()
        self._task = None

    def _opened(self) -> Task:
        if self._task is None:
            raise errors.NotFound("no task is open", hint="open one first")
        return self._task

    def _load(self, sources: tuple[Source, ...], segment: Segment) -> None:
        missing = [source for source in sources if (source.key, segment.name) not in self._markets]
        started = [(source, *near_the_driver(tasks.load_bars).remote(version.code_version(), source, segment)) for source in missing]
        for source, columns, facts in started:
            known = result(facts, LOAD_TIMEOUT_S)
            self._markets[source.key, segment.name] = _Market(source=source, columns=columns, symbol=str(known["symbol"]))

    def _fill(self) -> None:
        """Keep two batches a processor under way, one that runs and one that waits beside it; under a limit, only those that run."""
        room = self.workers if self._max_workers else 2 * self.workers
        while len(self._running) < room:
            piece = self._next()
            if piece is None:
                return
            self._running[self._send(piece)] = piece

    def _next(self) -> Piece | None:
        if self._again:
            return self._again.popleft()
        left = waiting(iter(self._ledgers.values()))
        for ledger in self._ledgers.values():
            if piece := ledger.next_piece(self._pace(ledger.work.segment).size(left, self.workers)):
                return piece
        return None

    def _pace(self, segment: str) -> Pace:
        """The pace on a segment: a part of the bars takes a part of the time."""
        return self._paces.setdefault(segment, Pace())

    def _send(self, piece: Piece) -> Any:
        task, ledger = self._opened(), self._ledgers[piece.token]
        segment = task.segment(ledger.work.segment).whole
        markets = [self._markets[source.key, segment.name] for source in (task.sources[piece.market], *task.others.values())]
        symbols = [market.symbol for market in markets]
        batch = scoring.batch(task, ledger.work, piece.market, symbols, ledger.genomes(piece))
        return tasks.score_batch.remote(version.code_version(), self._timeout_s, batch, *[market.columns for market in markets])

    def _take(self, timeout_s: float) -> None:
        done, _ = ray.wait(list(self._running), num_returns=1, timeout=timeout_s)
        if not done:
            self._beginning.look()
        for reference in done:
            self._enter(self._running.pop(reference), reference)

    def _enter(self, piece: Piece, reference: Any) -> None:
        try:
            answer = result(reference, None)
        except DEATHS as death:
            self._mourn(piece, death, late=overtime.noted(reference))
            return
        ledger = self._ledgers[piece.token]
        self._pace(ledger.work.segment).learn(len(piece), answer.seconds)
        ledger.enter(piece, answer, self._name(piece))

    def _mourn(self, piece: Piece, death: Exception, *, late: bool) -> None:
        """Try again what a worker died of; a variant that keeps killing alone is put in quarantine."""
        self.deaths += 1
        _log.warning("a batch of %d variants lost its worker: %s", len(piece), type(death).__name__, extra={"batch": piece.token})
        again = piece.after_death()
        self._again.extend(again)
        if not again:
            why = (
                f"takes longer than {self._timeout_s:g} s" if late else f"its worker died {piece.deaths + 1} times ({type(death).__name__})"
            )
            self._ledgers[piece.token].quarantine(piece, self._name(piece), why, Status.TIMEOUT if late else Status.ERROR)

    def _name(self, piece: Piece) -> str:
        return self._opened().sources[piece.market].key


def near_the_driver(task: Any) -> Any:
    """Bars are files of the driver's machine; elsewhere only when it is lost or the files are shared."""
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    return task.options(scheduling_strategy=NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=True))


def result(reference: Any, timeout_s: float | None) -> Any:
    """The value of a reference; an error raised by our own code over there is raised here as it was."""
    try:
        return ray.get(reference, timeout=timeout_s)
    except exceptions.RayTaskError as error:
        if isinstance(error.cause, errors.CoinswarmError):
            raise error.cause from error
        if isinstance(error.cause, ImportError):
            raise errors.Unavailable(
                "every node of the cluster must have this program",
                found=error.cause,
                hint="`coinswarm doctor --cluster` shows what each has",
            ) from error
        raise
    except exceptions.GetTimeoutError as error:
        raise errors.Unavailable(
            "a worker process of the cluster must load the bars", found=f"no answer in {timeout_s:g} s", hint="the logs of Ray say why"
        ) from error
