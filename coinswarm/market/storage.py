"""The DuckDB file under the catalog: opening it, its tables, and what DuckDB's own errors mean."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from coinswarm import errors

if TYPE_CHECKING:
    import duckdb

SCHEMA_VERSION = 1
_TABLES = """
CREATE TABLE catalog (schema_version INTEGER NOT NULL);
CREATE TABLE datasets (
    id INTEGER NOT NULL, exchange VARCHAR NOT NULL, symbol VARCHAR NOT NULL, timeframe_ms BIGINT NOT NULL,
    synthetic BOOLEAN NOT NULL, content_hash VARCHAR NOT NULL);
CREATE TABLE bars (
    dataset INTEGER NOT NULL, ts BIGINT NOT NULL,
    open DOUBLE NOT NULL, high DOUBLE NOT NULL, low DOUBLE NOT NULL, close DOUBLE NOT NULL, volume DOUBLE NOT NULL);
CREATE TABLE funding (dataset INTEGER NOT NULL, ts BIGINT NOT NULL, rate DOUBLE NOT NULL);
CREATE TABLE imports (
    dataset INTEGER NOT NULL, source VARCHAR NOT NULL, source_hash VARCHAR NOT NULL, imported_at TIMESTAMP NOT NULL,
    first_ts BIGINT NOT NULL, last_ts BIGINT NOT NULL, n_added BIGINT NOT NULL, n_replaced BIGINT NOT NULL, n_funding BIGINT NOT NULL);
"""


def connect(path: Path, *, read_only: bool) -> duckdb.DuckDBPyConnection:
    """Open the file of bars, creating it and its tables when it is new; its folder is there, see `make_folder`.

    Args:
        path: the DuckDB file.
        read_only: do not create or change it.

    Raises:
        NotFound: read-only, and there is no such file.
        Conflict: another process writes to it.
        BadInput: it is not a DuckDB file, is damaged, or belongs to something else.
        Refused: it was written by a later version.
    """
    if read_only and not path.exists():
        raise _no_bars(f"there is no {path}")
    import duckdb

    with translated(path):
        connection = duckdb.connect(str(path), read_only=read_only)
        try:
            # DuckDB draws one into the standard output of what takes it longer than two seconds, between the lines of `--json`
            connection.execute("SET enable_progress_bar = false")
            _ensure_tables(connection, path, read_only=read_only)
        except BaseException:
            connection.close()
            raise
    return connection


def make_folder(path: Path) -> None:
    """Make the folder that the file of bars stands in; raises `BadInput` where that cannot be."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise errors.BadInput("the folder of bars cannot be created", found=f"{path.parent} ({error.strerror})") from error


def _no_bars(why: str) -> errors.NotFound:
    hint = "`coinswarm bars import` or `bars fetch` stores some, `bars synthetic` makes some up"
    return errors.NotFound(f"no bars are stored yet: {why}", hint=hint)


def _ensure_tables(connection: duckdb.DuckDBPyConnection, path: Path, *, read_only: bool) -> None:
    names = {row[0] for row in connection.execute("SELECT table_name FROM information_schema.tables").fetchall()}
    if not names and read_only:
        raise _no_bars(f"the process that made {path} ended before it stored any")
    if not names:
        connection.execute(f"BEGIN; {_TABLES} INSERT INTO catalog VALUES ({SCHEMA_VERSION}); COMMIT")  # noqa: S608 - a constant
        return
    if not {"catalog", "datasets", "bars", "funding", "imports"} <= names:
        raise errors.BadInput(f"{path} is a DuckDB file, but not one of bars", hint="point COINSWARM_BARS_PATH at another file")
    version = int((connection.execute("SELECT max(schema_version) FROM catalog").fetchone() or (0,))[0] or 0)
    if version > SCHEMA_VERSION:
        found = f"schema {version}, this version knows {SCHEMA_VERSION}"
        raise errors.Refused(
            f"{path} was written by a later version of coinswarm", found=found, hint="upgrade coinswarm, or use another file"
        )


def in_use(path: Path, who: str) -> errors.Conflict:
    """Others have the file of bars; `who` says which process."""
    return errors.Conflict(f"{path} is in use by {who}", hint="one process at a time may write bars: wait for it, or stop it")


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn what DuckDB raises inside into errors of this project."""
    import duckdb

    try:
        yield
    except duckdb.Error as error:
        raise explained(error, path) from error


def explained(error: Exception, path: Path) -> errors.CoinswarmError:
    """What an error of DuckDB means for the file of bars.

    Args:
        error: what DuckDB raised.
        path: the file of bars.
    """
    text = str(error)
    holder = re.search(r"\(PID (\d+)\)", text)
    if holder or "Could not set lock" in text:
        who = f"process {holder[1]}" if holder else "another process"
        return in_use(path, who)
    if "different configuration" in text:
        return errors.Conflict(f"{path} is already open in this process, in another mode", hint="close it first")
    if re.search(r"No space left|ENOSPC|disk is full|Could not write", text, re.IGNORECASE):
        return errors.StorageFull(
            f"bars cannot be written to {path}", found=text.splitlines()[0], hint="free some space; nothing was half-written"
        )
    if re.search(r"not a valid DuckDB|[Cc]orrupt|checksum|Serialization|storage version", text):
        found = text.splitlines()[0]
        return errors.BadInput(
            f"{path} is not a readable file of bars", found=found, hint="restore it from a copy, or move it away and import again"
        )
    return errors.BadInput(f"{path} cannot be used", found=text.splitlines()[0] if text else type(error).__name__)
