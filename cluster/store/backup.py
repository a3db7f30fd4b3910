"""Backups: what coinswarm has in the database, and the bars of this machine, in one file with a manifest that says what is in it.

The file is a plain ZIP: `database/TABLE.csv` for each of our tables, `bars.duckdb` as it is, and `manifest.json` last, so that a file
without it is no backup. It appears under its name when it is complete and on the disk. Backups of the first format have `database.dump`,
a dump of the whole database by `pg_dump`, in the place of the tables.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
import shutil
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import IO

from cluster.store import dumping, former_dumps, inventory, schema
from cluster.store.dumping import Rows
from coinswarm import errors
from coinswarm.market import turns
from coinswarm.market.catalog import Catalog
from coinswarm.printable import counted

FORMAT = 2
DATABASE, FORMER_DUMP, BARS, MANIFEST = "database", "database.dump", "bars.duckdb", "manifest.json"
_FAST = 1
"""Of zlib: higher levels take several times as long for a tenth less."""
_TELL_EVERY_S = 5.0
_MEGABYTE = 1_000_000
Tell = Callable[[str], object]


@dataclass(frozen=True, kw_only=True)
class BackupPart:
    """A file in a backup: bytes and SHA-256."""

    size_bytes: int
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What a backup holds.

    Attributes:
        format: of the file itself.
        made: when, ISO 8601, UTC.
        coinswarm: the release that made it.
        schema: version of the database's tables.
        rows: of each table.
        data_sets: content hash of each data set of bars, by its key; empty when there were no bars.
        parts: the files.
    """

    format: int
    made: str
    coinswarm: str
    schema: str
    rows: dict[str, int]
    data_sets: dict[str, str]
    parts: dict[str, BackupPart]


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What a backup takes at most: bytes of the database and of the bars as they are now, and the free ones where it goes."""

    database_bytes: int
    bars_bytes: int
    free_bytes: int


def cost(url: str, bars: Path, target: Path) -> Cost:
    """What a backup to `target` would take.

    Raises:
        Unavailable: the database does not answer; NotFound: there is no such folder.
    """
    folder = target.absolute().parent
    if not folder.is_dir():
        raise errors.NotFound("a backup goes into a folder that exists", found=folder)
    size = bars.stat().st_size if bars.exists() else 0
    return Cost(database_bytes=dumping.contents(url).size_bytes, bars_bytes=size, free_bytes=shutil.disk_usage(folder).free)


def write(url: str, bars: Path, target: Path, *, tell: Tell) -> Manifest:
    """Write a backup. Jobs may run meanwhile; bars cannot be imported until they are copied.

    Args:
        url: the database.
        bars: the DuckDB file of bars; there need be none.
        target: the file to write; one that is there is replaced at the end.
        tell: called with the progress.

    Raises:
        Unavailable: the database went away; Conflict: bars are being imported; StorageFull: no room; Refused: a schema of a later program.
    """
    beside = target.with_name(f".{target.name}.partial")
    try:
        with os.fdopen(os.open(beside, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600), "w+b") as file:
            with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=_FAST) as archive:
                manifest = _filled(archive, url, bars, tell)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(target)
    finally:
        beside.unlink(missing_ok=True)
    _settle(target.absolute().parent)
    return manifest


def _filled(archive: zipfile.ZipFile, url: str, bars: Path, tell: Tell) -> Manifest:
    parts, data_sets = {}, {}
    with dumping.snapshot(url) as moment:
        for table, pieces in moment.tables():
            name = f"{DATABASE}/{table}.csv"
            with _entry(archive, name, tell) as part:
                for piece in pieces:
                    part.write(piece)
            parts[name] = part.sealed()
    if bars.exists():
        with _quiet(bars) as catalog, _entry(archive, zipfile.ZipInfo(BARS), tell) as part:
            data_sets = {entry.key: entry.content_hash for entry in catalog.list()}
            with bars.open("rb") as file:
                while piece := file.read(dumping.CHUNK_BYTES):
                    part.write(piece)
        parts[BARS] = part.sealed()
    made = Manifest(
        format=FORMAT, made=datetime.now(UTC).isoformat(timespec="seconds"), coinswarm=version("coinswarm"), schema=moment.schema,
        rows=moment.rows, data_sets=data_sets, parts=parts,
    )  # fmt: skip
    archive.writestr(MANIFEST, json.dumps(asdict(made), indent=1))
    return made


@contextmanager
def _quiet(bars: Path) -> Iterator[Catalog]:
    """Bars that no process writes: what an import left in its journal is put into the file first, then readers keep writers out."""
    if bars.with_name(f"{bars.name}.wal").exists():
        Catalog.open(bars).close()
    with Catalog.open(bars, read_only=True) as catalog:
        yield catalog


class _Part:
    """Counts and hashes what goes into a file of a backup."""

    def __init__(self, name: str, into: IO[bytes], tell: Tell) -> None:
        self._name, self._into, self._tell = name, into, tell
        self._digest, self._bytes, self._told_at = hashlib.sha256(), 0, time.monotonic()

    def write(self, piece: bytes) -> None:
        self._into.write(piece)
        self._digest.update(piece)
        self._bytes += len(piece)
        if time.monotonic() - self._told_at > _TELL_EVERY_S:
            self._told_at = time.monotonic()
            self._tell(f"{self._name}: {self._bytes / _MEGABYTE:,.0f} MB")

    def sealed(self) -> BackupPart:
        return BackupPart(size_bytes=self._bytes, sha256=self._digest.hexdigest())


@contextmanager
def _entry(archive: zipfile.ZipFile, entry: str | zipfile.ZipInfo, tell: Tell) -> Iterator[_Part]:
    """A file of a backup: compressed under a name, as it is with a `ZipInfo`."""
    with archive.open(entry, "w", force_zip64=True) as into:
        yield _Part(entry if isinstance(entry, str) else entry.filename, into, tell)


def read(path: Path) -> Manifest:
    """The manifest of a backup.

    Raises:
        NotFound: there is no such file; BadInput: it is no backup, or cut off; Refused: a later program made it.
    """
    if not path.is_file():
        raise errors.NotFound("a backup must be a file", found=path)
    try:
        with zipfile.ZipFile(path) as archive:
            found = json.loads(archive.read(MANIFEST))
        made = int(found["format"])
        if made <= FORMAT:
            parts = {name: BackupPart(**part) for name, part in found.pop("parts").items()}
            return _known(Manifest(**found, parts=parts))
    except (zipfile.BadZipFile, KeyError, ValueError, TypeError, AttributeError) as problem:
        raise errors.BadInput(f"{path.name} must be a whole backup made by `coinswarm db backup`", found=problem) from problem
    raise errors.Refused(f"a backup must be of a format this program knows, up to {FORMAT}", found=made, hint="update coinswarm")


def _known(manifest: Manifest) -> Manifest:
    if manifest.schema > schema.HEAD:
        hint = "a later coinswarm made it: update this one"
        raise errors.Refused(
            f"the schema of a backup must be one this program knows, up to {schema.HEAD}", found=manifest.schema, hint=hint
        )
    return manifest


def verify(path: Path, *, tell: Tell) -> Manifest:
    """Read a backup to its end and compare every byte to the manifest.

    Raises:
        NotFound, BadInput, Refused: as `read`, or the file is damaged.
    """
    manifest = read(path)
    tell(f"checking {len(manifest.parts)} files, {sum(part.size_bytes for part in manifest.parts.values()) / _MEGABYTE:,.0f} MB")
    with zipfile.ZipFile(path) as archive:
        for name, part in manifest.parts.items():
            digest = hashlib.sha256()
            for piece in _pieces(archive, name):
                digest.update(piece)
            if digest.hexdigest() != part.sha256:
                raise errors.BadInput(f"{name} in {path.name} must be as it was written", found="other bytes", hint="use another backup")
    return manifest


def restore(path: Path, url: str, bars: Path, *, replace: bool, tell: Tell) -> Manifest:
    """Put a backup in the place of what coinswarm has in a database, and of the bars; everything else in the database stays.

    Everything is checked first. Then the database changes in one transaction, and the bars by one renaming after it.

    Args:
        path: the backup.
        url: the database.
        bars: the DuckDB file of bars.
        replace: even when that is not empty.
        tell: called with the progress.

    Raises:
        Refused: something is there and `replace` is not set, others have built on it, or the backup is of a later program;
        BadInput: it is damaged; Conflict: others are connected or hold the bars; StorageFull: no room; Unavailable: the database
        went away.
    """
    manifest = verify(path, tell=tell)
    _refuse_used(dumping.contents(url), _n_data_sets(bars), manifest, replace=replace)
    with zipfile.ZipFile(path) as archive, _laid_out(archive, manifest, bars) as fresh:
        tell(f"restoring {sum(manifest.rows.values()):,} rows of {len(manifest.rows)} tables")
        dumping.restore(url, _tables(archive, manifest, tell), version=manifest.schema, rows=_ours(manifest))
        if fresh is not None:
            with turns.alone(bars):
                fresh.replace(bars)
            _settle(bars.absolute().parent)
    return manifest


def _tables(archive: zipfile.ZipFile, manifest: Manifest, tell: Tell) -> Iterator[Rows]:
    """The rows of our tables in a backup of either format."""
    if FORMER_DUMP in manifest.parts:
        hint = "is not coinswarm's and stays out of the database; `pg_restore` reads it from database.dump in the backup"
        yield from former_dumps.rows(_pieces(archive, FORMER_DUMP), skipped=lambda name: tell(f"the table {name} {hint}"))
        return
    for name in manifest.parts:
        if name.startswith(f"{DATABASE}/"):
            with archive.open(name) as file:
                columns = next(csv.reader([file.readline().decode()]))
                table = name.removeprefix(f"{DATABASE}/").removesuffix(".csv").split("/")[0]
                yield Rows(table=table, columns=tuple(columns), form="csv", pieces=iter(lambda: file.read(dumping.CHUNK_BYTES), b""))


def _ours(manifest: Manifest) -> dict[str, int]:
    """Rows of our tables; the first format counted others in the same schema, too."""
    return {name: count for name, count in manifest.rows.items() if name in inventory.RELATIONS}


def _refuse_used(found: dumping.Contents, data_sets: int, manifest: Manifest, *, replace: bool) -> None:
    if found.others:
        hint = "stop the service and the jobs that use it"
        raise errors.Conflict(
            "no other connection may use the tables that are replaced", found=counted(found.others, "connection"), hint=hint
        )
    if found.schema is not None and found.schema > schema.HEAD:
        rule, hint = f"the schema that is replaced must be one this program knows, up to {schema.HEAD}", "update coinswarm"
        raise errors.Refused(rule, found=f"{found.schema}, of a later coinswarm", hint=hint)
    inventory.refuse_above(found.above)
    if replace:
        return
    hint = "--replace puts the backup in the place of all of it"
    if not found.empty:
        raise errors.Refused("a backup is restored where coinswarm has nothing in the database", found="jobs, plays or tokens", hint=hint)
    if data_sets and BARS in manifest.parts:
        raise errors.Refused("a backup's bars are restored where there are none", found=counted(data_sets, "data set"), hint=hint)


def _n_data_sets(bars: Path) -> int:
    """How many data sets are there, once it is certain that no other process holds the file."""
    if not bars.exists():
        return 0
    with Catalog.open(bars) as catalog:
        return len(catalog.list())


@contextmanager
def _laid_out(archive: zipfile.ZipFile, manifest: Manifest, bars: Path) -> Iterator[Path | None]:
    """The bars of a backup in a file beside the one they shall replace; None when it has none."""
    if BARS not in manifest.parts:
        yield None
        return
    bars.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = bars.with_name(f".{bars.name}.restored")
    try:
        with fresh.open("wb") as file:
            for piece in _pieces(archive, BARS):
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        with Catalog.open(fresh, read_only=True) as catalog:
            found = {entry.key: entry.content_hash for entry in catalog.list()}
        if found != manifest.data_sets:
            raise errors.BadInput("the bars of a backup must be those its manifest names", found=", ".join(found) or "none")
        yield fresh
    finally:
        fresh.unlink(missing_ok=True)


def _pieces(archive: zipfile.ZipFile, name: str) -> Iterator[bytes]:
    try:
        with archive.open(name) as file:
            while piece := file.read(dumping.CHUNK_BYTES):
                yield piece
    except (zipfile.BadZipFile, zlib.error, KeyError, EOFError) as problem:
        raise errors.BadInput(f"{name} in a backup must be as it was written", found=problem, hint="use another backup") from problem


def _settle(folder: Path) -> None:
    """Have a renaming survive a loss of power, where the file system can."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
