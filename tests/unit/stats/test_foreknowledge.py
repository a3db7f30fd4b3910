"""How much a column may know of what comes next."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coinswarm import errors, stats

SEEDS = st.integers(0, 2**32 - 1)


@settings(max_examples=60)
@given(SEEDS, st.integers(30, 3000), st.integers(1, 300))
def test_what_has_nothing_to_do_with_the_future_is_never_taken_for_a_leak(seed: int, n: int, hold: int) -> None:
    values, moves = np.random.default_rng(seed).standard_t(3, (2, n))
    assert not stats.foreknowledge(values, moves, hold=hold).found


@given(SEEDS)
@settings(max_examples=20)
def test_a_sign_that_is_known_is_found_and_few_independent_moves_prove_nothing(seed: int) -> None:
    values, moves = np.random.default_rng(seed).standard_normal((2, 600))
    told = np.abs(values) * np.where(moves > 0, 3.0, 1.0)
    assert stats.foreknowledge(told, moves).found
    assert not stats.foreknowledge(told, moves, independent=20).found


def test_a_price_that_bounces_between_bid_and_ask_stays_below_the_ceiling_until_the_spread_is_all_there_is() -> None:
    random = np.random.default_rng(1)
    middle, coin = np.cumsum(random.standard_normal(40_000)), random.choice([-1.0, 1.0], 40_000)
    for half_spread, found in ((0.5, False), (2.0, True)):
        steps = np.diff(middle + half_spread * coin)
        assert stats.foreknowledge(steps[:-1], steps[1:]).found is found


def test_the_ceiling_is_a_quarter_of_one_bar_and_falls_with_the_hold() -> None:
    ceilings = [stats.honest_ceiling(hold) for hold in (1, 6, 48, 288)]
    assert ceilings[0] == pytest.approx(0.25)
    assert ceilings == sorted(ceilings, reverse=True)
    with pytest.raises(errors.InvalidArgument, match="hold"):
        stats.honest_ceiling(0)


def test_missing_and_constant_values_say_nothing() -> None:
    moves = np.random.default_rng(2).standard_normal(100)
    for values in (np.full(100, np.nan), np.ones(100), np.r_[moves[:29], np.full(71, np.nan)]):
        assert stats.foreknowledge(values, moves) == stats.Foreknowledge(correlation=0.0, z=0.0, found=False)
    with pytest.raises(errors.ShapeMismatch):
        stats.foreknowledge(moves[:50], moves)
