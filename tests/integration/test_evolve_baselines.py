"""What evolution has to beat, laid on at equal cost, and the library of kinds that a run leaves."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cluster.cli import app
from cluster.compute.batching import BatchEvaluator
from cluster.compute.evaluator import Lottery, ScoreRequest
from cluster.compute.local import LocalExecutor
from cluster.jobs.evolve import baselines as yardsticks
from cluster.store.postgres import PostgresStore
from coinswarm.evolve.settings import Objective
from coinswarm.ledger.memory import MemoryStore
from coinswarm.ledger.records import IN_SAMPLE
from tests.integration.evolve_world import LastFirst, Witness, World, driven


def test_random_parameters_and_lotteries_are_tried_at_equal_cost(small_world: World) -> None:
    result = driven(MemoryStore(), BatchEvaluator(LocalExecutor()), small_world.plan()).result
    for name in ("random", "lottery"):
        yardstick = result["baselines"][name]
        assert yardstick["evaluations"] == result["evaluations"]
        assert yardstick["margin"] == pytest.approx(result["best"]["fitness"] - yardstick["best"])
        assert yardstick["beaten"] == (yardstick["margin"] > 0)
        assert yardstick["objectives"][0]["margin"] == pytest.approx(yardstick["margin"])
    assert result["baselines"]["beaten"] == all(result["baselines"][name]["beaten"] for name in ("random", "lottery"))


def test_yardsticks_are_the_same_in_whatever_order_their_lots_come_in(small_world: World) -> None:
    results = [
        driven(MemoryStore(), each, small_world.plan()).result
        for each in (BatchEvaluator(LocalExecutor()), LastFirst(BatchEvaluator(LocalExecutor())))
    ]
    assert results[0]["baselines"] == results[1]["baselines"]


def test_each_objective_is_compared_in_its_own_direction(small_world: World) -> None:
    planned = small_world.plan()
    both = (Objective(name="sharpe"), Objective(name="max_drawdown", direction="min"))
    result = driven(
        MemoryStore(), BatchEvaluator(LocalExecutor()), replace(planned, search=planned.search.model_copy(update={"objectives": both}))
    ).result
    rows = result["baselines"]["random"]["objectives"]
    assert [row["objective"] for row in rows] == ["sharpe", "max_drawdown"]
    assert rows[1]["margin"] == pytest.approx(rows[1]["baseline"] - rows[1]["evolved"])
    assert 0 < rows[1]["evolved"] < 1


def test_a_space_that_was_tried_whole_is_compared_with_the_lottery_alone(small_world: World) -> None:
    few = "version: '3.0.0'\nname: few\ntimeframes: { low_tf: 5m, exec: low_tf }\n"
    few += "features: { rsi: { indicator: rsi, params: { length: [7, 14, 21] } } }\n"
    few += "actions: { entry_long: [ [rsi, '<', [25, 30]] ] }\nrisk: { stop_loss_pct: 2.0, take_profit_pct: 2.0 }\n"
    result = driven(MemoryStore(), BatchEvaluator(LocalExecutor()), small_world.plan(text=few)).result
    assert result["baselines"]["random"] is None
    assert result["whole"]
    assert result["baselines"]["lottery"]["evaluations"] == result["evaluations"] >= result["distinct"] == 6


def test_nothing_feasible_is_beaten_by_nothing(small_world: World) -> None:
    planned = small_world.plan()
    hopeless = planned.search.model_copy(update={"constraints": (planned.search.constraints[0].model_copy(update={"threshold": 1e6}),)})
    found = driven(MemoryStore(), BatchEvaluator(LocalExecutor()), replace(planned, search=hopeless)).result["baselines"]
    assert (found["random"]["beaten"], found["lottery"]["beaten"], found["beaten"]) == (False, False, False)
    assert math.isnan(found["random"]["best"])


def test_a_cancelled_job_lays_on_no_yardstick(small_world: World) -> None:
    result = driven(MemoryStore(), BatchEvaluator(LocalExecutor()), small_world.plan(), witness=Witness(stop_after=2)).result
    assert result["baselines"] == yardsticks.NONE


def test_lotteries_of_a_variant_trade_on_every_market_with_its_own_habit(small_world: World) -> None:
    task = small_world.plan().task
    genome = task.setups[0].play.space.sample(np.random.default_rng(1), 1)
    evaluator = BatchEvaluator(LocalExecutor())
    evaluator.open(task)
    lottery = Lottery(genome=tuple(genome[0].tolist()), seed=3)
    evaluator.submit(ScoreRequest(token=1, setup=0, segment=IN_SAMPLE, genomes=genome))
    evaluator.submit(ScoreRequest(token=2, setup=0, segment=IN_SAMPLE, genomes=np.arange(60.0)[:, None], lottery=lottery))
    itself, drawn = evaluator.collect(60.0).figures, evaluator.collect(60.0).figures
    assert drawn.shape == (60, 2)
    np.testing.assert_allclose(drawn["n_trades"].mean(axis=0), itself["n_trades"][0], rtol=0.4)
    assert not np.array_equal(drawn["total_return"][:, 0], drawn["total_return"][:, 1])


def test_the_archive_command_shows_a_map_a_list_a_page_and_json(
    small_world: World, store: PostgresStore, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setenv("COINSWARM_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COINSWARM_DATABASE_URL", database_url)
    ending = driven(store, BatchEvaluator(LocalExecutor()), small_world.plan(baselines=False))
    for words in (["--json"], ["--html", str(tmp_path / "map.html")]):
        with pytest.raises(SystemExit) as ended:
            app.main(["archive", ending.job, *words])
        assert ended.value.code == 0
    told, shown = capsys.readouterr().out.split("\n", 1)
    (found,) = json.loads(told)["archives"]
    best = max(found["kinds"], key=lambda kind: kind["quality"])
    assert best["evaluation"] == ending.result["best"]["evaluation"]
    assert f"{best['quality']:.2f}" in shown
    page = (tmp_path / "map.html").read_text()
    assert all(kind["evaluation"] in page for kind in found["kinds"])
    assert "<script" not in page
