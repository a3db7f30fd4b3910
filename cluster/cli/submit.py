"""`coinswarm submit`: submit a search, or a job of any kind in a file, to a server."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cluster import bootstrap
from cluster.cli import console, job_commands
from cluster.jobs import evolve, registry
from coinswarm import errors

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cluster.jobs.options import Options
    from cluster.jobs.settings import JobSettings

RequestFile = Annotated[
    Path | None,
    typer.Option(help="A job of any kind, as YAML or JSON as `POST /api/v1/jobs` takes it; instead of the other options."),
]


def submit(of_kind: Options[Any], given: dict[str, Any]) -> None:
    """Submit a search, or a job of any kind in a file, to a coinswarm server, which runs it when its turn comes."""
    file = given.pop("request")
    settings = console.settings()
    bootstrap.prepare(settings)
    wanted = job_commands.RunOptions.taken(given, queue=not (given["server"] or settings.server))
    if file is not None:
        said = [name for name, value in given.items() if name != "plays" and value not in (None, [], ())]
        if said:
            raise errors.InvalidArgument(
                "--request takes no other options of the job", found=", ".join(said), hint="write them into the file"
            )
        asked = [read(file, job_commands.ThisMachine(settings).plays(given["plays"] or []))]
    elif not given["plays"]:
        raise errors.InvalidArgument("a search needs a play", found="none", hint="name a file, or a request with --request")
    else:
        job_commands.refuse_files(of_kind, settings, wanted, given)
        asked = job_commands.requests(of_kind, given, settings)
    job_commands.execute(asked, wanted, settings)


def read(file: Path, plays: Sequence[Any]) -> JobSettings:
    """A request of any kind from a YAML or JSON file as `POST /api/v1/jobs` takes it, with the text of these plays.

    Raises:
        BadInput: the file cannot be read, or is no such request; every mistake is named.
    """
    import yaml
    from pydantic import ValidationError

    try:
        given = yaml.safe_load(file.read_text("utf-8-sig"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise errors.BadInput(f"{file.name} must be YAML or JSON", found=error) from error
    if plays and isinstance(given, dict):
        given["plays"] = [{"text": each.yaml} for each in plays]
    try:
        request: JobSettings = registry.reader().validate_python(given)
    except ValidationError as error:
        mistakes = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()[:5])
        raise errors.BadInput(f"{file.name} must be a request of a job", found=mistakes) from error
    return request


command = job_commands.submission(evolve.NAME, RequestFile, submit)
