"""`coinswarm db`: the address of the database, what it holds, a SQL prompt, backups, and stopping the embedded one."""

from __future__ import annotations

import dataclasses
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cluster import bootstrap, machine
from cluster.cli import console, usage
from coinswarm import errors
from coinswarm.printable import counted

if TYPE_CHECKING:
    from cluster.store.backup import Manifest

app = usage.App()

_MEGABYTE = 1_000_000


@app.callback()
def db() -> None:
    """Address, state, SQL prompt and backup of the database."""


Owner = Annotated[bool, typer.Option("--owner", help="As the role that may change everything, not the read-only one.")]


@app.command()
def url(
    *,
    owner: Owner = False,
    password: Annotated[bool, typer.Option("--password", help="With the password, for programs that read no password file.")] = False,
    as_json: console.AsJson = False,
) -> None:
    """Print the database's URL for psql, notebooks and other programs; the embedded one is started when it is not running.

    The URL of the embedded database names a file with the password instead of showing it, and a role that only reads.
    """
    settings = console.settings()
    embedded_one = settings.database_address is None
    address = bootstrap.client_url(settings, role="owner" if owner else "reader", password=password)
    if as_json:
        console.emit_json({"url": address, "embedded": embedded_one})
        return
    console.text(address)
    if not embedded_one and not password:
        console.note("the password of COINSWARM_DATABASE_URL is left out; --password shows it")


@app.command()
def status(*, as_json: console.AsJson = False) -> None:
    """Show whether the database answers, and what it holds. Does not start it."""
    from cluster.store import embedded, state

    settings = console.settings()
    address = settings.database_address or embedded.url(settings.postgres_folder)
    if address is None:
        found: dict[str, object] = {"running": False, "embedded": True, "folder": str(settings.postgres_folder)}
    else:
        found = {"running": True, "embedded": settings.database_address is None, **dataclasses.asdict(state.describe(address))}
    if as_json:
        console.emit_json(found)
    else:
        console.table("Database", ["", "value"], _lines(found))


@app.command()
def shell(*, owner: Owner = False) -> None:
    """Open psql on the database: on the embedded one as a role that only reads, unless --owner is given."""
    from cluster.store import connect, embedded

    settings = console.settings()
    embedded_one = settings.database_address is None
    address, secret = connect.split(bootstrap.client_url(settings, role="owner" if owner else "reader", password=not embedded_one))
    program = shutil.which("psql") or (str(embedded.program(settings.postgres_folder, "psql")) if embedded_one else None)
    if program is None:
        raise errors.Unavailable("psql must be installed", hint="use another client with the address of `coinswarm db url`")
    raise typer.Exit(subprocess.run([program, address], env=machine.with_variables(secret), check=False).returncode)


@app.command()
def stop(
    *,
    force: Annotated[bool, typer.Option("--force", help="Even while programs are connected.")] = False,
    as_json: console.AsJson = False,
) -> None:
    """Stop the embedded database; the next command that needs it starts it again."""
    from cluster.store import embedded

    settings = console.settings()
    if settings.database_address is not None:
        raise errors.Refused("only the embedded database is stopped from here", found="a server set by COINSWARM_DATABASE_URL")
    stopped = embedded.stop(settings.postgres_folder, force=force)
    if as_json:
        console.emit_json({"stopped": stopped})
    else:
        console.text("stopped" if stopped else "was not running")


@app.command()
def backup(
    target: Annotated[Path, typer.Argument(help="The file to write, or a folder for one named by the time.")],
    *,
    replace: Annotated[bool, typer.Option("--replace", help="Replace a file that exists.")] = False,
    estimate: Annotated[bool, typer.Option("--estimate", help="Only show what it would take.")] = False,
    as_json: console.AsJson = False,
) -> None:
    """Back up the database and the bars to one file; jobs may run meanwhile."""
    from cluster.store import backup

    settings = console.settings()
    file = target / f"coinswarm-{datetime.now(UTC):%Y%m%d-%H%M%S}.zip" if target.is_dir() else target
    address = bootstrap.database_url(settings)
    cost = backup.cost(address, settings.bars_file, file)
    console.note(
        f"database {cost.database_bytes / _MEGABYTE:,.0f} MB, compressed while it is written; bars {cost.bars_bytes / _MEGABYTE:,.0f} MB; "
        f"{cost.free_bytes / _MEGABYTE:,.0f} MB free"
    )
    if estimate:
        sizes = dataclasses.asdict(cost)
        if as_json:
            console.emit_json(sizes)
        else:
            rows = [[name.removesuffix("_bytes"), f"{size / _MEGABYTE:,.0f} MB"] for name, size in sizes.items()]
            console.table("backup", ["what", "size at most"], rows)
        return
    if file.exists() and not replace:
        raise errors.Refused("a backup is written to a new file", found=file, hint="--replace writes over it")
    manifest = backup.write(address, settings.bars_file, file, tell=console.note)
    if as_json:
        console.emit_json({"file": str(file), "size_bytes": file.stat().st_size, **dataclasses.asdict(manifest)})
    else:
        console.text(f"{console.path(file)}: {file.stat().st_size / _MEGABYTE:,.1f} MB, {_held(manifest)}")


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="A backup.")],
    *,
    replace: Annotated[bool, typer.Option("--replace", help="Replace what is there.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Only check that the file is complete.")] = False,
    as_json: console.AsJson = False,
) -> None:
    """Restore a backup into an empty database without bars."""
    from cluster.store import backup

    settings = console.settings()
    if check:
        manifest = backup.verify(file, tell=console.note)
    else:
        manifest = backup.restore(file, bootstrap.database_url(settings), settings.bars_file, replace=replace, tell=console.note)
    if as_json:
        console.emit_json({"restored": not check, **dataclasses.asdict(manifest)})
    else:
        console.text(f"{'complete' if check else 'restored'}: {_held(manifest)}, as of {manifest.made}")


def _held(manifest: Manifest) -> str:
    """What a backup holds, counted."""
    return f"{counted(manifest.rows.get('jobs', 0), 'job')}, {counted(len(manifest.data_sets), 'data set')}"


def _lines(found: dict[str, object]) -> list[list[object]]:
    lines: list[list[object]] = []
    for name, value in found.items():
        if isinstance(value, dict):
            lines += [[f"rows of {table}", f"{rows:,}"] for table, rows in value.items()]
        elif name == "size_bytes" and isinstance(value, int):
            lines.append(["size", f"{value / _MEGABYTE:,.0f} MB"])
        else:
            lines.append([name.replace("_", " "), _words(value)])
    return lines


def _words(value: object) -> object:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none yet" if value is None else value
