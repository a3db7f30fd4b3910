"""What the program prints of a condition it reads again; and names of parameters."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coinswarm import errors, play
from coinswarm.play import describe, fixing
from coinswarm.play.expressions import (
    All,
    AnyOf,
    Arithmetic,
    Between,
    Column,
    Compare,
    Condition,
    Cross,
    Literal,
    Member,
    Near,
    Not,
    Output,
    Shift,
    Slot,
)

HEAD = """
tf: 5m
features:
  rsi: { indicator: rsi }
  dc: { indicator: donchian }
  hour: { indicator: hour_of_day }
  st: { indicator: supertrend }
structures: { exec: [{ type: trend, key: trend, params: { ema_length: 20 } }] }
setups: { up: [[close, ">", 1]] }
risk: { stop_loss_pct: 2 }
"""
CLOSE, RSI, UPPER, HOUR = Column("close"), Output("rsi", "value"), Output("dc", "upper"), Output("hour", "value")


def entry(condition: str) -> Condition | None:
    return play.loads(f"{HEAD}actions:\n  entry_long:\n    - {condition}\n").entry_long


def problems(condition: str) -> str:
    with pytest.raises(errors.BadPlay) as caught:
        entry(condition)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("close > rsi", Compare(">", CLOSE, RSI)),
        ("close > dc.upper[1]", Compare(">", CLOSE, Shift(UPPER, 1.0))),
        ("[close, '>', 'dc.upper[1]']", Compare(">", CLOSE, Shift(UPPER, 1.0))),
        ("[close, 'crosses above', 'close[0]']", Cross(CLOSE, CLOSE, up=True)),
        ("rsi crosses_above 30", Cross(RSI, Literal(30.0), up=True)),
        ("rsi crosses below 30.5", Cross(RSI, Literal(30.5), up=False)),
        ("20 <= rsi <= 40", Between(RSI, Literal(20.0), Literal(40.0))),
        ("20 < rsi <= 40", All((Compare("<", Literal(20.0), RSI), Compare("<=", RSI, Literal(40.0))))),
        ("hour in [1, 2]", Member(HOUR, (Literal(1.0), Literal(2.0)))),
        ("hour[1] == 3", Compare("==", Shift(HOUR, 1.0), Literal(3.0))),
        ("trend.state == trending_up", Compare("==", Output("trend", "state"), Literal(1.0))),
        ("close within 1 % of dc.upper", Near(CLOSE, UPPER, Literal(1.0), percent=True)),
        ("close within 5 of dc.upper", Near(CLOSE, UPPER, Literal(5.0), percent=False)),
        ("(close - open) > -2 * rsi", Compare(">", Arithmetic("-", CLOSE, Column("open")), Arithmetic("*", Literal(-2.0), RSI))),
        (
            "not rsi > 1 and (rsi < 30 or (close > open))",
            All((Not(Compare(">", RSI, Literal(1.0))), AnyOf((Compare("<", RSI, Literal(30.0)), Compare(">", CLOSE, Column("open")))))),
        ),
    ],
)
def test_a_condition_in_one_line(text: str, meaning: Condition) -> None:
    assert entry(text) == meaning


def test_lines_stand_in_lists_beside_other_conditions() -> None:
    assert entry("[close > open, rsi < 30]") == entry("{ all: [[close, '>', open], rsi < 30] }")
    assert entry("{ holds_for: { bars: 3, expr: rsi < 30 } }") == entry("{ holds_for: { bars: 3, expr: [rsi, '<', 30] } }")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("close >", "the text ends where a feature, a column or a number is expected"),
        ("close > 0.01%", "% takes a remainder: 0.01 % is written 0.0001"),
        ("close", "'the end' stands where a comparison such as > is expected"),
        ("close > open or", "the text ends where"),
        ("(close > open", "'the end' stands where ')' is expected"),
        ("close > opne", "did you mean open"),
        ("close > 3 4", "'4' stands where and, or or the end is expected"),
        ("close ~ open", "'~ open' is not understood"),
        ("up", "did you mean { setup: up }?"),
        ("close > dc.upper[999999]", "an offset is an integer from 0 to 100000"),
        ('[close, ">", dc.upper[1]]', 'an offset needs quotes: [close, ">", "dc.upper[1]"]'),
    ],
)
def test_what_is_no_condition_in_one_line(text: str, message: str) -> None:
    assert message in problems(text)


def test_brackets_without_end_are_a_mistake_and_nothing_worse() -> None:
    for text in ("(" * 900 + "close > 1" + ")" * 900, "not " * 400 + "close > 1", "close > 1" + " and close > 1" * 500):
        assert "problem" in problems(text)


OPERANDS = st.sampled_from([CLOSE, RSI, UPPER, Shift(UPPER, 2.0), Literal(3.0), Literal(-0.5), Literal(1e-9), Output("dc", "lower")])
VALUES = st.one_of(OPERANDS, st.builds(Arithmetic, st.sampled_from("+-*/%"), OPERANDS, OPERANDS))
LEAVES = st.one_of(
    st.builds(Compare, st.sampled_from(["<", ">", "<=", ">="]), VALUES, VALUES),
    st.builds(Cross, VALUES, VALUES, st.booleans()),
    st.builds(Between, VALUES, VALUES, VALUES),
    st.builds(Near, VALUES, VALUES, st.just(Literal(2.0)), st.booleans()),
    st.just(Member(HOUR, (Literal(1.0), Literal(2.0)))),
)
SEVERAL = st.lists(LEAVES, min_size=2, max_size=3).map(tuple)
CONDITIONS = st.one_of(LEAVES, st.builds(All, SEVERAL), st.builds(AnyOf, SEVERAL), st.builds(Not, st.builds(AnyOf, SEVERAL)))


@settings(max_examples=150, deadline=None)
@given(st.one_of(CONDITIONS, st.builds(All, st.tuples(CONDITIONS.filter(lambda one: not isinstance(one, All)), LEAVES))))
def test_what_is_printed_is_read_again(condition: Condition) -> None:
    text = describe.condition(condition)
    low_above_high = isinstance(condition, Between) and isinstance(condition.low, Literal) and isinstance(condition.high, Literal)
    if low_above_high or "3 <= " in text or "<= 1e-09" in text or "<= -0.5" in text:
        return
    assert entry(f"'{text}'") == condition


@given(st.integers(0, 2**32))
@settings(max_examples=60, deadline=None)
def test_any_text_is_a_condition_or_a_mistake(seed: int) -> None:
    rnd = Random(seed)
    words = ["close", "rsi", "and", "or", "not", "in", "within", "of", "crosses", "above"]
    parts = [*words, ">", "<=", "(", ")", "[1]", "[", "]", "3", "-", "%", ","]
    text = " ".join(rnd.choices(parts, k=rnd.randint(1, 12)))
    try:
        found = entry(f"'{text}'")
    except errors.BadPlay:
        return
    assert isinstance(found, Condition)


# --- names of parameters --------------------------------------------------------------------------------------------------

NAMED = """
tf: 5m
features: { rsi: { indicator: rsi, params: { length: { name: rsi_length, values: [7, 14] } } } }
constraints: [[entry_level, "<", exit_level]]
actions:
  entry_long: [[rsi, "<", { name: entry_level, min: 20, max: 40 }]]
  exit_long: [[rsi, ">", { name: exit_level, min: 30, max: 70, step: 10 }]]
  entry_short: [[rsi, ">", { name: exit_level, min: 30, max: 70, step: 10 }]]
