"""Lottery trading: the same exits and costs on entries drawn at random, held equal to the reference simulator."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from coinswarm import fitness, play
from coinswarm.backtest import rules, tape
from coinswarm.backtest.decisions import decide
from coinswarm.backtest.simulate import Simulation
from coinswarm.fitness import lottery
from coinswarm.kernels import bits
from coinswarm.kernels.codes import N_OUTCOME
from coinswarm.market import synthetic
from coinswarm.market.bars import Bars
from coinswarm.market.timeframe import Timeframe
from coinswarm.metrics.figures import Status
from coinswarm.play import variants

TEXT = """
version: "3.0.0"
name: crossing
timeframes: { low_tf: 5m, exec: low_tf }
features:
  fast: { indicator: ema, params: { length: [8, 12] } }
  slow: { indicator: ema, params: { length: [30, 50] } }
actions:
  entry_long: { all: [ [fast, cross_above, slow] ] }
  exit_long: { any: [ [fast, cross_below, slow] ] }
  entry_short: { all: [ [fast, cross_below, slow] ] }
  exit_short: { any: [ [fast, cross_above, slow] ] }
risk: { stop_loss_pct: [1.0, 2.0], take_profit_pct: 3.0 }
position_policy: { mode: long_short, exit_mode: first_hit, reverse: REVERSE }
"""
GENOME = np.array([0.0, 1.0, 0.0])


@pytest.fixture(scope="module")
def bars() -> Bars:
    return synthetic.market("BTC/USDT", Timeframe.parse("5m"), 3000, seed=4)


def scorer_of(bars: Bars, *, reverse: bool = False) -> fitness.Scorer:
    return fitness.Scorer(play.loads(TEXT.replace("REVERSE", str(reverse).lower())), bars)


@pytest.mark.parametrize("reverse", [False, True])
def test_a_lottery_is_what_the_reference_simulator_makes_of_the_same_entries(bars: Bars, *, reverse: bool) -> None:
    scorer = scorer_of(bars, reverse=reverse)
    known = lottery.habit(scorer, GENOME)
    longs, shorts = lottery.entries(known, len(bars), np.random.default_rng(2))
    score = scorer.score_entries(GENOME, bits.packed(longs)[None], bits.packed(shorts)[None])[0]
    fixed = variants.fix(scorer.play, GENOME)
    decided = replace(decide(fixed, bars), entry_long=longs, entry_short=shorts)
    slow = Simulation(tape.of(bars), decided, rules.of(fixed, scorer.costs, scorer.account))
    slow.run()
    assert len(slow.portfolio.trades) - score["n_open"] == score["n_trades"] > 10
    assert slow.portfolio.equity[-1] == pytest.approx(scorer.account.starting_equity * (1 + score["total_return"]), rel=1e-9)


@pytest.mark.parametrize("reverse", [False, True])
def test_lotteries_trade_about_as_often_and_on_the_same_sides_as_the_variant(bars: Bars, *, reverse: bool) -> None:
    scorer = scorer_of(bars, reverse=reverse)
    _, log = scorer.replay(GENOME)
    known = lottery.habit(scorer, GENOME)
    drawn = lottery.score(scorer, GENOME, np.arange(200), seed=1)
    assert known.long_share == pytest.approx(float((log[:, N_OUTCOME] > 0).mean()))
    assert drawn["n_trades"].mean() == pytest.approx(len(log), rel=0.35)


def test_a_lottery_is_the_same_in_any_batch(bars: Bars) -> None:
    together = lottery.score(scorer_of(bars), GENOME, np.arange(10), seed=1)
    alone = lottery.score(scorer_of(bars), GENOME, np.array([7]), seed=1)
    assert alone[0].tobytes() == together[7].tobytes()
    assert len({row.tobytes() for row in together}) == 10


def test_a_variant_that_never_trades_has_lotteries_without_trades(bars: Bars) -> None:
    quiet = next(bars[:n] for n in range(160, 3000) if scorer_of(bars[:n]).score(GENOME[None])["status"][0] == Status.NO_TRADES)
    assert lottery.score(scorer_of(quiet), GENOME, np.arange(3), seed=1)["status"].tolist() == [Status.NO_TRADES] * 3


def test_a_variant_that_is_never_warm_has_no_lottery_either(bars: Bars) -> None:
    assert lottery.score(scorer_of(bars[:40]), GENOME, np.arange(3), seed=1)["status"].tolist() == [Status.INVALID] * 3


def test_no_lottery_is_drawn_for_no_number(bars: Bars) -> None:
    assert len(lottery.score(scorer_of(bars), GENOME, np.arange(0), seed=1)) == 0
