"""`coinswarm play vet`: hold a variant's report card against the gates, and write it out as a play of its own when it passes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cluster import bootstrap, machine
from cluster.cli import console
from coinswarm import errors

if TYPE_CHECKING:
    from cluster.queries.vetting import Vetted


def command(
    evaluation: Annotated[str, typer.Argument(help="An evaluation's id or the beginning of it.")],
    folder: Annotated[Path, typer.Option("--to", help="Folder for the play, its card and the verdict.")] = Path("vetted"),
    file: Annotated[Path | None, typer.Option("--gates", help="A file of gates, at least as strict as the default ones.")] = None,
    why: Annotated[str, typer.Option("--why", help="For the ledger.")] = "vetted: the report card passed the gates",
    tag: Annotated[list[str] | None, typer.Option("--tag", help="NAME=VALUE, besides those of the card; repeat for several.")] = None,
    as_json: console.AsJson = False,
) -> None:
    """Check a variant's newest report card against the gates, and write it as a play when it passes. Exit code 1 when not."""
    settings = console.settings()
    bootstrap.prepare(settings)
    from cluster.cli.gates import present
    from cluster.queries import vetting
    from coinswarm.report import files
    from coinswarm.validate import gates

    tags, wanted = _tags(tag or []), gates.load(file)
    with bootstrap.open_store(settings) as store, bootstrap.open_campaigns(settings) as kept:
        found = vetting.vet(store, kept, evaluation, wanted, settings.bars_file, who=machine.user(), why=why, tags=tags)
    paths = [files.write_whole(folder / name, text.encode()) for name, text in vetting.written(found).items()]
    more = {"play": None if found.play is None else found.play.sha256, "files": [str(path) for path in paths]}
    present(found.verdict, found.card, as_json=as_json, more=more)
    for line in _outcome(found, paths) if not as_json else []:
        console.text(line)
    if not found.verdict.passed:
        raise typer.Exit(1)


def _outcome(found: Vetted, paths: Sequence[Path]) -> list[str]:
    if found.play is None:
        return ["nothing was promoted and nothing written"]
    short = found.play.sha256[:12]
    kept = f"{found.play.name} is validated and in the library as {short}; `coinswarm library show {short}` shows it"
    return [kept, *(f"wrote {console.path(path)}" for path in paths)]


def _tags(given: list[str]) -> dict[str, str]:
    tags: dict[str, str] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name.strip() or not value.strip():
            raise errors.InvalidArgument("--tag takes NAME=VALUE", found=repr(text), hint="--tag desk=spot")
        tags[name.strip()] = value.strip()
    return tags
