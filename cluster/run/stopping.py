"""Ctrl-C and SIGTERM as a wish to stop: the first is granted at the next safe moment, the second at once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def stop_requests(tell: Callable[[str], None]) -> Iterator[Callable[[], bool]]:
    """Catch both signals inside; yields a function that says whether one came. Outside the main thread nothing is caught."""
    asked = threading.Event()

    def catch(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - a handler's signature
        if asked.is_set():
            raise KeyboardInterrupt
        asked.set()
        tell("stopping: what is done is kept; press again to stop at once")

    if threading.current_thread() is not threading.main_thread():
        yield asked.is_set
        return
    before = {number: signal.signal(number, catch) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield asked.is_set
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
