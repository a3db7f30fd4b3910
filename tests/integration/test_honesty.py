"""The benchmark of honesty as a job: each world judged once, by the real pipelines, whoever computes and however often it is stopped."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from cluster.run.steps import StepDriver

from cluster.compute.executor import Crew
from cluster.compute.local_executor import LocalCrew
from cluster.jobs import spec as jobs
from cluster.jobs.evolve.loop import Ending
from cluster.jobs.honesty import page as honesty_page
from cluster.jobs.honesty import plan as honesty
from cluster.jobs.honesty import rates_picture as honesty_picture
from cluster.jobs.honesty import work as judging
from cluster.jobs.honesty.plan import Cell, EvolveSettings, HonestySettings, PatternSettings, Plan, Trial, Worlds, WorldSearch
from cluster.jobs.progress import Advance, Silent
from cluster.run import lease as patience
from coinswarm import errors
from coinswarm.ledger.memory import MemoryStore
from coinswarm.ledger.records import Json
from coinswarm.market import synthetic
from coinswarm.market.bars import Bars
from coinswarm.market.timeframe import Timeframe
from coinswarm.patterns import Hold, Pattern
from coinswarm.validate.worlds import Plant

SMALL = PatternSettings(trades=3000, hold="15m..1h", depth=2, flips=99)
NULLS = HonestySettings(cells=(Cell(family="N0"), Cell(family="N3")), worlds=3, patterns=SMALL)
FREE = SMALL.model_copy(update={"trades": 20_000, "hold": "15m", "side": "long", "costs": honesty.FREE})
LIKE = (synthetic.market("BTC/USDT", Timeframe.parse("5m"), 40_000, seed=1),)
PLAY = Path("plays/worlds/volume_surge.yml")


class Stopper(Silent):
    """Wants the driver stopped after so many worlds."""

    def __init__(self, after: int) -> None:
        self._left = after + 1

    def on_advance(self, advance: Advance) -> None:
        self._left -= 1

    def stopped(self) -> bool:
        return self._left <= 0


def planned(settings: HonestySettings = NULLS, *, play: Path | None = None) -> Plan:
    return honesty.plan(settings, Path("no catalog"), (), n_bars=6000, play=play, markets=2)


def driven(store: MemoryStore, plan: Plan, crew: Crew, judge: Callable[..., Json] = judging.judge, *, stop_after: int = 10**9) -> Ending:
    lease, stopper = jobs.claim(store, plan.job.id, lease_s=patience.LEASE_S), Stopper(stop_after)
    return StepDriver(store, watcher=stopper, stopped=stopper.stopped).run(plan.job.id, lease, Worlds(plan, crew, judge))


def submitted(plan: Plan) -> MemoryStore:
    store = MemoryStore()
    honesty.submit(store, plan)
    return store


@pytest.fixture(scope="module")
def undisturbed() -> Ending:
    plan = planned()
    return driven(submitted(plan), plan, LocalCrew())


def test_every_kind_of_world_is_counted_beside_the_usual_ways_of_selecting(undisturbed: Ending) -> None:
    cells = undisturbed.result["cells"]
    assert [(cell["cell"], cell["worlds"]) for cell in cells] == [("N0", 3), ("N3", 3)]
    assert {"significant", "welch bonferroni", "binomial bh"} <= set(cells[0]["flags"])
    assert all(cell["recovered"]["count"] == 0 and cell["promoted"]["of"] == 3 for cell in cells)
    assert cells[0]["promoted"]["low"] <= cells[0]["promoted"]["rate"] <= cells[0]["promoted"]["high"] < 1


def test_a_run_that_was_stopped_and_resumed_ends_with_the_same_verdicts(undisturbed: Ending) -> None:
    plan = planned()
    store = submitted(plan)
    assert driven(store, plan, LocalCrew(), stop_after=2).status == "cancelled"
    store.resume(plan.job.id)
    again = honesty.plan_again(store.job(plan.job.id), Path("no catalog"))
    assert driven(store, again, LocalCrew()).result_hash == undisturbed.result_hash


def judge_and_die_once(trial: Trial, *like: Bars) -> Json:
    mark = Path(trial.play)
    if trial.number == 1 and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return judging.judge(replace(trial, play=""), *like)


@pytest.mark.slow
def test_killing_a_worker_changes_no_verdict(undisturbed: Ending, ray_crew: Crew, tmp_path: Path) -> None:
    plan = replace(planned(), play=str(tmp_path / "died"))
    ending = driven(submitted(plan), plan, ray_crew, judge_and_die_once)
    assert (tmp_path / "died").exists()
    assert ending.result_hash == undisturbed.result_hash


def test_no_two_worlds_of_a_kind_are_the_same() -> None:
    stages = Worlds(planned(), LocalCrew(), judging.judge)
    trials = [stages.trial(step) for step in range(stages.total)]
    assert len({(trial.cell, trial.seed) for trial in trials}) == stages.total


def test_a_family_that_is_not_there_is_named() -> None:
    with pytest.raises(errors.NotFound, match="N3d"):
        HonestySettings(cells=(Cell(family="N3e"),))


def test_what_a_pattern_is_worth_is_measured_in_worlds_nobody_searched() -> None:
    every, cell = Pattern((Hold(low=3, high=3),)), Cell(family="planted", plant=Plant(effect=1.0, depth=1, hold=3))
    found = judging.true_effect(every, cell, LIKE, FREE, fresh=2)
    assert not found.holds
    surge = judging.patterns.Band(feature="volume_ratio(20)", low=2.5)
    found = judging.true_effect(Pattern((surge,)), cell, LIKE, FREE, fresh=2)
    assert found.holds
    assert 0.2 < found.effect / (LIKE[0].close[1:] / LIKE[0].close[:-1] - 1).std() / 3**0.5 < 1.5


def test_a_large_planted_move_is_found_and_true() -> None:
    cell = Cell(family="planted", plant=Plant(effect=1.0, depth=1, hold=3))
    figures = judging.judge(Trial(cell=cell, number=1, settings=HonestySettings(cells=(cell,), patterns=FREE)), *LIKE)
    assert figures["promoted"] >= 1
    assert figures["true"] >= 1


def test_a_pattern_that_no_trade_fulfils_is_worth_nothing() -> None:
    nobody = Pattern((Hold(low=999, high=999),))
    found = judging.true_effect(nobody, Cell(family="N0"), LIKE, FREE, fresh=2)
    assert (found.trades, found.holds) == (0, False)


def test_the_look_ahead_canary_is_caught() -> None:
    cell = Cell(family="look-ahead")
    figures = judging.judge(Trial(cell=cell, number=1, settings=HonestySettings(cells=(cell,), patterns=FREE)), *LIKE)
    assert figures["flags"]["leak found"]


def searched(family: Cell, costs: honesty.WorldCosts | None = None) -> Json:
    search = WorldSearch(population=60, generations=6, constraints=())
    settings = HonestySettings(pipeline="evolve", cells=(family,), evolve=EvolveSettings(search=search, costs=costs))
    plan = planned(settings, play=PLAY)
    return judging.judge(Worlds(plan, LocalCrew(), judging.judge).trial(0), *LIKE)


def test_a_search_of_noise_is_stopped_by_a_gate_that_is_named() -> None:
    figures = searched(Cell(family="N0"))
    assert (figures["promoted"], figures["broken"] != "") == (0, True)
    assert set(figures["flags"]) >= {"best in sample", "best in sample, p < .05 out of sample"}


def test_page_and_picture_say_what_was_counted(undisturbed: Ending, tmp_path: Path) -> None:
    job = replace(planned().job, status="done", result=undisturbed.result)
    page, picture = honesty_page.write([job], tmp_path / "honesty.md")
    text = page.read_text()
    assert "| judged by | N0 | N3 |" in text
    assert "0 of 3" in text
    assert "Not run yet." in text
    assert picture.read_text().startswith("<svg")


def test_the_band_of_400_worlds_is_10_to_32() -> None:
    assert honesty_picture.band(400) == (10, 32)
