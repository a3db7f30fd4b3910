"""What other accounts of the machine may not see: folders that only their owner enters, secrets that only their owner reads.

Only what this program made is ever narrowed. Folders above it, and folders that hold anything else, keep the modes they have.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import stat
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from coinswarm import errors

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_NAMES = ("bars.duckdb", "bars.duckdb.turn", "bars.duckdb.wal", "dashboard", "logs", "numba", "pg", "ray", "reports", "run")
"""What a home folder holds besides tokens."""


def begin() -> None:
    """Make what this process and its children write from now on readable by its owner only."""
    os.umask(_OTHERS)


def folder(path: Path) -> Path:
    """Make a folder that only its owner enters, or take that of an earlier run, narrowed.

    Args:
        path: of a folder that this program alone uses; folders above it are made when they are missing.

    Raises:
        Unavailable: it belongs to another account, which could read or replace what is put there. For root, the account whose home holds it
            may own it: that account loses nothing by what root does for it.
    """
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    if is_anothers(path):
        raise errors.Unavailable(f"{path} must belong to the account that uses it", found=f"the account {path.stat().st_uid}")
    _narrow(path)
    return path


def is_anothers(path: Path) -> bool:
    """Whether a file or folder belongs to an account that is not to be relied on: neither ours nor root's; see `folder` for root."""
    owner, us = path.stat().st_uid, os.geteuid()
    return owner not in (0, us) and not (us == 0 and owner == path.parent.stat().st_uid)


def writers(path: Path) -> tuple[str, ...]:
    """Who besides its owner can write a file: its group, everyone, or neither."""
    mode = path.stat().st_mode
    return tuple(who for who, bit in (("its group", stat.S_IWGRP), ("everyone", stat.S_IWOTH)) if mode & bit)


LONGEST_SOCKET = 103 if sys.platform == "darwin" else 107
"""Bytes of the longest path of a socket."""


def socket_folder(home: Path, name: str, longest: int) -> Path:
    """A folder for sockets that only its owner enters: in the home folder, or among temporary files where paths would be too long.

    Args:
        home: folder of this user.
        name: of the folder.
        longest: bytes of the longest path below it.

    Raises:
        Unavailable: every path would be too long.
    """
    if _fits(home / name, longest):
        return folder(home / name)
    short = f"coinswarm-{os.geteuid()}-{hashlib.sha256(os.fsencode(home)).hexdigest()[:8]}-{name}"
    place = next((each for each in (Path(tempfile.gettempdir()), Path("/tmp")) if _fits(each / short, longest)), None)  # noqa: S108
    if place is None:
        raise errors.Unavailable(f"a folder for sockets must have a path of at most {LONGEST_SOCKET - longest} bytes", found=home / name)
    return _own(place / short)


def _own(wanted: Path) -> Path:
    """A folder where everyone may make one: ours, or another one when another account has taken its name."""
    with suppress(FileExistsError):
        wanted.mkdir(mode=0o700)
    found = wanted.lstat()
    if not wanted.is_symlink() and found.st_uid == os.geteuid() and not found.st_mode & _OTHERS:
        return wanted
    return Path(tempfile.mkdtemp(prefix="coinswarm-", dir=wanted.parent))


def _fits(place: Path, longest: int) -> bool:
    return len(os.fsencode(place)) + longest <= LONGEST_SOCKET


def narrow_home(home: Path) -> None:
    """Take from other accounts what earlier releases let them see: all of ours in a home folder, and itself if it holds nothing else."""
    for path in _ours(home):
        _narrow(path)


def exposed(home: Path) -> tuple[Path, ...]:
    """What `narrow_home` would narrow: of ours, and entered or read by other accounts."""
    return tuple(path for path in _ours(home) if not path.is_symlink() and path.stat().st_mode & _OTHERS)


def _ours(home: Path) -> list[Path]:
    """All of ours in a home folder, and the folder if it holds nothing else but settings, which its owner wrote."""
    entries = [entry for entry in home.iterdir() if entry.name != "config.yaml"]
    ours = [entry for entry in entries if entry.name in _NAMES or entry.suffix == ".token"]
    return [*ours, home] if len(ours) == len(entries) else ours


def kept_secret(path: Path) -> str:
    """The secret in a file, drawn when there is none; processes that ask at once get the same.

    Returns:
        64 hexadecimal digits, unless something else was put there.
    """
    if not path.exists():
        fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
        write_secret(fresh, secrets.token_hex(32))
        with suppress(FileExistsError):
            os.link(fresh, path)
        fresh.unlink()
    _narrow(path)
    return path.read_text().strip()


def write_secret(path: Path, secret: str) -> None:
    """Write a file that only its owner reads, from its first moment on."""
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(f"{secret}\n")


def _narrow(path: Path) -> None:
    try:
        found = path.lstat()
    except FileNotFoundError:  # a file that another process has just ended with
        return
    plain = stat.S_ISREG(found.st_mode) or (stat.S_ISDIR(found.st_mode) and not found.st_mode & stat.S_ISVTX)
    if plain and found.st_uid == os.geteuid() and found.st_mode & _OTHERS:
        path.chmod(stat.S_IMODE(found.st_mode) & ~_OTHERS)
