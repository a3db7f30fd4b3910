"""Every query of docs/sql-cookbook.md, taken from the page itself, on a database in which small jobs of several kinds ran."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row
from typer.testing import CliRunner

from cluster import bootstrap
from cluster.cli.app import app
from cluster.machine import MachineSettings
from cluster.store.database import Database
from cluster.store.patterns import PostgresPatternStore
from cluster.store.postgres import PostgresStore
from coinswarm.ledger.patterns import PatternRecord
from tests.integration import evolve_world
from tests.integration.evolve_world import World, driven
from tests.integration.test_backup import database

PAGE = (Path(__file__).parents[2] / "docs" / "sql-cookbook.md").read_text()
RECIPES = re.findall(r"^### (\d+)\. (.+?)$.*?^```sql\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
Rows = list[dict[str, Any]]


@pytest.fixture(scope="module")
def answers(database_url: str, small_world: World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[int, Rows]]:
    """What each query of the page answers."""
    home = tmp_path_factory.mktemp("cookbook")
    with database(database_url) as url:
        _worked(url, home, small_world)
        with psycopg.connect(url, row_factory=dict_row) as connection:
            yield {int(number): connection.execute(query.encode()).fetchall() for number, _, query in RECIPES}


def _worked(url: str, home: Path, world: World) -> None:
    """A vault, random trades, a pattern that later bars rejected, a search that waits and two that ended."""
    run(
        url,
        home,
        world,
        "vault",
        "declare",
        "--campaign",
        "careful",
        "--longest-hold",
        "6",
        *(word for key in world.markets for word in ("--symbol", key)),
    )
    run(url, home, world, "chaos", "run", "--trades", "3000", "--symbol", world.markets[0], "--campaign", "random")
    with Database(url) as opened, bootstrap.local_evaluator(MachineSettings(home=home)) as evaluator:
        PostgresPatternStore(opened).add([_pattern()], alpha=0.05, procedure="lond")
        store = PostgresStore(opened)
        evolve_world.submit(store, world.plan(seed=3))
        for seed in (1, 2):
            driven(store, evaluator, world.plan(seed=seed, generations=4, population=24, baselines=False))


def _pattern() -> PatternRecord:
    return PatternRecord(
        id="p1", source="technical", name="after a fall", conditions=[], figures={}, job="", p_confirm=0.2,
        discovered_at=datetime(2025, 1, 2, tzinfo=UTC), evidence={}, synthetic=False,
    )  # fmt: skip


def run(url: str, home: Path, world: World, *words: str) -> Any:
    """What a command answers."""
    environment = {"HOME": home, "DATABASE_URL": url, "BARS_PATH": world.catalog, "COMPUTE": "process", "DEBUG": ""}
    runner = CliRunner(env={f"COINSWARM_{name}": str(value) for name, value in environment.items()})
    done = runner.invoke(app, [*words, "--json"])
    assert done.exit_code == 0, done.stderr
    return json.loads(done.stdout)


def test_the_page_has_twenty_questions_in_order() -> None:
    assert [int(number) for number, _, _ in RECIPES] == list(range(1, 21))
    assert PAGE.count("```sql") == 20
    assert all(title.endswith("?") and query.rstrip().endswith(";") for _, title, query in RECIPES)


@pytest.mark.parametrize("number", [int(number) for number, _, _ in RECIPES])
def test_a_question_has_an_answer(answers: dict[int, Rows], number: int) -> None:
    assert answers[number]
    assert all(any(value is not None for value in row.values()) for row in answers[number])


def test_jobs_are_told_as_they_are(answers: dict[int, Rows]) -> None:
    assert {(row["kind"], row["status"]) for row in answers[1]} == {("evolve", "done"), ("evolve", "queued"), ("chaos", "done")}
    assert [(row["status"], row["driver"], row["lost"]) for row in answers[2]] == [("queued", "nobody", False)]
    assert all(row["took"] > timedelta(0) for row in answers[1] if row["status"] == "done")
    assert all(len(row["results"]) == 1 for row in answers[5])


def test_a_search_gets_better_and_its_best_lead_the_board(answers: dict[int, Rows]) -> None:
    best = [row["best"] for row in answers[3] if row["best"] is not None]
    assert best == sorted(best)
    fitness = [row["fitness"] for row in answers[6]]
    assert fitness == sorted(fitness, reverse=True)
    assert any(row["oos_sharpe"] is not None for row in answers[6])
    assert (answers[12][0]["depth"], answers[12][0]["fitness"]) == (0, fitness[0])


def test_what_was_tried_adds_up(answers: dict[int, Rows]) -> None:
    counted = {row["campaign"]: row for row in answers[15]}
    evaluations = sum(row["evaluations"] for row in counted.values())
    assert evaluations == sum(row["variants"] for row in answers[14]) > 100
    assert sum(row["children"] for row in answers[13]) == evaluations
    assert sum(row["trades"] for row in answers[18]) == 3000
    assert {row["side"] for row in answers[18]} == {"long", "short"}


def test_nothing_on_the_front_is_beaten_in_both(answers: dict[int, Rows]) -> None:
    front = [(row["max_drawdown"], row["total_return"]) for row in answers[9]]
    assert front == sorted(front)
    assert [gain for _, gain in front] == sorted(gain for _, gain in front)


def test_a_declared_vault_and_the_bars_that_were_seen_are_told(answers: dict[int, Rows]) -> None:
    assert [(row["campaign"], row["openings"]) for row in answers[17]] == [("careful", 0)]
    assert {row["key"] for row in answers[16]} == {"binance:BTC/USDT:5m", "binance:ETH/USDT:5m"}
    assert [(row["name"], row["status"], row["level"] > 0) for row in answers[20]] == [("after a fall", "rejected", True)]
