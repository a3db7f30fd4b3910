"""How a job looks while it runs: one live line on a terminal, plain lines elsewhere; always on stderr."""

from __future__ import annotations

import logging
import math
import time
from types import TracebackType
from typing import Self

from rich.console import Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from cluster.cli import console
from cluster.jobs.progress import Advance, SearchProgress

_log = logging.getLogger(__name__)
_LINES_EVERY_S = 5.0


class Display:
    """Shows progress."""

    def __init__(self) -> None:
        self._console = console.err()
        self._live = Live(console=self._console, refresh_per_second=4, transient=True) if self._console.is_terminal else None
        self._shown = -1
        self._told_at = -math.inf

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._live is not None:
            self._live.stop()

    def on_progress(self, progress: SearchProgress) -> None:
        """A generation was committed."""
        _log.info("committed: %s", line(progress), extra={"job": progress.job, "batch": progress.generation})
        if self._live is not None:
            self._live.update(_panel(progress))
        elif progress.generation > self._shown:
            self._shown = progress.generation
            console.note(line(progress))

    def on_advance(self, advance: Advance) -> None:
        """A step was committed; where there is no terminal, a line every few seconds is enough."""
        _log.info("committed: %s", stand(advance), extra={"job": advance.job, "batch": advance.done})
        if self._live is not None:
            self._live.update(Group(Text(stand(advance)), ProgressBar(total=advance.total, completed=advance.done, width=60)))
        elif advance.done == advance.total or time.monotonic() - self._told_at > _LINES_EVERY_S:
            self._told_at = time.monotonic()
            console.note(stand(advance))

    def on_note(self, text: str) -> None:
        """Something happened that a person should know."""
        _log.info("%s", text)
        self._console.print(Text(text))


def line(progress: SearchProgress) -> str:
    """Where a job stands, as one line."""
    return (
        f"generation {progress.generation}/{progress.generations}  best {_number(progress.best)}  median {_number(progress.median)}  "
        f"diversity {_number(progress.diversity, 2)}  {progress.evaluations:,} evaluations  {_pace(progress.rate, progress.eta_s, 0)}"
        f"failures {progress.failures}  memory {progress.memory_bytes / 2**20:,.0f} MB"
    )


def stand(advance: Advance) -> str:
    """Where a job of steps stands, as one line."""
    return (
        f"{advance.unit} {advance.done:,}/{advance.total:,}  {_pace(advance.rate, advance.eta_s, 3)}"
        f"memory {advance.memory_bytes / 2**20:,.0f} MB  workers {advance.workers}"
    )


def _pace(rate: float, eta_s: float, digits: int) -> str:
    """Speed and time to go, of `digits` digits or whole; nothing until they are known, which is after the second commit."""
    if not math.isfinite(rate):
        return ""
    return f"{f'{rate:,.{digits}g}' if digits else f'{rate:,.0f}'}/s  ETA {span(eta_s)}  "


def span(seconds: float) -> str:
    """Seconds as a person says them: `42 s`, `3 min 20 s`, `2 h 05 min`."""
    if not math.isfinite(seconds):
        return "?"
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    return f"{whole // 60} min {whole % 60:02d} s" if whole < 3600 else f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def _panel(progress: SearchProgress) -> Group:
    grid = Table.grid(padding=(0, 2))
    facts = {
        "generation": f"{progress.generation}/{progress.generations}",
        "best": _number(progress.best),
        "median": _number(progress.median),
        "diversity": _number(progress.diversity, 2),
        "evaluations": f"{progress.evaluations:,}",
        "per second": f"{progress.rate:,.0f}" if math.isfinite(progress.rate) else "-",
        "ETA": span(progress.eta_s) if math.isfinite(progress.eta_s) else "-",
        "failures": str(progress.failures),
        "memory": f"{progress.memory_bytes / 2**20:,.0f} MB",
        "workers": str(progress.workers),
    }
    grid.add_row(*(Text(name, style="dim") for name in facts))
    grid.add_row(*(Text(value, style="bold") for value in facts.values()))
    return Group(Text(f"job {progress.job}"), grid, ProgressBar(total=progress.generations, completed=progress.generation, width=60))


def _number(value: float, digits: int = 3) -> str:
    return f"{value:.{digits}f}" if math.isfinite(value) else "-"
