"""Conditions on tiny columns: every operand, operator and window, and what is missing."""

from __future__ import annotations

import numpy as np
import pytest

from coinswarm import errors
from coinswarm.backtest.decisions import decide
from coinswarm.play import expressions, model
from tests.unit.backtest.plays import play, tape

CLOSE = expressions.Column("close")
PRICES = (1.0, 2.0, 3.0, 2.0, 1.0, 2.0, 4.0, 4.0)


def number(value):
    return expressions.Literal(float(value))


def bars_of(prices=PRICES):
    return tape(*[(price, price + 1, price / 2, price) for price in prices])


def truth(condition, prices=PRICES, markets=None):
    """Bars on which the condition lets a long be entered, with the last bar (on which nothing is decided) cut off."""
    return np.flatnonzero(decide(play(entry_long=condition, entry_short=None), bars_of((*prices, 1.0)), markets or {}).entry_long).tolist()


def first(condition):
    return decide(play(entry_long=condition), bars_of()).first


def value_of(operand, prices=PRICES):
    """Values of an operand as the stop's level, NaN where missing."""
    risk = model.Risk(stop=model.Stop(kind=model.StopKind.ATR, value=1.0, level=operand))
    return decide(play(risk), bars_of(prices)).levels.stop_long.tolist()


@pytest.mark.parametrize(
    ("operator", "expected"),
    [(">", [2, 6, 7]), ("<", [0, 4]), (">=", [1, 2, 3, 5, 6, 7]), ("<=", [0, 1, 3, 4, 5]), ("==", [1, 3, 5]), ("!=", [0, 2, 4, 6, 7])],
)
def test_comparisons(operator, expected):
    assert truth(expressions.Compare(operator, CLOSE, number(2))) == expected


@pytest.mark.parametrize("operator", [">", "<", ">=", "<=", "==", "!="])
def test_comparisons_with_a_missing_value_are_false(operator):
    missing = expressions.Arithmetic("/", CLOSE, number(0))
    assert truth(expressions.Compare(operator, missing, number(2))) == truth(expressions.Compare(operator, number(2), missing)) == []


def test_not_turns_a_missing_comparison_true_once_everything_is_warm():
    missing = expressions.Compare(">", expressions.Arithmetic("/", CLOSE, number(0)), expressions.Shift(CLOSE, 2.0))
    assert truth(expressions.Not(missing)) == [2, 3, 4, 5, 6, 7]


def test_derived_columns():
    assert value_of(expressions.Column("hl2"), (2.0,) * 3) == [2.0] * 3
    assert value_of(expressions.Column("hlc3"), (2.0,) * 3) == [2.0] * 3
    assert value_of(expressions.Column("ohlc4"), (4.0,) * 3) == [3.75] * 3


def test_arithmetic_and_its_missing_values():
    assert value_of(expressions.Arithmetic("%", expressions.Arithmetic("-", CLOSE, number(3)), number(2)), (1, 2, 3, 4)) == [0, 1, 0, 1]
    assert value_of(expressions.Arithmetic("+", expressions.Arithmetic("*", CLOSE, number(2)), number(1)), (1, 2)) == [3, 5]
    for operator in ("/", "%"):
        assert np.isnan(value_of(expressions.Arithmetic(operator, CLOSE, number(0)))).all()
    assert np.isnan(value_of(expressions.Arithmetic("*", number(1e300), number(1e300)))).all()


def test_shift_looks_back_and_is_missing_before_the_data():
    assert value_of(expressions.Shift(CLOSE, 2.0), (1, 2, 3, 4))[2:] == [1.0, 2.0]
    assert np.isnan(value_of(expressions.Shift(CLOSE, 9.0), (1, 2, 3, 4))).all()


def test_offset_into_the_future_is_refused():
    with pytest.raises(errors.InvalidArgument, match="look back"):
        value_of(expressions.Shift(CLOSE, -1.0))


def test_crosses_need_both_bars():
    assert truth(expressions.Cross(CLOSE, number(2), up=True)) == [2, 6]
    assert truth(expressions.Cross(CLOSE, number(2), up=False)) == [4]


