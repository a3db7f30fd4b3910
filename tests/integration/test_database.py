"""One database, one pool: what repositories and blocks of a process share."""

from __future__ import annotations

import threading
import time
from dataclasses import fields

import psycopg
import pytest
import sqlalchemy as sa

from cluster import bootstrap
from cluster.machine import MachineSettings
from cluster.store import database as databases
from cluster.store import repositories
from cluster.store.database import Database
from coinswarm import errors
from coinswarm.ledger.browse import JobFilter
from tests.integration.test_backup import database as own


@pytest.fixture
def url(database_url: str):
    with own(database_url) as made:
        yield made


def connections(url: str, expected: int) -> int:
    """How many there are, once they are as many as expected: a server takes a moment to let go of one that was closed."""
    question = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'coinswarm % in %' AND datname = current_database()"
    with psycopg.connect(url, autocommit=True) as connection:
        deadline = time.monotonic() + 10.0
        while (found := connection.execute(question).fetchone()[0]) != expected and time.monotonic() < deadline:
            time.sleep(0.02)
    return found


def test_all_repositories_of_a_database_use_one_connection_one_after_the_other(url: str) -> None:
    with Database(url) as opened:
        kept = repositories.of(opened)
        kept.store.jobs(), kept.chaos.summaries(), kept.patterns.patterns(), kept.campaigns.splits()
        kept.queue.standing(), kept.access.tokens(), kept.browse.jobs(JobFilter()), kept.quotas.quota("token", "none")
        assert (len(fields(kept)), connections(url, 1)) == (8, 1)
    assert connections(url, 0) == 0


def test_blocks_within_a_process_share_a_database_until_the_last_one_ends(url: str) -> None:
    settings = MachineSettings(database_url=url)
    with bootstrap.open_store(settings) as store, bootstrap.open_chaos(settings) as chaos:
        with bootstrap.open_queue(settings) as (queue, access), bootstrap.open_repositories(settings) as kept:
            assert {each.database for each in (store, chaos, queue, access, kept.browse)} == {store.database}
        assert (store.jobs(), connections(url, 1)) == ((), 1)
    assert connections(url, 0) == 0
    with bootstrap.open_store(settings) as again:
        assert again.database is not store.database


def test_blocks_of_several_threads_open_one_database(url: str) -> None:
    found: list[Database] = []
    together, last = threading.Barrier(4), threading.Barrier(4)

    def block() -> None:
        together.wait()
        with databases.shared(url) as opened:
            found.append(opened)
            last.wait()

    threads = [threading.Thread(target=block) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(found), len(set(found)), connections(url, 0)) == (4, 1, 0)


def test_a_block_that_could_not_open_leaves_nothing_behind(url: str) -> None:
    nowhere = url.replace(url.rsplit("/", 1)[1], "nowhere")
    with pytest.raises(errors.Unavailable), databases.shared(nowhere):
        raise AssertionError
    with pytest.raises(errors.Unavailable), databases.shared(nowhere):
        raise AssertionError


def test_a_page_that_takes_too_long_is_given_up_and_other_repositories_take_their_time(url: str) -> None:
    limit = sa.text("SHOW statement_timeout")
    with Database(url) as opened:
        kept = repositories.of(opened)
        assert kept.browse.run(lambda connection: connection.scalar(limit)) == "10s"
        assert kept.store.run(lambda connection: connection.scalar(limit)) == "0"
