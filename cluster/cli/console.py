"""What a person sees: results on stdout, progress and problems on stderr, JSON on request.

Everything that is printed passes here, and all of it with hidden characters shown as escapes: names come from others' files and servers.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType
from rich.markup import escape
from rich.segment import Segment
from rich.text import Text

from coinswarm import codec, errors
from coinswarm.printable import shown, shown_json

if TYPE_CHECKING:
    from cluster.machine import MachineSettings

JSON = "Print JSON on stdout."
AsJson = Annotated[bool, typer.Option("--json", help=JSON)]
SYNTHETIC = "SYNTHETIC"
"""The word on every table and report whose bars were made, not traded."""

_PIPE_WIDTH = 100
_UNIT = "( ?[%\N{MULTIPLICATION SIGN}a-zA-Z]{1,3})?"
_NUMBER = re.compile(rf"[+\-\u2212]?[\d,]*\.?\d+(e[+-]?\d+)?{_UNIT}( \d+{_UNIT})?")
_NOTHING = ("", "-", "\N{EN DASH}", "\N{MIDDLE DOT}")
"""Cells that say that there is no value, in a column of numbers too."""
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
    """The console of results. Made anew each time: tests and pipes replace `sys.stdout`."""
    return Screen(file=sys.stdout, highlight=False, emoji=False, width=_PIPE_WIDTH if _is_pipe() else None)


def _is_pipe() -> bool:
    """Whether results go where nothing says how wide it is: a table is then as wide as its words need."""
    return not sys.stdout.isatty() and shutil.get_terminal_size((0, 0)).columns == 0


def err() -> Console:
    """The console of progress and problems."""
    return Screen(file=sys.stderr, highlight=False, emoji=False)


def text(message: str) -> None:
    """Print a result line as it stands: no markup, no wrapping."""
    sys.stdout.write(f"{shown(message)}\n")


def prose(message: str) -> None:
    """Print sentences, folded between words where the width of the screen is known."""
    for line in [message] if _is_pipe() else _wrapped(message, out().width):
        text(line)


def note(message: str) -> None:
    """Say on stderr what is going on; a terminal shows it folded between words."""
    screen = err()
    screen.print(escape(message), soft_wrap=not screen.is_terminal, overflow="ignore")


def error(problem: errors.CoinswarmError) -> None:
    """Say on stderr what went wrong."""
    screen = err()
    screen.print(f"[bold red]error:[/] {escape(str(problem))}", soft_wrap=not screen.is_terminal, overflow="ignore")


def emit_json(value: object) -> None:
    """Print a value as one line of JSON; what is infinite or missing becomes null."""
    sys.stdout.write(f"{shown_json(json.dumps(codec.plain(value), ensure_ascii=False, allow_nan=False))}\n")


def answer(value: object, sentence: str, *, as_json: bool) -> None:
    """Print a result: a value as JSON, or the sentence that says it."""
    if as_json:
        emit_json(value)
    else:
        text(sentence)


def table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]], *, synthetic: bool = False, below: bool = False) -> None:
    """Print a table as wide as the screen at most; numbers stand to the right, and lines do not end in blanks.

    On a screen of fewer than 80 columns, where words and numbers would have to be cut, rows become lines of `heading value`.

    Args:
        title: what the rows are.
        columns: headings.
        rows: cells as they are to be read; None is an empty cell.
        synthetic: mark the title, because bars behind all rows were made.
        below: the last cell of a row stands under it, dim, as it has no room beside the others.
    """
    screen = out()
    heading = f"{title}  [{SYNTHETIC} DATA]" if synthetic else title
    screen.print(escape(heading), style="bold yellow" if synthetic else "bold", soft_wrap=True)
    names = [shown(name) for name in columns]
    cells = [["" if cell is None else shown(str(cell)) for cell in row] for row in rows]
    under = [row.pop() for row in cells] if below else ["" for _ in cells]
    if below:
        names.pop()
    numeric = [_numeric(cells, position) for position in range(len(names))]
    widths = _widths(names, cells, numeric, screen.width - _GAP, cut=not _is_pipe())
    if widths is None:
        for row, rest in zip(cells, under, strict=True):
            screen.print(escape("\n".join(_filled(columns, [*row, *([rest] if below else [])], screen.width))), soft_wrap=True)
        return
    for line in _lines(names, widths, numeric):
        screen.print(Text(line, style="bold"), soft_wrap=True)
    screen.print(Text(f"{_INDENT}{'─' * (sum(widths) + _GAP * (len(widths) - 1))}", style="dim"), soft_wrap=True)
    for row, rest in zip(cells, under, strict=True):
        for line in _lines(row, widths, numeric):
            screen.print(Text(line), soft_wrap=True)
        for line in _wrapped(rest, screen.width - len(_BELOW)) if rest else ():
            screen.print(Text(f"{_BELOW}{line}", style="dim"), soft_wrap=True)
    screen.print()


def facts(title: str, pairs: Iterable[Sequence[object]], *, synthetic: bool = False) -> None:
    """Print what is known of one thing, a line each; what is empty is left out."""
    rows = [[name, {True: "yes", False: "no"}.get(value, value) if isinstance(value, bool) else value] for name, value in pairs]
    table(title, ["what", "value"], [row for row in rows if row[1] not in (None, "")], synthetic=synthetic)


_GAP, _INDENT, _BELOW = 2, "  ", "      "
_LEAST_WIDTH = 80
"""Columns of a screen from which a table stays one."""
_NARROWEST = 8
"""Characters to which a column of words is cut at most."""


def _widths(names: Sequence[str], rows: Sequence[Sequence[str]], numeric: Sequence[bool], room: int, *, cut: bool) -> list[int] | None:
    """Width of each column; None when `room` is too small for words and numbers as they are, and too small to cut words.

    Unless the table may `cut` words, it is as wide as they need.
    """
    natural, least = [], []
    for position, name in enumerate(names):
        texts = [row[position] for row in rows]
        words = [word for text in (texts if not numeric[position] else []) for word in text.split()]
        natural.append(max(map(cell_len, [name, *(line for text in texts for line in text.splitlines())])))
        least.append(max(map(cell_len, [*name.split(), *words, *(texts if numeric[position] else [])]), default=0))
    spare = room - sum(least) - _GAP * (len(names) - 1)
    if spare < 0 and room + _GAP < _LEAST_WIDTH:
        return None
    while cut and spare < 0:
        widths = [(place > 0, least[place]) for place, number in enumerate(numeric) if not number and least[place] > _NARROWEST]
        if not widths:  # the first column names the row: it is cut when no other can be
            return None
        least[next(place for place, width in enumerate(least) if not numeric[place] and (place > 0, width) == max(widths))] -= 1
        spare += 1
    for position in sorted(range(len(names)), key=lambda place: natural[place] - least[place]):
        more = max(0, min(spare, natural[position] - least[position]))
        least[position] += more
        spare -= more
    return least


def _lines(cells: Sequence[str], widths: Sequence[int], numeric: Sequence[bool]) -> Iterable[str]:
    """A row as lines of text, its cells folded to the widths."""
    folded = [_wrapped(cell, width) for cell, width in zip(cells, widths, strict=True)]
    for number in range(max(map(len, folded), default=0)):
        parts = [lines[number] if number < len(lines) else "" for lines in folded]
        yield (_INDENT + (" " * _GAP).join(map(_padded, parts, widths, numeric))).rstrip()


def _wrapped(text: str, width: int) -> list[str]:
    return [line.plain.rstrip() for line in Text(text).wrap(Console(width=width), width, overflow="fold")]


def _padded(text: str, width: int, number: bool) -> str:
    blanks = " " * (width - cell_len(text))
    return blanks + text if number else text + blanks


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


def _numeric(rows: Sequence[Sequence[str]], position: int) -> bool:
    cells = [cell for row in rows if (cell := row[position].strip()) not in _NOTHING]
    return bool(cells) and all(_NUMBER.fullmatch(cell) for cell in cells)


def short(name: str) -> str:
    """An id as tables have it: its beginning, which every command takes for the whole; ids that say when a job was made are left whole."""
    return name if "-" in name else name[:8]


def instant(ts: int | None) -> str | None:
    """A time in milliseconds since 1970 as JSON has it: ISO 8601, UTC; None for none."""
    return None if ts is None else datetime.fromtimestamp(ts / 1000, UTC).isoformat()


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
