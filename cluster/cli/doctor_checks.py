"""What `coinswarm doctor` looks at besides packages: the home folder, the disk, the clock, the ledger, and the processes of a service.

Nothing is made, started, narrowed or migrated here: who asks what is wrong does not want it changed.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, metadata, requires, version
from pathlib import Path
from platform import python_version
from typing import TYPE_CHECKING, TypeAlias

from cluster import private
from cluster.cli import console
from cluster.run import servers
from coinswarm import errors
from coinswarm.printable import counted

if TYPE_CHECKING:
    from cluster.machine import MachineSettings
    from cluster.store.state import Pulse

_GIGABYTE = 2**30
_LOW_DISK_BYTES = 2 * _GIGABYTE
_LISTED = 5


@dataclass(frozen=True, kw_only=True)
class Check:
    """One thing that was looked at; `ok` is None where it does not matter, and `hint` says what to do where it is False."""

    what: str
    found: str
    ok: bool | None = None
    hint: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Probes:
    """What is asked of the machine, so that a test can plant another answer.

    Attributes:
        free_bytes: room on the disk of a folder.
        now: the time here.
        installed: version of a package; raises `PackageNotFoundError`.
        python: version of Python.
    """

    free_bytes: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    installed: Callable[[str], str] = version
    python: Callable[[], str] = python_version


Look: TypeAlias = "Callable[[MachineSettings, Probes], Iterator[Check]]"


def all_checks(settings: MachineSettings, probes: Probes) -> Iterator[Check]:
    """Everything, in order. What cannot be looked at is a check that failed."""
    for name, look in LOOKS.items():
        try:
            yield from look(settings, probes)
        except (errors.CoinswarmError, OSError) as problem:
            yield Check(what=name, found=str(problem), ok=False, hint="what it says stands in the way of looking further")


def _versions(_settings: MachineSettings, probes: Probes) -> Iterator[Check]:
    """Whether Python and every package are as new as this program asks for."""
    needed = str(metadata("coinswarm")["Requires-Python"] or "").removeprefix(">=")
    old = [f"Python {probes.python()}, needs {needed}"] if _older(probes.python(), needed) else []
    for requirement in requires("coinswarm") or ():
        match = re.match(r"([\w.-]+)(?:\[[^]]*\])?>=([\d.]+)$", requirement)
        if match is None:  # of an extra
            continue
        name, least = match.groups()
        try:
            found = probes.installed(name)
        except PackageNotFoundError:
            old.append(f"{name} is missing, needs {least}")
            continue
        old += [f"{name} {found}, needs {least}"] if _older(found, least) else []
    hint = "install this release again: `pip install --upgrade coinswarm`"
    yield Check(what="versions", found="; ".join(old) or "as new as this program needs", ok=not old, hint=hint)


def _home(settings: MachineSettings, probes: Probes) -> Iterator[Check]:
    home = settings.home.expanduser()
    if home.exists() and not home.is_dir():
        yield Check(what="home", found=f"{console.path(home)} is no folder", ok=False, hint="move it away, or set COINSWARM_HOME")
        return
    open_to_others = private.exposed(home) if home.is_dir() else ()
    names = ", ".join(console.path(path) for path in open_to_others[:_LISTED])
    found = f"others may enter or read {names}" if names else f"{console.path(home)} is its owner's alone"
    yield Check(what="rights", found=found, ok=not names, hint=f"chmod -R go-rwx {home}")
    free = probes.free_bytes(next(folder for folder in (home, *home.parents) if folder.is_dir()))
    hint = "free some space, or `coinswarm jobs prune --older-than 30d`"
    yield Check(what="disk", found=f"{free / _GIGABYTE:.1f} GB free", ok=free > _LOW_DISK_BYTES, hint=hint)
    logs = settings.logs_folder
    odd = logs.exists() and not logs.is_dir()
    yield Check(what="logs", found=f"{console.path(logs)} is {'no folder' if odd else 'where logs go'}", ok=not odd, hint=f"mv {logs} away")


def _kernels(settings: MachineSettings, _probes: Probes) -> Iterator[Check]:
    folder = settings.numba_folder
    hint = f"rm -r {folder}, then `coinswarm doctor --warm`"
    if not folder.exists():
        yield Check(what="compiled kernels", found="none yet; the first job compiles them, or `coinswarm doctor --warm`")
        return
    files = [path for path in folder.rglob("*.nb[ic]") if path.is_file()]
    empty = [path.name for path in files if path.stat().st_size == 0]
    broken = "it is no folder" if not folder.is_dir() else f"{counted(len(empty), 'empty file')}, such as {empty[0]}" if empty else ""
    size = sum(path.stat().st_size for path in files) / 2**20
    yield Check(what="compiled kernels", found=broken or f"{size:,.1f} MB in {console.path(folder)}", ok=not broken, hint=hint)


def _bars(settings: MachineSettings, _probes: Probes) -> Iterator[Check]:
    from coinswarm.market.catalog import Catalog

    path = settings.bars_file
    if not path.exists():
        yield Check(what="bars", found=f"none yet; {console.path(path)} is made by the first import", ok=True)
        return
    try:
        with Catalog.open(path, read_only=True) as catalog:
            stored = catalog.list()
    except errors.CoinswarmError as problem:
        hint = "wait for the job that writes it; a damaged one comes back by `coinswarm db restore`"
        yield Check(what="bars", found=str(problem), ok=False, hint=hint)
        return
    bars = sum(entry.n_bars for entry in stored)
    size = f"{path.stat().st_size / 2**20:,.1f} MB in {console.path(path)}"
    yield Check(what="bars", found=f"{counted(len(stored), 'data set')}, {bars:,} bars, {size}", ok=True)


def _database(settings: MachineSettings, probes: Probes) -> Iterator[Check]:
    from cluster.store import connect, embedded, state

    address, place = settings.database_address, "PostgreSQL at COINSWARM_DATABASE_URL"
    if address is None:
        folder = settings.postgres_folder
        if embedded.has_died(folder):
            hint = f"the next command starts it, such as `coinswarm jobs list`; {folder / 'log'} says why it ended"
            yield Check(what="database", found="the embedded PostgreSQL died", ok=False, hint=hint)
            return
        running = embedded.status(folder)
        address = embedded.url(folder)
        if running is None or address is None:
            yield Check(what="database", found="embedded PostgreSQL, not running; it starts when it is needed", ok=True)
            return
        place = f"embedded PostgreSQL {running.version}, port {running.port}, {running.size_bytes / 2**20:,.0f} MB"
    with connect.opened(address) as connection:
        before = probes.now()
        pulse = state.pulse(connection)
    yield Check(what="database", found=f"{place} answers", ok=True)
    yield from ledger_checks(pulse, before)


def ledger_checks(pulse: Pulse, now: datetime) -> Iterator[Check]:
    """What a database says of itself, held against this program and this machine's clock."""
    from cluster.store import state

    newer = (
        "update this program"
        if (pulse.schema or "") > pulse.newest_schema
        else "a command that uses it brings it up: `coinswarm jobs list`"
    )
    schema = pulse.schema or "none yet"
    found = f"{schema}, this program is made for {pulse.newest_schema}"
    yield Check(what="schema", found=found, ok=pulse.schema in (None, pulse.newest_schema), hint=f"`coinswarm db status`; {newer}")
    skew_s = abs((pulse.clock - now).total_seconds())
    hint = "set both clocks by NTP: a lease is kept by the clock of the database"
    yield Check(what="clock", found=f"{skew_s:.1f} s between the database and this machine", ok=skew_s < state.CLOCK_S, hint=hint)
    hint = "; ".join(f"`coinswarm jobs verify {job}`" for job in pulse.uneven[:_LISTED])
    yield Check(what="ledger", found=_some("whose trials are not those of their generations", pulse.uneven), ok=not pulse.uneven, hint=hint)
    hint = "; ".join(f"`coinswarm jobs resume {job}`" for job in pulse.lost[:_LISTED])
    yield Check(what="leases", found=_some("running although the lease ran out", pulse.lost), ok=not pulse.lost, hint=hint)
    hint = "start one: `coinswarm serve`"
    yield Check(what="queue", found=_some("queued without a server to run it", pulse.waiting), ok=not pulse.waiting, hint=hint)


