"""What a process remembers from one call to the next."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

_ENTRIES = 64
"""Far more markets or setups than one job has, few enough to let finished jobs go."""


class Memory:
    """Things made once and found again by their key; the least recently used is forgotten first."""

    def __init__(self, entries: int = _ENTRIES) -> None:
        self._entries = entries
        self._made: OrderedDict[str, Any] = OrderedDict()

    def get(self, key: str, make: Callable[[], Any]) -> Any:
        """The entry of `key`, made when it is not there."""
        if key not in self._made:
            self._made[key] = make()
        self._made.move_to_end(key)
        while len(self._made) > self._entries:
            self._made.popitem(last=False)
        return self._made[key]

    def forget(self, key: str) -> None:
        """Drop an entry."""
        self._made.pop(key, None)
