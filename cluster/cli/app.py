"""The `coinswarm` command: a table of subcommands, each imported only when it is called.

A subcommand lives in `cluster/cli/<name>.py` and exposes one of

- `app: usage.App`, for a command with subcommands of its own (a single one needs an `@app.callback()`, else typer folds it away), or
- `command`, a function with typer's annotations, for a command without.

`COMMANDS` holds its panel and the line that `coinswarm --help` prints, so that the help neither imports the module nor breaks with it.
A subcommand prints through `cluster.cli.console`, reads its settings with `console.settings()`, and raises what `coinswarm.errors`
defines: the message goes to stderr and the error's class decides the exit code (0 done, 1 failed, 2 bad usage or input).
"""

from __future__ import annotations

import errno
import importlib
import inspect
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import typer

from cluster import private
from cluster.cli import console, usage
from cluster.jobs import registry
from coinswarm import errors
from coinswarm.printable import shown

START, SEARCH, PATTERNS, VALIDATE = "Start", "Search", "Chaos trades and patterns", "Validate"
SERVER, DATA = "Server", "Database"
PANELS = (START, SEARCH, PATTERNS, VALIDATE, SERVER, DATA)
"""In the order in which they are listed; a kind of job says in its folder which its command is in."""
COMMANDS = {
    "demo": (START, "Complete example: get data, search, report."),
    "bars": (START, "Import, fetch, list, check and export candles."),
    "play": (START, "Check plays (strategies), list their variants, export one."),
    "config": (START, "Show the settings of this machine and where each comes from."),
    "doctor": (START, "Check what is installed and reachable."),
    "backtest": (SEARCH, "Run one variant of a play in full."),
    "top": (SEARCH, "List the best variants of a search, in and out of sample."),
    "show": (SEARCH, "Show one evaluation: parameters, figures, equity curve."),
    "compare": (SEARCH, "Compare evaluations or searches: settings and figures."),
    "archive": (SEARCH, "Show the best variant of each kind of behaviour, as a map."),
    "report": (SEARCH, "Write an evaluation as one HTML file."),
    "replay": (SEARCH, "Recompute an evaluation and compare it to the last digit."),
    "chaos": (PATTERNS, "Sample random trades and record their outcomes."),
    "patterns": (PATTERNS, "Find entry conditions that are statistically significant."),
    "gates": (VALIDATE, "Show the acceptance rules (gates), and check a result by them."),
    "vault": (VALIDATE, "Declare, show and open a campaign's final hold-out (vault)."),
    "library": (VALIDATE, "List, show and retire the plays that passed the gates."),
    "worlds": (VALIDATE, "Simulated markets: without any signal, or with a known one."),
    "serve": (SERVER, "Start a server: API, web page, and a queue of jobs."),
    "submit": (SERVER, "Submit a job to a coinswarm server."),
    "watch": (SERVER, "Follow a job until it ends."),
    "jobs": (SERVER, "List, show, cancel, resume and prune jobs."),
    "token": (SERVER, "Create, list and revoke access tokens."),
    "quota": (SERVER, "Show and set quotas of tokens and campaigns."),
    "db": (DATA, "Address, state, SQL prompt and backup of the database."),
}
"""Panel and line of each command in `coinswarm --help` that is no kind of job, in the order in which they are listed."""


EXAMPLES = {
    "": ["coinswarm demo", "coinswarm evolve plays/examples/trend_pullback.yml --symbol BTC/USDT"],
    "demo": ["coinswarm demo", "coinswarm demo --bars binance_BTC-USDT_5m.parquet"],
    "backtest": [
        "coinswarm backtest best.yml --symbol BTC/USDT --trades trades.csv",
        "coinswarm backtest play.yml --bars bars.csv --variant first --from 2024-02-01",
    ],
    "submit": [
        "coinswarm submit play.yml --symbol BTC/USDT --server http://127.0.0.1:8321",
        "coinswarm submit --request job.yml",
    ],
    "top": ["coinswarm top", "coinswarm top JOB --by calmar -n 20"],
    "show": ["coinswarm show a39737fd", "coinswarm show JOB --trades trades.csv --equity equity.csv"],
    "compare": ["coinswarm compare a39737fd 26ed8f62", "coinswarm compare JOB OTHER_JOB --json"],
    "archive": ["coinswarm archive JOB", "coinswarm archive JOB --html map.html"],
    "report": ["coinswarm report a39737fd", "coinswarm report JOB --out best.html"],
    "replay": ["coinswarm replay a39737fd", "coinswarm replay a39737fd --no-reference"],
    "serve": ["coinswarm serve", "coinswarm serve --host 0.0.0.0 --port 8321 --slots 4"],
    "watch": ["coinswarm watch JOB", "coinswarm watch JOB --server http://127.0.0.1:8321"],
    "doctor": ["coinswarm doctor", "coinswarm doctor --warm"],
}
"""How commands are called, a line each; groups and kinds of jobs keep theirs beside what they do."""


