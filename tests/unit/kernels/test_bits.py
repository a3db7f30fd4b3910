"""Packed conditions against their slow obvious twins on plain arrays."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coinswarm.kernels import bits
from coinswarm.kernels.bits import packed
from coinswarm.types import Bits, BoolArray
from tests.oracles import naive_bits

MASKS = st.tuples(st.integers(1, 300), st.integers(0, 2**32), st.sampled_from([0.02, 0.5, 0.98])).map(
    lambda drawn: np.random.default_rng(drawn[1]).random(drawn[0]) < drawn[2]
)


def every_bit(words: Bits) -> list[bool]:
    return np.unpackbits(words.view(np.uint8), bitorder="little").astype(bool).tolist()


def unpacked(words: Bits, n: int) -> list[bool]:
    everything = every_bit(words)
    assert not any(everything[n:]), "bits past the last bar must be 0"
    return everything[:n]


@given(MASKS)
def test_packing_keeps_every_bar(mask: BoolArray) -> None:
    assert unpacked(packed(mask), mask.size) == mask.tolist()
    assert [bool(bits.is_set(packed(mask), i)) for i in range(mask.size)] == mask.tolist()


@given(MASKS, st.integers(0, 320))
def test_shifting_looks_back_and_is_false_before_the_data(mask: BoolArray, bars: int) -> None:
    assert unpacked(bits.shifted(packed(mask), bars, mask.size), mask.size) == naive_bits.shifted(mask.tolist(), bars)


@given(MASKS, st.integers(1, 70), st.sampled_from([1.0, 2.0, 2.5]))
def test_windows_count_the_last_bars_with_this_one(mask: BoolArray, bars: int, least: float) -> None:
    plain, words, n = mask.tolist(), packed(mask), mask.size
    assert unpacked(bits.held_for(words, bars, n), n) == naive_bits.held_for(plain, bars)
    assert unpacked(bits.occurred_within(words, bars, n), n) == naive_bits.occurred_within(plain, bars)
    assert unpacked(bits.count_true(words, bars, least, n), n) == naive_bits.count_true(plain, bars, least)


@given(MASKS)
def test_not_leaves_the_tail_empty(mask: BoolArray) -> None:
    assert unpacked(bits.inverted(packed(mask), mask.size), mask.size) == naive_bits.inverted(mask.tolist())


@given(MASKS, st.integers(0, 63))
def test_a_cleared_tail_has_no_bar(mask: BoolArray, dropped: int) -> None:
    words = packed(mask)
    n = max(mask.size - dropped, 64 * (words.size - 1) + 1)
    expected = naive_bits.clear_tail(every_bit(words), n)
    bits.clear_tail(words, n)
    assert every_bit(words) == expected


@pytest.mark.parametrize("conjunction", [True, False])
def test_rows_are_combined_as_picked(conjunction: bool) -> None:
    masks = np.random.default_rng(7).random((5, 130)) < 0.5
    picks = np.array([[0, 1], [4, 4], [2, 3]])
    out = np.empty((3, 3), dtype=np.uint64)
    bits.combine_rows(np.stack([packed(mask) for mask in masks]), picks, conjunction, out)
    assert [unpacked(row, 130) for row in out] == naive_bits.combine_rows(masks.tolist(), picks.tolist(), conjunction)


@given(MASKS, MASKS, st.integers(0, 310))
def test_the_next_bar_on_which_one_of_two_is_true_is_found(one: BoolArray, other: BoolArray, start: int) -> None:
    n = min(one.size, other.size)
    one, other = one[:n], other[:n]
    expected = next((i for i in range(start, n) if one[i] != other[i]), n)
    assert bits.next_set_of_xor(packed(one), packed(other), start, n) == expected


@given(MASKS, st.integers(0, 2**32), st.integers(0, 300), st.booleans())
def test_the_next_exit_is_a_signal_or_an_unopposed_reversal(leave: BoolArray, seed: int, start: int, reverse: bool) -> None:
    n = leave.size
    own, opposite = np.random.default_rng(seed).random((2, n)) < 0.3
    asked = leave | (opposite & ~own) if reverse else leave
    expected = next((i for i in range(start, n) if asked[i]), n)
    assert min(n, bits.next_exit(packed(leave), packed(own), packed(opposite), reverse, start, n)) == expected
