"""A database that an earlier program wrote is read by this one: every trial, figure and view is still there."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import psycopg
import pytest
from alembic import command
from alembic.config import Config

from cluster.store import connect, schema
from cluster.store.database import Database
from cluster.store.postgres import PostgresStore
from coinswarm.ledger.records import IN_SAMPLE, OUT_OF_SAMPLE, evaluation_id
from coinswarm.metrics.figures import FIGURES
from tests.laws.ledger_world import fresh, generation, scored, trials

JOB = """
INSERT INTO plays VALUES ('aa11', 'crossover', 'play: crossover');
INSERT INTO jobs VALUES ('evolve-1', 'evolve', 'old campaign', '{aa11}', '{}', 'dd22', '{}', 'cc33', '0.1.0', 7, true, 'running',
    now(), now(), NULL, '', NULL, '', false, 'driver', now() - interval '1 hour');
INSERT INTO generations VALUES ('evolve-1', 0, 0, 1.5, 0.5, 0.9, 3, 1, 0.25, '{}', 'ee44', true);
INSERT INTO checkpoints VALUES ('evolve-1', 0, 0, 'state');
CREATE VIEW of_another_part AS SELECT job, count(*) AS rows FROM evaluations GROUP BY job;
CREATE VIEW above_it AS SELECT leaderboard.job, of_another_part.rows FROM of_another_part JOIN leaderboard USING (job);
COMMENT ON VIEW above_it IS 'A view on views.';
"""
EVALUATION = """
INSERT INTO evaluations (id, job, variant, play, island, generation, index, genome, params, fitness, objectives, status, reason, seed,
    parents, operator, config_hash, data_hash, code_version, synthetic)
VALUES (%s, 'evolve-1', %s, 'aa11', 0, 0, %s, '{1.5,2}', '{"slow": 2, "fast": 1.5}', %s, '{-1}', %s, %s, 7, %s, 'sbx', 'cc33', 'dd22',
    '0.1.0', true)
"""


@pytest.fixture
def old_url(database_url: str) -> Iterator[str]:
    """The URL of a database with the schema before this one, in which a job has three trials."""
    name = fresh("old").replace("-", "_")
    with psycopg.connect(database_url, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")
        url = database_url.rsplit("/", 1)[0] + f"/{name}"
        _upgraded(url, "0004")
        with psycopg.connect(url) as connection:
            _written(connection)
        yield url
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _upgraded(url: str, revision: str) -> None:
    made = connect.engine(url)
    with made.begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(schema.folder()))
        config.attributes |= {"connection": connection, "version_table": "coinswarm_version"}
        command.upgrade(config, revision)
    made.dispose()


def _written(connection: psycopg.Connection) -> None:
    connection.execute(JOB)
    rows = [("a", 0, 1.0, "ok", "", []), ("b", 1, float("inf"), "ok", "", ["a"]), ("c", 2, None, "error", "it broke", ["a", "b"])]
    for variant, index, fitness, status, reason, parents in rows:
        connection.execute(EVALUATION, [evaluation_id("evolve-1", variant), variant, index, fitness, status, reason, parents])
    for variant, segment, sharpe in (("a", IN_SAMPLE, 0.5), ("b", IN_SAMPLE, None), ("b", OUT_OF_SAMPLE, -2.0)):
        connection.execute(
            f"INSERT INTO scores (evaluation, data_set, segment, status, synthetic, {', '.join(FIGURES)})"
            f" VALUES (%s, 'one', %s, 'ok', true, {', '.join('%s' for _ in FIGURES)})",
            [evaluation_id("evolve-1", variant), segment, *(sharpe if name == "sharpe" else 1.0 for name in FIGURES)],
        )


def test_trials_and_figures_of_the_schema_before_are_carried_over(old_url: str) -> None:
    store = PostgresStore(Database(old_url))
    found = store.evaluation(evaluation_id("evolve-1", "b"))
    assert (found.params, found.genome, found.status, found.parents, found.seed) == ({"slow": 2, "fast": 1.5}, (1.5, 2.0), "ok", ("a",), 7)
    assert (found.campaign, found.config_hash, found.data_hash, found.synthetic) == ("old campaign", "cc33", "dd22", True)
    assert [(score.segment, score.figures["n_trades"]) for score in found.scores] == [(IN_SAMPLE, 1.0), (OUT_OF_SAMPLE, 1.0)]
    assert np.isnan(found.scores[0].figures["sharpe"])
    broken = store.evaluation(evaluation_id("evolve-1", "c"))
    assert (broken.status, broken.reason, np.isnan(broken.fitness)) == ("error", "it broke", True)
    assert [row.variant for row in store.leaderboard("evolve-1")] == ["b", "a"]
    assert [row.variant for row in store.leaderboard("evolve-1", by="sharpe")] == ["a"]
    assert [member.variant for member in store.lineage(evaluation_id("evolve-1", "c"))] == ["c", "a", "b"]
    assert store.count_trials("old campaign").trials == 3
    assert store.last_generations("evolve-1")[0].state == b"state"
    store.database.close()


def test_a_job_of_the_schema_before_goes_on(old_url: str) -> None:
    store = PostgresStore(Database(old_url))
    lease = store.claim("evolve-1", "driver")
    job = store.job("evolve-1")
    store.commit_generation(lease, [generation(job, 1)], [trials(job, ["a", "d"], generation=1)], [scored(["a", "d"], data_set="one")])
    assert [batch.variants for batch in store.evaluations(job.id)] == [("a", "b", "c"), ("d",)]
    assert store.evaluation(evaluation_id(job.id, "a")).scores[0].figures["sharpe"] == 0.5
    store.database.close()


def test_views_that_others_put_on_the_old_tables_read_the_new_ones(old_url: str) -> None:
    Database(old_url).close()
    with psycopg.connect(old_url) as connection:
        assert connection.execute("SELECT * FROM of_another_part").fetchall() == [("evolve-1", 3)]
        assert connection.execute("SELECT count(*), min(rows) FROM above_it").fetchone() == (2, 3)
        assert connection.execute("SELECT obj_description('above_it'::regclass)").fetchone() == ("A view on views.",)
        rows = connection.execute("SELECT variant, status, params->>'fast', config_hash FROM evaluations ORDER BY variant").fetchall()
        assert rows == [("a", "ok", "1.5", "cc33"), ("b", "ok", "1.5", "cc33"), ("c", "error", "1.5", "cc33")]
        assert connection.execute("SELECT segment, sharpe, status, synthetic FROM scores WHERE sharpe < 0").fetchall() == [
            (OUT_OF_SAMPLE, -2.0, "ok", True)
        ]
        assert connection.execute("SELECT to_regclass('old_evaluations')").fetchone() == (None,)
