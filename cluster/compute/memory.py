"""What a process remembers from one call to the next."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Any
from weakref import WeakSet

_ENTRIES = 64
"""Far more markets or setups than the jobs have that run at one time."""
IDLE_S = 120.0
"""What no call asked for in so long belongs to a job that has ended; a job that does ask again computes it again, in a second or so.

What is remembered of one play takes 8 MB on 20,000 bars and 400 MB on a million, and a process that lasts sees hundreds of plays.
"""
_all: WeakSet[Memory] = WeakSet()


class Memory:
    """Things made once and found again by their key; the least recently used is forgotten first, and what was not used for a while.

    Args:
        entries: how many at most.
        clock: seconds.
    """

    def __init__(self, entries: int = _ENTRIES, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._entries, self._clock = entries, clock
        self._made: OrderedDict[str, tuple[float, Any]] = OrderedDict()
        _all.add(self)

    def __len__(self) -> int:
        return len(self._made)

    def get(self, key: str, make: Callable[[], Any]) -> Any:
        """The entry of `key`, made when it is not there."""
        now = self._clock()
        self._forget_idle(now)
        found = self._made[key][1] if key in self._made else make()
        self._made[key] = (now, found)
        self._made.move_to_end(key)
        while len(self._made) > self._entries:
            self._made.popitem(last=False)
        return found

    def forget(self, key: str) -> None:
        """Drop an entry."""
        self._made.pop(key, None)

    def clear(self) -> None:
        """Drop all entries."""
        self._made.clear()

    def _forget_idle(self, now: float) -> None:
        while self._made:
            used_at, _ = next(iter(self._made.values()))
            if now - used_at < IDLE_S:
                return
            self._made.popitem(last=False)


def clear() -> None:
    """Drop what this process remembers, for a process that runs one job after the other."""
    for each in _all:
        each.clear()
