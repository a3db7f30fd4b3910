"""Market structures on paths drawn by hand."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

import coinswarm.indicators  # noqa: F401  fills the catalogue
from coinswarm.indicators import catalog, features
from coinswarm.market.bars import Bars
from tests.oracles import candles


def _path(*turns: float) -> Bars:
    """Straight lines of four bars between the given prices."""
    legs = [np.linspace(a, b, 4, endpoint=False) for a, b in pairwise(turns)]
    return candles.of(np.concatenate([*legs, turns[-1:]]))


ONE = {"left": 1, "right": 1}
RISING = _path(10, 20, 15, 25, 20, 30, 25, 35, 30)
TURNING = _path(10, 20, 15, 25, 20, 30, 10, 22, 5, 15, 3, 12)


def test_a_pivot_is_not_known_before_its_right_side() -> None:
    bars = _path(10, 20, 15, 25, 20)
    for right in (1, 2, 3):
        shown = features.compute("swing", {"left": 2, "right": right}, bars).outputs["high_level"]
        assert np.flatnonzero(shown == 25.0)[:1].tolist() == [12 + right]


def test_a_swing_says_nothing_until_its_leg_is_certain() -> None:
    computed = features.compute("swing", ONE, RISING)
    assert computed.first == 13
    assert all(np.isnan(values[:13]).all() and np.isfinite(values[13:]).all() for values in computed.outputs.values())


def test_the_last_leg_joins_the_last_low_and_high() -> None:
    last = {name: values[-1] for name, values in features.compute("swing", ONE, RISING).outputs.items()}
    assert (last["high_level"], last["low_level"]) == (35.0, 25.0)
    assert (last["pair_high_level"], last["pair_low_level"], last["pair_direction"]) == (35.0, 25.0, 1.0)
    assert last["high_idx"] - last["low_idx"] == 4.0


def test_of_two_equal_highs_the_first_is_the_pivot() -> None:
    bars = candles.of(np.array([1.0, 3.0, 2.0, 4.0, 4.0, 1.0, 3.0, 1.0, 1.0]))
    shown = features.compute("anchored_vwap", {**ONE, "anchor_source": "swing_high"}, bars).outputs["bars_since_anchor"]
    assert np.flatnonzero(shown == 0.0).tolist() == [2, 4]


def test_higher_highs_and_lows_are_a_trend_up_until_both_fall() -> None:
    outputs = features.compute("trend", {**ONE, "wave_history_size": 3}, TURNING).outputs
    direction = outputs["direction"]
    assert direction[-1] == -1.0
    assert 0.0 in direction[np.isfinite(direction)]
    assert (outputs["last_lh"][-1], outputs["last_ll"][-1], outputs["last_hh"][-1]) == (1.0, 1.0, 0.0)
    assert outputs["strength"][-1] == 2.0


def test_a_break_with_the_bias_is_of_structure_and_against_it_a_change_of_character() -> None:
    outputs = features.compute("market_structure", ONE, _path(10, 20, 15, 25, 20, 30, 10, 22, 5, 25, 15, 28)).outputs
    known = np.isfinite(outputs["bias"])
    breaks = known & (outputs["bos_this_bar"] + outputs["choch_this_bar"] > 0)
    assert outputs["bias"][-1] == 1.0
    assert set(outputs["choch_direction"][breaks]) >= {1.0}
    assert (outputs["version"][breaks] == np.maximum(outputs["last_bos_idx"], outputs["last_choch_idx"])[breaks]).all()


def test_a_wick_does_not_break_when_closes_count() -> None:
    bars = candles.walk(np.random.default_rng(2), 3_000)
    wicks, closes = (features.compute("market_structure", {"confirmation_close": close}, bars).outputs for close in (False, True))
    assert np.nansum(closes["bos_this_bar"] + closes["choch_this_bar"]) < np.nansum(wicks["bos_this_bar"] + wicks["choch_this_bar"])


def test_the_state_of_an_ema_trend_reads_as_words() -> None:
    close = np.concatenate([np.linspace(100.0, 200.0, 400), np.linspace(200.0, 100.0, 400)])
    computed = features.compute("trend_ema", {"ema_length": 10, "recent_bars": 3}, candles.of(close))
    states = catalog.CATALOG["trend_ema"].states
    assert computed.outputs["state"][computed.first] == states["state"]["trending_up"]
    assert computed.outputs["state"][-1] == states["state"]["trending_down"]
    turned = np.flatnonzero(np.diff(computed.outputs["state"][computed.first :]))[-1] + 1 + computed.first
    assert computed.outputs["transition"][turned : turned + 4].tolist() == [1.0, 1.0, 1.0, 0.0]


@pytest.mark.parametrize("side", ["high", "low"])
def test_a_leg_anchors_the_mean_where_it_becomes_known(side: str) -> None:
    bars = candles.walk(np.random.default_rng(4), 600)
    legs = features.compute("swing", {}, bars).outputs
    anchored = features.compute("anchored_vwap", {"anchor_source": f"pair_{side}"}, bars).outputs["bars_since_anchor"]
    fresh = np.flatnonzero(anchored == 0.0)
    assert fresh.size > 10
    assert set(legs["pair_direction"][fresh]) == {1.0 if side == "high" else -1.0}
    assert (legs["pair_version"][fresh] == bars.ts[fresh] // bars.timeframe.ms).all()


def test_a_daily_mean_begins_at_midnight_and_not_before_the_first_one() -> None:
    bars = candles.walk(np.random.default_rng(4), 600)
    shown = features.compute("anchored_vwap", {"anchor_source": "day"}, bars).outputs["bars_since_anchor"]
    assert np.flatnonzero(shown == 0.0).tolist() == np.flatnonzero(bars.ts % 86_400_000 == 0).tolist()
    assert np.isnan(shown[: int(np.flatnonzero(shown == 0.0)[0])]).all()


def test_a_weekly_mean_begins_on_monday() -> None:
    bars = candles.walk(np.random.default_rng(4), 6_000)
    shown = features.compute("anchored_vwap", {"anchor_source": "week"}, bars).outputs["bars_since_anchor"]
    monday = features.compute("day_of_week", {}, bars).outputs["value"]
    fresh = np.flatnonzero(shown == 0.0)
    assert fresh.size >= 2
    assert (monday[fresh] == 0.0).all()


def test_funding_paid_at_the_close_shows_on_the_next_bar() -> None:
    bars = candles.walk(np.random.default_rng(4), 300)
    shown = features.compute("funding_rate", {}, bars).outputs["value"]
    paid = int(np.searchsorted(bars.close_ts, bars.funding_ts[1] - 30_000))
    assert shown[paid] == bars.funding_rate[0]
    assert shown[paid + 1] == bars.funding_rate[1]
