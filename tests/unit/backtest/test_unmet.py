"""A backtest without trades says which part of its entries never held."""

from __future__ import annotations

import numpy as np

from coinswarm.market.bars import Bars
from coinswarm.play import expressions
from coinswarm.play.model import Mode
from tests.unit.backtest.plays import ENTER_BOTH, ENTER_LONG, flat, play, run, tape

CLOSE, VOLUME = expressions.Column("close"), expressions.Column("volume")


def above(operand: expressions.Operand, level: float) -> expressions.Condition:
    return expressions.Compare(">", operand, expressions.Literal(level))


def rising() -> Bars:
    return tape(*[flat(price) for price in np.arange(100.0, 110.0)])


def entering(condition: expressions.Condition) -> tuple[str, ...]:
    return run(play(entry_long=condition, entry_short=None, mode=Mode.LONG_ONLY), rising()).unmet


def test_a_condition_that_never_held_is_named_with_the_range_of_its_operand() -> None:
    assert entering(above(CLOSE, 200.0)) == ("entry_long never held on 9 bars", "  `close > 200` never held; close ranged from 100 to 108")


def test_each_part_is_told_by_itself() -> None:
    both = expressions.All((above(CLOSE, 104.0), expressions.All((above(VOLUME, 1e6), expressions.Not(above(CLOSE, 1.0))))))
    assert entering(both) == (
        "entry_long never held on 9 bars:",
        "  `close > 104` held on 4 of 9 bars",
        "  `volume > 1000000` never held; volume was always 1000",
        "  `not close > 1` never held; close ranged from 100 to 108",
    )


def test_parts_that_hold_on_other_bars_than_each_other() -> None:
    apart = expressions.All((above(CLOSE, 106.0), expressions.Compare("<", CLOSE, expressions.Literal(102.0))))
    assert entering(apart)[1:] == (
        "  `close > 106` held on 2 of 9 bars",
        "  `close < 102` held on 2 of 9 bars",
        "  all of them on one bar: never",
    )


def test_an_operand_without_a_value_says_so() -> None:
    far = expressions.Arithmetic("/", CLOSE, expressions.Literal(0.0))
    assert entering(above(far, 1.0))[1] == "  `(close / 0) > 1` never held; (close / 0) had no value"


def test_sides_that_cancel_are_told_and_who_trades_is_told_nothing() -> None:
    bars = tape(*[flat(100.0)] * 6, signals={2: ENTER_BOTH})
    cancelled = [f"{name} held on 1 of 5 bars, each time together with the other side's entry: they cancel" for name in SIDES]
    assert run(play(), bars).unmet == tuple(cancelled)
    assert run(play(), tape(*[flat(100.0)] * 6, signals={2: ENTER_LONG})).unmet == ()


SIDES = ("entry_long", "entry_short")
