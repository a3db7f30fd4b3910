"""Where this machine keeps things: the only module that reads the environment."""

from __future__ import annotations

import getpass
import os
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AliasChoices, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from cluster import private
from coinswarm import errors
from coinswarm.ledger.quotas import Quota


class MachineSettings(BaseSettings):
    """Settings of the machine, each from `COINSWARM_<NAME>`; what decides a result lives in `coinswarm.config` instead.

    Attributes:
        home: folder in which everything of this user lives.
        bars_path: the DuckDB file of bars; none: `bars.duckdb` in the home folder.
        database_url: a PostgreSQL server; none: the embedded one in the home folder.
        database_url_file: a file that holds the address, for those who mount secrets; looked at when there is no `database_url`.
        ray_address: a running Ray cluster, from `RAY_ADDRESS`; none: a local one.
        workers: worker processes of a local cluster; none: one a core.
        dashboard_url: address of Ray's dashboard as browsers reach it; none: where the cluster says that it is.
        compute: `cluster`, or `process` for small jobs: everything in this process, without Ray.
        api_host, api_port: where the control service listens.
        server: address of a control service that commands are sent to; none: this machine's own database.
        token: what that service is asked with; none: the one in the home folder, for a service on this machine.
        fetch_timeout_s: how long an exchange may take to answer at all.
        log: the least grave event that services log, as JSON lines in `logs` of the home folder.
        debug: show tracebacks.
        max_trials, max_chaos_trades, max_generations, max_fetched_bars: the most that one job may ask for.
    """

    model_config = SettingsConfigDict(env_prefix="COINSWARM_", env_ignore_empty=True, extra="ignore", frozen=True)

    home: Path = Field(default_factory=lambda: _users_home() / ".coinswarm")
    bars_path: Path | None = None
    database_url: SecretStr | None = None
    database_url_file: Path | None = None
    ray_address: str | None = Field(default=None, validation_alias=AliasChoices("COINSWARM_RAY_ADDRESS", "RAY_ADDRESS"))
    workers: Annotated[int, Field(ge=1, le=100_000)] | None = None
    dashboard_url: str | None = None
    compute: Literal["cluster", "process"] = "cluster"
    api_host: str = "127.0.0.1"
    api_port: Annotated[int, Field(ge=1, le=65_535)] = 8321
    server: str | None = None
    token: SecretStr | None = None
    fetch_timeout_s: Annotated[float, Field(gt=0, le=600)] = 10.0
    log: Literal["debug", "info", "warning", "error"] = "info"
    debug: bool = False
    max_trials: Annotated[int, Field(ge=1)] = 1_000_000_000
    max_chaos_trades: Annotated[int, Field(ge=1)] = 100_000_000
    max_generations: Annotated[int, Field(ge=1)] = 100_000
    max_fetched_bars: Annotated[int, Field(ge=1)] = 200_000_000

    @property
    def job_limits(self) -> Quota:
        """The most that one job may ask for."""
        return Quota(
            trials=self.max_trials, chaos_trades=self.max_chaos_trades, generations=self.max_generations,
            fetched_bars=self.max_fetched_bars,
        )  # fmt: skip

    @property
    def bars_file(self) -> Path:
        """The DuckDB file in which bars are stored."""
        return (self.bars_path or self.home / "bars.duckdb").expanduser()

    @property
    def database_address(self) -> str | None:
        """Address of the PostgreSQL server that was configured; None: the embedded one is used.

        Raises:
            BadSetting: the file that should hold it cannot be read.
        """
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        if self.database_url_file is None:
            return None
        try:
            return self.database_url_file.read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            raise errors.BadSetting("COINSWARM_DATABASE_URL_FILE must be a file with an address", found=error) from None

    @property
    def postgres_folder(self) -> Path:
        """Data folder of the embedded PostgreSQL."""
        return self.home.expanduser() / "pg"

    @property
    def logs_folder(self) -> Path:
        """Where services and detached jobs log."""
        return self.home.expanduser() / "logs"

    @property
    def reports_folder(self) -> Path:
        """Where HTML reports are written unless a command names another place."""
        return self.home.expanduser() / "reports"

    @property
    def numba_folder(self) -> Path:
        """Where compiled kernels are kept."""
        return self.home.expanduser() / "numba"


