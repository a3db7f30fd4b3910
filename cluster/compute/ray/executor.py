"""An executor on Ray: each call is a task, made again when its worker or its machine is lost.

Calls are tasks and not actors, and bars are loaded by tasks: a lost process or machine costs the calls it was at and nothing else.
"""

from __future__ import annotations

import logging
import time
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

import ray
from ray import exceptions
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from cluster import version
from cluster.compute.evaluator import BarSource, TimeSegment
from cluster.compute.executor import Call, Executor, Finished, Handle, Loss
from cluster.compute.ray import overtime, startup, tasks
from cluster.compute.ray.liveness import Liveness
from coinswarm import errors

_log = logging.getLogger(__name__)
DEATHS = (
    exceptions.WorkerCrashedError,
    exceptions.NodeDiedError,
    exceptions.OutOfMemoryError,
    exceptions.ObjectLostError,
    exceptions.TaskCancelledError,
)
"""What a lost process or machine looks like from here. That the raylet of this machine died is told of the cluster and not of a call."""
LOAD_TIMEOUT_S = 600.0
_COUNT_EVERY_S = 2.0
_LOOK_EVERY_S = 1.0


class RayExecutor(Executor):
    """Computes on a Ray cluster that is already connected.

    Args:
        max_workers: how many calls to run at most at one time; None: as many as the cluster has processors.
        room_s: how long to wait for a first process to begin before `collect` raises `Unavailable`; None: without end.
        tell: hears that kernels are compiled, and what a first process waits for.
        liveness: raises `ClusterLost` when the cluster is dead; asked before each question to it, for those have no end then.
    """

    def __init__(
        self, *, max_workers: int | None = None, room_s: float | None = None, tell: Callable[[str], None] = startup.silent,
        liveness: Liveness | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self._liveness, self._is_lost = liveness, False
        self._max_workers = max_workers
        self._beginning = startup.Beginning(tell, room_s=room_s)
        self._workers, self._counted_at = 1, -_COUNT_EVERY_S
        self._waiting: deque[Call] = deque()
        self._running: dict[Any, Call] = {}
        self._finished: dict[Call, Finished] = {}
        self._died: Counter[Call] = Counter()
        self.deaths = 0

    @property
    def workers(self) -> int:
        """Processors that the cluster has at present."""
        if time.monotonic() - self._counted_at > _COUNT_EVERY_S:
            self._require()
            there = max(1, int(ray.cluster_resources().get("CPU", 1)))
            self._workers, self._counted_at = min(there, self._max_workers or there), time.monotonic()
        return self._workers

    @property
    def slots(self) -> int:
        """Two calls a processor, one that runs and one that waits beside it; under a limit, only those that run."""
        return self.workers if self._max_workers else 2 * self.workers

    def read(self, sources: Sequence[BarSource], segment: TimeSegment) -> Iterator[Handle]:
        """Have tasks read bars, all at once; safe in several threads."""
        started = [_near_the_driver(tasks.load_bars).remote(version.code_version(), source, segment) for source in sources]
        for bars, loaded in started:
            self._await(loaded, LOAD_TIMEOUT_S)
            try:
                self._value(loaded, LOAD_TIMEOUT_S)
            except DEATHS as death:
                self._require(at_once=True)
                raise _unloaded(type(death).__name__) from death
            yield Handle(bars)

    def submit(self, call: Call) -> None:
        """Take a call on."""
        self._waiting.append(call)
        self._send()

    def collect(self, calls: Collection[Call], timeout_s: float) -> Finished | None:
        """Wait for one of `calls` to finish; those whose workers died meanwhile are made again."""
        deadline = time.monotonic() + timeout_s
        while (finished := self._over(calls)) is None:
            left_s = deadline - time.monotonic()
            self._require()
            self._send()
            self._beginning.look()
            self._wait(min(_LOOK_EVERY_S, max(0.0, left_s)))
            if left_s <= 0.0 or not (self._running or self._waiting):
                return self._over(calls)
        return finished

    def drop(self, calls: Collection[Call]) -> None:
        """Give up calls under way; their workers are ended."""
        for reference in [reference for reference, call in self._running.items() if call in calls]:
            if not self._is_lost:
                ray.cancel(reference, force=True)
            del self._running[reference]
        self._waiting = deque(call for call in self._waiting if call not in calls)
        for call in calls:
            self._finished.pop(call, None)
            self._died.pop(call, None)

    def close(self) -> None:
        """Drop every call under way and let go of the bars."""
        self.drop({*self._waiting, *self._running.values(), *self._finished})
        super().close()

    def _await(self, reference: Any, timeout_s: float) -> None:
        """Wait until an answer is there, or that it cannot come any more."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline and not ray.wait([reference], timeout=_LOOK_EVERY_S)[0]:
            self._require()

    def _require(self, *, at_once: bool = False) -> None:
        """Raise when the cluster is dead; nothing is asked of it from then on."""
        try:
            if self._liveness is not None:
                self._liveness.require(at_once=at_once)
        except errors.ClusterLost:
            self._is_lost = True
            raise

    def _value(self, reference: Any, timeout_s: float | None) -> Any:
        """The value of a reference, see `_value`."""
        try:
            return _value(reference, timeout_s)
        except exceptions.LocalRayletDiedError as error:
            self._is_lost = True
            raise errors.ClusterLost("the Ray cluster died", found="the raylet of this machine ended") from error

    def _over(self, calls: Collection[Call]) -> Finished | None:
        """One of these calls that is over and not collected yet."""
        call = next((call for call in self._finished if call in calls), None)
        return None if call is None else self._finished.pop(call)

    def _send(self) -> None:
        """Submit calls to Ray, which keeps them until a processor is free; under a limit, only those that may run."""
        while self._waiting and (self._max_workers is None or len(self._running) < self._max_workers):
            call = self._waiting.popleft()
            reference = tasks.titled(call.name).remote(version.code_version(), call.function, call.limit_s, call.item, *call.markets)
            self._running[reference] = call

    def _wait(self, timeout_s: float) -> None:
        """Take note of a call that ends."""
        if not self._running:
            return
        ended, _ = ray.wait(list(self._running), num_returns=1, timeout=timeout_s)
        for reference in ended:
            call = self._running.pop(reference)
            try:
                self._finished[call] = Finished(call=call, answer=self._value(reference, None))
            except DEATHS as death:
                self._require(at_once=True)  # a call has no part in the end of its cluster
                self._lost(call, death, late=call.limit_s is not None and overtime.noted(reference))
            except errors.ClusterLost:
                raise
            except Exception as error:  # noqa: BLE001 - raised again where the answer is read
                self._finished[call] = Finished(call=call, error=error)

    def _lost(self, call: Call, death: Exception, *, late: bool) -> None:
        """Make a call again, before others, or give it up."""
        self.deaths += 1
        self._died[call] += 1
        cause = type(death).__name__
        _log.warning("a call of %s lost its worker: %s, death %d", call.name, cause, self._died[call])
        if self._died[call] < call.attempts:
            self._waiting.appendleft(call)
        else:
            self._finished[call] = Finished(call=call, loss=Loss(deaths=self._died.pop(call), cause=cause, late=late))


def _near_the_driver(task: Any) -> Any:
    """Bars are files of the driver's machine; elsewhere only when it is lost or the files are shared."""
    return task.options(scheduling_strategy=NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=True))


def _value(reference: Any, timeout_s: float | None) -> Any:
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
        raise _unloaded(f"no answer in {timeout_s:g} s") from error


def _unloaded(found: str) -> errors.Unavailable:
    return errors.Unavailable("a worker process of the cluster must load the bars", found=found, hint="the logs of Ray say why")
