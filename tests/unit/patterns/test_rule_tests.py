"""Known rules against random trades of their own kind."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import scipy.stats

from coinswarm import chaos, errors, play
from coinswarm.market import synthetic
from coinswarm.market.bars import Bars
from coinswarm.market.timeframe import Timeframe
from coinswarm.patterns import foresight, rule_tests
from coinswarm.validate import worlds

WORLDS = 40
FIVE = Timeframe.parse("5m")
DIP = """
name: dip
features: { past: { indicator: momentum, params: { bars: [3, 6] } } }
actions: { entry_long: [[past, "<", [-0.004, -0.002]]] }
risk: { max_hold_bars: [6, 12] }
account: { slippage_bps: 0, fee_model: { taker_bps: 0, maker_bps: 0 } }
"""


def walk(n: int, seed: int, pull: float = 0.0) -> Bars:
    """A random walk; with a pull, each bar takes back that share of the three before it."""
    random = np.random.default_rng(seed)
    steps = random.normal(0.0, 0.002, n)
    for bar in range(4, n):
        steps[bar] -= pull * steps[bar - 3 : bar].sum()
    close = 100.0 * np.exp(np.cumsum(steps))
    before = np.r_[100.0, close[:-1]]
    made = synthetic.market("BTC/USDT", FIVE, n, seed=seed)
    return replace(made, open=before, close=close, high=np.maximum(before, close) * 1.0001, low=np.minimum(before, close) * 0.9999)


def ruled(bars: Bars, text: str = DIP) -> tuple[rule_tests.RuleVerdict, ...]:
    when = rule_tests.draw_segments([bars], 20, 1000, seed=1)
    tried = [rule_tests.summary(side, when) for side in rule_tests.trades(play.loads(text), [bars], when)]
    return rule_tests.judge(tried, seed=1, n_flips=999)


def longs_of_many(pull: float) -> tuple[rule_tests.RuleVerdict, ...]:
    """The rule's longs on many worlds, judged together."""
    tried = []
    for seed in range(WORLDS):
        bars = walk(3_000, seed, pull=pull)
        when = rule_tests.draw_segments([bars], 10, 290, seed=1)
        tried.append(rule_tests.summary(rule_tests.trades(play.loads(DIP), [bars], when)[0], when))
    return rule_tests.judge(tried, seed=1, n_flips=999)


def sigmas(entry: rule_tests.RuleVerdict) -> float:
    """The excess in standard errors."""
    return entry.excess * 2 * 1.96 / (entry.high - entry.low)


def test_a_rule_that_is_right_is_found_better_than_random_trades_of_its_kind() -> None:
    long, short = ruled(walk(30_000, 1, pull=0.1))
    assert (long.verdict, short.verdict) == ("better", "no trades")
    assert long.low > 0
    assert long.p_adjusted < 0.01


def test_on_noise_nothing_is_better() -> None:
    found = longs_of_many(pull=0.0)
    assert {entry.verdict for entry in found} == {"no better"}
    assert sum(entry.p_value <= 0.05 for entry in found) <= scipy.stats.binom.ppf(0.999, WORLDS, 0.05)
    assert scipy.stats.kstest([entry.p_value for entry in found], "uniform").pvalue > 0.001
    assert abs(np.mean([sigmas(entry) for entry in found])) < 3.3 / np.sqrt(WORLDS)


def test_a_bias_of_one_standard_error_would_show() -> None:
    found = longs_of_many(pull=0.02)
    assert np.mean([sigmas(entry) for entry in found]) < 1.0
    assert scipy.stats.kstest([entry.p_value for entry in found], "uniform").pvalue < 0.001


BUSY = """
name: busy
features: { average: { indicator: sma, params: { length: 20 }, source: volume } }
actions: { entry_long: [[volume, ">", average]] }
risk: { max_hold_bars: 3 }
"""


@pytest.mark.parametrize("text", [DIP, BUSY])
def test_on_bars_that_know_the_next_one_no_rule_is_tested(text: str) -> None:
    (leaking,) = worlds.make("look-ahead", [walk(6_000, 5)], seed=1)
    with pytest.raises(errors.Refused, match="LOOK-AHEAD: volume of"):
        ruled(leaking, text)
    assert ruled(walk(6_000, 5), text)[0].n_trades > 0


def test_a_feature_that_knows_the_next_bar_is_named() -> None:
    honest = walk(6_000, 5)
    later = replace(honest, symbol="ETH/USDT", close=np.r_[honest.close[1:], honest.close[-1]])
    beside = play.loads(BUSY.replace("indicator: sma, params: { length: 20 }, source: volume", "indicator: momentum, market: ETH/USDT")
                        .replace("[volume, \">\", average]", "[average, \">\", 0]"))  # fmt: skip
    (leak,) = foresight.of_rule(beside, honest, {"ETH/USDT": later})
    assert (leak.feature, leak.market, leak.hold) == ("average", honest.key, 1)


def test_what_beats_chance_and_loses_money_is_no_finding() -> None:
    dear = DIP.replace("slippage_bps: 0", "slippage_bps: 60")
    long, _ = ruled(walk(30_000, 1, pull=0.1), dear)
    assert long.p_adjusted < 0.01
    assert long.net < 0
    assert long.verdict == "no better"


def test_too_few_blocks_of_time_are_not_judged() -> None:
    bars = walk(3_000, 1, pull=0.1)
    when = rule_tests.draw_segments([bars], 2, 200, seed=1)
    (long, _) = rule_tests.judge([rule_tests.summary(side, when) for side in rule_tests.trades(play.loads(DIP), [bars], when)], seed=1)
    assert (long.verdict, long.p_value) == ("too few blocks", 1.0)


def test_the_expectation_is_that_of_all_chaos_trades_of_the_kind() -> None:
    bars = walk(2_000, 3)
    when = rule_tests.draw_segments([bars], 1, 1_900, seed=1)
    costs = play.loads(DIP).costs
    side, hold = np.array([1, -1], dtype=np.int8), np.array([6, 6])
    trades = chaos(bars, 40_000, hold="30m", costs=costs, seed=4)
    means = [float(trades.net[trades.side == way].mean()) for way in (1, -1)]
    assert rule_tests.expected_net(bars, side, hold, when, costs) == pytest.approx(means, abs=3e-4)


def test_stretches_never_overlap_and_the_same_seed_chooses_the_same() -> None:
    bars = walk(5_000, 1)
    when, again = (rule_tests.draw_segments([bars], 8, 500, seed=2) for _ in range(2))
    assert len(when.start_ts) == 8
    assert (when.start_ts[1:] >= when.end_ts[:-1]).all()
    assert np.array_equal(when.start_ts, again.start_ts)
    with pytest.raises(errors.SpanTooShort):
        rule_tests.draw_segments([bars], 1, 50_000, seed=2)


def test_the_published_variant_is_the_first_of_every_choice() -> None:
    read = play.loads(DIP)
    assert list(read.space.decode(rule_tests.published_genome(read)).values()) == [3, -0.004, 6]