def _users_home() -> Path:
    try:
        return Path.home()
    except RuntimeError as error:  # a container's user may have no entry and no HOME
        raise errors.BadSetting("COINSWARM_HOME must be set for a user without a home folder", found="neither it nor HOME") from error


def load() -> MachineSettings:
    """Read the settings of this machine.

    Raises:
        BadSetting: a variable has a value outside its domain; all of them are named.
    """
    try:
        settings = MachineSettings()
    except ValidationError as error:
        raise errors.BadSetting("a setting from the environment cannot be used", found="; ".join(_problems(error))) from None
    for name, path in (("HOME", settings.home), ("BARS_PATH", settings.bars_path)):
        try:
            _ = path and path.expanduser()
        except RuntimeError:
            raise errors.BadSetting(f"COINSWARM_{name} must begin with a user who has a home folder", found=path) from None
    return settings


def _problems(error: ValidationError) -> list[str]:
    return [f"{_variable(problem['loc'][0] if problem['loc'] else 'settings')}: {problem['msg']}" for problem in error.errors()]


def _variable(name: object) -> str:
    text = str(name)
    return text if text.isupper() else f"COINSWARM_{text.upper()}"


def ensure_home(settings: MachineSettings) -> Path:
    """Create the home folder, which only its owner enters, and return it; one of an earlier release is narrowed.

    Raises:
        BadSetting: the folder cannot be created or written.
    """
    home = settings.home.expanduser()
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise errors.BadSetting("COINSWARM_HOME must be a folder that can be created", found=f"{home} ({error.strerror})") from error
    if not os.access(home, os.W_OK):
        raise errors.BadSetting("COINSWARM_HOME must be writable", found=home)
    private.narrow_home(home)
    return home


def ensure_logs(settings: MachineSettings) -> Path:
    """Create the folder of logs, which only its owner enters, and return it.

    Raises:
        BadSetting: as `ensure_home`. Unavailable: another account made it.
    """
    ensure_home(settings)
    return private.folder(settings.logs_folder)


def host_socket(settings: MachineSettings, pid: int) -> Path:
    """Where the service with this process id shares its cluster.

    Raises:
        Unavailable: the path of the home folder is too long, and so is that of temporary files.
    """
    name = f"host-{pid}"
    return private.socket_folder(ensure_home(settings), "run", len(name) + 1) / name


def token_file(settings: MachineSettings, name: str) -> Path:
    """Where a service on this machine leaves the token that its owner uses."""
    return settings.home.expanduser() / f"{name}.token"


def dashboard_file(settings: MachineSettings) -> Path:
    """Where a process that joins a cluster writes the address of its dashboard, for the control plane, which joins none."""
    return settings.home.expanduser() / "dashboard"


def dashboard(settings: MachineSettings) -> str | None:
    """Address of the dashboard of the cluster that jobs were last run on; None: there was none."""
    if settings.dashboard_url:
        return settings.dashboard_url
    try:
        return dashboard_file(settings).read_text().strip() or None
    except (OSError, UnicodeDecodeError):
        return None


def inherited(settings: MachineSettings) -> dict[str, str]:
    """The environment of a child process that is to have these settings."""
    given = {"HOME": settings.home, "BARS_PATH": settings.bars_path, "WORKERS": settings.workers, "RAY_ADDRESS": settings.ray_address}
    secret = settings.database_url
    given["DATABASE_URL"] = None if secret is None else secret.get_secret_value()
    dropped = {f"COINSWARM_{name}" for name in (*given, "SERVER", "TOKEN")}
    rest = {name: value for name, value in os.environ.items() if name not in dropped}
    return rest | {f"COINSWARM_{name}": str(value) for name, value in given.items() if value is not None}


def announce(variables: Mapping[str, str]) -> dict[str, str]:
    """Set environment variables that libraries and child processes read later; what the user has set stays. The answer is what holds."""
    return {name: os.environ.setdefault(name, value) for name, value in variables.items()}


def impose(variables: Mapping[str, str | None]) -> None:
    """Set environment variables of this process and its children, whatever the user has set; None takes one away."""
    for name, value in variables.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def with_variables(variables: Mapping[str, str]) -> dict[str, str]:
    """The environment of a child process: the user's, with these variables."""
    return {**os.environ, **variables}


def user() -> str:
    """Who runs this, for the ledger: `name@machine`."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # a container's user may have no name
        name = str(os.getuid()) if hasattr(os, "getuid") else "somebody"
    return f"{name}@{socket.gethostname()}"
