"""How many trials a campaign made, for pages that say so beside every result: counted again now and then, not for every reader."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

_LEAST_S = 1.0
_TIMES = 20.0
"""A count is kept for this many times as long as it took, so that counting costs a twentieth of one connection at most."""
_REMEMBERED = 1000


@dataclass(kw_only=True)
class _Known:
    trials: int = -1
    until: float = 0.0
    counting: threading.Lock = field(default_factory=threading.Lock)


class Trials:
    """Counts of campaigns, each made by one thread at a time; readers that come meanwhile get the last one.

    Args:
        count: counts the trials of a campaign in the database.
        clock: seconds that only grow.
    """

    def __init__(self, count: Callable[[str], int], clock: Callable[[], float] = time.monotonic) -> None:
        self._count, self._clock = count, clock
        self._lock = threading.Lock()
        self._known: OrderedDict[str, _Known] = OrderedDict()

    def of(self, campaign: str) -> int:
        """The trials of a campaign, as they were a moment ago."""
        with self._lock:
            known = self._known.setdefault(campaign, _Known())
            self._known.move_to_end(campaign)
            if len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        if known.until <= self._clock() and known.counting.acquire(blocking=known.trials < 0):
            try:
                self._again(campaign, known)
            finally:
                known.counting.release()
        return known.trials

    def _again(self, campaign: str, known: _Known) -> None:
        began = self._clock()
        if known.until <= began:
            known.trials = self._count(campaign)
            now = self._clock()
            known.until = now + max(_LEAST_S, _TIMES * (now - began))