risk: { stop_loss_pct: 2 }
"""


def test_a_parameter_may_have_a_name_and_stand_at_several_places() -> None:
    found = play.loads(NAMED)
    assert [dimension.path for dimension in found.space.dimensions] == ["rsi_length", "entry_level", "exit_level"]
    assert found.exit_long == found.entry_short == Compare(">", Output("rsi", "value"), Literal(Slot(2)))
    genome = found.space.encode({"rsi_length": 14, "entry_level": 25, "exit_level": 50})
    fixed = play.fix(found, genome)
    assert play.identity(play.loads(fixing.text(NAMED, fixed, found.space.decode(genome)))) == play.identity(fixed)
    assert found.space.valid(found.space.sample(np.random.default_rng(0), 50)).all()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("exit_level, min: 30, max: 70, step: 10 }]]\n  entry", "exit_level, values: [1, 2] }]]\n  entry", "is one parameter"),
        ("name: entry_level", "name: rsi.length", "letters, digits, _ and - only"),
        ("name: entry_level", "nme: entry_level", "did you mean name?"),
        ("values: [7, 14]", "values: 7", "values are a list to choose from"),
        ("[entry_level, ", "[entry_levl, ", "did you mean entry_level"),
    ],
)  # fmt: skip
def test_names_that_cannot_be(old: str, new: str, message: str) -> None:
    assert old in NAMED
    with pytest.raises(errors.BadPlay, match=message.replace("?", r"\?")):
        play.loads(NAMED.replace(old, new))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("entry_long: [[close, '>', 1]]", "did you mean actions.entry_long?"),
        ("entry_lng: [[close, '>', 1]]", "did you mean actions.entry_long"),
        ("stop_loss_pct: 3", "did you mean risk.stop_loss_pct?"),
        ("mode: long_only", "did you mean position_policy.mode?"),
        ("features: { e: { indicator: ema, length: 3 } }", "did you mean features.e.params.length?"),
        ("features: { e: { indicator: ema, period: 3 } }", "did you mean features.e.params.length?"),
        ("risk: { stop_loss: { type: trailing_atr, atr: e, mult: 3 } }", "did you mean atr_feature_id?"),
        ("risk: { sizing: { model: risk_based, risk_pct: 1 } }", "did you mean value?"),
        ("features: { e: { indicator: ema, lenght: 3 } }", "did you mean features.e.params.length?"),
    ],
)
def test_a_key_at_the_wrong_place_is_answered_with_the_right_one(text: str, message: str) -> None:
    with pytest.raises(errors.BadPlay) as caught:
        play.loads(text)
    assert message in str(caught.value)
