"""Known rules tested by the command: judged together, kept in the library, the same for any number of workers."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cluster.cli.app import main
from cluster.compute.ray.executor import RayExecutor
from cluster.jobs.rules.plan import shipped
from cluster.jobs.rules.settings import RuleSettings, RulesRequest
from coinswarm import errors
from coinswarm.market.catalog import Catalog
from coinswarm.validate import worlds
from tests import jobs_world
from tests.jobs_world import RunWorld
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
    names = {file.path.stem for file in shipped("technical") if file.path is not None}
    assert {entry["rule"] for entry in found["rulings"]} == names
    judged = [entry for entry in found["rulings"] if entry["verdict"] in ("better", "no better")]
    kept = command("patterns", "list", "--source", "technical", "-n", "100")
    assert judged
    assert {record["name"] for record in kept} >= {f"{entry['rule']}, {entry['side']}" for entry in judged}
    assert command("jobs", "show", found["job"])["kind"] == "rules"


def test_a_rule_whose_other_market_is_not_stored_says_so_and_the_others_are_tested(command: Command) -> None:
    found = command("patterns", "test", "--source", "academic", "-s", "BTC/USDT", "--segments", "8", "--flips", "199")
    assert found["refused"] == {}
    assert len({entry["rule"] for entry in found["rulings"]}) == len(shipped("academic"))


def test_what_cannot_be_tested_is_refused_before_anything_is_written(command: Command) -> None:
    assert "'technical' or 'academic'" in command("patterns", "test", "--source", "folklore", code=2)
    assert "needs markets" in command("patterns", "test", code=2)
    assert "a campaign has a name" in command("patterns", "test", "-s", "BTC/USDT", "--campaign", " ", code=2)
    assert "a segment needs" in command("patterns", "test", "-s", "BTC/USDT", "--segment-bars", "30000", code=2)


def test_bars_that_know_the_next_one_are_refused_before_anything_is_written(command: Command, home: Path) -> None:
    (leaking,) = worlds.make("look-ahead", [walk(33, n=8_000, symbol="LEAK/USDT")], seed=1)
    with Catalog.open(home / "bars.duckdb") as catalog:
        catalog.put(leaking, source="a test")
    assert "LOOK-AHEAD: volume of" in command("patterns", "test", "-s", "LEAK/USDT", code=2)


def test_a_cluster_rules_as_one_process_does(home: Path, ray_executor: RayExecutor) -> None:
    request = RulesRequest(plays=shipped("technical")[:4], markets=("BTC/USDT",), settings=RuleSettings(segments=8, flips=199))
    hashes = set()
    for executor in (None, ray_executor):
        context = jobs_world.plan_context(home / "bars.duckdb")
        ended = jobs_world.run(jobs_world.planned(request, context), RunWorld(context=context, own_executor=executor))
        hashes.add(ended.result_hash)
    assert len(hashes) == 1


def test_the_same_rule_twice_is_refused(home: Path) -> None:
    play = shipped("technical")[0]
    with pytest.raises(errors.InvalidArgument, match="tested once"):
        jobs_world.planned(RulesRequest(plays=(play, play), markets=("BTC/USDT",)), jobs_world.plan_context(home / "bars.duckdb"))
