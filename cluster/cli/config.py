"""`coinswarm config`: the settings of this machine, where each comes from, and what is wrong with a file of them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import SecretStr

from cluster import machine, settings_file
from cluster.cli import console, usage
from coinswarm import errors

app = usage.App()


@app.callback()
def config() -> None:
    """The settings of this machine: each value and where it comes from; check a file of them."""


@app.command()
def show(*, as_json: console.AsJson = False) -> None:
    """Every setting with its value and where it comes from: a variable, a line of the file, or its default. Secrets are masked."""
    reading = machine.read()
    rows = [_row(name, reading) for name in machine.MachineSettings.model_fields]
    if as_json:
        console.emit_json({"file": reading.file and str(reading.file), "settings": rows})
        return
    console.table(
        f"settings, file: {console.path(reading.file) if reading.file else 'none'}",
        ["name", "value", "from"],
        [[row["name"], "none" if row["value"] is None else row["value"], str(row["from"]).rpartition("/")[2]] for row in rows],
    )


def _row(name: str, reading: machine.SettingsRead) -> dict[str, Any]:
    value, origin = getattr(reading.settings, name), reading.origins.get(name, machine.Origin())
    return {
        "name": name,
        "variable": machine.variables_of(name)[0],
        "value": str(value) if isinstance(value, SecretStr | Path) else value,
        "from": str(origin),
    }


@app.command()
def check(
    file: Annotated[Path | None, typer.Argument(metavar="FILE", help="A file of settings; else the one that commands read.")] = None,
    *,
    as_json: console.AsJson = False,
) -> None:
    """Name every mistake in a file of settings, and exit with 2 when there is one."""
    if file is None:
        reading = machine.read()
        checked, count = reading.file, sum(origin.file is not None for origin in reading.origins.values())
    else:
        contents = machine.read_file(file)
        if contents.problems:
            raise errors.BadSettings(contents.problems)
        checked, count = file, len(contents.entries)
    if checked is None:
        console.answer({"file": None, "settings": 0}, f"there is no file of settings; {_usual()} would be read", as_json=as_json)
        return
    said = f"ok: {console.path(checked)}, {count} setting{'' if count == 1 else 's'}"
    console.answer({"file": str(checked), "settings": count}, said, as_json=as_json)


def _usual() -> str:
    return console.path(machine.home() / settings_file.NAME)
