"""What a driver tells while it works, and whom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import psutil


@dataclass(frozen=True, kw_only=True)
class SearchProgress:
    """Where a job stands after a commit.

    Attributes:
        job: its id.
        generation, generations: completed by every island, and asked for.
        best, median: fitness over the populations, larger for better; NaN while nothing is feasible.
        diversity: mean over islands, in [0, 1].
        evaluations, failures: trials so far, and how many of them failed.
        rate: evaluations per second of this driver; NaN before its second commit, as the first includes what is loaded before it.
        eta_s: seconds to go at this rate; NaN when unknown.
        elapsed_s: seconds since the job began, earlier drivers included.
        memory_bytes: resident memory of driver and children.
        workers: processes that compute.
    """

    job: str
    generation: int
    generations: int
    best: float
    median: float
    diversity: float
    evaluations: int
    failures: int
    rate: float
    eta_s: float
    elapsed_s: float
    memory_bytes: int
    workers: int


@dataclass(frozen=True, kw_only=True)
class Advance:
    """Where a job of steps stands.

    Attributes:
        job: its id.
        unit: what is counted: worlds, sections, batches.
        done, total: steps that are stored, and all of them.
        rate: steps per second of this driver; NaN before the second, as the first includes what is loaded before it.
        eta_s: seconds to go at this rate; NaN when unknown.
        elapsed_s: seconds since the job began, earlier drivers included.
        memory_bytes: resident memory of the driver.
        workers: processes that compute.
    """

    job: str
    unit: str
    done: int
    total: int
    rate: float
    eta_s: float
    elapsed_s: float
    memory_bytes: int
    workers: int


class Watcher(Protocol):
    """Hears of progress."""

    def on_advance(self, advance: Advance) -> None:
        """A step was committed."""

    def on_progress(self, progress: SearchProgress) -> None:
        """A generation was committed."""

    def on_note(self, text: str) -> None:
        """Something happened that a person should know."""


class Silent:
    """Ignores progress."""

    def on_advance(self, advance: Advance) -> None:
        """Ignored."""

    def on_progress(self, progress: SearchProgress) -> None:
        """Ignored."""

    def on_note(self, text: str) -> None:
        """Ignored."""


def resident_bytes() -> int:
    """Resident memory of this process."""
    return int(psutil.Process().memory_info().rss)
