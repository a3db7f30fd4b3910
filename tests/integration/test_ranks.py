"""Lists and counts of a large job: read from what is kept or from an index, few rows each, and equal to what all of its trials say."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import numpy as np
import psycopg
import pytest
import sqlalchemy as sa
from typing_extensions import override

from cluster.store import connect, ranks, schema, tables
from cluster.store.browse import PostgresBrowse
from cluster.store.database import Database, Repository
from cluster.store.postgres import PostgresStore
from coinswarm.ledger.browse import EvaluationBrief, EvaluationFilter, EvaluationOrder
from coinswarm.ledger.records import IN_SAMPLE, Job, Lease, ScoreBatch, evaluation_id
from coinswarm.metrics.figures import FIGURES, SCORE_DTYPE, SMALLER_IS_BETTER
from tests.laws.ledger_world import fresh, generation, running, scored, trials

_T = TypeVar("_T")
COMMITS, ROWS, BETTER = 7, 3000, 1200
ORDERS: tuple[EvaluationOrder, ...] = ("-fitness", "fitness", "generation", "-generation", "id")
READ = sa.text(
    "SELECT coalesce(sum(seq_tup_read + idx_tup_fetch), 0) FROM pg_stat_xact_user_tables WHERE relname IN ('trials', 'later_scores')"
)

SCORES = sa.text("SELECT evaluation, figures FROM score_rows WHERE job = :job AND segment = 'in_sample' ORDER BY data_set")


class Counting(Repository):
    """Remembers how many rows of trials and scores its last transaction read."""

    rows_read = 0

    @override
    def run(self, work: Callable[[sa.Connection], _T]) -> _T:
        def counted(connection: sa.Connection) -> _T:
            before = connection.scalar(READ)
            answer = work(connection)
            self.rows_read = int(connection.scalar(READ) - before)
            return answer

        return super().run(counted)


class CountingStore(Counting, PostgresStore):
    """A store that counts what it reads."""


class CountingBrowse(PostgresBrowse, Counting):
    """Pages that count what they read."""


@pytest.fixture(scope="module")
def database(database_url: str) -> Iterator[Database]:
    with Database(database_url, patience_s=5.0) as opened:
        yield opened


@pytest.fixture(scope="module")
def large(database: Database) -> tuple[Job, Lease]:
    """A job with more trials than are read whole, on two markets, beside another of its campaign."""
    store = PostgresStore(database)
    job, lease = filled(store)
    other, others = running(store, campaign=job.campaign, data_hash=job.data_hash)
    commit(store, other, others, 0)
    return job, lease


@pytest.fixture(scope="module")
def told(large: tuple[Job, Lease], database: Database) -> Ranked:
    """What all trials of the large job say."""
    return Ranked(PostgresStore(database), large[0].id)


def filled(store: PostgresStore) -> tuple[Job, Lease]:
    job, lease = running(store)
    for number in range(COMMITS):
        commit(store, job, lease, number)
    return job, lease


def commit(store: PostgresStore, job: Job, lease: Lease, number: int) -> None:
    rng, names = np.random.default_rng(number), [f"{number}-{row}" for row in range(ROWS)]
    fitness = np.where(rng.random(ROWS) < 0.1, np.nan, rng.integers(0, 2000, ROWS) / 8)
    batch = trials(job, names, generation=number, fitness=fitness)
    both = [figures(rng, names, market) for market in ("two", "one")]
    store.commit_generation(lease, [generation(job, number, evaluations=ROWS)], [batch], both)


def figures(rng: np.random.Generator, names: list[str], market: str, *, lift: float = 0.0) -> ScoreBatch:
    """Figures of which some are missing or infinite, and many equal; all are better by `lift`."""
    table = np.zeros(len(names), dtype=SCORE_DTYPE)
    for name in FIGURES:
        table[name] = rng.integers(0, 3, len(names)) if name.startswith("n_") else rng.normal(size=len(names))
        table[name] += -lift if name in SMALLER_IS_BETTER else lift
        table[name][rng.random(len(names)) < 0.1] = rng.choice([np.nan, np.inf, -np.inf])
    return ScoreBatch(data_set=market, segment=IN_SAMPLE, variants=tuple(names), figures=table)


class Ranked:
    """The slow twin: all figures of a job, sorted in Python."""

    def __init__(self, store: PostgresStore, job: str) -> None:
        """Read every score of the job."""
        self._scores = store.database.run(lambda connection: connection.execute(SCORES, {"job": job}).all())

    def by(self, figure: str) -> list[str]:
        """Ids of all trials that have a figure, best first."""
        values: dict[str, list[float]] = {}
        for name, figures in self._scores:
            values.setdefault(name, []).append(figures[1 + FIGURES.index(figure)])
        sign = 1.0 if figure in SMALLER_IS_BETTER else -1.0
        means = {name: sign * mean(each) for name, each in values.items() if not math.isnan(mean(each))}
        return sorted(means, key=lambda name: (means[name], name))


def mean(values: list[float]) -> float:
    there = [value for value in values if math.isfinite(value)]
    return sum(there) / len(there) if there else math.nan


def ids(rows: Any) -> list[str]:
    return [row.evaluation for row in rows]


@pytest.mark.parametrize("figure", ["sharpe", "max_drawdown", "n_trades", "n_gaps"])
def test_the_best_by_a_figure_are_those_of_all_trials_and_few_rows_are_read(
    large: tuple[Job, Lease], told: Ranked, database: Database, figure: str
) -> None:
    store, (job, _) = CountingStore(database), large
    found = ids(store.leaderboard(job.id, by=figure, limit=300))
    assert store.rows_read < 2000
    assert found == told.by(figure)[:300]


def test_more_than_are_kept_are_read_from_all_trials(large: tuple[Job, Lease], told: Ranked, database: Database) -> None:
    store, (job, _) = CountingStore(database), large
    found = ids(store.leaderboard(job.id, by="calmar", limit=ranks.KEPT + 500))
    assert store.rows_read > COMMITS * ROWS
    assert found == told.by("calmar")[: ranks.KEPT + 500]


def test_every_figure_is_found_again_among_all_trials(large: tuple[Job, Lease], database: Database) -> None:
    store, (job, _) = PostgresStore(database), large
    tally = store.tally(job.id)
    assert tally.identities == tally.variants == COMMITS * ROWS
    assert {name: ids(store.leaderboard(job.id, by=name, limit=100)) for name in FIGURES} == {
        name: list(best) for name, best in tally.best.items()
    }


def test_what_comes_later_and_what_goes_is_ranked_in_its_place(database: Database) -> None:
    store = CountingStore(database)
    job, lease = filled(store)
    first, *_, last = ids(store.leaderboard(job.id, by="sharpe", limit=ranks.KEPT))
    names = {evaluation_id(job.id, name): name for batch in store.evaluations(job.id) for name in batch.variants}
    store.save_scores(lease, [scored([names[first]], data_set="three", sharpe=-1e6), scored([names[last]], data_set="three", sharpe=1e6)])
    for number in range(COMMITS, COMMITS + 3):  # each ranks more entries than are kept, so that they are put together
        better = [f"{number}-{row}" for row in range(BETTER)]
        of_them = figures(np.random.default_rng(number), better, "one", lift=number)
        store.commit_generation(lease, [generation(job, number)], [trials(job, better, generation=number)], [of_them])
    expected = Ranked(store, job.id)
    assert expected.by("sharpe")[0] == last
    assert ids(store.leaderboard(job.id, by="sharpe", limit=ranks.KEPT)) == expected.by("sharpe")[: ranks.KEPT]
    assert ids(store.leaderboard(job.id, by="n_gaps", limit=500)) == expected.by("n_gaps")[:500]
    pruned(store, job, lease)


def pruned(store: CountingStore, job: Job, lease: Lease) -> None:
    """Pruned trials leave the leaderboards by figure, and are counted as before."""
    store.finish(lease, "done")
    store.prune(job.id, keep=50)
    found = ids(store.leaderboard(job.id, by="sharpe"))
    assert store.rows_read < 500
    assert found == Ranked(store, job.id).by("sharpe")[:20]
    assert store.count_trials(job.campaign).trials == COMMITS * ROWS + 3 * BETTER


def test_trials_of_two_jobs_are_counted_once_and_not_read(large: tuple[Job, Lease], database: Database) -> None:
    store, (job, _) = CountingStore(database), large
    counts = store.count_trials(job.campaign)
    assert store.rows_read == 0
    assert (counts.jobs, counts.trials, counts.variants, counts.evaluations) == (2, COMMITS * ROWS, COMMITS * ROWS, (COMMITS + 1) * ROWS)


@pytest.mark.parametrize("order", ORDERS)
def test_pages_deep_in_a_list_read_few_rows_and_come_in_order(large: tuple[Job, Lease], database: Database, order: EvaluationOrder) -> None:
    browse, (job, _) = CountingBrowse(database), large
    wanted, rows, after, most = EvaluationFilter(job=job.id), list[EvaluationBrief](), None, 0
    while True:
        page = browse.evaluations(wanted, order, after=after, limit=1000)
        rows, most, after = rows + list(page.rows), max(most, browse.rows_read), page.next
        if after is None:
            break
    assert [row.id for row in rows] == [row.id for row in sorted_rows(rows, order)]
    assert len({row.id for row in rows}) == len(rows) > 0.85 * COMMITS * ROWS
    assert most < 2000 or not order.endswith("fitness")


def sorted_rows(rows: list[EvaluationBrief], order: EvaluationOrder) -> list[EvaluationBrief]:
    name = order.removeprefix("-")
    by_id = sorted(rows, key=lambda row: row.id, reverse=order == "fitness")
    return sorted(by_id, key=lambda row: getattr(row, name), reverse=order.startswith("-"))


def test_identities_that_are_missing_are_noticed(database: Database) -> None:
    store = PostgresStore(database)
    job, lease = running(store)
    store.commit_generation(lease, [generation(job)], [trials(job, ["a", "b"])])
    lost = sa.update(tables.batches).where(tables.batches.c.job == job.id).values(variants=b"")
    database.run(lambda connection: connection.execute(lost))
    tally = store.tally(job.id)
    assert (tally.variants, tally.identities) == (2, 0)


MADE_BEFORE = """
INSERT INTO jobs (id, kind, campaign, plays, data_hashes, data_hash, config, config_hash, code_version, seed, synthetic, status, created,
                  error, result_hash, cancel_requested, lease_owner)
