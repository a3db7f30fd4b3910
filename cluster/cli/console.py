"""What a person sees: results on stdout, progress and problems on stderr, JSON on request.

Everything that is printed passes here, and all of it with hidden characters shown as escapes: names come from others' files and servers.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich import box
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType
from rich.markup import escape
from rich.segment import Segment
from rich.table import Table

from coinswarm import codec, errors
from coinswarm.printable import shown, shown_json

if TYPE_CHECKING:
    from cluster.machine import MachineSettings

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")]
SYNTHETIC = "SYNTHETIC"
"""The word on every table and report whose bars were made, not traded."""

_PIPE_WIDTH = 200
_NUMBER = re.compile(r"[+-]?[\d,]*\.?\d+(e[+-]?\d+)?( ?[%a-zA-Z]{1,3})?")
_state = {"debug": False}


@cache
def settings() -> MachineSettings:
    """The settings of this machine, read once a command."""
    from cluster import machine

    return machine.load()


def begin(*, debug: bool, settle: bool = True) -> None:
    """Begin a command: forget settings read before, and show tracebacks when wanted.

    Args:
        debug: whether they are asked for.
        settle: whether the settings are read at once, so that no command runs with wrong ones.
    """
    settings.cache_clear()
    _state["debug"] = debug or (settle and settings().debug)


def debugging() -> bool:
    """Whether tracebacks are shown."""
    return _state["debug"]


class Screen(Console):
    """A console that shows hidden characters of any text it is given; styles and movements of its own are no text."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """See `Console`."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=shown(segment.text))


def out() -> Console:
    """The console of results. Made anew each time: tests and pipes replace `sys.stdout`; what goes into a pipe is not folded."""
    return Screen(file=sys.stdout, highlight=False, emoji=False, width=None if sys.stdout.isatty() else _PIPE_WIDTH)


def err() -> Console:
    """The console of progress and problems."""
    return Screen(file=sys.stderr, highlight=False, emoji=False)


def text(message: str) -> None:
    """Print a result line as it stands: no markup, no wrapping."""
    sys.stdout.write(f"{shown(message)}\n")


def note(message: str) -> None:
    """Say on stderr what is going on."""
    err().print(escape(message), soft_wrap=True)


def error(problem: errors.CoinswarmError) -> None:
    """Say on stderr what went wrong."""
    err().print(f"[bold red]error:[/] {escape(str(problem))}", soft_wrap=True)


def emit_json(value: object) -> None:
    """Print a value as one line of JSON; what is infinite or missing becomes null."""
    sys.stdout.write(f"{shown_json(json.dumps(codec.plain(value), ensure_ascii=False, allow_nan=False))}\n")


def answer(value: object, sentence: str, *, as_json: bool) -> None:
    """Print a result: a value as JSON, or the sentence that says it."""
    if as_json:
        emit_json(value)
    else:
        text(sentence)


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]], *, synthetic: bool = False) -> None:
    """Print a table; numbers stand to the right. Where words and numbers would have to be cut to fit, rows become lines of `heading value`.

    Args:
        title: what the rows are.
        columns: headings.
        rows: cells as they are to be read; None is an empty cell.
        synthetic: mark the title, because bars behind it were made.
    """
    heading = f"{title}  [{SYNTHETIC} DATA]" if synthetic else title
    style = "bold yellow" if synthetic else "bold"
    screen = out()
    numeric = [_numeric(rows, position) for position in range(len(columns))]
    columns = [shown(name) for name in columns]
    cells = [["" if cell is None else shown(str(cell)) for cell in row] for row in rows]
    widths = _widths(columns, cells, numeric, screen.width)
    screen.print(escape(heading), style=style, soft_wrap=True)
    if widths is None:
        for row in cells:
            screen.print(escape("\n".join(_filled(columns, row, screen.width))), soft_wrap=True)
        return
    grid = Table(box=box.SIMPLE_HEAD)
    for name, width, number in zip(columns, widths, numeric, strict=True):
        grid.add_column(escape(name), justify="right" if number else "left", overflow="fold", width=width)
    for row in cells:
        grid.add_row(*map(escape, row))
    screen.print(grid)


def _widths(columns: Sequence[str], rows: Sequence[Sequence[str]], numeric: Sequence[bool], room: int) -> list[int] | None:
    """Width of each column so that no word and no number is cut; None when `room` is too small for that."""
    natural, least = [], []
    for position, name in enumerate(columns):
        texts = [row[position] for row in rows]
        words = [word for text in (texts if not numeric[position] else []) for word in text.split()]
        natural.append(max(map(cell_len, [name, *(line for text in texts for line in text.splitlines())])))
        least.append(max(map(cell_len, [*name.split(), *words, *(texts if numeric[position] else [])]), default=0))
    spare = room - sum(least) - 3 * len(columns) - 1
    if spare < 0:
        return None
    for position in sorted(range(len(columns)), key=lambda place: natural[place] - least[place]):
        more = min(spare, natural[position] - least[position])
        least[position] += more
        spare -= more
    return least


def _filled(columns: Sequence[str], row: Sequence[str], room: int) -> list[str]:
    lines = [""]
    for name, cell in zip(columns, row, strict=True):
        pair = f"{name} {cell.strip()}"
        if not cell.strip():
            continue
        if lines[-1] and cell_len(lines[-1]) + 2 + cell_len(pair) > room:
            lines.append(f"  {pair}")
        else:
            lines[-1] = f"{lines[-1]}  {pair}" if lines[-1] else pair
    return lines


def _numeric(rows: Sequence[Sequence[object]], position: int) -> bool:
    cells = [str(row[position]).strip() for row in rows if row[position] is not None]
    return bool(cells) and all(_NUMBER.fullmatch(cell) for cell in cells)


def moment(ts: int | None) -> str:
    """A time in milliseconds since 1970 as `2024-01-31 12:00`, UTC; empty for none."""
    return "" if ts is None else datetime.fromtimestamp(ts / 1000, UTC).strftime("%Y-%m-%d %H:%M")


def path(folder: Path) -> str:
    """A path as the user would type it: `~` for the home folder, which the user of a container may not have."""
    try:
        home = Path.home()
    except RuntimeError:
        return str(folder)
    return str(folder).replace(str(home), "~", 1) if folder.is_relative_to(home) else str(folder)
