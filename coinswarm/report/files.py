"""Writing a file whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
from pathlib import Path

from coinswarm import errors

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def write_whole(path: Path, content: bytes) -> Path:
    """Put `content` at `path`: beside it first, then renamed over it, so that half a file is never seen.

    Folders that are missing are made. A file that is there keeps its mode. A device or pipe is written to directly.

    Returns:
        The path that was written.

    Raises:
        StorageFull: there is no room; what stood there before is untouched and nothing is left behind.
        BadInput: the path is a folder, or may not be written.
    """
    try:
        return _write(path, content)
    except OSError as error:
        raise _explained(error, path) from error


def _write(path: Path, content: bytes) -> Path:
    if path.is_dir():
        raise errors.BadInput(
            "a report is written to a file", found=f"the folder {path}", hint=f"name a file, such as {path / 'report.html'}"
        )
    if path.exists() and not path.is_file():
        path.write_bytes(content)
        return path
    target = path.resolve()
    target.parent.mkdir(parents=True, exist_ok=True)
    beside = target.parent / f".coinswarm-{secrets.token_hex(8)}.part"
    try:
        _write_through(beside, content)
        if target.exists():
            beside.chmod(stat.S_IMODE(target.stat().st_mode))
        beside.replace(target)
    finally:
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            beside.unlink()
    return path


def _write_through(path: Path, content: bytes) -> None:
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _explained(error: OSError, path: Path) -> errors.CoinswarmError:
    reason = error.strerror or str(error)
    if error.errno in _FULL:
        return errors.StorageFull(f"there is no room to write {path}", found=reason.lower(), hint="free some space or name another folder")
    return errors.BadInput(f"{path} must be writable", found=reason.lower(), hint="name a file in a folder you may write to")
