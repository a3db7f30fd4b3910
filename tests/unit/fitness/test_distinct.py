"""Different combinations of a batch against a set of tuples."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from coinswarm.fitness.distinct import combinations


@given(st.lists(st.integers(1, 40), max_size=6), st.integers(1, 200), st.integers(0, 2**32))
def test_each_variant_points_to_its_own_tuple_and_each_tuple_occurs(sizes: list[int], n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    indices = [rng.integers(0, size, n) for size in sizes]
    picks, which = combinations(indices, sizes, n)
    tuples = [tuple(int(index[v]) for index in indices) for v in range(n)]
    assert [tuple(picks[which[v]].tolist()) for v in range(n)] == tuples
    assert picks.shape[0] == len(set(tuples))


def test_more_combinations_than_an_integer_holds_are_told_apart() -> None:
    rng = np.random.default_rng(3)
    indices = [rng.integers(0, 10_000, 300) for _ in range(8)]
    picks, which = combinations(indices, [10_000] * 8, 300)
    assert (picks[which] == np.column_stack(indices)).all()
