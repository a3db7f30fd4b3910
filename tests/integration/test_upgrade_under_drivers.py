"""A newer program does not change a schema under programs that are made for the one of before; it names them."""

from __future__ import annotations

import time
from collections.abc import Iterator

import psycopg
import pytest
import sqlalchemy as sa

from cluster.store import connect, schema
from cluster.store.database import Database
from coinswarm import errors
from tests.laws.ledger_world import fresh

BEFORE = "0007"
JOB = """
INSERT INTO jobs (id, kind, campaign, plays, data_hashes, data_hash, config, config_hash, code_version, seed, synthetic, status, created,
                  error, result_hash, cancel_requested, lease_owner, lease_expires)
VALUES ('evolve-1', 'evolve', 'c', '{}', '{}', '', '{}', '', '', 0, false, 'running', now(), '', '', false, 'elsewhere:7', %s)
"""


@pytest.fixture
def before(database_url: str) -> Iterator[str]:
    """A database with the schema of an earlier program."""
    name = fresh("upgrade").replace("-", "_")
    url = f"{database_url.rsplit('/', 1)[0]}/{name}"
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        with connect.opened(url) as opened:
            schema.migrate(opened, to=BEFORE)
        yield url
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def wait_until_left(url: str, pid: int) -> None:
    """The server takes a moment to notice that a client has closed its connection."""
    with psycopg.connect(url, autocommit=True, application_name="psql") as connection:
        while connection.execute("SELECT 1 FROM pg_stat_activity WHERE pid = %s", [pid]).fetchone():
            time.sleep(0.02)


def stored_version(url: str) -> str | None:
    with connect.opened(url) as connection:
        return schema.version(connection)


@pytest.mark.parametrize("name", [f"coinswarm {BEFORE} in public", "coinswarm in public"])
def test_a_connected_program_of_before_is_named_and_nothing_is_changed(before: str, name: str) -> None:
    with psycopg.connect(before, application_name=name) as older:
        with pytest.raises(errors.Conflict, match=rf"process {older.info.backend_pid} of .*{name}"):
            Database(before)
        assert stored_version(before) == BEFORE
        pid = older.info.backend_pid
    wait_until_left(before, pid)
    Database(before).close()
    assert stored_version(before) == schema.HEAD


def test_a_driver_that_holds_a_lease_is_named_until_it_runs_out(before: str) -> None:
    with psycopg.connect(before, autocommit=True, application_name="psql") as connection:
        connection.execute(JOB, ["infinity"])
        with pytest.raises(errors.Conflict, match="job evolve-1 driven by elsewhere:7"):
            Database(before)
        connection.execute("UPDATE jobs SET lease_expires = now() - interval '1 s'")
        Database(before).close()
    assert stored_version(before) == schema.HEAD


def test_other_programs_and_coinswarms_of_other_schemas_are_in_no_ones_way(before: str) -> None:
    with psycopg.connect(before, application_name="psql"), psycopg.connect(before, application_name=f"coinswarm {BEFORE} in other"):
        Database(before).close()
    assert stored_version(before) == schema.HEAD


def test_two_programs_of_the_new_release_may_start_at_once(before: str) -> None:
    made = connect.engine(before)
    with made.connect() as other:
        assert other.scalar(sa.text("SELECT current_setting('application_name')")) == f"coinswarm {schema.HEAD} in public"
        Database(before).close()
    made.dispose()
    assert stored_version(before) == schema.HEAD
