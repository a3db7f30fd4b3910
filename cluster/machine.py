"""Where this machine keeps things: the only module that reads the environment, and the file of settings beside it."""

from __future__ import annotations

import getpass
import json
import os
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from cluster import private, settings_file
from coinswarm import errors

if TYPE_CHECKING:
    from coinswarm.ledger.quotas import Quota

_PREFIX = "COINSWARM_"
CONFIG = "COINSWARM_CONFIG"
"""The variable that names the file of settings."""
_ITS_OWNER = "must begin with a user who has a home folder"


def _usual_home() -> Path:
    try:
        return Path.home() / ".coinswarm"
    except RuntimeError as error:  # a container's user may have no entry and no HOME
        raise errors.BadSetting("COINSWARM_HOME must be set for a user without a home folder", found="neither it nor HOME") from error


class MachineSettings(BaseModel):
    """Settings of the machine, as `load` reads them; what decides a result lives in `coinswarm.config` instead."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    home: Path = Field(default_factory=_usual_home, description="folder in which everything of this user lives")
    bars_path: Path | None = Field(default=None, description="the DuckDB file of bars; none: `bars.duckdb` in the home folder")
    database_url: SecretStr | None = Field(default=None, description="a PostgreSQL server; none: the embedded one in the home folder")
    database_url_file: Path | None = Field(
        default=None, description="a file that holds the address; looked at when there is no `database_url`"
    )
    ray_address: str | None = Field(default=None, description="a running Ray cluster; none: a local one")
    workers: Annotated[int, Field(ge=1, le=100_000)] | None = Field(
        default=None, description="worker processes of a local cluster; none: one a core"
    )
    dashboard_url: str | None = Field(
        default=None, description="address of Ray's dashboard as browsers reach it; none: where the cluster says that it is"
    )
    compute: Literal["cluster", "process"] = Field(
        default="cluster", description="where jobs are computed; `process`: small ones, in the process of the command and without Ray"
    )
    api_host: str = Field(default="127.0.0.1", description="where `coinswarm serve` listens")
    api_port: Annotated[int, Field(ge=1, le=65_535)] = Field(default=8321, description="port at which it listens")
    server: str | None = Field(default=None, description="a control plane that commands are sent to; none: this machine itself")
    token: SecretStr | None = Field(
        default=None, description="what it is asked with; none: what a service on this machine left in the home folder"
    )
    token_file: Path | None = Field(default=None, description="a file that holds the token; looked at when there is no `token`")
    fetch_timeout_s: Annotated[float, Field(gt=0, le=600)] = Field(
        default=10.0, description="seconds that an exchange may take to answer at all"
    )
    log: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="the least grave event that services log, as JSON lines in `logs` of the home folder"
    )
    debug: bool = Field(default=False, description="show tracebacks")
    max_trials: Annotated[int, Field(ge=1)] = Field(default=1_000_000_000, description="most variants that one job may evaluate")
    max_chaos_trades: Annotated[int, Field(ge=1)] = Field(default=100_000_000, description="most random trades that one job may draw")
    max_generations: Annotated[int, Field(ge=1)] = Field(default=100_000, description="most generations of one search")
    max_fetched_bars: Annotated[int, Field(ge=1)] = Field(default=200_000_000, description="most bars that one job may fetch")

    @property
    def job_limits(self) -> Quota:
        """The most that one job may ask for."""
        from coinswarm.ledger.quotas import Quota

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
        return self._read_from(self.database_url_file, "COINSWARM_DATABASE_URL_FILE must be a file with an address")

    @property
    def service_token(self) -> str | None:
        """The token that was configured for a control plane; None: there is none.

        Raises:
            BadSetting: the file that should hold it cannot be read.
        """
        if self.token is not None:
            return self.token.get_secret_value()
        return self._read_from(self.token_file, "COINSWARM_TOKEN_FILE must be a file with a token")

    @staticmethod
    def _read_from(file: Path | None, rule: str) -> str | None:
        try:
            return None if file is None else file.expanduser().read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            raise errors.BadSetting(rule, found=error) from None

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


@dataclass(frozen=True, kw_only=True, slots=True)
class Origin:
    """Where the value of a setting comes from: a variable, a line of a file, or neither, which is its default."""

    variable: str = ""
    file: Path | None = None
    line: int = 0

    def __str__(self) -> str:
        if self.file is not None:
            return f"{self.file}:{self.line}"
        return f"environment {self.variable}" if self.variable else "default"


@dataclass(frozen=True, kw_only=True, slots=True)
class SettingsRead:
    """The settings of this machine, where each comes from, and the file that was read; None: there is none."""

    settings: MachineSettings
    origins: Mapping[str, Origin]
    file: Path | None


def load() -> MachineSettings:
    """Read the settings of this machine. Raises as `read`."""
    return read().settings


def read() -> SettingsRead:
    """Read the settings of this machine: what the environment says, else the file of settings, else the default.

    Raises:
        BadSettings: values outside their domain, or a file that says what cannot be; all mistakes are named.
        BadSetting: the file cannot be read, or other accounts can change it.
    """
    given, mistakes = _of_environment()
    origins = {name: Origin(variable=_variable_of(name)) for name in given}
    file = file_of_settings()
    if file is not None:
        contents = read_file(file)
        mistakes += contents.problems
        if "database_url_file" in given:  # the environment comes first, in whichever form
            contents.entries.pop("database_url", None)
        origins = {name: Origin(file=file, line=entry.line) for name, entry in contents.entries.items()} | origins
        given = {name: entry.value for name, entry in contents.entries.items()} | given
    if mistakes:
        raise errors.BadSettings(mistakes)
    return SettingsRead(settings=MachineSettings.model_validate(given), origins=origins, file=file)


def _of_environment() -> tuple[dict[str, object], list[errors.PlayProblem]]:
    named = {name: variable for name in MachineSettings.model_fields if (variable := _variable_of(name))}
    given: dict[str, object] = {name: os.environ[variable] for name, variable in named.items()}
    wrong = _wrong(given, MachineSettings.model_validate)
    return given, [
        errors.PlayProblem(path=named[name], rule=rule, found=_found(name, given[name]), file="environment") for name, rule in wrong
    ]


def read_file(path: Path) -> settings_file.FileContents:
    """What a file of settings says, checked, with paths that begin at its folder. Raises `BadSetting` as `cluster.settings_file.read`."""
    contents = settings_file.read(path, MachineSettings.model_fields)
    entries = contents.entries
    wrong = dict(_wrong({name: entry.value for name, entry in entries.items()}, _strictly))
    mistakes = [
        errors.PlayProblem(path=name, rule=rule, found=_found(name, entries[name].value), line=entries[name].line, file=str(path))
        for name, rule in wrong.items()
    ]
    return replace(
        contents,
        entries={name: replace(entry, value=_placed(name, entry.value, path)) for name, entry in entries.items() if name not in wrong},
        problems=tuple(sorted((*contents.problems, *mistakes), key=lambda problem: problem.line or 0)),
    )


def _strictly(values: Mapping[str, object]) -> object:
    """Check values as YAML has them: a text is no number, and a number no text."""
    return MachineSettings.model_validate_json(json.dumps(values, default=lambda _: {}), strict=True)


def _placed(name: str, value: object, file: Path) -> object:
    return file.parent / Path(value).expanduser() if _is_path(name) and isinstance(value, str) else value


def _found(name: str, value: object) -> str:
    return "" if name in settings_file.SECRETS else repr(value)


def file_of_settings() -> Path | None:
    """The file of settings that holds: that of `COINSWARM_CONFIG`, else `config.yaml` in the home folder if it is there."""
    if asked := os.environ.get(CONFIG):
        return Path(asked)
    usual = home() / settings_file.NAME
    return usual if os.path.lexists(usual) else None


def home() -> Path:
    """The home folder, which only the environment names.

    Raises:
        BadSetting: it begins with a user who has no home folder, or there is neither it nor a home folder of this user.
    """
    asked = os.environ.get(f"{_PREFIX}HOME")
    try:
        return Path(asked).expanduser() if asked else _usual_home()
    except RuntimeError:
        raise errors.BadSetting(f"COINSWARM_HOME {_ITS_OWNER}", found=asked) from None


def variables_of(name: str) -> tuple[str, ...]:
    """The variables that a setting is read from, the first that is set; an empty one counts as unset."""
    own = f"{_PREFIX}{name.upper()}"
    return (own, "RAY_ADDRESS") if name == "ray_address" else (own,)


def _variable_of(name: str) -> str:
    return next((variable for variable in variables_of(name) if os.environ.get(variable)), "")


def _wrong(values: Mapping[str, object], validate: Callable[[dict[str, object]], object]) -> Iterator[tuple[str, str]]:
    """Names of settings whose values lie outside their domain, with the rule."""
    wrong: set[str] = set()
    try:
        validate({"home": ".", **values})
    except ValidationError as error:
        wrong = {str(problem["loc"][0]) for problem in error.errors()}
    for name, value in values.items():
        if name in wrong:
            yield name, f"must be {domain(name)}"
        elif _is_path(name) and not _is_of_a_user(str(value)):
            yield name, _ITS_OWNER


def _is_of_a_user(path: str) -> bool:
    try:
        Path(path).expanduser()
    except RuntimeError:
        return False
    return True


def _is_path(name: str) -> bool:
    return any(part.get("format") == "path" for part in _alternatives(name))


def domain(name: str) -> str:
    """What a setting may be, in words."""
    return " or ".join(_domain(part) for part in _alternatives(name) if part.get("type") != "null")


def _alternatives(name: str) -> Sequence[Mapping[str, Any]]:
    schema = _schema()[name]
    return cast("Sequence[Mapping[str, Any]]", schema.get("anyOf", [schema]))


@cache
def _schema() -> Mapping[str, Any]:
    properties: Mapping[str, Any] = MachineSettings.model_json_schema()["properties"]
    return properties


def _domain(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return f"one of {', '.join(schema['enum'])}"
    if schema.get("format") == "path":
        return "a path"
    kind = {"integer": "a whole number", "number": "a number", "boolean": "true or false"}.get(schema["type"], "text")
    least, most, above = (schema.get(limit) for limit in ("minimum", "maximum", "exclusiveMinimum"))
    if least is not None:
        return f"{kind} from {least} to {most}" if most is not None else f"{kind} of at least {least}"
    return f"{kind} above {above} and up to {most}" if above is not None else kind


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
    """The environment of a child process that has these settings, whatever becomes of the file that they were read from.

    What asks other control planes is left out: a child process computes.
    """
    names = {name: variables_of(name) for name in MachineSettings.model_fields}
    dropped = {variable for variables in names.values() for variable in variables}
    given = {
        name: getattr(settings, name) for name in settings.model_fields_set | {"home"} if name not in ("server", "token", "token_file")
    }
    texts = {
        name: str(value.get_secret_value() if isinstance(value, SecretStr) else value) for name, value in given.items() if value is not None
    }
    rest = {variable: value for variable, value in os.environ.items() if variable not in dropped}
    return rest | {CONFIG: os.devnull} | {names[name][0]: text for name, text in texts.items()}


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
