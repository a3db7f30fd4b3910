"""Arguments of processes are seen by every account, and what a terminal shows stays on it: no password is in either."""

from __future__ import annotations

import contextlib
import io
import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.cli import app
from cluster.store import connect, embedded


class Home:
    """A home folder with a database, and a psql that notes with what it is called."""

    def __init__(self, folder: Path, variables: pytest.MonkeyPatch) -> None:
        self.folder, self.noted, self._variables = folder, folder.parent / "noted", variables
        psql = folder.parent / "psql"
        psql.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" "${{PGPASSWORD:-none}}" > {self.noted}\n')
        psql.chmod(0o755)
        variables.setenv("COINSWARM_HOME", str(folder))
        variables.setenv("PATH", f"{folder.parent}:{os.environ['PATH']}")

    def run(self, *arguments: str, server: str = "") -> str:
        """What a command prints."""
        self._variables.setenv("COINSWARM_DATABASE_URL", server)
        with contextlib.redirect_stdout(io.StringIO()) as out, pytest.raises(SystemExit) as ended:
            app.main(arguments)
        assert not ended.value.code
        return out.getvalue().strip()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    folder = tmp_path_factory.mktemp("account") / "my home"
    with pytest.MonkeyPatch.context() as variables:
        yield Home(folder, variables)
    embedded.stop(folder / "pg", force=True)


def test_the_address_for_other_programs_has_no_password_and_lets_them_read(home: Home) -> None:
    address = home.run("db", "url")
    assert (home.folder / "pg" / "reader.password").read_text().strip() not in address
    assert stat.S_IMODE((home.folder / "pg" / "reader.pgpass").stat().st_mode) == 0o600
    with psycopg.connect(address) as connection:
        assert connection.execute("SELECT current_user, rolsuper FROM pg_roles WHERE rolname = current_user").fetchone() == (
            "coinswarm_reader",
            False,
        )


def test_the_reader_sees_every_table_and_changes_none(home: Home) -> None:
    home.run("token", "create", "owner")
    with psycopg.connect(home.run("db", "url"), autocommit=True) as connection:
        assert connection.execute("SELECT count(*) FROM tokens").fetchone() == (1,)
        for change in ("DELETE FROM tokens", "DROP TABLE tokens", "CREATE TABLE mine ()", "COPY tokens TO PROGRAM 'true'"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(change)


def test_the_owner_is_asked_for_by_name_and_has_no_password_in_the_address_either(home: Home) -> None:
    address = json.loads(home.run("db", "url", "--owner", "--json"))["url"]
    assert (home.folder / "pg" / "password").read_text().strip() not in address
    with psycopg.connect(address) as connection:
        assert connection.execute("SELECT current_user").fetchone() == ("coinswarm",)


def test_a_password_is_shown_when_it_is_asked_for(home: Home) -> None:
    with psycopg.connect(home.run("db", "url", "--password")) as connection:
        assert connection.execute("SELECT current_user").fetchone() == ("coinswarm_reader",)


def test_the_shell_is_started_without_a_password_among_its_arguments(home: Home) -> None:
    home.run("db", "shell")
    address, password = home.noted.read_text().splitlines()
    assert address == home.run("db", "url")
    assert password == "none"


def test_the_shell_of_a_server_elsewhere_gets_its_password_by_its_environment(home: Home) -> None:
    home.run("db", "shell", server="postgresql://me:open%20sesame@db.example:5433/swarm?options=-c%20jit%3Doff")
    assert home.noted.read_text().splitlines() == ["postgresql://me@db.example:5433/swarm?options=-c%20jit%3Doff", "open sesame"]


def test_the_address_of_a_server_elsewhere_is_shown_without_its_password(home: Home) -> None:
    assert home.run("db", "url", server="postgresql://me:secret@db.example/swarm") == "postgresql://me@db.example/swarm"


@given(st.text(st.characters(min_codepoint=33, max_codepoint=0x2FFF), min_size=8))
def test_no_password_is_left_in_an_address_that_a_program_is_started_with(password: str) -> None:
    url = connect.parse("postgresql://me@db.example/swarm").set(password=password).render_as_string(hide_password=False)
    assert connect.split(url) == ("postgresql://me@db.example/swarm", {"PGPASSWORD": password})


def test_a_password_that_stands_among_the_options_of_an_address_is_found_as_well() -> None:
    assert connect.split("postgresql://me@h/d?password=x&sslmode=require") == ("postgresql://me@h/d?sslmode=require", {"PGPASSWORD": "x"})


def test_a_role_that_reads_survives_the_loss_of_its_password(home: Home) -> None:
    home.run("db", "url")
    (home.folder / "pg" / "reader.password").unlink()
    with psycopg.connect(home.run("db", "url")) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
