"""What a person sees: results on stdout, progress and problems on stderr, JSON on request."""

from __future__ import annotations

import dataclasses
import json
import math
import re
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cluster import settings as machine
from coinswarm import errors

SYNTHETIC = "SYNTHETIC"
"""The word on every table and report whose bars were made, not traded."""

_PIPE_WIDTH = 200
_NUMBER = re.compile(r"[+-]?[\d,]*\.?\d+(e[+-]?\d+)?( ?[%a-zA-Z]{1,3})?")
_state = {"debug": False}


@cache
def settings() -> machine.Settings:
    """The settings of this machine, read once a command."""
    return machine.load()


def set_debug(wanted: bool) -> None:
    """Begin a command: forget settings read before, and show tracebacks when wanted."""
    settings.cache_clear()
    _state["debug"] = wanted or settings().debug


def debugging() -> bool:
    """Whether tracebacks are shown."""
    return _state["debug"]


def out() -> Console:
    """The console of results. Made anew each time: tests and pipes replace `sys.stdout`; what goes into a pipe is not folded."""
    return Console(file=sys.stdout, highlight=False, width=None if sys.stdout.isatty() else _PIPE_WIDTH)


def err() -> Console:
    """The console of progress and problems."""
    return Console(file=sys.stderr, highlight=False)


def text(message: str) -> None:
    """Print a result line as it stands: no markup, no wrapping."""
    sys.stdout.write(f"{message}\n")


def note(message: str) -> None:
    """Say on stderr what is going on."""
    err().print(escape(message), soft_wrap=True)


def error(problem: errors.CoinswarmError) -> None:
    """Say on stderr what went wrong."""
    err().print(f"[bold red]error:[/] {escape(str(problem))}", soft_wrap=True)


def emit_json(value: object) -> None:
    """Print a value as one line of JSON; what is infinite or missing becomes null."""
    text(json.dumps(plain(value), ensure_ascii=False, allow_nan=False))


def plain(value: Any) -> Any:
    """A value as JSON has it: records and models as objects, times as ISO text, infinity and NaN as null."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(entry) for entry in value]
    return _plain_object(value)


def _plain_object(value: Any) -> Any:
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist())
    if isinstance(value, datetime | date):
        return value.isoformat()
    if hasattr(value, "model_dump"):
        return plain(value.model_dump(mode="json"))
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    return str(value)


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]], *, synthetic: bool = False) -> None:
    """Print a table; numbers stand to the right.

    Args:
        title: what the rows are.
        columns: headings.
        rows: cells as they are to be read; None is an empty cell.
        synthetic: mark the title, because bars behind it were made.
    """
    heading = f"{title}  [{SYNTHETIC} DATA]" if synthetic else title
    style = "bold yellow" if synthetic else "bold"
    grid = Table(title=escape(heading), title_justify="left", title_style=style, box=box.SIMPLE_HEAD)
    for position, name in enumerate(columns):
        grid.add_column(escape(name), justify="right" if _numeric(rows, position) else "left", overflow="fold")
    for row in rows:
        grid.add_row(*(escape("" if cell is None else str(cell)) for cell in row))
    out().print(grid)


def _numeric(rows: Sequence[Sequence[object]], position: int) -> bool:
    cells = [str(row[position]).strip() for row in rows if row[position] is not None]
    return bool(cells) and all(_NUMBER.fullmatch(cell) for cell in cells)


def moment(ts: int | None) -> str:
    """A time in milliseconds since 1970 as `2024-01-31 12:00`, UTC; empty for none."""
    return "" if ts is None else datetime.fromtimestamp(ts / 1000, UTC).strftime("%Y-%m-%d %H:%M")


def path(folder: Path) -> str:
    """A path as the user would type it: `~` for the home folder."""
    return str(folder).replace(str(Path.home()), "~", 1) if folder.is_relative_to(Path.home()) else str(folder)
