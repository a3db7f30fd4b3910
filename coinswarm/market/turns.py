"""Whose turn it is to open the file of bars: writers one after another, readers together, each for a moment.

DuckDB lets one process write or several read, and refuses all others at once without a word on when to come again. Among those who only
ask again, a writer never finds the file free while readers overlap. So a lock beside the file goes round: a writer has it from before it
opens the file until it has closed it, a reader only while it opens. Locks of the system end with the process, however that ends.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from coinswarm import errors
from coinswarm.market import storage
from coinswarm.retry import RetryPolicy, retry

if TYPE_CHECKING:
    import duckdb

READING = RetryPolicy(limit_s=10.0, first_s=0.005, longest_s=0.02)
"""How long a reader waits for writers. Its pauses are shorter than what lies between two pages of a fetch, so that it comes in there."""
WRITING = RetryPolicy(limit_s=30.0, first_s=0.02, longest_s=0.25)
"""How long a writer waits for its turn."""
_ONCE = RetryPolicy(limit_s=0.0, first_s=0.0, longest_s=0.0)
_DRAIN = RetryPolicy(limit_s=1.0, first_s=0.01, longest_s=0.05)
"""How long a writer keeps new readers out while it waits for the last ones; then they have the length of a pause to come in."""


class Turn:
    """The lock beside a file of bars, taken.

    Args:
        path: the file of bars.
        alone: as a writer, whom nothing else goes beside; else as a reader.

    Raises:
        Conflict: others have it.
    """

    def __init__(self, path: Path, *, alone: bool) -> None:
        self._descriptor = _opened(path.with_name(f"{path.name}.turn"), make=alone)
        if self._descriptor is None:
            return
        try:
            fcntl.flock(self._descriptor, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
        except BlockingIOError as taken:
            writer = os.pread(self._descriptor, 20, 0).decode()
            self.end()
            raise storage.in_use(path, f"process {writer}" if writer else "another process") from taken
        except OSError:
            # a file system without such locks: DuckDB's own lock is what is left, and those who are refused by it ask again
            return
        if alone:
            _sign(self._descriptor)

    def end(self) -> None:
        """Let others have it."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def _sign(descriptor: int) -> None:
    with suppress(OSError):  # a full disk: the message of those who wait says less
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)


def _opened(lock: Path, *, make: bool) -> int | None:
    """A reader makes nothing: it may read where it must not write, and where no writer has been it needs no turn."""
    try:
        return os.open(lock, os.O_RDWR | os.O_CREAT if make else os.O_RDONLY, 0o600)
    except OSError:
        return None


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """A writer's turn for the length of a `with`, for what replaces the file as a whole.

    Raises:
        Conflict: others have it for too long.
    """
    turn = retry(partial(Turn, path, alone=True), WRITING, on=errors.Conflict)
    try:
        yield
    finally:
        turn.end()


def opened(path: Path, *, read_only: bool, patience: RetryPolicy) -> tuple[duckdb.DuckDBPyConnection, Turn]:
    """The file of bars, opened once it is free, and the turn that ends after it is closed.

    Raises:
        Conflict: others have it for longer than the patience.
        NotFound, BadInput, Refused: as `storage.connect`.
    """
    return retry(partial(_attempt, path, read_only=read_only), patience, on=errors.Conflict)


def _attempt(path: Path, *, read_only: bool) -> tuple[duckdb.DuckDBPyConnection, Turn]:
    if not read_only:
        storage.make_folder(path)
    turn = Turn(path, alone=not read_only)
    if read_only:
        # passed through, not kept while the file opens: readers who overlap in that would keep writers out
        turn.end()
    try:
        return retry(partial(storage.connect, path, read_only=read_only), _ONCE if read_only else _DRAIN, on=errors.Conflict), turn
    except BaseException:
        turn.end()
        raise