def test_between_includes_both_ends():
    assert truth(expressions.Between(CLOSE, number(2), number(3))) == [1, 2, 3, 5]


def test_near_in_percent_of_the_right_side_and_absolute():
    assert truth(expressions.Near(CLOSE, number(4), number(25), percent=True)) == [2, 6, 7]
    assert truth(expressions.Near(CLOSE, number(4), number(1), percent=False)) == [2, 6, 7]
    assert truth(expressions.Near(CLOSE, number(-4), number(25), percent=True)) == []


def test_member_equals_one_of_its_values():
    assert truth(expressions.Member(CLOSE, (number(1), number(4)))) == [0, 4, 6, 7]
    assert truth(expressions.Member(CLOSE, ())) == []


def test_all_of_nothing_is_true_and_any_of_nothing_is_false():
    assert truth(expressions.All(())) == list(range(8))
    assert truth(expressions.AnyOf(())) == []


def test_all_and_any():
    above, below = expressions.Compare(">", CLOSE, number(1)), expressions.Compare("<", CLOSE, number(3))
    assert truth(expressions.All((above, below))) == [1, 3, 5]
    assert truth(expressions.AnyOf((expressions.Not(above), expressions.Not(below)))) == [0, 2, 4, 6, 7]


def window(kind, bars, **fields):
    return expressions.Window(kind=kind, bars=bars, condition=expressions.Compare(">=", CLOSE, number(2)), **fields)


def test_windows_look_at_the_last_bars_the_current_one_included():
    assert truth(window(expressions.WindowKind.HOLDS_FOR, 3.0)) == [3, 7]
    assert truth(window(expressions.WindowKind.OCCURRED_WITHIN, 2.0)) == [1, 2, 3, 4, 5, 6, 7]
    assert truth(window(expressions.WindowKind.COUNT_TRUE, 5.0, min_true=4.0)) == [5, 6, 7]


def test_window_longer_than_the_data_is_no_problem():
    wide = window(expressions.WindowKind.OCCURRED_WITHIN, 1e9)
    assert decide(play(entry_long=wide), bars_of()).first == 10**9 - 1


def test_window_in_slower_bars_spans_their_length_in_exec_bars():
    assert first(window(expressions.WindowKind.HOLDS_FOR, 2.0, bar_ms=180_000)) == 5
    assert first(window(expressions.WindowKind.HOLDS_FOR, 1.0, bar_ms=150_000)) == 1
    assert first(window(expressions.WindowKind.HOLDS_FOR, 1.0, bar_ms=1)) == 0


def test_reach_of_offsets_crosses_and_windows_adds_up():
    shifted = expressions.Shift(expressions.Arithmetic("+", CLOSE, expressions.Shift(CLOSE, 2.0)), 3.0)
    cross = expressions.Cross(shifted, number(1), up=True)
    nested = expressions.Window(kind=expressions.WindowKind.OCCURRED_WITHIN, bars=4.0, condition=expressions.Not(expressions.All((cross,))))
    assert (first(expressions.Compare(">", shifted, number(0))), first(cross), first(nested)) == (5, 6, 9)


def test_operands_of_stop_and_target_must_be_warm_too():
    risk = model.Risk(stop=model.Stop(kind=model.StopKind.ATR, value=1.0, level=expressions.Shift(CLOSE, 4.0)))
    assert decide(play(risk), bars_of()).first == 4
    short = model.Stop(kind=model.StopKind.STRUCTURE, value=0.0, level=CLOSE, level_short=expressions.Shift(CLOSE, 5.0))
    assert decide(play(model.Risk(stop=short)), bars_of()).first == 5


def test_nothing_is_decided_on_the_last_bar_or_without_a_condition():
    wanted = decide(play(entry_long=expressions.All(()), entry_short=None, exit_long=expressions.All(())), bars_of())
    assert not wanted.entry_long[-1]
    assert not wanted.exit_long[-1]
    assert wanted.entry_long[:-1].all()
    assert not wanted.entry_short.any()
