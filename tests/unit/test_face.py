"""What a notebook gets from `import coinswarm as cs`, whatever was imported before."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np

import coinswarm as cs
from coinswarm.evolve import SearchSettings
from coinswarm.market import synthetic
from coinswarm.market.timeframe import Timeframe

EXAMPLE = Path(__file__).resolve().parents[2] / "plays" / "examples" / "trend_pullback.yml"
BARS = synthetic.market("AAA/USDT", Timeframe.parse("5m"), 20_000, seed=3)


def test_a_package_can_be_called_and_still_is_a_package() -> None:
    from coinswarm import backtest

    play = cs.load_play(EXAMPLE)
    genome = play.space.sample(np.random.default_rng(0), 1)[0]
    assert cs.backtest(play, BARS, genome=genome).metrics == backtest.run(play, BARS, genome=genome).metrics


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


def test_importing_the_package_loads_nothing_else() -> None:
    code = "import sys, coinswarm; print([m for m in sys.modules if m.startswith('coinswarm.')])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
