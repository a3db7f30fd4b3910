from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coinswarm import errors
from coinswarm.market.resample import bucket_starts, resample
from coinswarm.market.timeframe import Timeframe
from tests.unit.market.tapes import MINUTE, START, reordered, tape

HOUR = Timeframe.parse("1h")


def naive(bars, timeframe):
    """Slow bars one by one: (ts, open, high, low, close, volume) of each bucket that is whole."""
    buckets: dict[int, list[int]] = {}
    for row, ts in enumerate(bars.ts.tolist()):
        buckets.setdefault(ts - ts % timeframe.ms, []).append(row)
    last_close = int(bars.ts[-1]) + bars.timeframe.ms
    for number, (start, rows) in enumerate(buckets.items()):
        if (number == 0 and bars.ts[rows[0]] != start) or start + timeframe.ms > last_close:
            continue
        yield start, bars.open[rows[0]], bars.high[rows].max(), bars.low[rows].min(), bars.close[rows[-1]], bars.volume[rows].sum()


@given(st.integers(1, 120), st.integers(0, 30), st.sets(st.integers(0, 119), max_size=60))
def test_slow_bars_equal_those_built_one_by_one(n, offset, missing):
    bars = tape(n, start=START + 5 * MINUTE * offset)
    kept = [row for row in range(n) if row not in missing] or [0]
    bars = reordered(bars, kept)
    slow = resample(bars, HOUR)
    expected = list(naive(bars, HOUR))
    assert slow.ts.tolist() == [row[0] for row in expected]
    for place, name in enumerate(("open", "high", "low", "close"), 1):
        assert getattr(slow, name).tolist() == [row[place] for row in expected]
    np.testing.assert_allclose(slow.volume, [row[5] for row in expected], rtol=1e-12)


@given(st.integers(1, 100))
def test_bars_that_come_later_never_change_a_slow_bar(cut):
    bars = tape(100, start=START + 35 * MINUTE)
    early, full = resample(bars[:cut], HOUR), resample(bars, HOUR)
    assert early.content_hash == full[: len(early)].content_hash


def test_a_leading_bucket_without_its_first_bar_is_dropped():
    assert resample(tape(40, start=START + 5 * MINUTE), HOUR).ts[0] == START + HOUR.ms


def test_a_last_bucket_that_is_not_over_is_dropped():
    assert len(resample(tape(23), HOUR)) == 1


def test_weeks_open_on_monday():
    ts = np.array([START, START + 6 * 86_400_000 + 1, START + 7 * 86_400_000])
    assert bucket_starts(ts, Timeframe.parse("1w")).tolist() == [START, START, START + 7 * 86_400_000]


def test_the_same_timeframe_gives_the_bars_themselves():
    bars = tape()
    assert resample(bars, bars.timeframe) is bars


def test_no_bars_give_no_slow_bars():
    slow = resample(tape(20)[:0], HOUR)
    assert len(slow) == 0
    assert slow.timeframe == HOUR


@pytest.mark.parametrize("timeframe", ["1m", "7m"])
def test_a_timeframe_that_is_no_multiple_is_refused(timeframe):
    with pytest.raises(errors.InvalidArgument, match="multiple of 5m"):
        resample(tape(), Timeframe.parse(timeframe))
