"""Settings in a file: the environment wins over it, every mistake is named with its line, and child processes have the same settings."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from pydantic import SecretStr

from cluster import machine
from cluster.cli import app
from cluster.machine import MachineSettings
from coinswarm import errors


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in MachineSettings.model_fields:
        for variable in machine.variables_of(name):
            monkeypatch.delenv(variable, raising=False)
    monkeypatch.delenv(machine.CONFIG, raising=False)
    monkeypatch.setenv("COINSWARM_HOME", str(tmp_path))
    return tmp_path


def write(home: Path, text: str, name: str = "config.yaml") -> Path:
    path = home / name
    path.write_text(text)
    path.chmod(0o600)
    return path


def mistakes(text: str, home: Path) -> list[str]:
    write(home, text)
    with pytest.raises(errors.BadSettings) as refused:
        machine.load()
    return [f"{problem.line} {problem.path}: {problem.rule}" for problem in refused.value.problems]


def test_a_file_in_the_home_folder_is_read_and_the_environment_wins(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(home, "workers: 4\nlog: warning\napi_port: 9000\n")
    monkeypatch.setenv("COINSWARM_LOG", "error")
    read = machine.read()
    assert (read.settings.workers, read.settings.log, read.settings.api_port, read.settings.compute) == (4, "error", 9000, "cluster")
    froms = {name: str(origin) for name, origin in read.origins.items()}
    assert froms == {
        "home": "environment COINSWARM_HOME", "log": "environment COINSWARM_LOG",
        "workers": f"{home}/config.yaml:1", "api_port": f"{home}/config.yaml:3",
    }  # fmt: skip


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "---\n", "workers:\nlog: ~\n", "\N{ZERO WIDTH NO-BREAK SPACE}"])
def test_a_file_that_says_nothing_changes_nothing(text: str, home: Path) -> None:
    write(home, text)
    assert machine.load() == MachineSettings(home=home)


def test_every_mistake_is_named_at_once_with_its_line(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COINSWARM_DEBUG", "perhaps")
    assert mistakes("wrkers: 3\napi_port: '99'\nlog: loud\nworkers: true\nserver: [a]\nmax_trials: 0\nhome: /x\nlog: info\n", home) == [
        "None COINSWARM_DEBUG: must be true or false",
        "1 wrkers: there is no such setting",
        "2 api_port: must be a whole number from 1 to 65535",
        "3 log: must be one of debug, info, warning, error",
        "4 workers: must be a whole number from 1 to 100000",
        "5 server: must be text",
        "6 max_trials: must be a whole number of at least 1",
        "7 home: the home folder is where this file is looked for, so it is set by COINSWARM_HOME",
        "8 YAML: a setting stands once",
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("token", "abc-very"),
        ("database_url", "postgresql://me:abc-very@db/coins"),
        ("database_url", "postgresql://db/coins?password=abc-very"),
        ("database_url", "host=db password = abc-very"),
    ],
)
def test_a_secret_in_the_file_is_refused_and_not_repeated(name: str, value: str, home: Path) -> None:
    write(home, f"{name}: {value}\n")
    with pytest.raises(errors.BadSettings, match=f"{name}: a secret stands in a file of its own that {name}_file names") as refused:
        machine.load()
    assert "abc-very" not in str(refused.value)


def test_an_address_without_a_password_may_stand_there(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(home, "database_url: postgresql://db/coins\n")
    assert machine.load().database_address == "postgresql://db/coins"
    monkeypatch.setenv("COINSWARM_DATABASE_URL_FILE", str(write(home, "postgresql://other/coins\n", "address")))
    assert machine.load().database_address == "postgresql://other/coins"


def test_paths_begin_at_the_folder_of_the_file(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "there").mkdir()
    monkeypatch.setenv(machine.CONFIG, str(write(home, "bars_path: bars.duckdb\ntoken_file: ~/token\n", "there/own.yaml")))
    read = machine.load()
    assert read.bars_file == home / "there" / "bars.duckdb"
    assert read.token_file == Path.home() / "token"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("workers: [4\n", "2 YAML: a file of settings must be valid YAML"),
        ("- workers\n", "1 YAML: a file of settings has lines such as"),
        ("workers: !!python/object:os.x 1\n", "1 YAML: a file of settings must be valid YAML"),
        ("[" * 5000, "1 YAML: a file of settings must be valid YAML"),
        ("bars_path: ~no-such-user/x\n", "1 bars_path: must begin with a user"),
    ],
)
def test_what_is_no_file_of_settings_is_refused_with_its_line(text: str, said: str, home: Path) -> None:
    assert mistakes(text, home)[0].startswith(said)


def test_a_file_that_other_accounts_can_write_is_refused(home: Path) -> None:
    write(home, "workers: 4\n").chmod(0o664)
    with pytest.raises(errors.BadSetting, match=r"no other account can change, got .*its group can write. Hint: `chmod go-w "):
        machine.load()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root may give a file away")
def test_a_file_of_another_account_is_refused(home: Path) -> None:
    os.chown(write(home, "workers: 4\n"), 54321, -1)
    with pytest.raises(errors.BadSetting, match=r"no other account can change, got .* of the account 54321"):
        machine.load()


def test_a_folder_bytes_and_a_file_that_is_not_there_are_refused(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path, said in ((home, "must be a file, got the folder"), (home / "none", "must be readable"), (home / "raw", "text in UTF-8")):
        (home / "raw").write_bytes(b"workers: \xff\xfe")
        monkeypatch.setenv(machine.CONFIG, str(path))
        with pytest.raises(errors.BadSetting, match=said):
            machine.load()


def test_a_child_process_has_the_same_settings_whatever_becomes_of_the_file(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(home, "workers: 4\nlog: warning\ndebug: yes\nfetch_timeout_s: 3\ndatabase_url_file: url\nserver: http://there\ntoken_file: s\n")
    monkeypatch.setenv("RAY_ADDRESS", "head:6379")
    monkeypatch.setenv("COINSWARM_MAX_TRIALS", "77")
    settings = machine.load().model_copy(update={"database_url": SecretStr("postgresql://me@db/coins")})
    child = machine.inherited(settings)
    write(home, "workers: 9\ncompute: process\n")
    for name in set(os.environ) - set(child):
        monkeypatch.delenv(name)
    for name, value in child.items():
        monkeypatch.setenv(name, value)
    assert machine.load() == settings.model_copy(update={"server": None, "token_file": None})


def test_commands_say_where_values_come_from_and_mask_secrets(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(machine.CONFIG, "")  # put back at the end
    file = write(home, "workers: 4\n", "own.yaml")
    monkeypatch.setenv("COINSWARM_TOKEN", "abc-very")
    assert run("--config", str(file), "config", "show", "--json") == 0
    said = capsys.readouterr().out
    rows = {row["name"]: row for row in json.loads(said)["settings"]}
    assert "abc-very" not in said
    assert (rows["workers"]["value"], rows["workers"]["from"]) == (4, f"{file}:1")
    assert (rows["token"]["from"], rows["log"]["from"]) == ("environment COINSWARM_TOKEN", "default")
    assert set(rows) == set(MachineSettings.model_fields)
    assert run("config", "check", str(file)) == 0
    assert capsys.readouterr().out == f"ok: {file}, 1 setting\n"


def test_a_file_with_mistakes_stops_every_command_and_its_check_names_them(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(home, "wrkers: 4\nlogs: info\n")
    other = write(home, "workers: 4\n", "other.yaml")
    for words in (["jobs", "list"], ["config", "check"], ["config", "show"], ["config", "check", str(home / "config.yaml")]):
        assert run(*words) == 2
        said = capsys.readouterr().err
        assert ":1: wrkers: there is no such setting; did you mean workers?" in said
        assert ":2: logs: there is no such setting; did you mean log?" in said
    assert run("config", "check", str(other)) == 0


def run(*words: str) -> int:
    with pytest.raises(SystemExit) as left:
        app.main(words)
    return int(left.value.code or 0)


def test_every_setting_says_what_it_is_and_what_it_may_be() -> None:
    for name, field in MachineSettings.model_fields.items():
        assert field.description
        assert machine.domain(name)
