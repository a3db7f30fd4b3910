"""How long a batch may take, counted from when it begins: what waits for a processor on a full cluster is not late.

The process itself watches, for it alone knows when it began. One that is at a batch for too long leaves a note in the cluster's own store
and ends itself; the executor, which sees a process lost, reads the note. Kernels let other threads run, or the watch would not run.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import ray
from ray.experimental.internal_kv import _internal_kv_del, _internal_kv_exists, _internal_kv_put

_NOTES = b"coinswarm-overtime"


@contextmanager
def watched(limit_s: float | None) -> Iterator[None]:
    """End this process when the block is not left within `limit_s` seconds; None: it may take as long as it takes."""
    if limit_s is None:
        yield
        return
    watch = threading.Timer(limit_s, _end, [ray.get_runtime_context().get_task_id()])
    watch.daemon = True
    watch.start()
    try:
        yield
    finally:
        watch.cancel()


def noted(reference: Any) -> bool:
    """Whether the process that computed this was ended for taking too long; the note is taken away."""
    key = reference.task_id().hex().encode()
    found = bool(_internal_kv_exists(key, namespace=_NOTES))
    if found:
        _internal_kv_del(key, namespace=_NOTES)
    return found


def _end(task: str) -> None:
    with suppress(Exception):  # without the note the batch counts as one that killed its process, which is no reason to continue it
        _internal_kv_put(task.encode(), b"", namespace=_NOTES)
    os._exit(1)
