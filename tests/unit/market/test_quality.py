from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coinswarm import errors
from coinswarm.market import quality
from coinswarm.market.timeframe import Timeframe
from tests.unit.market.tapes import changed, rebuilt, reordered, tape

PRICES = st.sampled_from(["open", "high", "low", "close"])


def kinds(bars):
    return {finding.kind for finding in quality.check(bars).findings}


def test_sound_bars_have_no_findings():
    assert quality.check(tape(300)).findings == ()


@given(PRICES, st.sampled_from([np.nan, np.inf, -np.inf, 0.0, -1.0]), st.integers(0, 19))
def test_an_impossible_price_is_refused_with_its_row(column, value, row):
    with pytest.raises(errors.BadBars, match=rf"{column} in 1 bar: row {row + 1} \(2024-01-01"):
        quality.require(changed(tape(), column, row, value))


@pytest.mark.parametrize(("value", "word"), [(np.nan, "no number as volume"), (-0.1, "negative volume"), (np.inf, "infinite volume")])
def test_an_impossible_volume_is_refused(value, word):
    with pytest.raises(errors.BadBars, match=word):
        quality.require(changed(tape(), "volume", 3, value))


@pytest.mark.parametrize(
    ("column", "value", "text"),
    [("high", 50.0, "high below the low"), ("high", 100.0, "high below the open or"), ("low", 100.4, "low above the open or")],
)
def test_prices_that_contradict_each_other_are_refused(column, value, text):
    bars = rebuilt(tape(1), open=np.array([100.2]), high=np.array([100.5]), low=np.array([99.0]), close=np.array([100.3]))
    with pytest.raises(errors.BadBars, match=text):
        quality.require(changed(bars, column, 0, value))


@given(st.permutations(range(12)))
def test_any_order_but_oldest_first_is_refused_as_times(rows):
    shuffled = reordered(tape(12), list(rows))
    if list(rows) == sorted(rows):
        assert kinds(shuffled) == set()
    else:
        with pytest.raises(errors.BadTimestamps, match=r"out of order|newest first"):
            quality.require(shuffled)


def test_newest_first_is_told_apart_from_shuffled():
    assert kinds(reordered(tape(), slice(None, None, -1))) == {"newest first"}


def test_repeated_times_are_refused():
    with pytest.raises(errors.BadTimestamps, match="2 repeated times"):
        quality.require(reordered(tape(), [0, 1, 1, 2, 2, 3]))


@pytest.mark.parametrize("timeframe", ["1m", "15m", "1h"])
def test_a_timeframe_that_contradicts_the_spacing_is_refused(timeframe):
    with pytest.raises(errors.BadTimestamps, match="mostly 5m apart"):
        quality.require(rebuilt(tape(), timeframe=Timeframe.parse(timeframe)))


def test_no_bars_are_refused():
    with pytest.raises(errors.BadBars, match="no bars"):
        quality.require(tape()[:0])


def test_times_outside_the_age_of_coins_are_refused():
    assert "range" in kinds(tape(start=1_000_000))


def test_gaps_are_told_with_the_number_of_missing_bars():
    (gap,) = quality.check(reordered(tape(20), [*range(5), *range(9, 20)])).odd
    assert (gap.kind, gap.rows) == ("gap", (5,))
    assert "4 bars missing" in gap.text


def test_zero_volume_and_flat_bars_are_only_told():
    bars = changed(tape(50), "volume", 4, 0.0)
    bars = rebuilt(bars, high=np.where(np.arange(50) == 9, bars.close, bars.high), low=np.where(np.arange(50) == 9, bars.close, bars.low))
    bars = changed(bars, "open", 9, float(bars.close[9]))
    report = quality.check(bars)
    assert {finding.kind for finding in report.odd} == {"zero volume", "flat"}
    assert report.broken == ()


def test_a_wild_spike_is_told():
    assert "outlier" in kinds(changed(tape(200), "high", 70, 500.0))


def test_a_volume_that_changes_its_unit_is_told():
    bars = tape(200)
    dear = rebuilt(bars, **{name: getattr(bars, name) * 50 for name in ("open", "high", "low", "close")})
    assert "volume unit" in kinds(rebuilt(dear, volume=np.where(np.arange(200) < 100, dear.volume, dear.volume * dear.close)))


def test_every_problem_is_told_on_one_screen():
    bars = changed(changed(reordered(tape(), [1, 0, *range(2, 20)]), "close", 3, np.nan), "low", 5, -2.0)
    with pytest.raises(errors.BadBars, match="3 problems") as caught:
        quality.require(bars, name="x.csv")
    assert all(word in str(caught.value) for word in ("x.csv", "out of order", "close", "negative low", "row 4"))


@pytest.mark.parametrize(("ts", "rate"), [([5, 5], [0.1, 0.1]), ([5, 6], [0.1, np.nan]), ([5, 6], [0.1, 1.5])])
def test_broken_funding_is_refused(ts, rate):
    with pytest.raises(errors.BadBars, match="funding"):
        quality.require(rebuilt(tape(), funding_ts=np.array(ts), funding_rate=np.array(rate)))
