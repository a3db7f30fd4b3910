"""A database that coinswarm shares with others: no command changes, keeps or counts anything but what a coinswarm made."""

from __future__ import annotations

import subprocess
import zipfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import psycopg
import pytest

from cluster.store import backup, embedded
from cluster.store.chaos import PostgresChaosStore
from cluster.store.database import Database
from cluster.store.postgres import PostgresStore
from coinswarm import errors
from coinswarm.ledger.chaos import ChaosFrame
from tests.integration.test_backup import database
from tests.laws.ledger_world import generation, running, scored, trials
from tests.strangers.neighbours import Shared, command, in_schema, inventory, outside, shared

OLD = Path(__file__).parents[1] / "data" / "schemas" / "0005.sql"
FRAME = ChaosFrame(markets=("binance:BTC/USDT:5m",), features=(), bar_ms=300_000)


def told(text: str) -> None:
    assert text


def worked(url: str) -> str:
    """A job that ended, with three trials and a partition for chaos trades: its id."""
    with Database(url) as opened:
        store, chaos = PostgresStore(opened), PostgresChaosStore(opened)
        job, lease = running(store)
        store.commit_generation(lease, [generation(job)], [trials(job, ["a", "b", "c"])], [scored(["a", "b", "c"])])
        chaos.prepare(job.id, FRAME)
        store.finish(lease, "done")
        return job.id


@pytest.fixture
def place(database_url: str) -> Iterator[Shared]:
    with shared(database_url) as made:
        yield made


