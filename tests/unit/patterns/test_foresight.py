"""Features that know what comes next are named, and nothing is promoted beside them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from coinswarm import chaos, patterns
from coinswarm.ledger.chaos import ChaosTrades
from coinswarm.market import synthetic
from coinswarm.market.timeframe import Timeframe
from coinswarm.patterns import DiscoverSettings, foresight, results
from coinswarm.validate import worlds
from tests.unit.patterns.made_trades import FREE, drawn, rising, with_edge

QUICK = DiscoverSettings(flips=199, depth=1)
LIKE = [synthetic.market(f"{base}/USDT", Timeframe.parse("5m"), 15_000, seed=4) for base in ("BTC", "ETH")]


def in_world(family: str, hold: str = "5m..2h", side: str = "both") -> ChaosTrades:
    return chaos(worlds.make(family, LIKE, seed=3), 20_000, hold=hold, side=side, seed=1, costs=FREE)


def after(trades: ChaosTrades, family: str) -> np.ndarray:
    """What the first bar after each decision made."""
    moves = [bars.close / bars.open - 1 for bars in worlds.make(family, LIKE, seed=3)]
    return np.choose(trades.market, [each[np.minimum(trades.decision + 1, each.size - 1)] for each in moves])


def test_the_canary_is_named_on_each_market_and_nothing_is_promoted_from_its_world() -> None:
    found = patterns.discover(in_world("look-ahead", "5m", side="long"), QUICK)
    assert {(leak.feature, leak.hold) for leak in found.leaks} == {("volume_ratio(20)", 1)}
    assert len({leak.market for leak in found.leaks}) == 2
    assert found.profitable > 0
    assert found.findings == ()
    assert results.summary(found)["leaks"][0]["correlation"] > 0.25


def test_without_the_column_that_knows_a_search_goes_on() -> None:
    found = patterns.discover(in_world("look-ahead", "5m..1h"), QUICK.model_copy(update={"features": ("momentum(5)", "hour_of_day")}))
    assert found.leaks == ()


@pytest.mark.parametrize("family", ["N0", "N1", "N2", "N3", "planted"])
@pytest.mark.parametrize("hold", ["5m..2h", "30m..1h"])
def test_worlds_without_a_leak_are_left_alone(family: str, hold: str) -> None:
    trades = in_world(family, hold)
    assert foresight.leaks(trades) == ()
    assert foresight.leaks(trades, first_moves=after(trades, family)) == ()


def test_bars_show_the_canary_however_long_trades_are_held() -> None:
    trades = in_world("look-ahead", "4h")
    assert foresight.leaks(trades) == ()
    assert {leak.feature for leak in foresight.leaks(trades, first_moves=after(trades, "look-ahead"))} == {"volume_ratio(20)"}


def test_a_feature_of_one_market_that_knows_half_an_hour_is_found_where_no_trade_is_shorter() -> None:
    trades = in_world("N1", "30m..2h")
    told = np.where(trades.market == 1, trades.side * trades.gross, 0.0) + np.random.default_rng(0).normal(0, 0.004, len(trades))
    state = trades.state.copy()
    state[:, 1] = told
    (leak,) = foresight.leaks(replace(trades, state=state))
    assert (leak.feature, leak.market) == (trades.features[1], trades.markets[1])


def test_an_edge_whatever_its_side_is_no_leak() -> None:
    trades = drawn(1)
    found = patterns.discover(with_edge(trades, rising(trades), 0.5), QUICK)
    assert found.leaks == ()
    assert found.confirmed