VALUES ('evolve-1', 'evolve', 'c', '{}', '{}', '', '{}', '', '', 0, false, 'done', now(), '', '', false, '');
INSERT INTO batches (job, play) VALUES ('evolve-1', 'p');
INSERT INTO batch_parts VALUES (1, 0, 'in_sample', '{one}');
INSERT INTO trials (id, job, variant, batch, island, generation, index, genome, fitness, objectives, status, reason, parents, operator,
                    part, figures)
SELECT evaluation_id('evolve-1', variant), 'evolve-1', variant, 1, 0, 0, number, '{}', number, '{}',
       CASE WHEN number % 10 = 0 THEN 3 ELSE 0 END,
       '', '{}', 'sbx', 0, ARRAY[0] || (
           SELECT array_agg(CASE (number + place) % 11 WHEN 0 THEN 'NaN'::float8 ELSE (number * 7919 + place * 104729) % 5003 END)
           FROM generate_series(1, 24) AS place
       )
FROM generate_series(1, 21000) AS number, LATERAL (SELECT encode(sha256(number::text::bytea), 'hex') AS variant) AS named;
"""


@pytest.fixture
def before(database_url: str) -> Iterator[str]:
    """A database of the schema before ranks were kept, with a large job."""
    name = fresh("ranks").replace("-", "_")
    url = f"{database_url.rsplit('/', 1)[0]}/{name}"
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        with connect.opened(url) as opened:
            schema.migrate(opened, to="0009")
        with psycopg.connect(url) as filled:
            filled.execute(MADE_BEFORE)
        yield url
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def test_what_is_kept_of_jobs_stored_before_is_filled_in(before: str) -> None:
    with Database(before) as opened:
        store = CountingStore(opened)
        expected = Ranked(store, "evolve-1")
        for figure in ("sharpe", "max_drawdown"):
            found = ids(store.leaderboard("evolve-1", by=figure, limit=ranks.KEPT))
            assert store.rows_read < 5000
            assert found == expected.by(figure)[: ranks.KEPT]
        counts, tally = store.count_trials("c"), store.tally("evolve-1")
        assert (counts.trials, counts.failures, tally.identities) == (21_000, 2_100, 21_000)
        continued(store)


def continued(store: PostgresStore) -> None:
    """Identities of before and of now are of one kind: what two jobs tried counts once."""
    job, lease = running(store, campaign="c", data_hash="")
    names = [name for batch in store.evaluations("evolve-1") for name in batch.variants][:10]
    store.commit_generation(lease, [generation(job)], [trials(job, [*names, "new"])])
    assert store.count_trials("c").trials == 21_001
