from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from coinswarm import errors
from coinswarm.report.monthly import monthly_returns

DAY_MS = 86_400_000


def _ms(day: str) -> int:
    return int(np.datetime64(day, "ms").astype(np.int64))


@given(
    arrays.arrays(np.float64, st.integers(1, 200), elements=st.floats(1, 1e6)),
    st.integers(0, 40_000),
    st.integers(1, 40),
)
def test_months_and_years_compound_to_the_total_return(equity: np.ndarray, first_day: int, step: int) -> None:
    table = monthly_returns((first_day + step * np.arange(1, equity.size + 1)) * DAY_MS, equity, 500.0)
    total = equity[-1] / 500.0
    assert np.nanprod(1 + table.returns) == pytest.approx(total, rel=1e-9)
    assert np.nanprod(1 + table.totals) == pytest.approx(total, rel=1e-9)


def test_a_month_runs_from_the_last_value_of_the_month_before() -> None:
    ts = np.array([_ms("2024-01-31"), _ms("2024-02-10"), _ms("2024-02-20")])
    table = monthly_returns(ts, np.array([110.0, 500.0, 121.0]), 100.0)
    assert table.years.tolist() == [2024]
    assert table.returns[0, :2] == pytest.approx([0.1, 0.1])
    assert table.totals == pytest.approx([0.21])


def test_a_bar_that_closes_at_midnight_belongs_to_the_month_that_ends() -> None:
    table = monthly_returns(np.array([_ms("2024-02-01")]), np.array([110.0]), 100.0)
    assert table.returns[0, 0] == pytest.approx(0.1)
    assert np.isnan(table.returns[0, 1:]).all()


def test_months_and_years_without_bars_are_missing() -> None:
    table = monthly_returns(np.array([_ms("2022-06-05"), _ms("2024-06-05")]), np.array([110.0, 99.0]), 100.0)
    assert table.years.tolist() == [2022, 2023, 2024]
    assert np.isnan(table.totals[1])
    assert table.returns[2, 5] == pytest.approx(-0.1)


def test_nothing_is_gained_after_ruin() -> None:
    table = monthly_returns(np.array([_ms("2024-01-05"), _ms("2024-02-05")]), np.array([0.0, 0.0]), 100.0)
    assert table.returns[0, 0] == -1.0
    assert np.isnan(table.returns[0, 1])


def test_arrays_of_different_length_are_refused() -> None:
    with pytest.raises(errors.ShapeMismatch, match="equity must have 2 values"):
        monthly_returns(np.array([1, 2]), np.array([1.0]), 1.0)