_Mistake: type[Exception] = next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException")
"""What is wrong with arguments; typer brings a Click of its own, whose name it keeps to itself."""


class LazyGroup(usage.CommandGroup):
    """Commands of `COMMANDS`, imported on use; every error becomes one message and an exit code."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        for name, (panel, help_) in summaries().items():
            self.add_command(_stub(name, panel, help_), name)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Import the command that is called."""
        name, command, rest = super().resolve_command(ctx, args)
        return name, command if name is None else load(name), rest

    def make_context(self, *args: Any, **kwargs: Any) -> Any:
        """Read the arguments, names of files among them; what is wrong with one is said without what it hides."""
        try:
            return super().make_context(*args, **kwargs)
        except _Mistake as mistake:
            raise _shown(mistake) from None

    def invoke(self, ctx: Any) -> Any:
        """Run the command; Ctrl-C counts as failed, with what was done kept."""
        try:
            return super().invoke(ctx)
        except _Mistake as mistake:
            raise _shown(mistake) from None
        except KeyboardInterrupt:
            console.error(errors.Cancelled("stopped by Ctrl-C; what was finished is kept"))
            raise typer.Exit(errors.Cancelled.exit_code) from None

    def main(self, *args: Any, **kwargs: Any) -> Any:
        """Parse, run and exit: no traceback ever reaches the user unless it is asked for."""
        if sys.stderr is None:
            sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115 - it stays open as long as the process
        try:
            _require_output()
            return super().main(*args, **kwargs)
        except Exception as error:
            if console.debugging():
                raise
            raise SystemExit(report(error)) from None


def _shown(mistake: Any) -> Any:
    mistake.message = shown(mistake.message)
    return mistake


def _require_output() -> None:
    if sys.stdout is None:
        raise errors.BadInput("standard output must be open", found="closed", hint="end the command with >/dev/null to drop it")


def summaries() -> dict[str, tuple[str, str]]:
    """Panel and line of every command, in the order of the help: in each panel the kinds of jobs that no group has, then `COMMANDS`."""
    kinds = {words[0]: kind for words, kind in registry.commands().items() if len(words) == 1}
    every = {**{name: (registry.panel(kind) or SEARCH, registry.summary(kind)) for name, kind in kinds.items()}, **COMMANDS}
    return dict(sorted(every.items(), key=lambda each: PANELS.index(each[1][0])))


def _stub(name: str, panel: str, help_: str) -> Any:
    stand_in = usage.App()
    stand_in.command(name, help=help_, panel=panel)(_nothing)
    return typer.main.get_command(stand_in)


def _nothing() -> None:
    return None


def load(name: str) -> Any:
    """Import a subcommand as typer needs it.

    Args:
        name: one of `summaries`.

    Raises:
        Unavailable: the module is missing or cannot be imported.
    """
    try:
        application = _application(name)
    except ImportError as error:
        raise errors.Unavailable(f"`coinswarm {name}` cannot be loaded", found=error, hint="install coinswarm again") from error
    command = typer.main.get_command(application)
    command.help = command.help or summaries()[name][1]
    return command


