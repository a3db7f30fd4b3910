"""`coinswarm play new` and `coinswarm play schema`: a play to begin with, and what an editor needs to check it while one types."""

from __future__ import annotations

import json
import re
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from cluster.cli import console
from coinswarm import errors, resources
from coinswarm.report.files import write_whole

SCHEMA_FILE = "play.schema.json"
_NAME = re.compile(r"[A-Za-z_][\w\-]*")


class Template(StrEnum):
    """A play to begin with, by its idea."""

    TREND = "trend"
    REVERSION = "reversion"
    BREAKOUT = "breakout"


def command(
    name: Annotated[str, typer.Argument(help="What the play is called; its file is NAME.yml.", show_default=False)],
    template: Annotated[Template, typer.Option(help="The idea it begins with.")] = Template.TREND,
    as_json: console.AsJson = False,
) -> None:
    """Write a small play with comments, to be changed: it reads without a problem and can be backtested as it is."""
    name = name.removesuffix(".yml")
    if not _NAME.fullmatch(name):
        raise errors.InvalidArgument("the name of a play has letters, digits, _ and - only", found=repr(name))
    file = Path(f"{name}.yml")
    if file.exists():
        raise errors.Conflict(f"{file} must not be there yet", found="a file", hint="take another name, or remove it")
    text = (resources.plays("templates") / f"{template}.yml").read_text("utf-8")
    head = f"# yaml-language-server: $schema={SCHEMA_FILE}\n"
    write_whole(file, (head + text.replace(f"name: {template}\n", f"name: {name}\n", 1)).encode())
    if as_json:
        console.emit_json({"file": str(file), "template": template})
        return
    console.text(f"wrote {file}")
    console.text(f"next: `coinswarm play check {file}`; for an editor: `coinswarm play schema > {SCHEMA_FILE}`")


def print_schema() -> None:
    """Print a JSON Schema of plays: an editor that knows it completes names and marks misspelt ones."""
    from coinswarm.play.schema import schema

    console.text(json.dumps(schema(), indent=1))
