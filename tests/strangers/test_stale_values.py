"""A value of another market or of a slow bar that nothing has followed for a while is missing, not known for ever."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from coinswarm import backtest, fitness, play
from coinswarm.chaos import markets, naming
from coinswarm.indicators import features
from coinswarm.kernels.codes import Outcome
from coinswarm.market import files
from coinswarm.market.bars import COLUMNS
from tests.unit.market.tapes import tape

HOUR, DAY = 3_600_000, 86_400_000


@pytest.fixture
def stale(cases):
    """A play on ETH that asks whether BTC rose in its last five hours; BTC rises, and its bars end after twelve of ETH's 168."""
    folder = cases / "stale_other_market"
    eth, btc = (files.read(folder / f"binance_{coin}-USDT_1h.csv") for coin in ("ETH", "BTC"))
    return play.load(folder / "play.yml"), eth, {btc.symbol: btc}


def test_a_market_that_ended_is_not_traded_on(stale):
    rule, eth, others = stale
    result = backtest(rule, eth, markets=others)
    # BTC's last bar closes at 12:00 and is shown until 15:00: entries at 06:00 and, after five bars held, at 12:00. By 18:00 it is missing
    assert result.trades["entry_bar"].to_list() == [6, 12]


def test_the_fast_path_forgets_it_too(stale):
    rule, eth, others = stale
    _, log = fitness.Scorer(rule, eth, markets=others).replay(np.empty(0))
    assert log[:, Outcome.ENTRY_BAR].tolist() == [6, 12]


def test_chaos_trades_are_not_described_by_it(stale):
    _, eth, others = stale
    described = markets.describe(eth, naming.described_by(["BTC/USDT:roc(5)"]), others)
    assert np.flatnonzero(np.isfinite(described.state[:, -1])).tolist() == list(range(5, 15))


def test_a_slow_value_is_missing_after_a_gap_of_weeks():
    hours = tape(24 * 60, "1h")
    kept = (np.arange(len(hours)) < 240) | (np.arange(len(hours)) >= 24 * 40)
    gappy = replace(hours, ts=hours.ts[kept], **{name: getattr(hours, name)[kept] for name in COLUMNS})
    shown = features.compute("price", {}, gappy, timeframe_ms=DAY).outputs["value"]
    # ten days, a hole of thirty, twenty days: the first day after the hole ends 23 bars after its first hour has closed
    assert shown[239] == hours.close[239]
    assert np.isnan(shown[240:263]).all()
    assert shown[263] == hours.close[24 * 41 - 1]


def test_a_slow_value_lives_for_three_of_its_bars():
    hours = tape(24 * 20, "1h")
    days = tape(5, "1d", symbol="ETH/USDT")
    shown = features.compute("price", {}, hours, market=days, timeframe_ms=DAY).outputs["value"]
    # the fifth day ends with hour 120, three days later it is hour 192
    assert shown[119] == shown[191] == days.close[4]
    assert np.isnan(shown[192:]).all()


def test_a_funding_rate_is_missing_two_days_after_the_last_payment():
    bars = tape(24 * 10, "1h")
    paid = bars.ts[0] + np.arange(0, 2 * DAY, 8 * HOUR)
    shown = features.compute("funding_rate", {}, replace(bars, funding_ts=paid, funding_rate=np.full(paid.size, 1e-4))).outputs["value"]
    # the last payment is at hour 40, so the bar that closes at hour 88 is the last that shows it
    assert np.isfinite(shown[:88]).all()
    assert np.isnan(shown[88:]).all()


@pytest.mark.parametrize("timeframe_ms", [15 * 60_000, HOUR, 4 * HOUR, DAY, 7 * DAY])
def test_real_bars_without_a_gap_lose_nothing(data_dir, timeframe_ms):
    btc, eth = (files.read(data_dir / "spot5m_2024" / f"binance_{coin}-USDT_5m.parquet") for coin in ("BTC", "ETH"))
    for market in (None, eth):
        computed = features.compute("price", {}, btc, timeframe_ms=timeframe_ms, market=market)
        first, last = computed.first, len(btc) if market is None else btc.closed_by(int(eth.close_ts[-1]))
        assert np.isfinite(computed.outputs["value"][first:last]).all()
