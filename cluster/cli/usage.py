"""How commands explain themselves: `--help` in panels that fit 80 columns, and one way in which arguments and options are spelled.

Typer lays out a column for each short name, negation and type, which leaves 18 characters for the words at 80 columns. Here a name stands
with what it takes, such as `-c, --constraint LIMIT`, and the words have the rest.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, get_args, get_origin

import rich.console
import typer
from rich.box import ROUNDED
from rich.panel import Panel
from rich.table import Table
from rich.text import Text
from typer.core import TyperArgument, TyperCommand, TyperGroup

from cluster.cli import console

ARGUMENTS, OPTIONS, COMMANDS = "Arguments", "Options", "Commands"
_WIDEST = 30
"""Characters of a name from which its words stand on the line below."""
_TAKES: dict[Any, str] = {int: "N", float: "X", Path: "FILE"}


FORMERLY: dict[str, tuple[str, ...]] = {
    "--start": ("--from",), "--since": ("--from",), "--end": ("--to",), "--until": ("--to",), "--market": ("--bars",),
    "--n": ("--limit",), "-n": ("--trades", "--worlds"),
}  # fmt: skip
"""Names that options had in earlier releases and what they are called now; taken for one more release, and not shown."""


class Command(TyperCommand):
    """A command that shows its arguments and options in panels."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        _spell(self.params)

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the arguments, options by the names that they had before among them."""
        return super().parse_args(ctx, _renamed(args, {name for each in self.params for name in each.opts}))

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """The words of the usage line after the command."""
        return _pieces(self, ctx)

    def format_help(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 - what is printed is not what a formatter collects
        """Print the help."""
        _show(self, ctx)


class CommandGroup(TyperGroup):
    """A command with subcommands, shown in panels too."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        _spell(self.params)

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """The words of the usage line after the command."""
        return [*_pieces(self, ctx), "[COMMAND]" if self.invoke_without_command else "COMMAND"]

    def format_help(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 - as above
        """Print the help."""
        _show(self, ctx)


class App(typer.Typer):
    """A group of commands; each may be in a `panel` of the group's help and have `examples`."""

    def __init__(self, *, examples: Sequence[str] = (), **options: Any) -> None:
        options = {"cls": CommandGroup, "no_args_is_help": True, "add_completion": False, "pretty_exceptions_enable": False, **options}
        super().__init__(epilog=_epilog(examples), **options)

    def command(
        self, name: str | None = None, *, panel: str | None = None, examples: Sequence[str] = (), **options: Any
    ) -> Callable[[Any], Any]:
        """Add a command."""
        return super().command(name, cls=Command, rich_help_panel=panel, epilog=_epilog(examples), **options)


def _epilog(examples: Sequence[str]) -> str | None:
    """Examples as they are kept with a command: a line each."""
    return "\n".join(examples) or None


def _renamed(args: Sequence[str], known: set[str]) -> list[str]:
    """The arguments with options by their names of today; what a command knows under an old name stays."""
    renamed = []
    for word in args:
        name, equals, value = word.partition("=")
        now = next((each for each in FORMERLY.get(name, ()) if each in known), None) if name not in known else None
        renamed.append(f"{now}{equals}{value}" if now else word)
    return renamed


def _spell(parameters: Iterable[Any]) -> None:
    """Spell arguments in capitals, in help and in messages alike."""
    for each in parameters:
        if isinstance(each, TyperArgument) and each.metavar is None:
            each.metavar = f"{str(each.name).upper().strip('_')}{'' if each.nargs == 1 else '…'}"


def _pieces(command: Any, ctx: Any) -> list[str]:
    arguments = [each for each in command.get_params(ctx) if isinstance(each, TyperArgument) and not each.hidden]
    return ["[OPTIONS]", *(str(each.metavar) if each.required else f"[{each.metavar}]" for each in arguments)]


def _show(command: Any, ctx: Any) -> None:
    screen = console.out()
    screen.print(Text.assemble(("Usage: ", "bold yellow"), (f"{ctx.command_path} {' '.join(command.collect_usage_pieces(ctx))}", "bold")))
    screen.print()
    if command.help:
        for paragraph in inspect.cleandoc(command.help).split("\n\n"):
            console.prose(" ".join(paragraph.split()))
            screen.print()
    for title, rows in _panels(command, ctx):
        screen.print(_panel(title, rows, screen.width))
    if command.epilog:
        screen.print(Text("Examples", style="bold"))
        for line in command.epilog.splitlines():
            screen.print(Text(f"  {line}"), soft_wrap=True)


def _panels(command: Any, ctx: Any) -> Iterable[tuple[str, list[tuple[str, str]]]]:
    """Title and rows of each panel: commands first, then arguments, options by their panels, those of no panel last."""
    found: dict[str, list[tuple[str, str]]] = {}
    if isinstance(command, TyperGroup):
        for name in command.list_commands(ctx):
            each = command.get_command(ctx, name)
            if each is not None and not each.hidden:
                title = getattr(each, "rich_help_panel", None) or COMMANDS
                found.setdefault(title, []).append((name, _first_sentence(each.short_help or each.help or "")))
    last: list[tuple[str, str]] = []
    for each in command.get_params(ctx):
        if getattr(each, "hidden", False):
            continue
        if isinstance(each, TyperArgument):
            found.setdefault(ARGUMENTS, []).append((str(each.metavar), _words(each)))
        else:
            panel = getattr(each, "rich_help_panel", None)
            (found.setdefault(panel, []) if panel else last).append((_option(each), _words(each)))
    return [*found.items(), *([(OPTIONS, last)] if last else [])]


def _option(parameter: Any) -> str:
    """The names of an option and what it takes: `-p, --population N`, `--racing/--no-racing`."""
    names = ", ".join(sorted(parameter.opts, key=len))
    if parameter.is_flag:
        return "/".join([names, *parameter.secondary_opts])
    return f"{names} {parameter.metavar or _taken(parameter)}"


def _taken(parameter: Any) -> str:
    """What an option takes where nothing says it: its choices, a number, a file, or what it is called."""
    described = parameter.type_descriptor
    if described.is_choice:
        return "|".join(map(str, described.choices))
    kind = described.annotation
    kind = get_args(kind)[0] if get_origin(kind) is list else kind
    return _TAKES.get(kind) or str(parameter.name).upper().strip("_").replace("_", "-")


def _words(parameter: Any) -> str:
    words = str(parameter.help or "").strip()
    low, high = getattr(parameter, "min", None), getattr(parameter, "max", None)
    bounds = [f"{low:,g} to {high:,g}."] if low is not None and high is not None else []
    usual = [f"Default: {shown}."] if (shown := _default(parameter)) and "Default: " not in words else []
    required = ["Required."] if parameter.required and not isinstance(parameter, TyperArgument) else []
    return " ".join([words, *bounds, *usual, *required])


def _default(parameter: Any) -> str:
    """The value where nothing is typed; "" where that is nothing, or said in words."""
    value, shown = parameter.default, parameter.show_default
    if isinstance(shown, str):
        return shown
    if not shown or value in (None, "", (), []) or isinstance(value, bool) or callable(value):
        return ""
    return f"{value:g}" if isinstance(value, float) else str(value)


def _first_sentence(text: str) -> str:
    """The first sentence of a help text, without its full stop, which a list does not need."""
    words = " ".join(inspect.cleandoc(text).split("\n\n")[0].split())
    return words.partition(". ")[0].rstrip(".")


def _panel(title: str, rows: Sequence[tuple[str, str]], width: int) -> Panel:
    """Names with their words; a name that is too long for its column has them below."""
    narrow = max((len(name) for name, _ in rows if len(name) <= _WIDEST), default=_WIDEST // 2)
    parts: list[Any] = []
    for name, words in rows:
        grid = Table.grid(padding=(0, 2, 0, 0), expand=True)
        grid.add_column(style="bold cyan", width=narrow, overflow="fold")
        grid.add_column(ratio=1)
        if len(name) > narrow:
            parts.append(Text(name, style="bold cyan"))
        grid.add_row(Text(name if len(name) <= narrow else ""), Text(words))
        parts.append(grid)
    return Panel(rich.console.Group(*parts), title=title, title_align="left", border_style="dim", box=ROUNDED, width=width)
