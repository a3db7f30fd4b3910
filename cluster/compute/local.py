"""An executor without machines: each call in this process, the oldest first."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from cluster.compute import columns
from cluster.compute.evaluator import BarSource, TimeSegment
from cluster.compute.executor import Call, Executor, Finished, Handle


class LocalExecutor(Executor):
    """Computes in this process, while an answer is waited for: for tests, notebooks and small jobs."""

    workers = 1
    slots = 1

    def __init__(self) -> None:
        super().__init__()
        self._waiting: list[Call] = []

    def read(self, sources: Sequence[BarSource], segment: TimeSegment) -> Iterator[Handle]:
        """Read bars, one market after the other."""
        for source in sources:
            yield Handle(columns.rebuilt(columns.columns(segment.load(source))))

    def submit(self, call: Call) -> None:
        """Take a call on."""
        self._waiting.append(call)

    def collect(self, calls: Collection[Call], timeout_s: float) -> Finished | None:  # noqa: ARG002 - a call runs here to its end
        """Run the oldest of `calls`."""
        for place, call in enumerate(self._waiting):
            if call in calls:
                del self._waiting[place]
                return _made(call)
        return None

    def drop(self, calls: Collection[Call]) -> None:
        """Forget calls."""
        self._waiting = [call for call in self._waiting if call not in calls]

    def close(self) -> None:
        """Forget calls and bars."""
        self._waiting.clear()
        super().close()


def _made(call: Call) -> Finished:
    try:
        return Finished(call=call, answer=call.function(call.item, *call.markets))
    except Exception as error:  # noqa: BLE001 - raised again where the answer is read
        return Finished(call=call, error=error)
