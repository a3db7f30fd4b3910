from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from coinswarm import errors
from coinswarm.report import terminal

VALUES = arrays.arrays(np.float64, st.integers(1, 300), elements=st.floats(1, 1e9))


def _times(n: int) -> np.ndarray:
    return 1_704_067_200_000 + 300_000 * np.arange(1, n + 1)


@given(VALUES, st.integers(30, 160), st.integers(4, 40))
def test_a_chart_has_the_lines_and_the_width_it_was_given(values: np.ndarray, width: int, height: int) -> None:
    lines = terminal.equity_curve(_times(values.size), values, 100.0, width=width, height=height, unit="USDT").split("\n")
    assert len(lines) == height
    assert max(map(len, lines)) <= width


@given(VALUES)
def test_colour_changes_nothing_but_the_colour(values: np.ndarray) -> None:
    plain = terminal.equity_curve(_times(values.size), values, 100.0, width=60)
    coloured = terminal.equity_curve(_times(values.size), values, 100.0, width=60, colour=True)
    stripped = re.sub("\x1b\\[[0-9;]*m", "", coloured)
    assert [line.rstrip() for line in stripped.split("\n")] == [line.rstrip() for line in plain.split("\n")]


def test_a_rising_line_goes_from_the_lower_left_to_the_upper_right() -> None:
    lines = terminal.equity_curve(_times(500), np.linspace(100, 200, 500), 100.0, width=60, height=12).split("\n")[1:-1]
    rows = [re.sub("[^\u2801-\u28ff]", " ", line) for line in lines]
    firsts = [len(row) - len(row.lstrip()) for row in rows]
    assert firsts == sorted(firsts, reverse=True)
    assert "200" in lines[0]
    assert "100" in lines[-1]


def test_a_single_spike_is_never_lost() -> None:
    values = np.full(100_000, 100.0)
    values[54_321] = 300.0
    top = terminal.equity_curve(_times(values.size), values, 100.0, width=60, height=10).split("\n")[1]
    assert re.search("[\u2801-\u28ff]", top)


def test_the_axis_names_the_first_and_last_day() -> None:
    last = terminal.equity_curve(_times(3000), np.linspace(100, 90, 3000), 100.0, width=80).split("\n")[-1]
    assert last.split() == ["2024-01-01", "2024-01-06", "2024-01-11"]


def test_holes_are_left_blank() -> None:
    text = terminal.equity_curve(_times(4), np.array([100.0, np.nan, np.nan, 120.0]), 100.0, width=40, height=8)
    assert len(text.split("\n")) == 8


def test_the_drawdown_is_drawn_from_zero_down() -> None:
    lines = terminal.drawdown_curve(_times(3), np.array([100.0, 50.0, 100.0]), 100.0, width=40, height=8).split("\n")
    assert lines[1].strip().startswith("0")
    assert lines[-2].strip().startswith("-50")


@pytest.mark.parametrize("size", [{"width": 10}, {"height": 2}])
def test_a_chart_without_room_is_refused(size: dict[str, int]) -> None:
    with pytest.raises(errors.InvalidArgument, match="must be at least"):
        terminal.equity_curve(_times(2), np.array([1.0, 2.0]), 1.0, **size)


@given(VALUES, st.integers(1, 80))
def test_a_sparkline_is_as_long_as_asked_for_or_as_the_values(values: np.ndarray, width: int) -> None:
    line = terminal.sparkline(values, width)
    assert len(line) == min(values.size, width)
    assert set(line) <= set("▁▂▃▄▅▆▇█")


def test_a_sparkline_spans_all_blocks_and_leaves_holes_blank() -> None:
    assert terminal.sparkline(np.array([0, 1, 2, 3, np.nan, 5, 6, 7])) == "▁▂▃▄ ▆▇█"
    assert terminal.sparkline(np.array([5.0, 5.0])) == "▁▁"
