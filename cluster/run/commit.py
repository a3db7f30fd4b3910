"""Commits in the order they were made, on a thread of their own: the driver hands out work while the database writes.

A commit counts when the database has it, so progress is reported then and not before. A driver that dies in between loses
what it had not committed, and does it again: the same, to the last bit.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self

from cluster.run import lease


class Committer:
    """Writes one commit at a time.

    Args:
        tell: hears that the database is waited for, and that it is back.
        stopped: whether to give up waiting for it.
        most: commits that may wait; beyond that the driver waits for the oldest, so that memory is bounded.
    """

    def __init__(self, *, tell: Callable[[str], None], stopped: Callable[[], bool], most: int = 3) -> None:
        self._tell = tell
        self._stopped = stopped
        self._most = most
        self._closing = False
        self._waiting: deque[tuple[Future[object], Callable[[], None]]] = deque()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="commit")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._closing = True
        self._thread.shutdown(wait=True, cancel_futures=True)

    def put(self, call: Callable[[], object], then: Callable[[], None]) -> None:
        """Commit by `call` once all before are in; `then` is called by `settle` afterwards. Raises what an earlier commit raised."""
        while len(self._waiting) >= self._most:
            self._finish()
        self._waiting.append((self._thread.submit(self._patiently, call), then))

    def settle(self, *, everything: bool = False) -> None:
        """Take note of commits that are in, or wait for all of them. Raises what a commit raised."""
        while self._waiting and (everything or self._waiting[0][0].done()):
            self._finish()

    def _finish(self) -> None:
        future, then = self._waiting[0]
        future.result()
        self._waiting.popleft()
        then()

    def _patiently(self, call: Callable[[], object]) -> object:
        return lease.patiently(call, tell=self._tell, stopped=lambda: self._closing or self._stopped())
