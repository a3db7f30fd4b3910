"""How fast the lists, counts and reports of a large job are answered: `python -m tests.benchmarks.bench_ranks [TRIALS] [MARKETS]`.

A database of its own is filled by the store's commits, which are COPY. Beside the large job are twenty small ones of its campaign. What is
asked is timed inside the program, first and median of several; `before` is how it was asked up to schema 0009, without what 0010 has added.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import sqlalchemy as sa

from cluster.jobs.evolve import report
from cluster.jobs.kind import PlanContext
from cluster.store import embedded
from cluster.store.browse import PostgresBrowse
from cluster.store.campaigns import PostgresCampaigns
from cluster.store.chaos import PostgresChaosStore
from cluster.store.database import Database
from cluster.store.patterns import PostgresPatternStore
from cluster.store.postgres import PostgresStore
from coinswarm.ledger.browse import EvaluationFilter, JobFilter
from coinswarm.ledger.records import WHOLE_JOB, Job, Lease
from coinswarm.metrics.figures import FIGURES, SMALLER_IS_BETTER
from tests.benchmarks.test_store_speed import ROWS, made
from tests.laws.ledger_world import generation, running

SMALL_JOBS = 20
TIMES = 5
CONFIG = {"winners": 10, "markets": ["binance:M0-USDT:5m"]}

BEST_BEFORE = """
SELECT trials.*, batches.play, batches.words FROM trials JOIN batches ON batches.number = trials.batch
JOIN (
    SELECT evaluation, avg(figures[{place}]) FILTER (WHERE figures[{place}] < 'Infinity' AND figures[{place}] > '-Infinity') AS worth
    FROM score_rows WHERE job = :job AND segment = 'in_sample' GROUP BY evaluation
) AS means ON means.evaluation = trials.id
WHERE worth IS NOT NULL ORDER BY worth {direction}, trials.id LIMIT 20
"""
COUNT_BEFORE = "SELECT * FROM trial_counts WHERE campaign = :campaign"
PAGE_BEFORE = """
SELECT id, job, variant, play, island, generation, index, params, fitness, objectives, status, reason, operator, parents
FROM evaluations WHERE job = :job AND {there} AND ({column} {further} :value OR ({column} = :value AND id > :id))
ORDER BY {column} {direction}, id LIMIT 101
"""


@dataclass(frozen=True, kw_only=True)
class Request:
    """What is asked, how it was asked before, and how often that is timed."""

    name: str
    now: Callable[[], object]
    before: Callable[[], object] | None = None
    times_before: int = 1


@dataclass(frozen=True, kw_only=True)
class Large:
    """A database with a large job."""

    store: PostgresStore
    browse: PostgresBrowse
    context: PlanContext
    job: Job


def filled(store: PostgresStore, trials: int, markets: int) -> tuple[Job, list[float]]:
    """A finished job with so many trials on so many markets, and how long each of its commits took."""
    job, lease = running(store, config=CONFIG)
    seconds = [committed(store, job, lease, number, markets) for number in range(trials // ROWS)]
    store.finish(lease, "done", result={"distinct": trials})
    for number in range(SMALL_JOBS):
        small, its = running(store, config=CONFIG, campaign=job.campaign, data_hash=job.data_hash)
        committed(store, small, its, number, markets, first=trials // ROWS if number % 2 else 0)
        store.finish(its, "done", result={"distinct": ROWS})
    return store.job(job.id), seconds


def committed(store: PostgresStore, job: Job, lease: Lease, number: int, markets: int, *, first: int = 0) -> float:
    """Seconds that a commit takes; `first`: its variants are those of a commit that much later."""
    batch, scores = made(job, first + number, np.random.default_rng(first + number))
    each = [replace(scores, data_set=f"binance:M{market}-USDT:5m") for market in range(markets)]
    records = [generation(job, number, evaluations=ROWS), generation(job, number, WHOLE_JOB)]
    began = time.perf_counter()
    store.commit_generation(lease, records, [replace(batch, generation=number)], each)
    return time.perf_counter() - began


def asked(large: Large, text: str, **values: object) -> Callable[[], object]:
    """A query as the schema before answered it: the newer index is dropped, in a transaction that is taken back."""

    def answer(connection: sa.Connection) -> object:
        inner = connection.begin_nested()
        connection.execute(sa.text("DROP INDEX batches_job"))
        rows = connection.execute(sa.text(text), values).all()
        inner.rollback()
        return rows

    return lambda: large.store.database.run(answer)


def boards(large: Large) -> Iterator[Request]:
    """Leaderboards by fitness and by each figure."""
    for place, by in enumerate(("fitness", *FIGURES), start=1):
        before = None
        if by in ("sharpe", "max_drawdown"):
            text = BEST_BEFORE.format(place=place, direction="" if by in SMALLER_IS_BETTER else "DESC")
            before = asked(large, text, job=large.job.id)
        yield Request(name=f"leaderboard by {by}", now=lambda by=by: large.store.leaderboard(large.job.id, by=by), before=before)
    yield Request(name="leaderboard by sharpe, 1,000 rows", now=lambda: large.store.leaderboard(large.job.id, by="sharpe", limit=1000))


def pages(large: Large) -> Iterator[Request]:
    """Pages of evaluations: the first, and one in the middle of the list."""
    wanted = EvaluationFilter(job=large.job.id)
    for order in ("-fitness", "fitness", "generation", "-generation", "id"):
        after = middle(large, order)
        falling, column = order.startswith("-"), order.removeprefix("-")
        text = PAGE_BEFORE.format(
            there="fitness IS NOT NULL" if column == "fitness" else "true", column=column, further="<" if falling else ">",
            direction="DESC" if falling else "",
        )  # fmt: skip
        before = None if column == "id" else asked(large, text, job=large.job.id, value=after[0], id=after[1])
        yield Request(name=f"page by {order}", now=lambda order=order: large.browse.evaluations(wanted, order))
        yield Request(
            name=f"page by {order}, in the middle",
            now=lambda order=order, after=after: large.browse.evaluations(wanted, order, after=after),
            before=before, times_before=3,
        )  # fmt: skip


def middle(large: Large, order: str) -> tuple[Any, str]:
    """A place half-way through a list."""
    column, falling = order.removeprefix("-"), "DESC" if order.startswith("-") else ""
    query = f"SELECT {column}, id FROM trials WHERE job = :job ORDER BY {column} {falling} OFFSET :skipped LIMIT 1"
    skipped = large.job.result["distinct"] // 2 if large.job.result else 0
    found = large.store.database.run(lambda connection: connection.execute(sa.text(query), {"job": large.job.id, "skipped": skipped}).one())
    return found[0], found[1]


def whole(large: Large) -> Iterator[Request]:
    """What is said of the whole job, its campaign, and the store."""
    store, job = large.store, large.job
    counted = asked(large, COUNT_BEFORE, campaign=job.campaign)
    yield Request(name="trials of the campaign", now=lambda: store.count_trials(job.campaign), before=counted, times_before=3)
    yield Request(name="report of the job, `coinswarm top`", now=lambda: report.report(job, large.context), before=counted, times_before=3)
    yield Request(name="jobs, newest first", now=lambda: large.browse.jobs(JobFilter()))


def timed_ms(ask: Callable[[], object], times: int) -> list[float]:
    """Milliseconds of each of several times."""
    found = []
    for _ in range(times):
        began = time.perf_counter()
        ask()
        found.append(1000 * (time.perf_counter() - began))
    return found


def table(requests: Iterator[Request]) -> Iterator[str]:
    """A line of Markdown a request."""
    yield "| request | before, ms | now, first, ms | now, median, ms |\n|---|---|---|---|\n"
    for request in requests:
        now = timed_ms(request.now, TIMES)
        before = "" if request.before is None else f"{statistics.median(timed_ms(request.before, request.times_before)):,.0f}"
        yield f"| {request.name} | {before} | {now[0]:,.0f} | {statistics.median(now):,.0f} |\n"


def main(trials: int = 1_000_000, markets: int = 1) -> None:
    """Fill, ask, print."""
    tell = sys.stdout.write
    with tempfile.TemporaryDirectory(prefix="coinswarm-bench-") as name:
        folder = Path(name) / "pg"
        with Database(embedded.ensure(folder)) as database:
            store = PostgresStore(database)
            job, seconds = filled(store, trials, markets)
            chaos, patterns = PostgresChaosStore(database), PostgresPatternStore(database)
            context = PlanContext(
                store=store, campaigns=PostgresCampaigns(database), chaos=chaos, patterns=patterns, bars_file=folder / "none"
            )
            tell(f"commit of {ROWS:,} trials: median {1000 * statistics.median(seconds):,.0f} ms, last {1000 * seconds[-1]:,.0f} ms\n")
            database.run(lambda connection: connection.execute(sa.text("ANALYZE trials")))
            large = Large(store=store, browse=PostgresBrowse(database), context=context, job=job)
            for part in (boards, pages, whole):
                for line in table(part(large)):
                    tell(line)
                    sys.stdout.flush()
        embedded.stop(folder, force=True)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
