"""Purged cross-validation and walk-forward."""

from __future__ import annotations

import itertools
import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from coinswarm import errors, stats

small = st.integers(0, 6)


@given(st.integers(20, 80), st.integers(2, 7), st.integers(1, 3), small, small)
def test_purged_splits_never_share_spans(n_obs: int, n_folds: int, n_test: int, hold: int, embargo: int) -> None:
    assume(n_test < n_folds and n_obs // n_folds > 2 * hold + embargo)
    for split in stats.combinatorial_purged_splits(n_obs, n_folds, n_test, hold, embargo):
        train_bars = {bar for i in split.train.tolist() for bar in range(i, i + hold + 1)}
        for test in split.tests:
            assert train_bars.isdisjoint(range(int(test[0]), int(test[-1]) + hold + 1))
            assert not np.isin(np.arange(test[-1] + 1, test[-1] + 1 + hold + embargo), split.train).any()


@given(st.integers(2, 9), st.data())
def test_every_fold_of_every_path_is_used_once(n_folds: int, data: st.DataObject) -> None:
    n_test = data.draw(st.integers(1, n_folds - 1))
    paths = stats.combinatorial_paths(n_folds, n_test)
    splits = stats.combinatorial_purged_splits(10 * n_folds, n_folds, n_test)
    uses = Counter((int(split), fold) for path in paths for fold, split in enumerate(path))
    assert paths.shape == (math.comb(n_folds - 1, n_test - 1), n_folds)
    assert uses == Counter((number, fold) for number, split in enumerate(splits) for fold in split.folds)


@given(st.integers(30, 500), st.integers(1, 8), small, small, small, st.booleans())
def test_walk_forward_tests_follow_their_training(n_obs: int, n_folds: int, warmup: int, purge: int, embargo: int, anchored: bool) -> None:
    assume(n_obs // (n_folds + 1) > warmup + max(purge, embargo))
    folds = stats.walk_forward_splits(n_obs, n_folds, warmup=warmup, purge=purge, embargo=embargo, anchored=anchored)
    assert len(folds) == n_folds
    assert folds[-1].test_end == n_obs
    for fold in folds:
        assert fold.train_end + purge + embargo == fold.test_start
        assert fold.test_start - fold.warm_start == warmup
        assert min(fold.train_end - fold.train_start, fold.test_end - fold.test_start) > warmup
    assert all(one.test_end + embargo == next_.test_start for one, next_ in itertools.pairwise(folds))
    assert not anchored or {fold.train_start for fold in folds} == {0}


@given(st.integers(20, 400), st.integers(1, 12), st.integers(0, 60), small, small)
def test_the_fold_that_a_refusal_offers_does_fit(n_obs: int, n_folds: int, warmup: int, purge: int, embargo: int) -> None:
    try:
        folds = stats.walk_forward_splits(n_obs, n_folds, warmup=warmup, purge=purge, embargo=embargo)
    except errors.SpanTooShort as refused:
        words = refused.hint.split()
        if words[0].isdigit():
            folds = stats.walk_forward_splits(n_obs, int(words[0]), warmup=warmup, purge=purge, embargo=embargo)
            with pytest.raises(errors.SpanTooShort):
                stats.walk_forward_splits(n_obs, int(words[0]) + 1, warmup=warmup, purge=purge, embargo=embargo)
        else:
            least = int(refused.hint.partition("it takes ")[2].split()[0])
            folds = stats.walk_forward_splits(least, 1, warmup=warmup, purge=purge, embargo=embargo)
    assert folds


def test_folds_shorter_than_the_warm_up_are_refused_with_the_fold_that_fits() -> None:
    with pytest.raises(
        errors.SpanTooShort, match=r"longer than the warm-up of 200.*4 folds would fit, with 200|3 folds would fit"
    ) as refused:
        stats.walk_forward_splits(1000, 9, warmup=200)
    assert refused.value.hint == "3 folds would fit, with 250 to train on and 250 to test on"


def test_a_first_training_stretch_may_be_named_and_must_hold_the_warm_up() -> None:
    folds = stats.walk_forward_splits(1000, 4, warmup=50, first_train=600, anchored=False)
    assert [(fold.train_start, fold.train_end, fold.test_end) for fold in folds] == [
        (0, 600, 700),
        (100, 700, 800),
        (200, 800, 900),
        (300, 900, 1000),
    ]
    with pytest.raises(errors.SpanTooShort, match="first_train must be at least 61"):
        stats.walk_forward_splits(1000, 4, warmup=50, purge=10, first_train=55)


@pytest.mark.parametrize("arguments", [(10, 1, 1), (10, 11, 1), (10, 3, 3), (10, 3, 0), (1, 2, 1), (10, 3, 1, -1), (10**6, 60, 30)])
def test_splits_that_cannot_be_are_refused(arguments: tuple[int, ...]) -> None:
    with pytest.raises(errors.InvalidArgument):
        stats.combinatorial_purged_splits(*arguments)


def test_a_purge_that_leaves_nothing_is_refused() -> None:
    with pytest.raises(errors.SpanTooShort, match="must remain"):
        stats.combinatorial_purged_splits(12, 3, 1, purge=8)
