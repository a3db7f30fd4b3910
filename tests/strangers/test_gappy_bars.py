"""Bars that are missing count as time: figures a year are by the clock, not by the bars that happen to be there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coinswarm import backtest, fitness, play
from coinswarm.evolve import behaviour
from coinswarm.market import files
from coinswarm.market.bars import COLUMNS
from coinswarm.market.timeframe import Timeframe
from coinswarm.metrics import returns
from coinswarm.metrics.figures import SCORE_DTYPE
from coinswarm.report import page, series
from coinswarm.report.context import MarketReport
from coinswarm.validate import breakdown, curves
from tests.unit.market.tapes import tape

# 43 daily bars of 2022-01-01 to 2022-03-22: the first five days, then every other one. Last close less first open is 81 days.
YEARS = 81 / 365.25


@pytest.fixture
def held(cases):
    """Holding XMR, which grows by 10 % a year, from the second bar (100.02609791) to the end (102.10950237)."""
    bars = files.read(cases / "gappy_days" / "kraken_XMR-EUR_1d.csv")
    return backtest(play.load(cases / "gappy_days" / "hold.yml"), bars)


def test_ten_percent_a_year_are_shown_as_ten_percent_a_year(held):
    assert held.metrics["total_return"] == pytest.approx(102.10950237 / 100.02609791 - 1)
    # 2.083 % in 81 days; by counted bars it was 19 %
    assert held.metrics["cagr"] == pytest.approx((102.10950237 / 100.02609791) ** (1 / YEARS) - 1)
    assert held.metrics["cagr"] == pytest.approx(0.0974, abs=1e-4)


def test_the_sharpe_ratio_has_as_many_returns_a_year_as_there_are(held):
    per_bar = returns.bar_returns(held.equity, 10_000.0)
    # 43 returns in 81 days are 193.9 a year, not 365.25
    assert held.metrics["sharpe"] == pytest.approx(per_bar.mean() / per_bar.std(ddof=1) * np.sqrt(43 / YEARS))


def test_turnover_is_a_year_of_the_clock(held):
    # one fill of 10,000, the mean account about 10,100
    assert held.metrics["turnover"] == pytest.approx(10_000 / held.equity.mean() / YEARS)


def test_the_fast_path_says_the_same(held):
    scores = fitness.score(held.play, np.empty((1, 0)), held.bars)[0]
    assert scores["cagr"] == pytest.approx(0.0974, abs=1e-4)
    for name in ("cagr", "sharpe", "turnover", "calmar", "sortino"):
        assert scores[name] == pytest.approx(held.metrics[name], rel=1e-9)


def test_the_report_and_the_card_say_the_same(held):
    found = curves.portfolio([card_part(held)])
    assert (found.periods_per_year, found.markets[0].sharpe) == pytest.approx((43 / YEARS, held.metrics["sharpe"]))
    assert found.sharpe == pytest.approx(held.metrics["sharpe"])
    assert series.of(held).years == pytest.approx(YEARS)
    assert page._years(MarketReport(backtest=held), None) == pytest.approx(YEARS)


def card_part(held):
    none = fitness.Scorer(held.play, held.bars).replay(np.empty(0))[1]
    return curves.MarketHistory(bars=held.bars, first=held.start, equity=held.equity, start=10_000.0, trades=curves.trades_of(none))


def test_a_play_trades_as_often_a_day_as_it_does(held):
    row = np.zeros((1, 1), dtype=SCORE_DTYPE)
    row["n_trades"], row["n_obs"], row["avg_hold"] = 43.0, 43.0, 2.0
    hold_h, trades_a_day = behaviour.descriptors(row, np.array([held.bars.spacing_ms]))[0, :2]
    # 43 trades in 81 days, each held for two bars of 45.2 h on average
    assert (trades_a_day, hold_h) == pytest.approx((43 / 81, 2 * 81 / 43 * 24))


def test_the_week_before_a_bar_is_a_week_though_bars_are_missing():
    days = tape(60, "1d")
    kept = np.arange(60) % 2 == 0
    gappy = replace(days, ts=days.ts[kept], **{name: getattr(days, name)[kept] for name in COLUMNS})
    # the fifth of every other day is the first that has a bar a week or more before the one before it: 8 - 2 = 6 is not 7 days, 10 - 2 is
    assert np.flatnonzero(breakdown.states(gappy, 0)[0] >= 0)[0] == 5


@given(st.integers(1, 5_000), st.sampled_from(["1m", "5m", "1h", "1d", "7m", "1w"]), st.integers(0, 2**40))
def test_without_a_gap_every_year_is_the_one_of_before_to_the_last_bit(n, timeframe, start):
    length = Timeframe.parse(timeframe)
    bars = replace(tape(2, timeframe), **{name: np.ones(n) for name in COLUMNS}, ts=start + length.ms * np.arange(n))
    assert bars.periods_per_year == length.periods_per_year
    assert (bars.periods_per_year_from(np.arange(n)) == length.periods_per_year).all()
    assert bars.spacing_ms == length.ms
