"""Indicators of other indicators: computed of each stretch of known values alone, and warm after both."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import coinswarm.indicators  # noqa: F401  fills the catalogue
from coinswarm import errors
from coinswarm.indicators import features
from coinswarm.indicators.features import Series
from tests.oracles import candles

N = 60
BARS = candles.walk(np.random.default_rng(3), N)
values = st.lists(st.one_of(st.floats(-1e3, 1e3), st.sampled_from([np.nan, np.inf])), min_size=N, max_size=N).map(np.array)


def _naive_mean(source: Series, length: int) -> list[float]:
    """The mean of the last values, each of them known and none before the first; else nothing."""
    shown = []
    for i in range(source.values.size):
        last = source.values[max(i - length + 1, 0) : i + 1]
        usable = i - length + 1 >= source.first and len(last) == length and np.isfinite(last).all()
        shown.append(float(last.mean()) if usable else float("nan"))
    return shown


@settings(max_examples=60, deadline=None)
@given(values, st.integers(0, N), st.integers(2, 9))
def test_an_average_of_a_feature_begins_after_it_and_anew_after_a_gap(of: np.ndarray, first: int, length: int) -> None:
    source = Series(values=of, first=first)
    computed = features.compute("sma", {"length": length}, BARS, source=source)
    expected = _naive_mean(source, length)
    np.testing.assert_allclose(computed.outputs["value"], expected, rtol=1e-9, atol=1e-9)
    known = np.flatnonzero(np.isfinite(expected))
    assert computed.first == (known[0] if known.size else N)


@settings(max_examples=40, deadline=None)
@given(values, st.integers(0, 20), st.integers(1, N - 1), st.sampled_from(["ema", "rsi", "linreg", "price"]))
def test_later_values_of_a_source_change_nothing(of: np.ndarray, first: int, cut: int, indicator: str) -> None:
    params = {} if indicator == "price" else {"length": 3}
    whole = features.compute(indicator, params, BARS, source=Series(values=of, first=first)).outputs["value"]
    part = features.compute(indicator, params, BARS[:cut], source=Series(values=of[:cut], first=min(first, cut))).outputs["value"]
    np.testing.assert_array_equal(whole[:cut], part)


def test_a_slow_feature_of_a_slow_feature_is_computed_on_slow_bars() -> None:
    bars, hour = candles.walk(np.random.default_rng(4), 600), 3_600_000
    inner = features.compute("rsi", {"length": 2}, bars, timeframe_ms=hour)
    outer = features.compute("sma", {"length": 3}, bars, timeframe_ms=hour, source=inner.series["value"])
    hourly = inner.outputs["value"][11::12]
    np.testing.assert_allclose(outer.outputs["value"][11 + 12 * 40 :: 12], [hourly[k - 2 : k + 1].mean() for k in range(40, 50)])
    assert outer.first == inner.first + 2 * 12


def test_whole_bars_are_no_feature() -> None:
    source = Series(values=np.zeros(N), first=0)
    with pytest.raises(errors.InvalidArgument, match="atr is computed of whole bars"):
        features.compute("atr", {}, BARS, source=source)
    with pytest.raises(errors.ShapeMismatch, match="a value for each of 10 bars"):
        features.compute("sma", {}, BARS[:10], source=source)
