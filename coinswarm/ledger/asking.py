"""For whom a store is asked: the questions of one who has left are cancelled, so that nothing computes an answer that no one reads."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from coinswarm import errors


class Inquiry:
    """What one client asks of a store, from whatever threads, until it leaves."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._cancels: list[Callable[[], object]] = []
        self._left = False

    def leave(self) -> None:
        """Cancel what is being asked. What is asked from now on is refused."""
        with self._lock:
            self._left = True
            for cancel in self._cancels:
                cancel()

    @contextmanager
    def asking(self, cancel: Callable[[], object]) -> Iterator[None]:
        """A question that `cancel` ends from another thread. It is never called after the block: by then another may use the connection.

        Raises:
            Cancelled: the client has left.
        """
        with self._lock:
            if self._left:
                raise errors.Cancelled("who asked has left")
            self._cancels.append(cancel)
        try:
            yield
        finally:
            with self._lock:
                self._cancels.remove(cancel)


INQUIRY: ContextVar[Inquiry | None] = ContextVar("inquiry", default=None)
"""For whom a store is asked in this context; None: a program that waits for every answer."""
