"""What only a real PostgreSQL can show of campaigns: that SQL by hand gets no further than the programs do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from cluster.store.campaigns import PostgresCampaigns
from cluster.store.database import Database
from cluster.store.postgres import PostgresStore
from coinswarm import errors
from coinswarm.ledger.lifecycle import ARROWS
from tests.laws import ledger_world as world
from tests.laws.ledger_world import CREATED, fresh, queued
from tests.laws.test_campaigns_contract import DAY, Books, evaluated, opening, promotion, reached, split, validated, vetted

STEP = "INSERT INTO lifecycle VALUES (%s, %s, %s, %s, 'eve', now(), %s, %s, %s, %s)"


@pytest.fixture
def books(store: PostgresStore, database: Database) -> Books:
    return Books(store, PostgresCampaigns(database))


@pytest.fixture
def sql(database_url: str) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(database_url, autocommit=True) as connection:
        yield connection


def refused(sql: psycopg.Connection[Any], statement: str, *values: object) -> str:
    """What the database says when it refuses; an empty text when it does not."""
    try:
        sql.execute(statement.encode(), values)
    except psycopg.Error as error:
        return str(error)
    return ""


def test_the_database_has_the_arrows_of_the_program(books: Books, sql: psycopg.Connection[Any]) -> None:
    rows = sql.execute("SELECT source, target, evidence, reason FROM lifecycle_arrows").fetchall()
    assert set(rows) == {(arrow.source, arrow.target, arrow.evidence, arrow.reason) for arrow in ARROWS}
    assert "never changed" in refused(sql, "INSERT INTO lifecycle_arrows VALUES ('candidate', 'production', 'why', '')")
    assert isinstance(books.kept, PostgresCampaigns)


def test_sql_takes_no_step_that_the_arrows_or_the_evidence_forbid(books: Books, sql: psycopg.Connection[Any]) -> None:
    campaign, evaluation = evaluated(books)
    books.kept.declare(split(campaign=campaign))
    good, failed = reached(books, evaluation, campaign, "+"), reached(books, evaluation, campaign, "-")
    evidence = (good.hash, good.gates_hash, good.card_hash)
    for values, rule in (
        ((0, "candidate", "production", "why", *evidence), "no step leads"),
        ((0, "validated", "demo", "why", *evidence), "must still be"),
        ((1, "candidate", "validated", "why", *evidence), "must still be"),
        ((0, "candidate", "validated", "why", "", "", ""), "needs a verdict"),
        ((0, "candidate", "validated", "why", failed.hash, failed.gates_hash, failed.card_hash), "needs a verdict"),
        ((0, "candidate", "validated", "why", good.hash, good.card_hash, good.gates_hash), "needs a verdict"),
        ((0, "candidate", "validated", "  ", *evidence), "who takes it and why"),
        ((0, "candidate", "nirvana", "why", *evidence), "no step leads"),
    ):
        assert rule in refused(sql, STEP, evaluation, *values)
    assert refused(sql, STEP, evaluation, 0, "candidate", "validated", "why", *evidence) == ""
    assert "a demo needs an account" in refused(sql, STEP, evaluation, 1, "validated", "demo", "why", *evidence)
    assert [step.target for step in books.kept.steps(evaluation)] == ["validated"]


def test_sql_promotes_nothing_of_a_campaign_without_a_vault(books: Books, sql: psycopg.Connection[Any]) -> None:
    campaign, evaluation = evaluated(books)
    good = reached(books, evaluation, campaign, "+")
    said = refused(sql, STEP, evaluation, 0, "candidate", "validated", "why", good.hash, good.gates_hash, good.card_hash)
    assert "in a campaign with a vault" in said


@pytest.mark.parametrize(
    "table", ["campaign_splits", "verdict_evidence", "verdicts", "lifecycle", "lifecycle_arrows", "vetted_plays", "vault_openings"]
)
def test_sql_takes_nothing_back(books: Books, sql: psycopg.Connection[Any], table: str) -> None:
    made = validated(books)
    books.kept.save_vetted(vetted(made))
    books.kept.open_vault(opening(made.campaign, made.evaluation))
    column = {"verdict_evidence": "text", "lifecycle_arrows": "reason"}.get(table, "who")
    for statement in (f"DELETE FROM {table}", f"UPDATE {table} SET {column} = 'eve'", f"TRUNCATE {table} CASCADE"):
        assert "never changed or taken back" in refused(sql, statement) or "stays as it was" in refused(sql, statement)


def test_sql_forges_no_verdict(books: Books, sql: psycopg.Connection[Any]) -> None:
    made = validated(books)
    failed = reached(books, made.evaluation, made.campaign, "-")
    forged = (made.evaluation, made.campaign, made.gates_hash, made.card_hash)
    insert = "INSERT INTO verdicts VALUES (%s, %s, %s, %s, %s, true, %s, 'eve', now())"
    assert "check constraint" in refused(sql, insert, "f" * 64, *forged, failed.document)
    assert "duplicate key" in refused(sql, insert, failed.hash, *forged, failed.document) or "check constraint" in refused(
        sql, insert, failed.hash, *forged, failed.document
    )


def test_a_job_that_reaches_behind_the_fence_is_never_stored(books: Books) -> None:
    made = books.kept.declare(split())
    last = made.fence.ts
    inside = world.data_set(last_ts=last - 300_000)
    for late in (
        world.data_set(last_ts=last - 299_999),
        world.data_set(last_ts=last - 300_000, timeframe="1h"),
        world.data_set(timeframe="soon"),
    ):
        books.store.save_data_sets([late])
        with pytest.raises(errors.Refused, match="must not see bars"):
            queued(books.store, campaign=made.campaign, data_hashes=(late.content_hash,), kind="chaos")
        assert queued(books.store, data_hashes=(late.content_hash,)).campaign != made.campaign
    books.store.save_data_sets([inside])
    assert queued(books.store, campaign=made.campaign, data_hashes=(inside.content_hash,)).campaign == made.campaign


def test_a_stored_job_is_not_moved_behind_a_fence_by_sql(books: Books, sql: psycopg.Connection[Any]) -> None:
    made = books.kept.declare(split())
    late = world.data_set(last_ts=made.fence.ts + DAY)
    books.store.save_data_sets([late])
    job = queued(books.store, data_hashes=(late.content_hash,))
    assert "must not see bars" in refused(sql, "UPDATE jobs SET campaign = %s WHERE id = %s", made.campaign, job.id)
    assert books.store.claim(job.id, fresh("driver")).job == job.id


def test_the_views_show_the_library_and_where_each_variant_stands(books: Books, sql: psycopg.Connection[Any]) -> None:
    made = validated(books)
    books.kept.save_vetted(vetted(made))
    row = sql.execute("SELECT name, state, verdict FROM library WHERE evaluation = %s", [made.evaluation]).fetchone()
    assert row == ("x", "validated", made.hash)
    books.kept.advance(promotion(made, step=1, source="validated", target="disabled", why="it broke", when=CREATED))
    assert sql.execute("SELECT state, steps FROM lifecycle_states WHERE evaluation = %s", [made.evaluation]).fetchone() == ("disabled", 2)


def test_openings_are_part_of_the_trial_counts_of_sql(books: Books, sql: psycopg.Connection[Any]) -> None:
    campaign, evaluation = evaluated(books)
    books.kept.declare(split(campaign=campaign))
    books.kept.open_vault(opening(campaign, evaluation))
    row = sql.execute("SELECT trials, openings, evaluations FROM trial_counts WHERE campaign = %s", [campaign]).fetchone()
    assert row == (2, 1, 1)
