"""Features on slower bars and on other markets."""

from __future__ import annotations

import gc
import weakref
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import coinswarm.indicators  # noqa: F401  fills the catalogue
from coinswarm import errors
from coinswarm.config import WARMUP_TOLERANCE
from coinswarm.indicators import catalog, features, sources
from coinswarm.market import resample
from coinswarm.market.bars import COLUMNS, Bars
from coinswarm.market.timeframe import Timeframe
from tests.oracles import candles

HOUR = 3_600_000
some = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def _without(bars: Bars, gone: np.ndarray) -> Bars:
    return replace(bars, **{name: np.ascontiguousarray(getattr(bars, name)[~gone]) for name in ("ts", *COLUMNS)})


@pytest.fixture(scope="module")
def ragged() -> Bars:
    """Bars with one in twenty missing."""
    rng = np.random.default_rng(11)
    bars = candles.walk(rng, 900)
    return _without(bars, rng.random(len(bars)) < 0.05)


def _naive_slow(bars: Bars, length: int, timeframe_ms: int) -> list[float]:
    shown = []
    for i in range(len(bars)):
        slow = resample.resample(bars[: i + 1], Timeframe(timeframe_ms))
        slow = slow[: int(np.searchsorted(slow.close_ts, bars.close_ts[i], side="right"))]
        shown.append(float(slow.close[-length:].mean()) if len(slow) >= length else float("nan"))
    return shown


def test_a_slow_feature_shows_the_last_slow_bar_that_has_closed(ragged: Bars) -> None:
    computed = features.compute("sma", {"length": 3}, ragged, timeframe_ms=HOUR)
    np.testing.assert_allclose(computed.outputs["value"], _naive_slow(ragged, 3, HOUR), rtol=1e-12)


def test_the_last_exec_bar_of_an_hour_shows_that_hour() -> None:
    bars = candles.of(np.arange(1.0, 49.0))
    hourly = features.compute("price", {}, bars, timeframe_ms=HOUR)
    assert hourly.first == 11
    assert np.isnan(hourly.outputs["value"][:11]).all()
    assert hourly.outputs["value"][[11, 22, 23, 47]].tolist() == [12.0, 12.0, 24.0, 48.0]


def test_first_is_the_first_exec_bar_whose_slow_bar_is_warm(walk: Bars) -> None:
    computed = features.compute("ema", {"length": 3}, walk, timeframe_ms=HOUR)
    slow = resample.resample(walk, Timeframe(HOUR))
    warm = slow.close_ts[features.warm_up("ema", {"length": 3}, WARMUP_TOLERANCE)]
    assert walk.close_ts[computed.first] == warm
    assert walk.close_ts[computed.first - 1] < warm


@some
@given(cut=st.integers(1, 800), name=st.sampled_from(["ema", "rsi", "swing", "vwap", "supertrend", "bbands", "trend_ema"]))
def test_a_slow_feature_sees_no_later_bar(ragged: Bars, cut: int, name: str) -> None:
    whole = features.compute(name, {}, ragged, timeframe_ms=1_800_000).outputs
    part = features.compute(name, {}, ragged[:cut], timeframe_ms=1_800_000).outputs
    for output in whole:
        np.testing.assert_allclose(part[output], whole[output][:cut], rtol=1e-12)


@some
@given(
    skipped=st.integers(1, 3_000),
    name=st.sampled_from(["ema", "atr", "trend", "macd", "rolling_window"]),
    tolerance=st.sampled_from([1e-9, 1e-4]),
)
def test_a_slow_feature_forgets_where_the_data_began(btc: Bars, skipped: int, name: str, tolerance: float) -> None:
    params = {"rolling_window": {"mode": "min"}, "ema": {"length": 9}}.get(name, {})
    whole, part = (features.compute(name, params, bars, timeframe_ms=HOUR, warmup_tolerance=tolerance) for bars in (btc, btc[skipped:]))
    assert part.first < len(btc) - skipped
    for output, values in part.outputs.items():
        expected = whole.outputs[output][skipped + part.first :]
        np.testing.assert_allclose(values[part.first :], expected, rtol=tolerance, atol=tolerance * float(np.median(np.abs(expected))))


