"""What only a real PostgreSQL can show: the schema, migrations, views, kills in the middle of a transaction, and servers that are away."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psycopg
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from cluster.store import connect, inventory, schema, sessions, tables
from cluster.store.database import Database
from cluster.store.postgres import PostgresStore
from cluster.store.state import describe
from coinswarm import errors
from coinswarm.ledger.records import OUT_OF_SAMPLE, evaluation_id
from coinswarm.metrics.figures import FIGURES, UNITS
from tests.laws.ledger_world import fresh, generation, plain, running, scored, trials

KILLED = """
import sys, time
from cluster.store.database import Database
from cluster.store.postgres import PostgresStore
from tests.laws.ledger_world import generation, scored, trials
from coinswarm.ledger.records import Lease
class Endless(dict):
    def items(self):
        print("half", flush=True)
        time.sleep(600)
store = PostgresStore(Database(sys.argv[1]))
job = store.job(sys.argv[2])
lease = store.claim(job.id, "doomed", lease_s=0.0)
names = [f"v{number}" for number in range(3000)]
params = tuple({"row": row} for row in range(2500)) + tuple(Endless() for _ in range(500))
store.commit_generation(lease, [generation(job)], [trials(job, names[:5]), trials(job, names, params=params)], [scored(names)])
"""


@pytest.fixture
def empty_url(database_url: str) -> Iterator[str]:
    """The URL of a database without a schema."""
    name = fresh("empty").replace("-", "_")
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        yield database_url.rsplit("/", 1)[0] + f"/{name}"
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def store(database_url: str) -> Iterator[PostgresStore]:
    with Database(database_url, patience_s=5.0) as database:
        yield PostgresStore(database)


COMPARED = {"compare_type": True, "compare_server_default": True, "version_table": "coinswarm_version"}


def test_the_migrations_make_the_tables_the_code_knows(store: PostgresStore, database_url: str) -> None:
    made = connect.engine(database_url)
    with made.connect() as connection:
        context = MigrationContext.configure(connection, opts=COMPARED)
        found = compare_metadata(context, tables.metadata)
        assert [
            each for each in found if "comment" not in str(each[0]) and "chaos_trades_" not in str(each)
        ] == []  # comments are for people and live in migrations alone
    made.dispose()


SILENT = """
SELECT relname, attname FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace JOIN pg_attribute ON attrelid = pg_class.oid
WHERE nspname = current_schema() AND relname = ANY (%s) AND attnum > 0 AND NOT attisdropped
    AND (col_description(pg_class.oid, attnum) IS NULL OR obj_description(pg_class.oid, 'pg_class') IS NULL)
