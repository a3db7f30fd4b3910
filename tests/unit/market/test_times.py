from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coinswarm.market import times

MOMENTS = st.lists(st.integers(1_230_768_000, 4_000_000_000), min_size=1, max_size=20)
PER_SECOND = {"seconds": 1, "milliseconds": 1_000, "microseconds": 1_000_000, "nanoseconds": 1_000_000_000}


@given(MOMENTS, st.sampled_from(sorted(PER_SECOND)), st.booleans())
def test_every_unit_reads_the_same(seconds, unit, as_text):
    numbers = [second * PER_SECOND[unit] for second in seconds]
    column = pl.Series([str(number) for number in numbers]) if as_text else pl.Series(numbers)
    ts, findings = times.read(column)
    assert ts.tolist() == [second * 1000 for second in seconds]
    assert findings == []


@given(
    MOMENTS,
    st.sampled_from(
        ["%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M:%S UTC", "%Y-%m-%dT%H:%M:%S.000Z", "%Y-%m-%d %H:%M:%S+00:00"]
    ),
)
def test_printed_dates_are_utc(seconds, form):
    text = pl.from_epoch(pl.Series(seconds), time_unit="s").dt.strftime(form)
    ts, findings = times.read(text)
    assert ts.tolist() == [second * 1000 for second in seconds]
    assert findings == []


def test_a_zone_is_honoured():
    assert times.read(pl.Series(["2024-01-01 02:00:00+02:00"]))[0].tolist() == [1_704_067_200_000]
    assert times.read(pl.Series(["2024-01-01T00:00:00"]).str.to_datetime(time_zone="America/New_York"))[0].tolist() == [1_704_085_200_000]


def test_days_are_midnights():
    assert times.read(pl.Series(["2024-01-01"]))[0].tolist() == [1_704_067_200_000]
    assert times.read(pl.Series(["2024-01-01"]).str.to_date())[0].tolist() == [1_704_067_200_000]


def test_an_hour_with_am_and_pm_is_read():
    assert times.read(pl.Series(["2024-01-01 01-PM"]))[0].tolist() == [1_704_067_200_000 + 13 * 3_600_000]


def test_seconds_mixed_with_milliseconds_are_told_with_the_row_of_the_change():
    ts, (finding,) = times.read(pl.Series([1_704_067_200, 1_704_067_500, 1_704_067_800_000]))
    assert ts.tolist() == [1_704_067_200_000, 1_704_067_500_000, 1_704_067_800_000]
    assert (finding.kind, finding.rows) == ("mixed units", (2,))
    assert "seconds in 2 rows, milliseconds in 1 rows" in finding.text


@pytest.mark.parametrize(
    "column", [[1_704_067_200, None], ["2024-01-01", "soon"], [1.7e9, float("nan")], [-5, 1_704_067_200], ["", "1704067200"]]
)
def test_times_that_cannot_be_read_are_told(column):
    ts, (finding,) = times.read(pl.Series(column))
    assert (ts == -1).sum() == 1
    assert finding.text == "1 missing or unreadable time"


def test_a_time_of_day_alone_is_no_time():
    ts, _ = times.read(pl.Series(["10:00"]).str.to_time("%H:%M"))
    assert np.array_equal(ts, [-1])
