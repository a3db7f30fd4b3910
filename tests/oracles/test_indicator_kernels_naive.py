"""Each kernel of indicators and structures equals its slow, obvious twin on arrays, before a feature is made of it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coinswarm.kernels import indicators_recursive, indicators_rolling, structures
from coinswarm.market.bars import Bars
from coinswarm.types import FloatArray
from tests.oracles import candles, naive_indicators

lengths = st.integers(2, 40)
sides = st.integers(1, 8)
speeds = st.floats(0.005, 0.5)


def walk(seed: int, *, ties: bool) -> Bars:
    """200 bars of a random walk, ragged, or in whole steps so that many prices are equal."""
    random = np.random.default_rng(seed)
    return candles.of(100.0 + np.cumsum(random.integers(-1, 2, 200)), spread=0.001) if ties else candles.walk(random, 200)


some_bars = st.builds(walk, st.integers(0, 2**32), ties=st.booleans())


def assert_rows_equal(ours: FloatArray, twin: tuple[list[float], ...]) -> None:
    np.testing.assert_allclose(ours, np.array(twin), rtol=1e-9, atol=1e-9)


def assert_rows_equal_once_said(ours: FloatArray, twin: tuple[list[float], ...]) -> None:
    """A structure has no value until what came before the data cannot matter; from then on it has those of its twin."""
    first = int(np.argmax(~np.isnan(ours).all(axis=0))) if not np.isnan(ours).all() else ours.shape[1]
    assert np.isnan(ours[:, :first]).all()
    assert_rows_equal(ours[:, first:], tuple(column[first:] for column in twin))


def levels(bars: Bars, left: int, right: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Tops, bottoms and ordinals as the kernels of structures take them, of the twin's pivots."""
    tops, bottoms = np.full((2, len(bars)), np.nan)
    twin = naive_indicators.pivots(bars, {"left": left, "right": right})
    for out, values, known in zip((tops, bottoms), (bars.high, bars.low), twin, strict=True):
        for i, j in known.items():
            out[i] = values[j]
    return tops, bottoms, np.array([naive_indicators.ordinal(bars, i) for i in range(len(bars))])


@given(some_bars, lengths, st.integers(1, 5), st.integers(6, 60))
def test_an_adaptive_average_follows_the_efficiency_of_the_path(bars: Bars, length: int, fast: int, slow: int) -> None:
    twin = naive_indicators.kama(bars, {"length": length, "fast": fast, "slow": slow})
    assert_rows_equal(indicators_recursive.kama(bars.close, length, fast, slow)[np.newaxis], twin)


@given(some_bars, lengths)
def test_a_fisher_transform_feeds_on_its_last_value(bars: Bars, length: int) -> None:
    middle = naive_indicators.middles(bars)
    low, high = (np.array(naive_indicators.rolling(middle, length, extreme)) for extreme in (min, max))
    line, _ = naive_indicators.fisher(bars, {"length": length, "signal": 1})
    assert_rows_equal(indicators_recursive.fisher(np.array(middle), low, high)[np.newaxis], (line,))


@given(some_bars, st.integers(0, 199))
def test_a_band_only_falls_until_the_close_is_above_it(bars: Bars, start: int) -> None:
    band = np.full(len(bars), np.nan)
    indicators_recursive.ratchet(bars.high, bars.close, start, band)
    assert_rows_equal(band[np.newaxis], (naive_indicators.ratchet(list(bars.high), list(bars.close), start),))


@given(some_bars, st.integers(1, 20), st.floats(0.1, 4.0))
def test_a_supertrend_turns_where_a_close_is_beyond_its_band(bars: Bars, length: int, multiplier: float) -> None:
    middle, reach = np.array(naive_indicators.middles(bars)), multiplier * np.array(naive_indicators.atr(bars, length))
    upper = naive_indicators.ratchet(list(middle + reach), list(bars.close), length)
    lower = naive_indicators.ratchet(list(reach - middle), list(-bars.close), length)
    out = np.empty((4, len(bars)))
    indicators_recursive.supertrend(np.array(upper), -np.array(lower), bars.close, length, length, out)
    assert_rows_equal_once_said(out, naive_indicators.supertrend(bars, {"length": length, "multiplier": multiplier}))


