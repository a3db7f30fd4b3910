"""What a notebook shows, draws and writes, and frames that go in and out."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import coinswarm as cs
from coinswarm import errors
from coinswarm.evolve.convergence import BEST
from coinswarm.market import synthetic
from coinswarm.market.bars import Bars
from coinswarm.market.timeframe import Timeframe
from coinswarm.notebook import Backtested, Evolved

EXAMPLE = Path(__file__).resolve().parents[2] / "plays" / "examples" / "trend_pullback.yml"
BARS = synthetic.market("AAA/USDT", Timeframe.parse("5m"), 20_000, seed=3)


@pytest.fixture(scope="module")
def found() -> Evolved:
    return cs.evolve(cs.load_play(EXAMPLE), BARS, cs.SearchSettings(population=16, generations=3, seed=5), top=4)


@pytest.fixture(scope="module")
def tested(found: Evolved) -> Backtested:
    return found.backtest()


def test_objects_are_a_line_and_a_small_table(found: Evolved, tested: Backtested) -> None:
    for shown in (BARS, found.play, found, found.best(), tested):
        assert len(repr(shown)) < 350
        assert "\n" not in repr(shown)
        assert len(shown._repr_html_()) < 4000
    assert repr(BARS) == "Bars(synthetic:AAA/USDT:5m, 20,000 bars, 2023-01-01 00:00 to 2023-03-11 10:40, SYNTHETIC)"
    assert repr(BARS[:0]) == "Bars(synthetic:AAA/USDT:5m, 0 bars, SYNTHETIC)"
    assert "<table>" in BARS[:0]._repr_html_()
    assert repr(found.play) == "Play('trend_pullback', 5m, 5 features, 8 dimensions, 25,650 variants)"
    assert "SYNTHETIC" in repr(found)
    assert "SYNTHETIC" in repr(tested)


def test_what_is_shown_is_text() -> None:
    named = BARS[:3]
    assert "<b>" not in Bars(**{**vars(named), "exchange": "<b>"})._repr_html_()


def test_a_winner_has_its_parameters_and_figures_of_both_segments(found: Evolved) -> None:
    best = found.best()
    assert best.params == found.play.space.decode(best.genome)
    assert best.figures["in AAA/USDT"]["sharpe"] == found.winners["sharpe_in_AAA/USDT"][0]
    assert best.figures["out AAA/USDT"]["sharpe"] == found.winners["sharpe_out_AAA/USDT"][0]
    assert (best.trials, best.fitness) == (found.trials, found.search.figures[0, 0])
    for rank in (0, 5):
        with pytest.raises(errors.InvalidArgument, match="by its place"):
            found.best(rank)


def test_a_backtest_of_a_winner_is_the_simulators(found: Evolved, tested: Backtested) -> None:
    again = cs.backtest(found.play, BARS, genome=found.best().genome)
    assert again.metrics == tested.metrics
    assert isinstance(again, Backtested)


def test_pictures_stand_alone(found: Evolved, tested: Backtested, tmp_path: Path) -> None:
    for picture in (found.plot(), tested.plot()):
        assert picture._repr_html_() == picture.svg
        written = picture.save(tmp_path / "a.svg").read_text()
        assert written.startswith("<svg")
        assert "<style>" in written
        assert 'class="line-0"' in written
    assert "sharpe of the best variant" in repr(found.plot())


def test_the_fitness_that_is_drawn_never_falls_and_ends_at_the_best(found: Evolved) -> None:
    path = re.findall(r"[ML][\d.]+ ([\d.]+)", found.plot().svg)
    heights = [-float(y) for y in path]
    assert len(heights) == 3
    assert heights == sorted(heights)
    assert found.search.state.islands[0].history[-1, BEST] == -found.best().fitness


def test_a_report_has_both_segments_and_the_number_of_trials(found: Evolved, tested: Backtested, tmp_path: Path) -> None:
    page = found.report(tmp_path / "found.html").read_text()
    assert f"{found.trials} " in page
    assert "out of sample" in page
    assert tested.report(tmp_path / "one.html").read_text().startswith("<!doctype html>")


@pytest.mark.parametrize("frame", [BARS.to_polars(), BARS.to_polars().lazy(), BARS.to_pandas(), BARS.to_pandas().reset_index()])
def test_frames_come_back_as_the_same_bars(frame: object) -> None:
    assert cs.bars_from(frame, symbol="AAA/USDT", exchange="synthetic").content_hash == BARS.content_hash


def test_frames_are_checked_as_files_are() -> None:
    frame = BARS[:50].to_polars()
    broken = frame.with_columns(pl.when(pl.arange(0, 50) == 7).then(-1.0).otherwise(pl.col("low")).alias("low"))
    with pytest.raises(errors.BadBars, match=r"the table has 1 problem(.|\n)*row 8"):
        cs.bars_from(broken, symbol="AAA/USDT")
    with pytest.raises(errors.BadBars, match="newest first"):
        cs.bars_from(frame.reverse(), symbol="AAA/USDT")
    with pytest.raises(errors.InvalidArgument, match="does not tell its market"):
        cs.bars_from(frame)
    with pytest.raises(errors.UnknownColumns):
        cs.bars_from(frame.drop("close"), symbol="AAA/USDT")
    with pytest.raises(errors.InvalidArgument, match="from a Polars or pandas frame, got list"):
        cs.bars_from([1, 2], symbol="AAA/USDT")


def test_a_machine_without_pandas_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(errors.Unavailable, match=r"needs pandas.*pip install pandas"):
        BARS[:3].to_pandas()


def test_an_optimizer_finds_the_best_parameters_and_asks_for_each_once() -> None:
    asked = []

    def far(params: dict[str, object]) -> float:
        asked.append(tuple(params.values()))
        return (params["x"] - 42) ** 2 + (params["y"] - 0.5) ** 2 + (params["k"] == "a")

    space = {"x": range(0, 100, 2), "y": (0.0, 1.0, 0.25), "k": ["a", "b"]}
    found = cs.GAOptimizer(space, far, population=30, generations=30, maximize=False, seed=1).evolve()
    assert (found.best_params, found.best_fitness) == ({"x": 42, "y": 0.5, "k": "b"}, 0.0)
    assert len(asked) == len(set(asked)) == found.trials == found.history["trials"][-1]
    assert found.history["best"].to_list() == sorted(found.history["best"], reverse=True)
    assert len(found.history) == 30
    assert repr(found).startswith("Optimum({'x': 42, 'y': 0.5, 'k': 'b'}, fitness 0, best of ")
    again = cs.GAOptimizer(space, far, population=30, generations=30, maximize=False, seed=1).evolve()
    assert again.history.equals(found.history)


def test_an_optimizer_that_has_tried_everything_is_not_asked_for_nothing() -> None:
    found = cs.GAOptimizer({"x": [1, 2, 3]}, lambda params: params["x"], population=6, generations=9).evolve()
    assert (found.best_params, found.trials) == ({"x": 3}, 3)


def test_values_that_are_missing_never_win() -> None:
    found = cs.GAOptimizer({"x": (-5.0, 5.0)}, lambda params: np.sqrt(params["x"]) if params["x"] > 0 else np.nan, seed=2).evolve()
    assert found.best_fitness > 2.1
    with pytest.raises(errors.ErrorBudgetSpent):
        cs.GAOptimizer({"x": (0, 500)}, lambda _: np.nan).evolve()


@pytest.mark.parametrize("values", [[], (), range(0), "abc", (5, 1), (0, 1, -1), (0.0, float("inf")), (1,), ("a", "b")])
def test_a_parameter_that_says_no_values_is_refused_by_name(values: object) -> None:
    with pytest.raises(errors.InvalidArgument, match=r"^length must"):
        cs.GAOptimizer({"length": values}, lambda _: 0.0)
    with pytest.raises(errors.InvalidArgument, match="needs a parameter"):
        cs.GAOptimizer({}, lambda _: 0.0)
