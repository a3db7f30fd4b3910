"""Which bar of another series is known when."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from coinswarm.indicators import align

times = st.lists(st.integers(0, 200), max_size=40, unique=True).map(sorted)


def _naive(close_ts: list[int], other: list[int], values: list[float], length: int) -> list[float]:
    shown = []
    for now in close_ts:
        closed = [(ts, value) for ts, value in zip(other, values, strict=True) if ts <= now]
        recent = bool(closed) and now - closed[-1][0] <= 3 * length
        shown.append(closed[-1][1] if recent else float("nan"))
    return shown


@given(times, times, st.sampled_from([1, 5, 100]))
def test_each_bar_shows_the_last_other_bar_that_has_closed_unless_it_is_too_old(ours: list[int], others: list[int], length: int) -> None:
    values = [float(10 * ts) for ts in others]
    found = align.align(np.array(ours, dtype=np.int64), np.array(others, dtype=np.int64), length)
    shown = align.spread(np.array(values), found)
    np.testing.assert_array_equal(shown, _naive(ours, others, values, length))
    assert shown.flags.c_contiguous
    assert shown.dtype == np.float64


def test_a_bar_that_closes_at_the_same_time_is_known() -> None:
    assert align.last_closed(np.array([59, 60, 61]), np.array([60])).tolist() == [-1, 0, 0]
