"""Which account runs the embedded PostgreSQL: PostgreSQL refuses to run as root, so root lends it another one."""

from __future__ import annotations

import os
import pwd
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

from coinswarm import errors

_CANDIDATES = ("postgres", "nobody")
_TRAVERSE = stat.S_IXGRP | stat.S_IXOTH
_READ = stat.S_IRGRP | stat.S_IROTH


@dataclass(frozen=True, kw_only=True)
class Account:
    """The account that runs the server; `uid` and `gid` are None when it is the one we have."""

    uid: int | None
    gid: int | None

    def run(self, command: list[str], *, timeout_s: float) -> subprocess.CompletedProcess[str]:
        """Run a command as this account, outside of any folder it may not enter; output is merged into `stdout`."""
        return subprocess.run(
            command,
            user=self.uid,
            group=self.gid,
            extra_groups=None if self.uid is None else [],
            cwd="/",
            env={"LC_ALL": "C", "PATH": os.defpath, "TZ": "UTC"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=timeout_s,
            check=False,
        )

    def own(self, path: Path) -> None:
        """Make the account the owner of a file or folder."""
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)

    def let_in(self, path: Path) -> None:
        """Let the account walk down to `path`: folders above it may be crossed by others, and are no more readable than before."""
        if self.uid is None:
            return
        for folder in path.resolve().parents:
            if not folder.stat().st_mode & stat.S_IXOTH:
                folder.chmod(stat.S_IMODE(folder.stat().st_mode) | _TRAVERSE)

    def let_run(self, install: Path) -> None:
        """Let the account run the programs of an installation that only root may read."""
        self.let_in(install / "bin" / "postgres")
        if self.uid is None or (install / "bin" / "postgres").stat().st_mode & stat.S_IXOTH:
            return
        for path in (install, *install.rglob("*")):
            if not path.is_symlink():
                mode = stat.S_IMODE(path.stat().st_mode)
                path.chmod(mode | _READ | (_TRAVERSE if mode & stat.S_IXUSR else 0))


def for_server(data: Path) -> Account:
    """The account for the server of a data folder: ours, or for root the folder's owner, `postgres` or `nobody`.

    Raises:
        Unavailable: we are root and the machine has no other account.
    """
    if os.geteuid() != 0:
        return Account(uid=None, gid=None)
    if data.exists() and data.stat().st_uid != 0:
        return Account(uid=data.stat().st_uid, gid=data.stat().st_gid)
    for name in _CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(uid=entry.pw_uid, gid=entry.pw_gid)
    raise errors.Unavailable(
        "PostgreSQL does not run as root and needs another account",
        found="none of " + ", ".join(_CANDIDATES),
        hint="add one, run as another user, or set COINSWARM_DATABASE_URL",
    )