def test_a_market_that_starts_late_is_missing_before(walk: Bars) -> None:
    other = replace(candles.walk(np.random.default_rng(9), 6_000), symbol="ETH/USDT")[1_000:]
    computed = features.compute("sma", {"length": 2}, walk, market=other)
    assert computed.first == 1_001
    assert np.isnan(computed.outputs["value"][:1_001]).all()
    assert computed.outputs["value"][1_001] == pytest.approx(other.close[:2].mean())


def test_a_bar_missing_in_the_other_market_keeps_its_last_value_for_three_bars(walk: Bars) -> None:
    gone = np.zeros(len(walk), dtype=bool)
    gone[500:520] = True
    shown = features.compute("price", {}, walk, market=_without(walk, gone)).outputs["value"]
    assert set(shown[500:503]) == {walk.close[499]}
    assert np.isnan(shown[503:520]).all()
    assert shown[520] == walk.close[520]


def test_a_faster_market_is_read_in_exec_bars(walk: Bars) -> None:
    hourly = resample.resample(walk, Timeframe(HOUR))
    shown = features.compute("price", {}, hourly, market=walk).outputs["value"]
    np.testing.assert_array_equal(shown, hourly.close)


def test_a_market_without_bars_gives_nothing(walk: Bars) -> None:
    computed = features.compute("ema", {}, walk, market=walk[:0])
    assert computed.first == len(walk)
    assert np.isnan(computed.outputs["value"]).all()


def test_the_exec_timeframe_by_name_is_the_plain_feature(walk: Bars) -> None:
    plain, named = (features.compute("rsi", {}, walk, timeframe_ms=ms) for ms in (None, walk.timeframe.ms))
    np.testing.assert_array_equal(plain.outputs["value"], named.outputs["value"])
    assert plain.first == named.first


@pytest.mark.parametrize("name", sources.SOURCES)
def test_every_source_column_can_be_taken(walk: Bars, name: str) -> None:
    shown = features.compute("price", {}, walk, source=name).outputs["value"]
    parts = {"hl2": ("high", "low"), "hlc3": ("high", "low", "close"), "ohlc4": ("open", "high", "low", "close")}.get(name, (name,))
    np.testing.assert_allclose(shown, np.mean([getattr(walk, part) for part in parts], axis=0), rtol=1e-14)


@pytest.mark.parametrize(
    ("name", "params", "options", "words"),
    [
        ("ema", {"lenght": 5}, {}, "ema takes length"),
        ("ema", {"length": 0}, {}, r"ema.length must be in \[2, 10000\]"),
        ("ema", {"length": float("nan")}, {}, "ema.length must be in"),
        ("ema", {"length": 5.5}, {}, "whole number"),
        ("ema", {"length": "five"}, {}, "ema.length must be in"),
        ("rolling_window", {}, {}, "rolling_window needs mode"),
        ("rolling_window", {"mode": "median"}, {}, "must be one of max min"),
        ("ema", {}, {"source": "vwap"}, "source must be one of"),
        ("ema", {}, {"timeframe_ms": 60_000}, "must not be faster"),
    ],
)
def test_what_cannot_be_computed_is_refused(walk: Bars, name: str, params: dict, options: dict, words: str) -> None:
    with pytest.raises(errors.InvalidArgument, match=words):
        features.compute(name, params, walk, **options)


def test_an_unknown_indicator_is_answered_with_the_nearest_names(walk: Bars) -> None:
    with pytest.raises(errors.NotFound, match="supertrend"):
        features.compute("supertrand", {}, walk)


def test_a_name_is_taken_once() -> None:
    with pytest.raises(errors.InvalidArgument, match="must be new"):
        catalog.register(catalog.CATALOG["ema"])


def test_slow_bars_are_dropped_with_the_bars_they_were_made_of() -> None:
    bars = candles.walk(np.random.default_rng(1), 200)
    features.compute("price", {}, bars, timeframe_ms=HOUR)
    assert bars in features._SLOW
    gone = weakref.ref(bars)
    del bars
    gc.collect()
    assert gone() is None
