from __future__ import annotations

import os
import subprocess
import sys

import pytest

from cluster import machine
from coinswarm import errors


def test_everything_lives_in_the_home_folder(tmp_path):
    read = machine.MachineSettings(home=tmp_path / "home")
    assert read.bars_file == tmp_path / "home" / "bars.duckdb"
    assert {read.postgres_folder.parent, read.reports_folder.parent, read.numba_folder.parent} == {tmp_path / "home"}


def test_variables_of_the_environment_are_read(monkeypatch, tmp_path):
    monkeypatch.setenv("COINSWARM_HOME", str(tmp_path))
    monkeypatch.setenv("COINSWARM_DATABASE_URL", "postgresql://me:secret@db/coins")
    monkeypatch.setenv("RAY_ADDRESS", "ray.example:6379")
    read = machine.load()
    assert read.home == tmp_path
    assert read.ray_address == "ray.example:6379"
    assert "secret" not in repr(read)


@pytest.mark.parametrize(("name", "value"), [("WORKERS", "0"), ("WORKERS", "many"), ("API_PORT", "70000"), ("DEBUG", "perhaps")])
def test_a_value_outside_its_domain_is_refused_by_name(monkeypatch, name, value):
    monkeypatch.setenv(f"COINSWARM_{name}", value)
    with pytest.raises(errors.BadSetting, match=f"COINSWARM_{name}"):
        machine.load()


def test_an_empty_variable_counts_as_unset(monkeypatch):
    monkeypatch.setenv("COINSWARM_DATABASE_URL", "")
    assert machine.load().database_url is None


@pytest.mark.parametrize("name", ["database_url", "token"])
def test_a_secret_may_stand_in_a_file_of_its_own(monkeypatch, tmp_path, name):
    (tmp_path / "secret").write_text("postgresql://me:secret@db/coins\n")
    monkeypatch.setenv(f"COINSWARM_{name.upper()}_FILE", str(tmp_path / "secret"))
    read = machine.load()
    assert {"database_url": read.database_address, "token": read.service_token}[name] == "postgresql://me:secret@db/coins"


@pytest.mark.parametrize("name", ["database_url", "token"])
def test_a_file_of_a_secret_that_is_not_there_is_refused_by_name(monkeypatch, tmp_path, name):
    monkeypatch.setenv(f"COINSWARM_{name.upper()}_FILE", str(tmp_path / "none"))
    with pytest.raises(errors.BadSetting, match=f"COINSWARM_{name.upper()}_FILE must be a file"):
        _ = machine.load().database_address, machine.load().service_token


def test_a_home_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(errors.BadSetting, match="COINSWARM_HOME"):
        machine.ensure_home(machine.MachineSettings(home=tmp_path / "file" / "home"))


@pytest.mark.parametrize("name", ["HOME", "BARS_PATH"])
def test_a_folder_of_a_user_who_is_not_there_is_refused_by_name(monkeypatch, name):
    monkeypatch.setenv(f"COINSWARM_{name}", "~nobody-of-that-name/coins")
    with pytest.raises(errors.BadSetting, match=f"COINSWARM_{name}:? must begin with a user who has a home folder"):
        machine.load()


NAMELESS = """
import os
from cluster import machine
from coinswarm import errors
os.setuid(54321)
try:
    machine.load()
except errors.BadSetting as error:
    print(error)
"""


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="only root may become a user who has no entry")
def test_a_user_without_a_home_folder_is_told_what_to_set():
    done = subprocess.run([sys.executable, "-c", NAMELESS], env={}, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("COINSWARM_HOME must be set for a user without a home folder")
