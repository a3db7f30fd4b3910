"""Planted worlds: the rule that is hidden is there, as large and as often as was said."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from coinswarm import errors
from coinswarm.market import synthetic
from coinswarm.market.timeframe import Timeframe
from coinswarm.validate import worlds
from coinswarm.validate.worlds import canary, grid, planted
from tests.unit.market.tapes import tape

LIKE = (synthetic.market("BTC/USDT", Timeframe.parse("5m"), 60_000, seed=3),)


def moves(bars, hold):
    """Return of each bar's trade: from the open of the next bar over `hold` bars."""
    return bars.close[hold:] / bars.close[:-hold] - 1


def effect(bars, plant):
    """Mean move after active bars less that of all, in deviations, and its share of bars."""
    active, after = planted.active(bars, plant), moves(bars, plant.hold)
    here = active[: after.size]
    return (after[here].mean() - after.mean()) / after.std(), active.mean(), after[here]


@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize("support", [0.02, 0.06, 0.1])
def test_the_planted_move_has_the_size_and_support_that_was_asked_for(depth, support):
    plant = worlds.Plant(effect=0.3, support=support, depth=depth)
    found, share, _ = effect(worlds.make("planted", LIKE, seed=2, plant=plant)[0], plant)
    assert share == pytest.approx(support, rel=0.05)
    assert found == pytest.approx(0.3, abs=4 / np.sqrt(len(LIKE[0]) * support / plant.hold) / 2)


def test_no_effect_is_none():
    plant = worlds.Plant(effect=0.0)
    found, _, after = effect(worlds.make("planted", LIKE, seed=2, plant=plant)[0], plant)
    assert abs(found) < 4 * np.sqrt(plant.hold / after.size)


def test_a_dying_edge_is_in_the_first_half_only():
    bars = worlds.make("dying", LIKE, seed=2)[0]
    plant = worlds.FAMILIES["dying"].plant
    half = len(bars) // 2
    first, second = effect(bars[:half], plant)[0], effect(bars[half:], plant)[0]
    assert first > 0.15
    assert abs(second) < 0.12


def test_seven_of_ten_win_and_the_mean_loses():
    like = [synthetic.market("BTC/USDT", Timeframe.parse("5m"), 250_000, seed=3)]
    bars = worlds.make("losing-winners", like, seed=2)[0]
    after = moves(bars, 1)
    here = planted.active(bars, worlds.FAMILIES["losing-winners"].plant)[: after.size]
    assert (after[here] > 0).mean() > 0.6
    assert after[here].mean() < 0.0005


def test_the_canary_falls_over_a_column_that_knows_the_next_bar_and_over_nothing_else():
    for name in ("N0", "N1", "N2", "N3", "planted"):
        assert not any(leak.found for leak in canary.leaks(worlds.make(name, LIKE, seed=2)[0]))
    worst, *rest = canary.leaks(worlds.make("look-ahead", LIKE, seed=2)[0])
    assert worst.column == "volume"
    assert worst.found
    assert not any(leak.found for leak in rest)


def test_a_feature_from_outside_that_leaks_is_found_by_its_name():
    bars = worlds.make("N0", LIKE, seed=2)[0]
    future = np.r_[grid.returns(bars)[1:], np.nan]
    noisy = future + np.random.default_rng(1).normal(0, 2 * np.nanstd(future), future.size)
    worst = canary.leaks(bars, {"sentiment": noisy})[0]
    assert (worst.column, worst.found) == ("sentiment", True)


def test_a_column_that_never_changes_or_is_all_missing_leaks_nothing():
    bars = tape(40)
    found = canary.leaks(bars, {"one": np.ones(40), "none": np.full(40, np.nan)})
    assert {leak.column: leak.correlation for leak in found if leak.column in ("one", "none")} == {"one": 0.0, "none": 0.0}
    with pytest.raises(errors.InvalidArgument, match="n_bars"):
        canary.leaks(tape(5))


@settings(max_examples=30)
@given(
    st.floats(-3, 3), st.floats(0.001, 0.1), st.integers(1, 3), st.integers(1, 500), st.sampled_from(["steady", "dying", "winners"]),
    st.integers(60, 2000),
)  # fmt: skip
def test_whatever_is_hidden_prices_stay_possible(size, support, depth, hold, shape, n):
    plant = worlds.Plant(effect=size, support=support, depth=depth, hold=hold, shape=shape)
    try:
        (bars,) = worlds.make("planted", [LIKE[0][:n]], seed=1, plant=plant)
    except errors.InvalidArgument:
        assume(depth == 1)  # of a deeper one too few bars may fulfil the other conditions
        raise
    assert (bars.low > 0).all()
    assert np.isfinite(bars.high).all()


def test_a_conjunction_with_an_hour_in_it_needs_bars_within_the_hour():
    with pytest.raises(errors.InvalidArgument, match="at most an hour"):
        worlds.make("planted", [tape(100, "1d")], seed=1)
    assert worlds.make("planted", [tape(100, "1d")], seed=1, plant=worlds.Plant(depth=1))[0].synthetic
