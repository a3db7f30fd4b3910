"""Packed conditions against their slow obvious twins on plain arrays."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coinswarm.fitness.conditions import packed
from coinswarm.kernels import bits
from coinswarm.types import Bits, BoolArray

MASKS = st.tuples(st.integers(1, 300), st.integers(0, 2**32), st.sampled_from([0.02, 0.5, 0.98])).map(
    lambda drawn: np.random.default_rng(drawn[1]).random(drawn[0]) < drawn[2]
)


def unpacked(words: Bits, n: int) -> BoolArray:
    everything = np.unpackbits(words.view(np.uint8), bitorder="little").astype(bool)
    assert not everything[n:].any(), "bits past the last bar must be 0"
    return everything[:n]


def window(mask: BoolArray, bars: int) -> list[int]:
    return [int(mask[max(0, i - bars + 1) : i + 1].sum()) for i in range(mask.size)]


@given(MASKS)
def test_packing_keeps_every_bar(mask: BoolArray) -> None:
    assert unpacked(packed(mask), mask.size).tolist() == mask.tolist()
    assert bits.count(packed(mask)) == mask.sum()
    assert [bool(bits.is_set(packed(mask), i)) for i in range(mask.size)] == mask.tolist()


@given(MASKS, st.integers(0, 320))
def test_shifting_looks_back_and_is_false_before_the_data(mask: BoolArray, bars: int) -> None:
    expected = [i >= bars and bool(mask[i - bars]) for i in range(mask.size)]
    assert unpacked(bits.shifted(packed(mask), bars, mask.size), mask.size).tolist() == expected


@given(MASKS, st.integers(1, 70))
def test_windows_count_the_last_bars_with_this_one(mask: BoolArray, bars: int) -> None:
    counts, words, n = window(mask, bars), packed(mask), mask.size
    assert unpacked(bits.held_for(words, bars, n), n).tolist() == [count == bars for count in counts]
    assert unpacked(bits.occurred_within(words, bars, n), n).tolist() == [count > 0 for count in counts]
    assert unpacked(bits.count_true(words, bars, 2.0, n), n).tolist() == [count >= 2 for count in counts]


@given(MASKS)
def test_not_leaves_the_tail_empty(mask: BoolArray) -> None:
    assert unpacked(bits.inverted(packed(mask), mask.size), mask.size).tolist() == (~mask).tolist()


@pytest.mark.parametrize("conjunction", [True, False])
def test_rows_are_combined_as_picked(conjunction: bool) -> None:
    masks = np.random.default_rng(7).random((5, 130)) < 0.5
    picks = np.array([[0, 1], [4, 4], [2, 3]])
    out = np.empty((3, 3), dtype=np.uint64)
    bits.combine_rows(np.stack([packed(mask) for mask in masks]), picks, conjunction, out)
    join = np.logical_and if conjunction else np.logical_or
    for row, (left, right) in zip(out, picks, strict=True):
        assert unpacked(row, 130).tolist() == join(masks[left], masks[right]).tolist()


@given(MASKS, MASKS, st.integers(0, 310))
def test_the_next_bar_is_found(one: BoolArray, other: BoolArray, start: int) -> None:
    n = min(one.size, other.size)
    one, other = one[:n], other[:n]
    assert bits.next_set(packed(one), start, n) == next((i for i in range(start, n) if one[i]), n)
    expected = next((i for i in range(start, n) if one[i] != other[i]), n)
    assert bits.next_set_of_xor(packed(one), packed(other), start, n) == expected


@given(MASKS, st.integers(0, 2**32), st.integers(0, 300), st.booleans())
def test_the_next_exit_is_a_signal_or_an_unopposed_reversal(leave: BoolArray, seed: int, start: int, reverse: bool) -> None:
    n = leave.size
    own, opposite = np.random.default_rng(seed).random((2, n)) < 0.3
    asked = leave | (opposite & ~own) if reverse else leave
    expected = next((i for i in range(start, n) if asked[i]), n)
    assert min(n, bits.next_exit(packed(leave), packed(own), packed(opposite), reverse, start, n)) == expected