"""


def test_every_table_view_and_column_says_what_it_is(database_url: str, store: PostgresStore) -> None:
    with psycopg.connect(database_url) as connection:
        names = [*inventory.RELATIONS, sessions.VERSION_TABLE]
        assert connection.execute(SILENT, [names]).fetchall() == []


def test_figures_say_their_unit_and_plays_have_one_name(database_url: str, store: PostgresStore) -> None:
    said = "SELECT col_description(%s::regclass, attnum) FROM pg_attribute WHERE attrelid = %s::regclass AND attname = %s"
    with psycopg.connect(database_url) as connection:
        for name in FIGURES:
            (text,) = connection.execute(said, ["scores", "scores", name]).fetchone() or ("",)
            assert text.rpartition("; ")[2] == UNITS[name], name
        connection.execute("SELECT evaluations.play_name, leaderboard.play_name FROM evaluations JOIN leaderboard ON evaluation = id")


def test_the_newest_migration_is_the_one_the_code_expects() -> None:
    config = Config()
    config.set_main_option("script_location", str(schema.folder()))
    assert ScriptDirectory.from_config(config).get_heads() == [schema.HEAD]


def test_stores_that_open_an_empty_database_at_once_migrate_it_once(empty_url: str) -> None:
    opened: list[Database] = []
    threads = [threading.Thread(target=lambda: opened.append(Database(empty_url))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [PostgresStore(database).jobs() for database in opened] == [()] * 4
    for database in opened:
        database.close()
    assert describe(empty_url).schema == schema.HEAD


def test_a_schema_of_a_later_program_is_refused_and_left_alone(empty_url: str) -> None:
    with psycopg.connect(empty_url) as connection:
        connection.execute("CREATE TABLE coinswarm_version (version_num text)")
        connection.execute("INSERT INTO coinswarm_version VALUES ('9999')")
    with pytest.raises(errors.Refused, match="got 9999"):
        Database(empty_url)
    state = describe(empty_url)
    assert (state.schema, state.newest_schema) == ("9999", schema.HEAD)


def test_a_database_that_answers_no_one_is_unavailable_and_the_password_stays_hidden() -> None:
    with pytest.raises(errors.Unavailable, match=r"127\.0\.0\.1:1/runs") as caught:
        Database("postgresql://me:topsecret@127.0.0.1:1/runs")
    assert "topsecret" not in str(caught.value)


@pytest.mark.parametrize("url", ["", "nonsense", "mysql://a@b/c", "postgresql://h:notaport/x"])
def test_what_is_no_postgresql_url_is_a_bad_setting(url: str) -> None:
    with pytest.raises(errors.BadSetting, match="PostgreSQL URL"):
        Database(url)


def test_a_wrong_password_is_not_waited_for(database_url: str) -> None:
    wrong = sa.make_url(database_url).set(password="wrong").render_as_string(hide_password=False)
    made = connect.engine(wrong)
    with pytest.raises(errors.Unavailable, match="password authentication failed"):
        connect.run(made, lambda connection: connection.scalar(sa.text("SELECT 1")), patience_s=3600.0)


def test_a_full_disk_is_not_waited_for(database_url: str) -> None:
    full = sa.text("DO $$ BEGIN RAISE EXCEPTION 'No space left on device' USING ERRCODE = '53100'; END $$")
    made = connect.engine(database_url)
    with pytest.raises(errors.StorageFull, match="no room left"):
        connect.run(made, lambda connection: connection.execute(full), patience_s=3600.0)
    made.dispose()


def test_a_connection_cut_in_the_middle_of_a_commit_is_made_again(database_url: str) -> None:
    made, attempts = connect.engine(database_url), []

    def work(connection: sa.Connection) -> int:
        attempts.append(connection.scalar(sa.text("SELECT pg_backend_pid()")))
        if len(attempts) == 1:
            with psycopg.connect(database_url) as other:
                other.execute("SELECT pg_terminate_backend(%s, 5000)", attempts)
        return int(connection.scalar(sa.text("SELECT 42")) or 0)

    assert connect.run(made, work, patience_s=30.0) == 42
    assert len(attempts) == 2
    made.dispose()


def test_a_driver_killed_in_the_middle_of_a_commit_leaves_nothing(store: PostgresStore, database_url: str) -> None:
    job, lease = running(store)
    store.release(lease)
    root = Path(__file__).resolve().parents[2]
    driver = subprocess.Popen([sys.executable, "-c", KILLED, database_url, job.id], stdout=subprocess.PIPE, text=True, cwd=root)
    assert driver.stdout is not None
    assert driver.stdout.readline() == "half\n"
    driver.kill()
    driver.communicate()
    assert store.evaluations(job.id) == ()
    assert store.generations(job.id) == ()
    names = [f"v{number}" for number in range(3000)]
    lease = store.claim(job.id, "successor")
    assert store.commit_generation(lease, [generation(job)], [trials(job, names)], [scored(names)])
    assert store.count_trials(job.campaign).trials == 3000


def test_thousands_of_rows_with_and_without_figures_come_back_in_order(store: PostgresStore) -> None:
    job, lease = running(store)
    names = [f"v{number:05}" for number in range(2500)]
    sharpe, factor = np.arange(2500.0), np.where(np.arange(2500) % 3 == 0, np.nan, 1.0)
    batch = scored(names, sharpe=sharpe, profit_factor=factor)
    store.commit_generation(lease, [generation(job)], [trials(job, names)], [batch])
    assert plain(store.scores(job.id)) == plain((batch,))


def test_readers_do_not_wait_for_a_commit(store: PostgresStore, database_url: str) -> None:
    job, _ = running(store)
    with psycopg.connect(database_url) as other:
        other.execute("SELECT * FROM jobs WHERE id = %s FOR UPDATE", [job.id])
        assert store.job(job.id).id == job.id
        assert store.leaderboard(job.id) == ()


def test_the_views_say_what_the_store_says(store: PostgresStore, database_url: str) -> None:
    job, lease = running(store)
    store.commit_generation(lease, [generation(job)], [trials(job, ["a", "b"])], [scored(["a", "b"], sharpe=np.array([1.0, 2.0]))])
    child = trials(job, ["c"], parents=(("a", "b"),), operators=("sbx",), fitness=np.array([5.0]))
    store.commit_generation(lease, [generation(job, 1)], [child], [scored(["c"]), scored(["c"], data_set="other", sharpe=1.5)])
    store.save_scores(lease, [scored(["c"], segment=OUT_OF_SAMPLE, sharpe=-1.0)])
    with psycopg.connect(database_url) as connection:
        rows = connection.execute("SELECT rank, evaluation, play, sharpe, oos_sharpe, synthetic FROM leaderboard WHERE job = %s", [job.id])
        best = evaluation_id(job.id, "c")
        assert rows.fetchone() == (1, best, "crossover", 1.0, -1.0, True)
        family = connection.execute("SELECT depth, variant FROM lineage WHERE evaluation = %s ORDER BY 1, 2", [best]).fetchall()
        assert family == [(member.depth, member.variant) for member in store.lineage(best)]
        counted = connection.execute("SELECT trials, synthetic FROM trial_counts WHERE campaign = %s", [job.campaign]).fetchone()
        assert counted == (store.count_trials(job.campaign).trials, True)
        credit = connection.execute(
            "SELECT operator, children, better_than_parents FROM operator_credit WHERE job = %s ORDER BY 1", [job.id]
        )
        assert credit.fetchall() == [("founder", 2, 0), ("sbx", 1, 1)]
