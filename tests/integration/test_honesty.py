"""The benchmark of honesty as a job: each world judged once, by the real pipelines, whoever computes and however often it is stopped."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from cluster.compute.executor import Executor
from cluster.compute.local import LocalExecutor
from cluster.jobs import spec
from cluster.jobs.honesty import page as honesty_page
from cluster.jobs.honesty import rates_picture, settings
from cluster.jobs.honesty import work as judging
from cluster.jobs.honesty.settings import Cell, EvolveSettings, HonestyRequest, HonestySettings, PatternSettings, WorldSearch
from cluster.jobs.honesty.stages import Calibration, Judge, Worlds
from cluster.jobs.honesty.work import WorldRun
from cluster.jobs.kind import Planned
from cluster.jobs.progress import Advance, Silent
from cluster.jobs.stages import Steps
from coinswarm import errors
from coinswarm.ledger.memory import MemoryStore
from coinswarm.ledger.records import Json
from coinswarm.market import synthetic
from coinswarm.market.bars import Bars
from coinswarm.market.timeframe import Timeframe
from coinswarm.patterns import Hold, Pattern
from coinswarm.validate.worlds import Plant
from tests import jobs_world
from tests.jobs_world import Ending

SMALL = PatternSettings(trades=3000, hold="15m..1h", depth=2, flips=99)
NULLS = HonestySettings(cells=(Cell(family="N0"), Cell(family="N3")), worlds=3, patterns=SMALL)
FREE = SMALL.model_copy(update={"trades": 20_000, "hold": "15m", "side": "long", "costs": settings.FREE})
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


def planned(asked: HonestySettings = NULLS, *, play: Path | None = None) -> Planned:
    plays = () if play is None else (jobs_world.play(play.read_text()),)
    request = HonestyRequest(settings=asked, plays=plays, n_bars=6000, markets=2)
    return jobs_world.planned(request, jobs_world.plan_context(Path("no catalog")))


def run_of(made: Planned) -> Calibration:
    return Calibration.of(made, Path("no catalog"))


def driven(
    store: MemoryStore, job: str, run: Calibration, executor: Executor, judge: Judge = judging.judge, *, stop_after: int = 10**9
) -> Ending:
    stopper, steps = Stopper(stop_after), Steps(store, job, Worlds(run, executor, judge))
    return jobs_world.driven(store, job, steps, watcher=stopper, stopped=stopper.stopped)


def submitted(made: Planned) -> MemoryStore:
    store = MemoryStore()
    spec.submit(store, made)
    return store


@pytest.fixture(scope="module")
def undisturbed() -> Ending:
    made = planned()
    return driven(submitted(made), made.job.id, run_of(made), LocalExecutor())


def test_every_kind_of_world_is_counted_beside_the_usual_ways_of_selecting(undisturbed: Ending) -> None:
    cells = undisturbed.result["cells"]
    assert [(cell["cell"], cell["worlds"]) for cell in cells] == [("N0", 3), ("N3", 3)]
    assert {"significant", "welch bonferroni", "binomial bh"} <= set(cells[0]["flags"])
    assert all(cell["recovered"]["count"] == 0 and cell["promoted"]["of"] == 3 for cell in cells)
    assert cells[0]["promoted"]["low"] <= cells[0]["promoted"]["rate"] <= cells[0]["promoted"]["high"] < 1


def test_a_run_that_was_stopped_and_resumed_ends_with_the_same_verdicts(undisturbed: Ending) -> None:
    made = planned()
    store, job = submitted(made), made.job.id
    assert driven(store, job, run_of(made), LocalExecutor(), stop_after=2).status == "cancelled"
    store.resume(job)
    again = run_of(spec.stored(store, job))
    assert driven(store, job, again, LocalExecutor()).result_hash == undisturbed.result_hash


def judge_and_die_once(run: WorldRun, *like: Bars) -> Json:
    mark = Path(run.play)
    if run.number == 1 and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return judging.judge(replace(run, play=""), *like)


@pytest.mark.slow
def test_killing_a_worker_changes_no_verdict(undisturbed: Ending, ray_executor: Executor, tmp_path: Path) -> None:
    made = planned()
    run = replace(run_of(made), play=str(tmp_path / "died"))
    ending = driven(submitted(made), made.job.id, run, ray_executor, judge_and_die_once)
    assert (tmp_path / "died").exists()
    assert ending.result_hash == undisturbed.result_hash


def test_no_two_worlds_of_a_kind_are_the_same() -> None:
    stages = Worlds(run_of(planned()), LocalExecutor())
    runs = [stages.world(step) for step in range(stages.total)]
    assert len({(run.cell, run.seed) for run in runs}) == stages.total


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
    figures = judging.judge(WorldRun(cell=cell, number=1, settings=HonestySettings(cells=(cell,), patterns=FREE)), *LIKE)
    assert figures["promoted"] >= 1
    assert figures["true"] >= 1


def test_a_pattern_that_no_trade_fulfils_is_worth_nothing() -> None:
    nobody = Pattern((Hold(low=999, high=999),))
    found = judging.true_effect(nobody, Cell(family="N0"), LIKE, FREE, fresh=2)
    assert (found.trades, found.holds) == (0, False)


def test_the_look_ahead_canary_is_caught() -> None:
    cell = Cell(family="look-ahead")
    figures = judging.judge(WorldRun(cell=cell, number=1, settings=HonestySettings(cells=(cell,), patterns=FREE)), *LIKE)
    assert figures["flags"]["leak found"]


def searched(family: Cell) -> Json:
    search = WorldSearch(population=60, generations=6, constraints=())
    asked = HonestySettings(pipeline="evolve", cells=(family,), evolve=EvolveSettings(search=search, costs=None))
    return judging.judge(Worlds(run_of(planned(asked, play=PLAY)), LocalExecutor()).world(0), *LIKE)


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
    assert rates_picture.band(400) == (10, 32)
