"""Databases of every earlier schema, kept as dumps with a few rows: opened by this program they hold what they held, and its laws.

A dump is made once, when the next migration is written: `pg_dump --no-owner --no-privileges --inserts` of a database with the schema and a
row of everything that is new in it, without psql's commands. It is never changed: those databases are out there.
"""

from __future__ import annotations

import inspect
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
import pytest

from cluster.store import dumping, embedded, schema
from cluster.store.chaos import PostgresChaosStore
from cluster.store.database import Database
from cluster.store.postgres import PostgresStore
from coinswarm import errors
from coinswarm.ledger.records import IN_SAMPLE, OUT_OF_SAMPLE, evaluation_id
from tests.integration.test_backup import database
from tests.laws import test_store_contract as contract
from tests.laws.ledger_world import generation, scored, trials

DUMPS = sorted((Path(__file__).parents[1] / "data" / "schemas").glob("*.sql"))
LAWS = [law for name, law in vars(contract).items() if name.startswith("test_") and list(inspect.signature(law).parameters) == ["store"]]


@pytest.fixture(scope="module", params=DUMPS, ids=[path.stem for path in DUMPS])
def old(request: pytest.FixtureRequest, database_url: str) -> Iterator[tuple[str, str]]:
    """The version of an earlier schema, and the URL of a database that had it and was opened by this program."""
    with database(database_url) as url:
        with psycopg.connect(url) as connection:
            connection.execute(request.param.read_text())
        Database(url).close()
        yield request.param.stem, url


@pytest.fixture
def store(old: tuple[str, str]) -> Iterator[PostgresStore]:
    """The store on it."""
    with Database(old[1], patience_s=2.0) as opened:
        yield PostgresStore(opened)


def shape(url: str) -> list[str]:
    """Every table, view, function, trigger and comment of a database, as SQL, in the order of the alphabet."""
    program = embedded.installations()[max(embedded.installations())] / "bin" / "pg_dump"
    command = [program, "--schema-only", "--no-owner", "--no-privileges", "--exclude-table=chaos_trades_*", url]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    kept = "\n".join(line for line in text.splitlines() if not line.startswith(("\\restrict", "\\unrestrict", "--")))
    return sorted(part.strip() for part in kept.split("\n\n") if part.strip())


def test_every_earlier_schema_has_a_dump() -> None:
    versions = sorted(path.stem.split("_")[0] for path in (schema.folder() / "versions").glob("[0-9]*.py"))
    assert [path.stem for path in DUMPS] == [version for version in versions if version != schema.HEAD]


def test_an_old_database_gets_the_very_schema_of_a_new_one(old: tuple[str, str], database_url: str) -> None:
    with database(database_url) as url:
        Database(url).close()
        assert shape(old[1]) == shape(url)


def test_trials_and_figures_are_carried_over(store: PostgresStore) -> None:
    found = store.evaluation(evaluation_id("evolve-1", "b"))
    assert (found.params, found.genome, found.status, found.parents, found.seed) == ({"slow": 2, "fast": 1.5}, (1.5, 2.0), "ok", ("a",), 7)
    assert {(score.segment, score.figures["n_trades"]) for score in found.scores} == {(IN_SAMPLE, 1.0), (OUT_OF_SAMPLE, 1.0)}
    assert [row.variant for row in store.leaderboard("evolve-1")][:2] == ["b", "a"]
    assert [member.variant for member in store.lineage(evaluation_id("evolve-1", "c"))] == ["c", "a", "b"]
    broken = store.evaluation(evaluation_id("evolve-1", "c"))
    assert (broken.status, broken.reason, np.isnan(broken.fitness)) == ("error", "it broke", True)
    assert (store.job("evolve-0").result_hash, store.data_sets(["dd22"])[0].n_bars, store.play("aa11").name) == ("ff00", 8929, "crossover")


def test_tries_in_two_jobs_of_a_campaign_are_still_counted_once(old: tuple[str, str]) -> None:
    with psycopg.connect(old[1]) as connection:
        counted = connection.execute("SELECT jobs, evaluations FROM trial_counts WHERE campaign = 'old campaign'").fetchone()
    assert counted is not None
    assert (counted[0], counted[1] >= 4) == (2, True)


def test_a_job_that_ran_goes_on(store: PostgresStore, old: tuple[str, str]) -> None:
    lease = store.claim("evolve-1", "driver of the new program")
    job, before = store.job("evolve-1"), store.last_generations("evolve-1")[0].generation
    store.commit_generation(lease, [generation(job, before + 1)], [trials(job, ["a", "d"], generation=before + 1)], [scored(["a", "d"])])
    assert [name for batch in store.evaluations(job.id) for name in batch.variants] == ["a", "b", "c", "d"]
    assert store.evaluation(evaluation_id(job.id, "a")).scores[0].figures["sharpe"] == 0.5
    assert store.count_trials("old campaign").trials == 4
    assert old[0] < schema.HEAD


def test_chaos_trades_and_patterns_are_carried_over(old: tuple[str, str]) -> None:
    if old[0] < "0002":
        assert rows(old[1])["chaos_trades"] == 0
        return
    with Database(old[1]) as opened:
        assert len(PostgresChaosStore(opened).trades("chaos-1").net) == 2
    with psycopg.connect(old[1]) as connection:
        assert connection.execute("SELECT market, round(net_pct::numeric, 2), reason FROM chaos LIMIT 1").fetchone() == (
            "binance:BTC/USDT:5m", 0.5, "max_hold"
        )  # fmt: skip
        assert connection.execute("SELECT name, level FROM patterns JOIN alpha_spending ON pattern = id").fetchone() == (
            "after a fall",
            0.01,
        )


def test_what_was_decided_still_holds(old: tuple[str, str], store: PostgresStore) -> None:
    if old[0] < "0003":
        assert rows(old[1])["campaign_splits"] == 0
        return
    assert store.count_trials("careful").trials == 1
    with psycopg.connect(old[1]) as connection, pytest.raises(psycopg.Error, match="never changed or taken back"):
        connection.execute("DELETE FROM lifecycle")
    with psycopg.connect(old[1]) as connection, pytest.raises(psycopg.Error, match="stays as it was"):
        connection.execute("UPDATE vault_openings SET why = 'another'")


def test_tokens_and_the_line_are_carried_over(old: tuple[str, str]) -> None:
    counted = rows(old[1])
    there = 0 if old[0] < "0004" else 1
    assert (counted["tokens"], counted["queue"], counted["audit"]) == (there, there, there)


def rows(url: str) -> dict[str, int]:
    with dumping.snapshot(url) as moment:
        return moment.rows


@pytest.mark.parametrize("law", LAWS, ids=[law.__name__.removeprefix("test_") for law in LAWS])
def test_a_migrated_store_keeps_the_law(store: PostgresStore, law: Callable[[Any], None]) -> None:
    law(store)
    assert store.job("evolve-0").result_hash == "ff00"


def test_a_schema_of_a_later_program_is_left_alone(database_url: str) -> None:
    with database(database_url) as url:
        Database(url).close()
        with psycopg.connect(url) as connection:
            connection.execute("UPDATE coinswarm_version SET version_num = '9999'")
        with pytest.raises(errors.Refused, match="one this program knows"):
            Database(url)
