"""Which account runs the embedded PostgreSQL: PostgreSQL refuses to run as root, so root lends it one that no one else has (decision 0010).

That account walks through no folder: a program of PostgreSQL is started inside its data folder, so the folders above it stay as they are.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import psutil

from coinswarm import errors

_UIDS = range(65_520, 65_534)
"""Numbers that no distribution gives to users, services or containers, and that exist where only 65,536 of them do."""
_HERE = Path("/proc/self/cwd")
_CACHE = Path("/var/cache/coinswarm")
_READ = stat.S_IRGRP | stat.S_IROTH
_ENTER = stat.S_IXGRP | stat.S_IXOTH
_PLACE = f"PostgreSQL must lie where other accounts than root may run it, or be copied to {_CACHE}"
_ELSE = "run as another user, or set COINSWARM_DATABASE_URL"


@dataclass(frozen=True, kw_only=True)
class SystemAccount:
    """An account that runs programs of PostgreSQL; `uid` and `gid` are None when it is the one we have."""

    uid: int | None
    gid: int | None

    def run(self, command: list[str], data: Path, output: IO[bytes], *, timeout_s: float, stdin: int = subprocess.DEVNULL) -> int:
        """Run a program of PostgreSQL on a data folder as this account.

        Args:
            command: the program and its options, without the folder.
            data: the folder.
            output: where all it says goes, and all that a server says which it starts.
            timeout_s: seconds until it is killed.
            stdin: an open file to read from.

        Returns:
            Its exit code.
        """
        place = data if self.uid is None else _HERE
        done = subprocess.run(
            [command[0], "-D", str(place), *command[1:]],
            user=self.uid,
            group=self.gid,
            extra_groups=None if self.uid is None else [],
            cwd=data,
            env={"LC_ALL": "C", "PATH": os.defpath, "TZ": "UTC"},
            stdin=stdin,
            stdout=output,
            stderr=output,
            timeout=timeout_s,
            check=False,
        )
        return done.returncode

    def own(self, *paths: Path) -> None:
        """Make the account the owner of files and folders; of a folder last, so that what a kill interrupts is seen to be undone."""
        if self.uid is None or self.gid is None:
            return
        for path in paths:
            for inside in path.rglob("*") if path.is_dir() else ():
                os.lchown(inside, self.uid, self.gid)
            os.lchown(path, self.uid, self.gid)

    def programs(self, install: Path) -> Path:
        """An installation of PostgreSQL that the account can reach: the given one, or a copy, for what it lies in is not ours to open."""
        if self.uid is None:
            return install
        real = (install / "bin" / "postgres").resolve().parents[1]  # a link to it may lie where only we enter
        return real if _is_open(real) else _copied(real)


def for_server(data: Path) -> SystemAccount:
    """The account for the server of a data folder: ours; for root one that no user and no service has.

    Data that an earlier release gave to an account which others use, such as `nobody`, change their owner at the next start. In the home of
    another account, which root uses with `sudo`, the server stays that account's.

    Args:
        data: the folder, which need not exist; the one that holds it does.

    Raises:
        Unavailable: we are root and there is no such account.
    """
    if os.geteuid() != 0:
        return SystemAccount(uid=None, gid=None)
    holder = data.parent.stat()
    if holder.st_uid != 0:
        return SystemAccount(uid=holder.st_uid, gid=holder.st_gid)
    free = [uid for uid in _UIDS if not _has_name(uid)]
    if data.exists() and data.stat().st_uid in free:
        return SystemAccount(uid=data.stat().st_uid, gid=data.stat().st_gid)
    if not free or not _HERE.exists():
        raise errors.Unavailable("PostgreSQL does not run as root and needs an account of its own", found="none that is free", hint=_ELSE)
    return SystemAccount(uid=free[0], gid=free[0])


def for_initdb() -> SystemAccount:
    """The account that fills a data folder: ours; for root one that has a name, which initdb asks for, and runs nothing else meanwhile.

    Raises:
        Unavailable: we are root and each account of the machine runs something.
    """
    if os.geteuid() != 0:
        return SystemAccount(uid=None, gid=None)
    busy = {uid for process in psutil.process_iter(["uids"]) if process.info["uids"] for uid in process.info["uids"]}
    idle = [entry for entry in pwd.getpwall() if entry.pw_uid not in busy and entry.pw_uid != 0]
    if not idle:
        raise errors.Unavailable("PostgreSQL does not run as root and needs another account", found="none that runs nothing", hint=_ELSE)
    chosen = min(idle, key=lambda entry: (not entry.pw_shell.endswith(("nologin", "false")), entry.pw_uid))
    return SystemAccount(uid=chosen.pw_uid, gid=chosen.pw_gid)


def _has_name(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


def _is_open(install: Path) -> bool:
    """Whether any account may run the programs of an installation."""
    program = (install / "bin" / "postgres").resolve()
    return bool(program.stat().st_mode & stat.S_IXOTH) and all(folder.stat().st_mode & stat.S_IXOTH for folder in program.parents)


def _copied(install: Path) -> Path:
    """A copy of an installation in the machine's cache, which root owns and any account may read: it holds programs and no data.

    Raises:
        Unavailable: the cache cannot be written, or no other account enters it.
    """
    program = (install / "bin" / "postgres").stat()
    digest = hashlib.sha256(f"{install} {program.st_size} {program.st_mtime_ns} with libraries".encode()).hexdigest()[:12]
    place = _CACHE / f"{install.name}-{digest}"
    copy = place / install.parent.name / install.name
    try:
        if not copy.is_dir():
            _copy(install, place)
    except OSError as error:
        raise errors.Unavailable(_PLACE, found=error.strerror, hint=_ELSE) from error
    if not _is_open(copy):
        raise errors.Unavailable(_PLACE, found=f"folders above {copy} that only root enters", hint=_ELSE)
    return copy


def _copy(install: Path, place: Path) -> None:
    """Copy beside its place first, so that a copy is whole or not there.

    Programs find the libraries of their wheel in a folder beside its package, so both keep their names and lie as they lay.
    """
    place.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    place.parent.chmod(0o755)
    fresh = Path(tempfile.mkdtemp(prefix=".", dir=place.parent))
    libraries = install.parent.with_name(f"{install.parent.name}.libs")
    try:
        shutil.copytree(install, fresh / install.parent.name / install.name, symlinks=True)
        if libraries.is_dir():
            shutil.copytree(libraries, fresh / libraries.name, symlinks=True)
        for path in (fresh, *fresh.rglob("*")):
            mode = path.lstat().st_mode
            if not stat.S_ISLNK(mode):
                path.chmod(stat.S_IMODE(mode) | _READ | (_ENTER if mode & stat.S_IXUSR else 0))
        try:
            fresh.rename(place)
        except OSError:
            if not place.is_dir():  # else another process was sooner
                raise
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
