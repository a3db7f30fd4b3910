"""`coinswarm submit`: hand a job to the driver service, here or elsewhere: a search as in `coinswarm evolve`, or any request."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Annotated, Any

import typer

from cluster import bootstrap
from cluster.cli import console, evolve
from coinswarm import errors

_OF_A_RUN = ("workers", "address", "estimate", "detach")
"""Options of a run that is driven by the command itself."""
_OF_ANY = ("plays", "server", "priority", "key", "as_json")


def command(request: Path | None = None, **given: Any) -> None:
    """Hand a job in; a driver service (`coinswarm serve`) runs it when its turn comes."""
    if request is not None:
        _hand_in(request, **given)
    elif not given["plays"]:
        raise errors.InvalidArgument("a search needs a play", found="none", hint="name a file, or a request with --request")
    else:
        evolve.command(**given, queued=True)


def _hand_in(request: Path, **given: Any) -> None:
    """Hand in what a file asks for."""
    from cluster.cli import handing

    usual = {name: each.default for name, each in _options().parameters.items()}
    said = [name for name, value in given.items() if name not in _OF_ANY and value != usual[name]]
    if said:
        raise errors.InvalidArgument("a request in a file says all of it", found=", ".join(said), hint="write it into the file")
    settings = console.settings()
    bootstrap.prepare(settings)
    asked = handing.read(request, given["plays"] or [])
    handing.hand_in(settings, given["server"], asked, priority=given["priority"], key=given["key"], as_json=given["as_json"])


def _options() -> inspect.Signature:
    """Those of a search that are not of a run, no play needed, and a request in a file."""
    known = inspect.signature(evolve.command, eval_str=True)
    kept = [each for name, each in known.parameters.items() if name not in (*_OF_A_RUN, "queued", "plays")]
    plays = Annotated[
        list[Path] | None,
        typer.Argument(metavar="[PLAY]…", help="YAML files; each is searched with its own population.", show_default=False),
    ]
    file = Annotated[
        Path | None,
        typer.Option(help="A job of any kind, as YAML or JSON in the form of `POST /api/v1/jobs`; without other options than these few."),
    ]
    own = [
        inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=None, annotation=kind)
        for name, kind in (("plays", plays), ("request", file))
    ]
    return known.replace(parameters=[*own, *kept])


command.__signature__ = _options()  # type: ignore[attr-defined]
command.__annotations__ = {}