def _application(name: str) -> typer.Typer:
    """The application of a module of this package, or of a kind of job that has none."""
    of_kinds = registry.commands()
    if (name,) in of_kinds and find_spec(f"cluster.cli.{name}") is None:
        from cluster.cli import job_commands

        command = job_commands.command(of_kinds[(name,)])
    else:
        module = importlib.import_module(f"cluster.cli.{name}")
        if (own := getattr(module, "app", None)) is not None:
            application: typer.Typer = own
            return application
        command = module.command
    application = usage.App()
    examples = EXAMPLES.get(name) or (registry.examples(of_kinds[(name,)]) if (name,) in of_kinds else ())
    application.command(name, help=inspect.getdoc(command), examples=examples)(command)
    return application


def report(error: Exception) -> int:
    """Print what went wrong on stderr and give the exit code for it."""
    known = explain(error)
    console.error(known)
    return known.exit_code


def explain(error: Exception) -> errors.CoinswarmError:
    """The project's own error for anything that a command raised."""
    if isinstance(error, errors.CoinswarmError):
        return error
    if isinstance(error, OSError):
        return _explain_os(error)
    rule = f"internal error: {type(error).__name__}: {error}"
    return errors.CoinswarmError(rule, hint="set COINSWARM_DEBUG=1 to see where")


def _explain_os(error: OSError) -> errors.CoinswarmError:
    place = f"{error.strerror or error}{f' ({error.filename})' if error.filename else ''}"
    if error.errno == errno.ENOENT and error.filename:
        return errors.no_file(error.filename)
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return errors.StorageFull("the disk is full, nothing more was written", found=place, hint="free some space and run it again")
    if error.errno in (errno.ENOENT, errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EISDIR):
        return errors.BadInput("a file or folder cannot be used", found=place)
    return errors.CoinswarmError("the operating system refused", found=place)


_COMPUTES_NOTHING = {"--help", "--version"}
app = usage.App(cls=LazyGroup, add_completion=True, examples=EXAMPLES[""])


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        console.text(version("coinswarm"))
        raise typer.Exit


def _name_file(path: Path | None) -> None:
    """Have this process and those it starts read their settings from a file."""
    if path is not None:
        from cluster import machine

        machine.impose({machine.CONFIG: str(path.absolute())})


FILE_OF_SETTINGS = typer.Option(
    "--config", callback=_name_file, is_eager=True, metavar="FILE",
    help="A file of settings; else COINSWARM_CONFIG, else config.yaml in the home folder.",
)  # fmt: skip


@app.callback()
def coinswarm(
    context: typer.Context,
    version: bool = typer.Option(False, "--version", callback=_show_version, is_eager=True, help="Print the version and exit."),  # noqa: FBT003,ARG001
    debug: bool = typer.Option(False, "--debug", help="Show tracebacks (also COINSWARM_DEBUG=1)."),  # noqa: FBT003
    config: Annotated[Path | None, FILE_OF_SETTINGS] = None,  # noqa: ARG001
) -> None:
    """Evolve crypto trading strategies, count every trial, and refuse what luck explains."""
    console.begin(debug=debug, settle=context.invoked_subcommand != "config")  # which says itself what is wrong with them


def _begin() -> None:
    """Make a process that is the command and nothing else ready: what it imports and starts looks where this program says."""
    if not _COMPUTES_NOTHING.isdisjoint(sys.argv[1:]):
        return
    from cluster import bootstrap, machine

    machine.announce({"PYTHONSAFEPATH": "1"})  # child processes do not import what lies in the working directory
    with suppress(errors.BadSetting):  # the command says so itself
        bootstrap.prepare_libraries(machine.MachineSettings(home=machine.home()))


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry point of the installed command. What it writes, wherever it does, is its owner's alone."""
    private.begin()
    if arguments is None:
        _begin()
    try:
        typer.main.get_command(app).main(args=None if arguments is None else list(arguments), prog_name="coinswarm")
    except SystemExit as ended:
        _leave_the_exchange(ended)
        raise


def _leave_the_exchange(ended: SystemExit) -> None:
    """End at once while a question to an exchange is unanswered: its thread would keep libraries from being taken down in order."""
    fetching = sys.modules.get("coinswarm.market.fetch")
    if fetching is not None and fetching.waits():
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError):
                stream.flush()
        os._exit(ended.code if isinstance(ended.code, int) else 1)
