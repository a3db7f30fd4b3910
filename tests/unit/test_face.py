"""What a notebook gets from `import coinswarm as cs`, whatever was imported before."""

from __future__ import annotations

import inspect
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import coinswarm as cs
from coinswarm.backtest import run
from coinswarm.evolve import SearchSettings
from coinswarm.market import synthetic
from coinswarm.market.timeframe import Timeframe

EXAMPLE = Path(__file__).resolve().parents[2] / "plays" / "examples" / "trend_pullback.yml"
BARS = synthetic.market("AAA/USDT", Timeframe.parse("5m"), 20_000, seed=3)


@pytest.mark.parametrize("before", ["coinswarm.backtest", "coinswarm.backtest.run", "coinswarm.chaos.drawing", "coinswarm.evolve.loop"])
def test_a_name_of_the_face_is_a_function_whatever_was_imported_before(before: str) -> None:
    code = f"import {before}, types, coinswarm as cs; print([type(f) is types.FunctionType for f in (cs.backtest, cs.chaos, cs.evolve)])"
    assert printed(code) == "[True, True, True]"


def test_a_name_of_the_face_is_a_function_whatever_is_imported_after() -> None:
    code = "import coinswarm as cs; before = cs.evolve; import coinswarm.evolve.loop, coinswarm.notebook; print(cs.evolve is before)"
    assert printed(code) == "True"


def test_the_face_lists_its_names() -> None:
    assert dir(cs) == sorted(cs.__all__)
    assert {"GAOptimizer", "backtest", "bars_from", "chaos", "evolve", "load_play", "read_bars", "score", "stats"} <= set(dir(cs))
    assert all(getattr(cs, name) for name in cs.__all__)


@pytest.mark.parametrize("name", [name for name in cs.__all__ if name != "stats"])
def test_help_on_a_name_of_the_face_shows_its_parameters_and_what_it_does(name: str) -> None:
    thing = getattr(cs, name)
    parameters = inspect.signature(thing).parameters
    assert "args" not in parameters
    assert parameters
    assert thing.__doc__


def test_a_backtest_in_a_notebook_is_the_simulators() -> None:
    play = cs.load_play(EXAMPLE)
    genome = play.space.sample(np.random.default_rng(0), 1)[0]
    assert cs.backtest(play, BARS, genome=genome).metrics == run.run(play, BARS, genome=genome).metrics


def test_scores_come_as_one_row_a_variant() -> None:
    play = cs.load_play(EXAMPLE)
    genomes = play.space.sample(np.random.default_rng(1), 5)
    settings = [play.space.decode(genome) for genome in genomes]
    assert cs.score(play, genomes, BARS).equals(cs.score(play, settings, BARS))


def test_evolution_in_a_notebook_tells_how_much_it_tried() -> None:
    found = cs.evolve(cs.load_play(EXAMPLE), BARS, SearchSettings(population=16, generations=3, seed=5), top=4)
    assert found.winners.height == 4
    assert 16 <= found.trials <= 48
    assert {"sharpe_in_AAA/USDT", "sharpe_out_AAA/USDT"} <= set(found.winners.columns)


def test_importing_the_package_loads_three_packages_and_nothing_in_them() -> None:
    code = "import sys, coinswarm; print(sorted(m for m in sys.modules if m.startswith(('coinswarm.', 'numpy.', 'pydantic.'))))"
    assert printed(code) == "['coinswarm.backtest', 'coinswarm.chaos', 'coinswarm.evolve']"


def printed(code: str) -> str:
    """What a new interpreter prints."""
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
