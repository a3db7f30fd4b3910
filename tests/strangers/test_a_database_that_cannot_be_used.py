"""What a server, a role and a schema must be is asked at the first connection, and said in one sentence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from cluster.store import connect, dumping, inventory, schema, sessions
from cluster.store.database import Database
from coinswarm import errors
from tests.integration.test_backup import database
from tests.laws.ledger_world import fresh
from tests.strangers.neighbours import command, in_schema, shared

OLD = sorted((Path(__file__).parents[1] / "data" / "schemas").glob("*.sql"))


@contextmanager
def encoded(server: str, encoding: str) -> Iterator[str]:
    """A database in another encoding."""
    name = fresh("encoded").replace("-", "_")
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} ENCODING '{encoding}' LOCALE 'C' TEMPLATE template0")
        try:
            yield f"{server.rsplit('/', 1)[0]}/{name}"
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def executed(url: str, *statements: str) -> None:
    with psycopg.connect(url) as connection:
        for statement in statements:
            connection.execute(statement)


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
@pytest.mark.parametrize("arguments", [("jobs", "list"), ("db", "status")], ids=" ".join)
def test_an_encoding_other_than_utf8_is_refused(database_url: str, tmp_path: Path, encoding: str, arguments: tuple[str, ...]) -> None:
    with encoded(database_url, encoding) as url:
        code, words = command(url, tmp_path, *arguments)
        assert (code, f"must be encoded in UTF8, got {encoding}. Hint: CREATE DATABASE" in words) == (2, True)
        assert executed(url, "SELECT 1") is None  # nothing was made there, and nobody is connected


def test_a_role_that_owns_a_schema_and_not_the_database_can_use_it(database_url: str, tmp_path: Path) -> None:
    with shared(database_url, others="REVOKE ALL ON SCHEMA public FROM public") as place:
        code, words = command(place.url, tmp_path, "jobs", "list")
        assert code == 0, words
        with psycopg.connect(place.url) as connection:
            assert connection.execute("SELECT count(*) FROM jobs").fetchone() == (0,)


def test_a_role_without_a_schema_is_told_to_get_one(database_url: str, tmp_path: Path) -> None:
    with shared(database_url) as place:
        executed(place.admin, f"DROP SCHEMA {place.home}")
        code, words = command(place.url, tmp_path, "jobs", "list")
        assert (code, "got 'permission denied for schema public'. Hint: give the role a schema of its own" in words) == (2, True)
        code, words = command(in_schema(place.url, "nowhere"), tmp_path, "jobs", "list")
        assert (code, 'search_path must name a schema that exists and that the role may use, got "nowhere"' in words) == (2, True)


def test_a_search_path_with_a_coinswarm_further_down_is_asked_about(database_url: str) -> None:
    with database(database_url) as url:
        Database(url).close()
        executed(url, "CREATE SCHEMA lab")
        with pytest.raises(errors.Refused, match="lab holds no coinswarm and public after it holds one"):
            Database(f"{url}?options=-csearch_path%3Dlab,public")
        Database(in_schema(url, "lab")).close()
        Database(f"{url}?options=-csearch_path%3Dlab,public").close()  # the first has one now, too


def test_a_database_that_cannot_be_written_to_is_refused(database_url: str, tmp_path: Path) -> None:
    with database(database_url) as url:
        code, words = command(f"{url}?options=-cdefault_transaction_read_only%3Don", tmp_path, "jobs", "list")
        assert (code, "must be one that can be written to" in words) == (2, True)


def test_settings_of_a_role_do_not_change_what_is_read(database_url: str) -> None:
    odd = "-cextra_float_digits%3D-15%20-cdatestyle%3DSQL,DMY%20-cstandard_conforming_strings%3Doff%20-cbytea_output%3Descape"
    made = connect.engine(f"{database_url}?options={odd}")
    with made.connect() as connection:
        assert connection.scalar(sa.text("SELECT CAST(0.1::float8 + 0.2::float8 AS text)")) == "0.30000000000000004"
        assert connection.scalar(sa.text(r"SELECT length('\n')")) == 2
    made.dispose()


def test_another_programs_alembic_version_is_left_alone(database_url: str) -> None:
    with database(database_url) as url:
        executed(url, "CREATE TABLE alembic_version (version_num varchar(32))", "INSERT INTO alembic_version VALUES ('9f3ab12c')")
        Database(url).close()
        with psycopg.connect(url) as connection:
            assert connection.execute("SELECT version_num FROM alembic_version").fetchone() == ("9f3ab12c",)
            assert connection.execute("SELECT version_num FROM coinswarm_version").fetchone() == (schema.HEAD,)


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE coinswarm_version SET version_num = '9999'", "got 9999. Hint: a later coinswarm made it"),
        ("DELETE FROM coinswarm_version", "coinswarm_version must hold one version, got 0 of them"),
        ("DROP TABLE coinswarm_version", "must hold coinswarm's version, coinswarm_version, or nothing with the names of its tables"),
        (
            "DROP TABLE coinswarm_version; CREATE TABLE alembic_version (version_num text); INSERT INTO alembic_version VALUES ('9f3a')",
            "another program may have written it",
        ),
    ],
)
def test_a_version_that_is_not_known_is_said_as_what_it_is(database_url: str, tmp_path: Path, statement: str, words: str) -> None:
    with database(database_url) as url:
        Database(url).close()
        executed(url, statement)
        code, said = command(url, tmp_path, "jobs", "list")
        assert (code, words in said) == (2, True), said


def test_tables_of_others_with_our_names_are_named(database_url: str, tmp_path: Path) -> None:
    with database(database_url) as url:
        executed(url, "CREATE TABLE jobs (title text)", "CREATE VIEW library AS SELECT 1 AS one")
        for arguments in (["jobs", "list"], ["db", "restore", "--replace", tmp_path / "any.zip"]):
            (tmp_path / "any.zip").write_bytes(b"")
            code, _ = command(url, tmp_path, *arguments)
            assert code == 2
        with pytest.raises(errors.Refused, match="got table jobs, view library"):
            dumping.contents(url)


@pytest.mark.parametrize("old", OLD, ids=lambda path: path.stem)
def test_every_earlier_database_is_known_as_ours_by_the_inventory(database_url: str, old: Path) -> None:
    with database(database_url) as url:
        executed(url, old.read_text())
        made = connect.engine(url)
        with made.begin() as connection:
            assert schema.version(connection) == old.stem
            inventory.clear(connection)
            left = connection.scalars(
                sa.text("SELECT oid::regclass::text FROM pg_class WHERE relnamespace::regnamespace::text !~ '^pg_|^inf'")
            )
            assert [*left, *connection.scalars(sa.text("SELECT oid::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace"))] == []
            assert connection.scalar(sa.text("SELECT to_regnamespace('chaos_parts')")) is None
        made.dispose()


def test_the_inventory_names_all_that_a_start_makes_and_no_more(database_url: str) -> None:
    with database(database_url) as url:
        Database(url).close()
        made = connect.engine(url)
        with made.begin() as connection:
            found = {thing.name for thing in inventory.take(connection).things}
            assert found == {*inventory.RELATIONS, *inventory.FUNCTIONS, sessions.VERSION_TABLE}
            inventory.clear(connection)
            assert connection.scalars(sa.text("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace")).all() == []
        made.dispose()