def _service(settings: MachineSettings, _probes: Probes) -> Iterator[Check]:
    """Whether each `coinswarm serve` of this home has its driver service."""
    alone = [str(process.pid) for process in servers.of_home(settings) if not servers.has_driver(process)]
    hint = f"its log says why the driver ended: {settings.logs_folder}; end process {', '.join(alone)} and start `coinswarm serve` again"
    found = f"process {', '.join(alone)} serves without its driver service" if alone else "every server has its driver"
    yield Check(what="driver service", found=found, ok=not alone, hint=hint)


LOOKS: dict[str, Look] = {
    "versions": _versions, "home": _home, "compiled kernels": _kernels, "bars": _bars, "database": _database, "driver service": _service,
}  # fmt: skip


def _some(what: str, names: tuple[str, ...]) -> str:
    shown = ", ".join(names[:_LISTED])
    return f"{counted(len(names), 'job')} {what}{f': {shown}' if shown else ''}{', …' if len(names) > _LISTED else ''}"


def _older(found: str, least: str) -> bool:
    """Whether a version is before another, by their leading numbers."""
    numbers = [[int(part) for part in re.match(r"[\d.]*", text)[0].split(".") if part] for text in (found, least)]  # type: ignore[index]
    return numbers[0] < numbers[1]