@given(some_bars, speeds, speeds, speeds)
def test_a_parabolic_stop_accelerates_towards_the_best_price(bars: Bars, first: float, step: float, most: float) -> None:
    out = np.empty((4, len(bars)))
    indicators_recursive.psar(bars.high, bars.low, first, step, most, out)
    assert_rows_equal(out, naive_indicators.psar(bars, {"af0": first, "af": step, "max_af": most}))


@given(some_bars, st.sets(st.integers(0, 199)))
def test_an_anchored_mean_begins_anew_at_each_anchor(bars: Bars, anchors: set[int]) -> None:
    out, begins = np.empty((2, len(bars))), [i in anchors for i in range(len(bars))]
    indicators_recursive.anchored_mean(np.array(naive_indicators.typical(bars)), bars.volume, np.array(begins, dtype=float), out)
    assert_rows_equal(out, naive_indicators.anchored_mean(bars, begins))


@given(some_bars, lengths, st.floats(0.5, 4.0))
def test_bands_are_a_multiple_of_the_deviation_from_the_mean(bars: Bars, length: int, width: float) -> None:
    out = np.empty((5, len(bars)))
    indicators_rolling.bands(bars.close, length, width, out)
    assert_rows_equal(out, naive_indicators.bands(bars, {"length": length, "std": width}))


@given(st.lists(st.tuples(st.floats(-1e6, 1e6), st.sampled_from([-1.0, 0.0, 0.5, 3.0, np.nan]))), st.floats(-100.0, 100.0))
def test_a_ratio_needs_something_below(pairs: list[tuple[float, float]], scale: float) -> None:
    above, below = np.array(pairs).reshape(-1, 2).T.copy()
    assert_rows_equal(indicators_rolling.ratio(above, below, scale)[np.newaxis], (naive_indicators.ratio(list(above), list(below), scale),))


@given(some_bars, sides, sides)
def test_a_pivot_is_known_when_its_right_side_is(bars: Bars, left: int, right: int) -> None:
    tops, bottoms, _ = levels(bars, left, right)
    np.testing.assert_array_equal(structures.pivots(bars.high, left, right), tops)
    np.testing.assert_array_equal(-structures.pivots(-bars.low, left, right), bottoms)


@given(some_bars, sides, sides)
def test_a_swing_joins_pivots_of_different_kind(bars: Bars, left: int, right: int) -> None:
    out = np.empty((9, len(bars)))
    structures.swing(*levels(bars, left, right), right, out)
    assert_rows_equal_once_said(out, naive_indicators.swing(bars, {"left": left, "right": right}))


@given(some_bars, sides, sides, st.integers(1, 5))
def test_a_trend_is_what_the_last_pivots_of_both_kinds_say(bars: Bars, left: int, right: int, history: int) -> None:
    out = np.empty((10, len(bars)))
    structures.trend(*levels(bars, left, right), history, out)
    assert_rows_equal_once_said(out, naive_indicators.trend(bars, {"left": left, "right": right, "wave_history_size": history}))


@given(some_bars, sides, sides)
@pytest.mark.parametrize("close", [True, False])
def test_a_break_of_structure_goes_with_the_bias(close: bool, bars: Bars, left: int, right: int) -> None:
    prices = np.stack([bars.close if close else bars.high, bars.close if close else bars.low, bars.open, bars.close])
    out = np.empty((12, len(bars)))
    structures.market_structure(prices, *levels(bars, left, right), out)
    twin = naive_indicators.market_structure(bars, {"left": left, "right": right, "confirmation_close": close})
    assert_rows_equal_once_said(out, twin)
