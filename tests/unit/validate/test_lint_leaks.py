"""Bars that know what comes next are found by the report card itself."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from coinswarm import play as language
from coinswarm.config import Costs
from coinswarm.market import splits, synthetic
from coinswarm.market.timeframe import Timeframe
from coinswarm.validate import lint, worlds
from coinswarm.validate.bench import Bench
from coinswarm.validate.case import Splits
from coinswarm.validate.worlds import Plant
from tests.unit.validate import cards_world

SURGE = """
version: "3.0.0"
name: surge
timeframes: { low_tf: 5m, exec: low_tf }
features:
  usual_volume: { indicator: sma, params: { length: 20 }, source: volume }
actions:
  entry_long: { all: [ [[volume, "/", usual_volume], ">", 2.6] ] }
risk: { max_hold_bars: [1, 6, 12] }
position_policy: { mode: long_only, exit_mode: first_hit }
"""


def test_a_card_on_the_canary_has_a_finding_and_one_on_its_template_has_not() -> None:
    plain = cards_world.case()
    told = worlds.make("look-ahead", plain.markets, seed=1)
    clean, leaky = (lint.section(Bench(cards_world.case(markets=markets))) for markets in (plain.markets, told))
    assert clean.figures["knows_next_bar"] == 0
    assert leaky.figures["knows_next_bar"] == len(told)
    assert leaky.figures["n_findings"] > 0
    assert any("knows_next_bar" in note for note in leaky.notes)


def test_another_market_that_is_stamped_a_bar_early_is_found_and_one_in_time_is_not() -> None:
    bars = cards_world.market("BTC/USDT")
    early = replace(bars[1:], ts=bars.ts[:-1], symbol="ETH/USDT")
    late = cards_world.market("ETH/USDT")[500:]
    assert [leak.column for leak in lint.leaks(bars, {"ETH/USDT": early}) if leak.found] == ["ETH/USDT close"]
    assert not any(leak.found for leak in lint.leaks(bars, {"ETH/USDT": late, "BTC/USDT": bars}))


def test_a_market_too_short_or_without_a_bar_in_common_says_nothing() -> None:
    bars = cards_world.market("BTC/USDT")
    assert lint.leaks(bars[:20], {}) == ()
    found = lint.leaks(bars[:1000], {"ETH/USDT": cards_world.market("ETH/USDT")[2000:3000]})
    assert np.isfinite([leak.correlation for leak in found]).all()


def surging(hold: int) -> dict[str, float]:
    """Lint of a rule whose moves are as large as chance makes them and last `hold` bars from the decision on."""
    like = synthetic.market("BTC/USDT", Timeframe.parse("5m"), 40_000, seed=2)
    world = worlds.make("planted", (like,), seed=4, plant=Plant(effect=0.4, depth=1, hold=hold))
    play = replace(language.loads(SURGE), costs=Costs(taker_bps=0.1, maker_bps=0.1, slippage_bps=0.1))
    train, later = splits.holdout(world, 0.3)
    genome = play.space.encode({play.space.dimensions[0].path: hold})
    trials = replace(cards_world.case().trials, sample=genome[np.newaxis], leaderboard=genome[np.newaxis])
    judged = cards_world.case(
        play=play, genome=genome, markets=world, unseen=(), trials=trials, splits=Splits(train=train, validation=later)
    )
    return dict(lint.section(Bench(judged)).figures)


def test_a_sharpe_beyond_belief_is_believed_when_it_outlasts_a_bar_of_delay_and_not_otherwise() -> None:
    assert surging(hold=12)["too_good"] == 0
    assert surging(hold=1)["too_good"] == 1
