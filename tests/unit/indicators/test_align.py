"""Which bar of another series is known when."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from coinswarm.indicators import align

times = st.lists(st.integers(0, 200), max_size=40, unique=True).map(sorted)


def _naive(close_ts: list[int], other: list[int], values: list[float]) -> list[float]:
    shown = []
    for now in close_ts:
        closed = [value for ts, value in zip(other, values, strict=True) if ts <= now]
        shown.append(closed[-1] if closed else float("nan"))
    return shown


@given(times, times)
def test_each_bar_shows_the_last_other_bar_that_has_closed(ours: list[int], others: list[int]) -> None:
    values = [float(10 * ts) for ts in others]
    index = align.last_closed(np.array(ours, dtype=np.int64), np.array(others, dtype=np.int64))
    shown = align.spread(np.array(values), index)
    np.testing.assert_array_equal(shown, _naive(ours, others, values))
    assert shown.flags.c_contiguous
    assert shown.dtype == np.float64


def test_a_bar_that_closes_at_the_same_time_is_known() -> None:
    assert align.last_closed(np.array([59, 60, 61]), np.array([60])).tolist() == [-1, 0, 0]
