"""A call that is made again while what it needs is away: the one loop with pauses that grow and a limit of time."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

_T = TypeVar("_T")
_E = TypeVar("_E", bound=Exception)


@dataclass(frozen=True, kw_only=True, slots=True)
class RetryPolicy:
    """How long to keep trying.

    Attributes:
        limit_s: seconds from the first call after which no other is begun; 0 for a single call.
        first_s, longest_s: the first pause, which doubles from call to call, and the longest, in seconds.
        sleep: waits the given seconds.
        clock: seconds that only rise.
    """

    limit_s: float
    first_s: float
    longest_s: float
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic


def retry(
    call: Callable[[], _T],
    policy: RetryPolicy,
    *,
    on: type[_E] | tuple[type[_E], ...],
    when: Callable[[_E], bool] = lambda _error: True,
    on_pause: Callable[[_E, float], object] = lambda _error, _pause_s: None,
) -> _T:
    """The result of `call`, made again while it raises an error that may pass; it must be harmless to repeat.

    Args:
        call: what is tried.
        policy: how long.
        on: errors that may pass.
        when: which of them do.
        on_pause: called before each pause with the error and the seconds of the pause; what it raises ends the retries.

    Raises:
        Exception: what the last call raised, where that does not pass or the next call would begin too late.
    """
    deadline, pause_s = policy.clock() + policy.limit_s, policy.first_s
    while True:
        try:
            return call()
        except on as error:
            if not when(error) or policy.clock() + pause_s >= deadline:
                raise
            on_pause(error, pause_s)
        policy.sleep(pause_s)
        pause_s = min(2 * pause_s, policy.longest_s)
