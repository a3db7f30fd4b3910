"""Timing on a shared machine: repetitions of everything in turn, the best of each, CPU time beside wall time."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Timing:
    """The best repetition of one piece of work, in seconds; `cpu_s` counts this process only, all its threads."""

    wall_s: float
    cpu_s: float


def _once(work: Callable[[], object]) -> Timing:
    gc.collect()
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return Timing(wall_s=time.perf_counter() - wall, cpu_s=time.process_time() - cpu)


def in_turn(pieces: Mapping[str, Callable[[], Callable[[], object]]], repeats: int) -> dict[str, Timing]:
    """Each piece `repeats` times, one after the other, so that a noisy minute hits all of them.

    Args:
        pieces: by name, a function that prepares (not timed) and returns the work to time.
        repeats: how often each is done; the best wall time and the best CPU time are kept.
    """
    seen: dict[str, list[Timing]] = {name: [] for name in pieces}
    for _ in range(repeats):
        for name, prepare in pieces.items():
            seen[name].append(_once(prepare()))
    return {name: Timing(wall_s=min(t.wall_s for t in all_), cpu_s=min(t.cpu_s for t in all_)) for name, all_ in seen.items()}
