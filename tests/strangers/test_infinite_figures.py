"""A profit factor without a loss had four spellings, and ranked first with two trades."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psycopg
import pytest

from cluster.store.database import Database
from cluster.store.postgres import PostgresStore
from coinswarm import codec, errors, notebook
from coinswarm.evolve import Constraint, Objective, SearchSettings, reduction
from coinswarm.ledger.memory import MemoryStore
from coinswarm.ledger.store import Store
from coinswarm.metrics.figures import SCORE_DTYPE
from coinswarm.report import wording
from tests import jobs_world
from tests.integration import evolve_world
from tests.jobs_world import RunWorld
from tests.laws.ledger_world import generation, running, scored, trials

TWO_TRADES, MANY, NO_TRADE = range(3)


def _table() -> np.ndarray:
    """Three variants on one market: two wins and no loss; 180 trades that win twice what they lose; none."""
    table = np.zeros((3, 1), dtype=SCORE_DTYPE)
    table["profit_factor"][:, 0] = [math.inf, 2.0, 0.0]
    table["n_trades"][:, 0] = [2, 180, 0]
    return table


def _settings(**more: object) -> SearchSettings:
    return SearchSettings(objectives=(Objective(name="profit_factor"),), **more)


def test_dividing_by_nothing_does_not_win() -> None:
    fitness = reduction.fitness(reduction.results(_table(), _settings()), _settings())
    assert np.isnan(fitness[TWO_TRADES])
    assert int(np.nanargmax(fitness)) == MANY


def test_the_reason_says_how_few_trades_there_were() -> None:
    assert reduction.without_value(_table(), _settings()) == {TWO_TRADES: "profit_factor has no value: it divides by 0 (2 closed trades)"}


def test_an_infinite_figure_still_keeps_a_lower_limit() -> None:
    """Nothing was lost, so a profit factor of at least 1.5 is kept: a limit is no ranking."""
    limit = Constraint(figure="profit_factor", operator=">=", threshold=1.5)
    assert reduction.results(_table(), _settings(constraints=(limit,))).violation[TWO_TRADES] == 0


def test_it_is_a_dash_in_every_table_null_in_json_and_missing_in_a_frame() -> None:
    assert (wording.figure("profit_factor", math.inf, 5.0), wording.number(math.inf)) == (wording.MISSING, wording.MISSING)
    assert (
        json.loads(json.dumps(codec.plain({"profit_factor": math.inf})))
        == codec.plain({"profit_factor": math.inf})
        == {"profit_factor": None}
    )
    assert notebook.frame(_table()[:, 0])["profit_factor"].to_list() == [None, 2.0, 0.0]


@pytest.fixture(params=["memory", "postgres"])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    if request.param == "memory":
        yield MemoryStore()
        return
    with Database(request.getfixturevalue("database_url"), patience_s=5.0) as opened:
        yield PostgresStore(opened)


def test_a_leaderboard_by_a_figure_leaves_out_what_has_no_value(store: Store) -> None:
    job, lease = running(store)
    figures = scored(["a", "b"], profit_factor=np.array([math.inf, 1.2]))
    store.commit_generation(lease, [generation(job)], [trials(job, ["a", "b"])], [figures])
    assert [row.variant for row in store.leaderboard(job.id, by="profit_factor")] == ["b"]


def test_sql_shows_what_has_no_value_as_null(database_url: str) -> None:
    with Database(database_url, patience_s=5.0) as opened:
        store = PostgresStore(opened)
        job, lease = running(store)
        figures = scored(["a", "b", "c"], profit_factor=np.array([math.inf, 1.2, math.nan]))
        store.commit_generation(lease, [generation(job)], [trials(job, ["a", "b", "c"])], [figures])
    question = "SELECT profit_factor FROM scores JOIN evaluations ON evaluations.id = evaluation WHERE job = %s ORDER BY variant"
    with psycopg.connect(database_url) as connection:
        assert connection.execute(question, [job.id]).fetchall() == [(None,), (1.2,), (None,)]


def test_a_search_for_the_profit_factor_finds_no_infinite_winner(tmp_path: Path, data_dir: Path) -> None:
    world = evolve_world.world(tmp_path, data_dir)
    context = jobs_world.plan_context(world.catalog)
    search = SearchSettings(population=24, generations=3, seed=7, objectives=(Objective(name="profit_factor"),))
    job = jobs_world.run(jobs_world.planned(world.request(search=search, baselines=False), context), RunWorld(context=context))
    assert job.result is not None
    assert all(math.isfinite(row["fitness"]) and row["fitness"] < 1e6 for row in job.result["winners"])
    every = [reason for batch in context.store.evaluations(job.id) for reason in batch.reasons]
    assert all(reason == "" or "has no value" in reason for reason in every)


# --- limits that cannot be meant --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("figure", "operator", "threshold", "said"),
    [
        ("max_drawdown", "<=", 20, r"must be in \[0, 1\], got max_drawdown<=20. Hint: it is a fraction: 20 % is 0.2"),
        ("win_rate", ">=", 60, r"must be in \[0, 1\], got win_rate>=60. Hint: it is a fraction: 60 % is 0.6"),
        ("profit_factor", ">=", -1.5, r"must be at least 0, got profit_factor>=-1.5"),
        ("n_trades", "<=", -1, r"must be at least 0"),
    ],
)
def test_a_limit_outside_the_range_of_its_figure_is_refused(figure: str, operator: str, threshold: float, said: str) -> None:
    limit = Constraint.model_validate({"figure": figure, "operator": operator, "threshold": threshold})
    with pytest.raises(errors.BadSetting, match=said):
        reduction.check(SearchSettings(constraints=(limit,)))


def test_a_limit_at_the_end_of_a_range_is_taken() -> None:
    limits = (Constraint(figure="win_rate", operator=">=", threshold=1), Constraint(figure="max_drawdown", operator="<=", threshold=0))
    reduction.check(SearchSettings(constraints=limits))


def test_a_stored_search_with_such_a_limit_can_still_be_read() -> None:
    limit = Constraint(figure="max_drawdown", operator="<=", threshold=20)
    assert reduction.results(_table(), _settings(constraints=(limit,))).violation.tolist() == [0, 0, 0]
