"""A bounded memory of arrays, so that no feature or condition is computed twice across a population or across generations."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, NamedTuple

DEFAULT_BYTES = 128 * 2**20


class CacheInfo(NamedTuple):
    """What a cache did so far."""

    hits: int
    misses: int
    entries: int
    bytes: int


class Cache:
    """Least recently used entries make room for new ones once `max_bytes` are held."""

    def __init__(self, max_bytes: int = DEFAULT_BYTES) -> None:
        self.max_bytes = max_bytes
        self._entries: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self._bytes = self._hits = self._misses = 0

    def find(self, key: Hashable) -> Any | None:
        """What is kept under `key`, or None; counts as a look-up."""
        entry = self._entries.get(key)
        if entry is None:
            self._misses += 1
            return None
        self._hits += 1
        self._entries.move_to_end(key)
        return entry[0]

    def keep(self, key: Hashable, value: Any, n_bytes: int) -> None:
        """Keep `value` under `key`, dropping what was not used for longest."""
        old = self._entries.pop(key, None)
        self._bytes += n_bytes - (old[1] if old else 0)
        self._entries[key] = (value, n_bytes)
        while self._bytes > self.max_bytes and len(self._entries) > 1:
            _, (_, freed) = self._entries.popitem(last=False)
            self._bytes -= freed

    def get(self, key: Hashable, make: Callable[[], Any], size: Callable[[Any], int]) -> Any:
        """What is kept under `key`, made and kept when it is not there."""
        value = self.find(key)
        if value is None:
            value = make()
            self.keep(key, value, size(value))
        return value

    @property
    def info(self) -> CacheInfo:
        """Hits, misses, entries and bytes held."""
        return CacheInfo(self._hits, self._misses, len(self._entries), self._bytes)