@pytest.fixture(scope="module")
def kept(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup of a database of one's own, in which the tables are in `public`."""
    file = tmp_path_factory.mktemp("kept") / "kept.zip"
    with database(database_url) as url:
        worked(url)
        backup.write(url, file.with_name("bars.duckdb"), file, tell=told)
    return file


def test_restore_beside_another_schema_leaves_it_alone(kept: Path, database_url: str, tmp_path: Path) -> None:
    with database(database_url) as url:
        with psycopg.connect(url) as connection:
            connection.execute("CREATE SCHEMA crm; CREATE TABLE crm.customers (id int); INSERT INTO crm.customers VALUES (1), (2)")
        code, words = command(url, tmp_path, "db", "restore", kept)
        assert (code, "restored: 1 job," in words) == (0, True)
        assert inventory(url)["crm", "table", "customers"] == 2  # the two customers that were there


@pytest.mark.parametrize(
    "arguments",
    [
        ("jobs", "list"), ("db", "status"), ("db", "backup", "made.zip"), ("jobs", "prune", "--older-than", "0h", "--yes"),
        ("db", "restore", "--replace", "KEPT"),
    ],
    ids=" ".join,
)  # fmt: skip
def test_a_command_changes_nothing_of_others(place: Shared, kept: Path, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    worked(place.url)
    before = outside(inventory(place.admin), place.home)
    named = [{"KEPT": kept, "made.zip": tmp_path / "made.zip"}.get(argument, argument) for argument in arguments]
    code, words = command(place.url, tmp_path, *named)
    assert code == 0, words
    assert outside(inventory(place.admin), place.home) == before  # customers, invoices, extension, roles, 4711, a sequence at 17 …


def test_a_backup_holds_our_tables_and_fits_a_schema_of_any_name(place: Shared, tmp_path: Path) -> None:
    job, file = worked(place.url), tmp_path / "made.zip"
    backup.write(place.url, tmp_path / "bars.duckdb", file, tell=told)
    names = zipfile.ZipFile(file).namelist()
    assert "database/jobs.csv" in names
    assert not [name for name in names if "customers" in name or "invoices" in name or "alembic" in name]
    with psycopg.connect(place.admin) as connection:
        connection.execute(f'CREATE SCHEMA "a ""new"" name" AUTHORIZATION {place.home}')
    there = in_schema(place.url, 'a "new" name')
    backup.restore(file, there, tmp_path / "bars.duckdb", replace=False, tell=told)
    with Database(there) as opened:
        store = PostgresStore(opened)
        assert (store.job(job).id, len(store.leaderboard(job))) == (job, 3)


def test_a_restore_that_fails_half_way_leaves_what_was_there(place: Shared, kept: Path, tmp_path: Path) -> None:
    worked(place.url)
    before, short = inventory(place.admin), tmp_path / "short.zip"
    manifest = asdict(backup.read(kept))
    manifest["rows"]["trials"] = 4  # there are three: it is found when all tables are filled
    with zipfile.ZipFile(kept) as archive, zipfile.ZipFile(short, "w") as changed:
        for name in archive.namelist():
            changed.writestr(name, backup.json.dumps(manifest) if name == backup.MANIFEST else archive.read(name))
    code, words = command(place.url, tmp_path, "db", "restore", "--replace", short)
    assert (code, "must have its 4 rows; the database is as it was, got 3" in words) == (2, True)
    assert inventory(place.admin) == before


def test_views_that_others_put_on_our_tables_are_named_and_stay(place: Shared, kept: Path, tmp_path: Path) -> None:
    worked(place.url)
    with psycopg.connect(place.admin) as connection:
        connection.execute(f"CREATE VIEW crm.best AS SELECT variant, fitness FROM {place.home}.leaderboard")
    before = inventory(place.admin)
    code, words = command(place.url, tmp_path, "db", "restore", "--replace", kept)
    assert (code, "got view crm.best" in words) == (2, True)
    assert inventory(place.admin) == before


def test_the_tables_of_a_later_coinswarm_are_not_replaced(place: Shared, kept: Path, tmp_path: Path) -> None:
    worked(place.url)
    with psycopg.connect(place.url) as connection:
        connection.execute("UPDATE coinswarm_version SET version_num = '9999'; CREATE TABLE something_new (id int)")
    before = inventory(place.admin)
    code, words = command(place.url, tmp_path, "db", "restore", "--replace", kept)
    assert (code, "got 9999, of a later coinswarm" in words) == (2, True)
    assert inventory(place.admin) == before


def test_two_coinswarms_in_two_schemas_never_meet(place: Shared, kept: Path, tmp_path: Path) -> None:
    first = worked(place.url)
    with psycopg.connect(place.admin) as connection:
        connection.execute(f"CREATE SCHEMA second AUTHORIZATION {place.home}")
    second = in_schema(place.url, "second")
    with Database(second) as opened, Database(place.url):
        assert PostgresStore(opened).jobs() == ()
        code, words = command(place.url, tmp_path, "db", "restore", "--replace", kept)  # the other one of the two is connected
        assert (code, "1 connection" in words) == (2, True)
    with Database(second):
        assert command(place.url, tmp_path, "db", "restore", "--replace", kept)[0] == 0
    with Database(place.url) as opened, pytest.raises(errors.NotFound):
        PostgresStore(opened).job(first)


def test_the_guard_of_a_vault_looks_into_its_own_schema(place: Shared) -> None:
    job = worked(place.url)
    with psycopg.connect(place.admin) as connection:  # a person, whose search path is public
        connection.execute("CREATE TABLE campaign_splits (campaign text, validation_end timestamptz)")
        connection.execute("INSERT INTO campaign_splits SELECT campaign, '-infinity' FROM " + f"{place.home}.jobs")
        connection.execute(f"UPDATE {place.home}.jobs SET campaign = campaign || '', data_hashes = '{{other}}' WHERE id = %s", [job])
        assert connection.execute(f"SELECT count(*) FROM {place.home}.lineage").fetchone() == (3,)  # each of three trials, itself


def test_a_backup_of_the_first_format_still_restores_and_says_what_stays_out(database_url: str, tmp_path: Path) -> None:
    program, dump = embedded.installations()[max(embedded.installations())] / "bin" / "pg_dump", tmp_path / backup.FORMER_DUMP
    file, said = tmp_path / "old.zip", list[str]()
    with database(database_url) as url, psycopg.connect(url) as connection:
        connection.execute(OLD.read_text())
        connection.execute("CREATE TABLE public.mine (id int)")
        connection.commit()
        subprocess.run([program, "--format=custom", f"--file={dump}", url], check=True)
    part = {"size_bytes": dump.stat().st_size, "sha256": backup.hashlib.sha256(dump.read_bytes()).hexdigest()}
    rows = {"jobs": 4, "chaos_trades": 2, "trials": 4, "mine": 0, "alembic_version": 1}  # as in 0005.sql
    manifest = {"format": 1, "made": "", "coinswarm": "0.1.0", "schema": "0005", "rows": rows, "data_sets": {}, "parts": {dump.name: part}}
    with zipfile.ZipFile(file, "w") as archive:
        archive.write(dump, dump.name)
        archive.writestr(backup.MANIFEST, backup.json.dumps(manifest))
    with shared(database_url) as place:
        backup.restore(file, place.url, tmp_path / "bars.duckdb", replace=False, tell=said.append)
        with Database(place.url) as opened:
            assert (len(PostgresChaosStore(opened).trades("chaos-1").net), len(PostgresStore(opened).jobs())) == (2, 4)
    assert [line for line in said if "public.mine is not coinswarm's" in line]
