"""The look-ahead check catches a cheat of each kind, and lets honest plays pass."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from coinswarm import errors, play
from coinswarm.backtest.decisions import decide
from coinswarm.config import Account, Costs
from coinswarm.market import synthetic
from coinswarm.market.bars import Bars
from coinswarm.market.timeframe import Timeframe
from coinswarm.play import model
from coinswarm.validate import lookahead
from tests.laws import random_plays
from tests.unit.validate import cheats

FIVE = Timeframe.parse("5m")
AVERAGES = """
symbol: BTCUSDT
timeframes: { exec: 5m }
features:
  fast: { indicator: sma, params: { length: [5, 8] } }
  slow: { indicator: sma, params: { length: [20, 30] } }
actions:
  entry_long: [[fast, cross_above, slow]]
  exit_long: [[fast, cross_below, slow]]
risk: { stop_loss_pct: 2.0 }
"""
CHEAT = """
symbol: BTCUSDT
timeframes: { exec: 5m }
features: { seen: { indicator: cheat } }
actions:
  entry_long: [[close, "<", seen]]
  exit_long: [[close, ">", seen]]
risk: { stop_loss_pct: 2.0 }
"""
MARKETS = """
symbol: BTCUSDT
timeframes: { exec: 5m }
features: { other: { indicator: momentum, params: { bars: 3 }, market: ETHUSDT } }
actions:
  entry_long: [[other, ">", 0.001]]
  exit_long: [[other, "<", 0]]
risk: { stop_loss_pct: 2.0 }
"""


@pytest.fixture(scope="module")
def bars() -> Bars:
    made = synthetic.market("BTC/USDT", FIVE, 4_000, seed=3)
    times = np.arange(int(made.ts[0]), int(made.ts[-1]), 8 * 3_600_000)
    return replace(made, funding_ts=times, funding_rate=np.sin(times / 1e9) * 1e-4)


def check(text: str, bars: Bars, **options: object) -> lookahead.LookaheadReport:
    return lookahead.check(play.loads(text), bars, **({"variants": 2, "cuts": 6} | options))


def failed(report: lookahead.LookaheadReport) -> set[str]:
    return {verdict.name for verdict in report.verdicts if not verdict.passed}


def kinds(report: lookahead.LookaheadReport, name: str) -> set[str]:
    return {offence.kind for offence in report[name].offences}


def test_an_honest_play_passes_and_everything_was_compared(bars: Bars) -> None:
    report = check(AVERAGES, bars)
    assert report.passed
    assert (len(report.variants), report.skipped) == (2, ())
    assert report.trades > 20
    assert all(verdict.compared > 10_000 and verdict.cuts >= 6 for verdict in report.verdicts)


@pytest.mark.parametrize(
    "cheat", [cheats.centred_mean, cheats.early_pivot, cheats.unclosed_hour, cheats.share_of_the_highest, cheats.next_funding]
)
def test_an_indicator_that_sees_the_future_is_caught_cut_off_and_scrambled(cheat, bars: Bars) -> None:
    with cheats.registered(cheat):
        report = check(CHEAT, bars)
    assert {"truncation", "scramble"} <= failed(report)
    first = report["truncation"].offences[0]
    assert (first.kind, first.name) == ("feature", "seen")
    assert first.bar < first.cut
    assert first.whole != first.part


@pytest.mark.parametrize("simulator", ["fast", "reference"])
def test_a_fill_in_the_bar_of_its_decision_is_caught(simulator: str, bars: Bars) -> None:
    report = check(AVERAGES, bars, engine=replace(lookahead.HONEST, **{simulator: cheats.same_bar}))
    assert failed(report) >= {"scramble"}
    assert {(offence.kind, offence.name) for offence in report["scramble"].offences} >= {("fill", simulator)}
    assert {offence.name for verdict in report.verdicts for offence in verdict.offences} == {simulator}


def test_decisions_that_come_too_early_are_caught_though_features_are_honest(bars: Bars) -> None:
    report = check(AVERAGES, bars, engine=replace(lookahead.HONEST, decide=cheats.foresight))
    assert "scramble" in failed(report)
    assert kinds(report, "scramble") == {"decision"}


def test_a_warm_up_declared_too_short_is_caught(bars: Bars) -> None:
    with cheats.registered(cheats.cold_ema, warmup=49):
        report = check(CHEAT, bars)
    assert failed(report) == {"warm-up"}
    assert report["warm-up"].offences[0].name == "seen"
    with cheats.registered(cheats.cold_ema, warmup=900):
        assert check(CHEAT, bars).passed


def test_another_market_known_before_its_bar_closes_is_caught(bars: Bars) -> None:
    others = {"ETH/USDT": synthetic.market("ETH/USDT", FIVE, 4_000, seed=3)}
    assert check(MARKETS, bars, markets=others).passed
    report = check(MARKETS, bars, markets=others, engine=replace(lookahead.HONEST, compute=cheats.early_market))
    assert {"truncation", "scramble"} <= failed(report)
    with pytest.raises(errors.NotFound, match="ETH"):
        check(MARKETS, bars)


def test_ties_are_excused_and_listed(bars: Bars) -> None:
    with cheats.registered(cheats.wobbling_close):
        report = check(CHEAT, bars)
    ties = report["warm-up"].ties
    assert report.passed
    assert report["warm-up"].n_ties >= len(ties) > 0
    assert "first tie" in report["warm-up"].notes[0]
    assert all(abs(tie.left - tie.right) <= 1e-9 * tie.left for tie in ties)


def test_the_same_seed_gives_the_same_report_and_progress_reaches_the_end(bars: Bars) -> None:
    steps: list[tuple[int, int]] = []
    with cheats.registered(cheats.centred_mean):
        first, again, other = (check(CHEAT, bars, cuts=3, seed=seed, progress=lambda *at: steps.append(at)) for seed in (1, 1, 2))
    assert first == again != other
    assert [done for done, total in steps if done == total]
    assert all(0 < done <= total for done, total in steps)


def test_a_total_that_began_elsewhere_is_told_from_a_cold_average(bars: Bars) -> None:
    text = CHEAT.replace("indicator: cheat", "indicator: obv").replace("[close, ", "[{feature_id: seen, offset: 5}, ")
    report = check(text, bars)
    assert report.passed
    assert "running total" in report["warm-up"].notes[0]
    assert failed(check(text.replace(", seen]", ", 1000]").replace("offset: 5", "offset: 0"), bars)) == {"warm-up"}


def test_too_little_data_is_refused_and_half_enough_is_called_not_tested(bars: Bars) -> None:
    with pytest.raises(errors.SpanTooShort, match="decide"):
        check(AVERAGES, bars[:20])
    with pytest.raises(errors.SpanTooShort, match="3 bars"):
        check(AVERAGES, bars[:2])
    text = AVERAGES.replace("[20, 30]", "30").replace("[5, 8]", "5")
    report = check(text, bars[:33])
    assert failed(report) == {"warm-up"}
    assert "not tested" in report["warm-up"].notes[0]


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(drawn=random_plays.plays(), bars=random_plays.markets(), costs=random_plays.COSTS, account=random_plays.ACCOUNTS)
def test_random_plays_on_random_bars_with_holes_see_nothing_ahead(drawn: model.Play, bars: Bars, costs: Costs, account: Account) -> None:
    try:
        report = lookahead.check(drawn, bars, cuts=3, costs=costs, account=account)
    except errors.SpanTooShort:
        assert len(bars) < 3 or decide(drawn, bars).first > len(bars) - 3
        return
    assert [verdict.offences for verdict in report.verdicts] == [(), (), ()]
