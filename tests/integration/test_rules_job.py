"""Known rules tested by the command: judged together, kept in the library, the same for any number of workers."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cluster import bootstrap
from cluster.cli.app import main
from cluster.compute.local_executor import LocalCrew
from cluster.compute.ray.executor import RayCrew
from cluster.jobs.progress import Silent
from cluster.jobs.rules import plan as driving
from coinswarm import errors
from coinswarm.ledger.memory import MemoryStore
from coinswarm.ledger.patterns import MemoryPatternStore
from coinswarm.market.catalog import Catalog
from coinswarm.validate import worlds
from tests.unit.patterns.made_trades import walk

Command = Callable[..., Any]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with one market in which nothing can be known."""
    folder = tmp_path_factory.mktemp("rules")
    with Catalog.open(folder / "bars.duckdb") as catalog:
        catalog.put(walk(32, n=20_000), source="a test")
    return folder


@pytest.fixture
def command(home: Path, database_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    monkeypatch.setenv("COINSWARM_HOME", str(home))
    monkeypatch.setenv("COINSWARM_DATABASE_URL", database_url)

    def call(*words: str, code: int = 0) -> Any:
        with pytest.raises(SystemExit) as ended:
            main([*words, "--json"])
        said = capsys.readouterr()
        assert ended.value.code == code, said.err
        return json.loads(said.out) if code == 0 else said.err

    return call


def test_every_rule_of_a_source_is_tried_and_what_was_judged_is_in_the_library(command: Command) -> None:
    found = command("patterns", "test", "--source", "technical", "-s", "BTC/USDT", "--segments", "8", "--flips", "199")
    names = {file.path.stem for file in driving.catalogue("technical") if file.path is not None}
    assert {entry["rule"] for entry in found["rulings"]} == names
    judged = [entry for entry in found["rulings"] if entry["verdict"] in ("better", "no better")]
    kept = command("patterns", "list", "--source", "technical", "-n", "100")
    assert judged
    assert {record["name"] for record in kept} >= {f"{entry['rule']}, {entry['side']}" for entry in judged}
    assert command("jobs", "show", found["job"])["kind"] == "test"


def test_a_rule_whose_other_market_is_not_stored_says_so_and_the_others_are_tested(command: Command) -> None:
    found = command("patterns", "test", "--source", "academic", "-s", "BTC/USDT", "--segments", "8", "--flips", "199")
    assert found["refused"] == {}
    assert len({entry["rule"] for entry in found["rulings"]}) == len(driving.catalogue("academic"))


def test_what_cannot_be_tested_is_refused_before_anything_is_written(command: Command) -> None:
    assert "technical or academic" in command("patterns", "test", "--source", "folklore", code=2)
    assert "a market" in command("patterns", "test", code=2)
    assert "a campaign has a name" in command("patterns", "test", "-s", "BTC/USDT", "--campaign", " ", code=2)
    assert "a segment needs" in command("patterns", "test", "-s", "BTC/USDT", "--segment-bars", "30000", code=2)


def test_bars_that_know_the_next_one_are_refused_before_anything_is_written(command: Command, home: Path) -> None:
    (leaking,) = worlds.make("look-ahead", [walk(33, n=8_000, symbol="LEAK/USDT")], seed=1)
    with Catalog.open(home / "bars.duckdb") as catalog:
        catalog.put(leaking, source="a test")
    assert "LOOK-AHEAD: volume of" in command("patterns", "test", "-s", "LEAK/USDT", code=2)


def test_a_cluster_rules_as_one_process_does(home: Path, ray_crew: RayCrew) -> None:
    plays = driving.catalogue("technical")[:4]
    request = driving.Request(
        source="technical", plays=plays, markets=("BTC/USDT",), settings=driving.RulingSettings(segments=8, flips=199)
    )
    hashes = set()
    for crew in (LocalCrew(), ray_crew):
        store = MemoryStore()
        library = MemoryPatternStore(store)
        plan = driving.plan(request, home / "bars.duckdb")
        driving.submit_plan(store, plan)
        rules = driving.Rules(plan, crew, library)
        ending = bootstrap.drive_steps(store, plan.job.id, rules, watcher=Silent(), stopped=lambda: False, workers=lambda: 1)
        hashes.add(ending.result_hash)
    assert len(hashes) == 1


def test_the_same_rule_twice_is_refused(home: Path) -> None:
    play = driving.catalogue("technical")[0]
    with pytest.raises(errors.InvalidArgument, match="tested once"):
        driving.plan(
            driving.Request(source="technical", plays=(play, play), markets=("BTC/USDT",), settings=driving.RulingSettings()),
            home / "bars.duckdb",
        )
