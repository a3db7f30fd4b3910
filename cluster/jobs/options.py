"""What can be asked of a kind of job, and how it is typed on the command line.

Each setting is an option by its own name: `search.population` is `--population`. A kind says here only what differs: a short name, another
spelling, a text that is read in its own way, one option that fills several settings, an argument in place of an option.
"""

from __future__ import annotations

import keyword
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

from cluster.jobs.settings import JobSettings

S = TypeVar("S", bound=JobSettings)


class Machine(Protocol):
    """What reading options may do on this machine."""

    def refuse_larger(self, settings: JobSettings) -> None:
        """Raise `TooLarge` for a request beyond the limits of this machine."""

    def imported(self, files: Sequence[Any]) -> Sequence[str]:
        """Import files of candles; the answer is the names of their data sets."""

    def plays(self, files: Sequence[Any]) -> Sequence[Any]:
        """Read and check play files; the answer is a `PlayGiven` each."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Option:
    """One option, or an argument when its first name has no dash.

    Attributes:
        names: as it is typed, such as `("--population", "-p")`.
        fills: the settings it fills, as dotted paths; several settings get the same value. None: `compose` of the kind reads it.
        help: what it does; "": the description of the setting.
        type: what is read from the text; None: the type of the setting.
        read: the setting's value of what was read.
        extends: adds to a setting that other options fill too.
        late: reading it changes something, so everything else is checked first.
        default: what `--help` says when nothing is typed; "": the default of the setting.
        required, metavar: as typer has them.
        panel: where `--help` lists it; "": as its setting says.
    """

    names: tuple[str, ...]
    fills: tuple[str, ...] = ()
    help: str = ""
    type: Any = None
    read: Callable[[Any, Machine], Any] | None = None
    extends: bool = False
    late: bool = False
    default: str = ""
    required: bool = False
    metavar: str | None = None
    panel: str = ""

    @property
    def key(self) -> str:
        """The name by which a composed value is found: without dashes at the front, others as underscores."""
        name = self.names[0].partition("/")[0].lstrip("-").replace("-", "_")
        return f"{name}_" if keyword.iskeyword(name) else name


Compose = Callable[[Mapping[str, Any], Mapping[str, Any], Machine], Sequence[Mapping[str, Any]]]
"""`compose(settings, given, machine)`: requests of the settings that options filled and of what was typed for options that fill none."""


def as_they_are(settings: Mapping[str, Any], _given: Mapping[str, Any], _machine: Machine) -> Sequence[Mapping[str, Any]]:
    """One request of what the options filled."""
    return (settings,)


@dataclass(frozen=True, kw_only=True, slots=True)
class Options(Generic[S]):
    """What can be asked of one kind, and how it is typed.

    Attributes:
        settings: what can be asked for: the command's options, the HTTP body, `Job.config["settings"]`.
        options: those that differ from the names of settings.
        left_out: settings, or groups of them, that only files and HTTP can say, each with the reason.
        compose: makes the requests; a command may stand for several.
        writes_page: whether the command writes the report as an HTML file.
        declares: whether the command can declare the vault of the campaign, on the markets that are asked for, before it runs.
        panel: title of the kind's own options in `--help`.
    """

    settings: type[S]
    options: tuple[Option, ...] = ()
    left_out: Mapping[str, str] = field(default_factory=dict)
    compose: Compose = as_they_are
    writes_page: bool = False
    declares: bool = False
    panel: str = "Settings"

    @property
    def kind(self) -> str:
        """The name of the kind."""
        return str(self.settings.model_fields["kind"].default)
