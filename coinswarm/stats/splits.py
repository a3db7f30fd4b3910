"""Cutting a row of observations into training and test sets that do not see each other."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np

from coinswarm import errors
from coinswarm.stats import inputs
from coinswarm.types import IntArray

MAX_SPLITS = 200_000


@dataclass(frozen=True, kw_only=True, slots=True)
class PurgedSplit:
    """One choice of test folds.

    Attributes:
        train: (n_train,) indices of observations to learn from, ascending.
        tests: one ascending index array for each test fold.
        folds: number of each test fold, ascending.
    """

    train: IntArray
    tests: tuple[IntArray, ...]
    folds: tuple[int, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class WalkForwardFold:
    """One step of a walk forward; stretches are half-open ranges of observations.

    Attributes:
        train_start: first observation of the training stretch; its first `warmup` observations only warm features up.
        train_end: end of the training stretch; `purge` observations before the test are left out.
        warm_start: first observation that the test receives, so that its features are warm when it begins.
        test_start: first observation on which the test decides.
        test_end: end of the test stretch.
    """

    train_start: int
    train_end: int
    warm_start: int
    test_start: int
    test_end: int


def combinatorial_purged_splits(n_obs: int, n_folds: int, n_test: int, purge: int = 0, embargo: int = 0) -> list[PurgedSplit]:
    """All C(n_folds, n_test) choices of test folds, with training observations removed that share information with a test fold.

    Training observations closer than `purge` before a test fold, or closer than `purge + embargo` after it, are left out. When
    observation i uses bars i to i + purge (a hold), no training span meets a test span.

    Args:
        n_obs: number of observations in time order.
        n_folds: folds of nearly equal length, 2 to n_obs; the first ones are longer by one.
        n_test: folds in each test set, 1 to n_folds - 1.
        purge: observations, at least the longest hold; not negative.
        embargo: further observations left out after each test fold; not negative.

    Returns:
        Splits in lexicographic order of their test folds.

    Raises:
        InvalidArgument: an argument lies outside its domain, or there would be too many splits.
        SpanTooShort: a split would have nothing to learn from.

    Source: Lopez de Prado 2018 ("Advances in financial machine learning"), chapters 7 and 12.
    """
    inputs.whole(n_obs, "n_obs", 2)
    _require_folds(n_folds, n_test, n_obs)
    inputs.whole(purge, "purge", 0)
    inputs.whole(embargo, "embargo", 0)
    folds = np.array_split(np.arange(n_obs, dtype=np.int64), n_folds)
    return [_purged(folds, chosen, purge, embargo) for chosen in itertools.combinations(range(n_folds), n_test)]


def combinatorial_paths(n_folds: int, n_test: int) -> IntArray:
    """Which split supplies each fold of each path: test folds put together to complete histories.

    Args:
        n_folds: number of folds, at least 2.
        n_test: folds in each test set, 1 to n_folds - 1.

    Returns:
        (n_paths, n_folds) numbers of splits in the order of `combinatorial_purged_splits`; n_paths = C(n_folds - 1, n_test - 1), and each
        test fold of each split is used exactly once.

    Raises:
        InvalidArgument: an argument lies outside its domain.

    Source: Lopez de Prado 2018, section 12.4.
    """
    _require_folds(n_folds, n_test)
    choices = list(itertools.combinations(range(n_folds), n_test))
    return np.array([[split for split, chosen in enumerate(choices) if fold in chosen] for fold in range(n_folds)], dtype=np.int64).T


def walk_forward_splits(
    n_obs: int, n_folds: int, *, warmup: int = 0, purge: int = 0, embargo: int = 0, anchored: bool = True, first_train: int | None = None
) -> list[WalkForwardFold]:
    """Train on the past, test on what follows, and move on.

    The observations after the first training stretch are cut into n_folds test stretches of nearly equal length. Training ends `purge`
    observations before a test, the test begins `embargo` observations late, and it receives the `warmup` observations before it.

    Args:
        n_obs: number of observations in time order.
        n_folds: test stretches, at least 1.
        warmup: observations the play's features need before a decision; not negative.
        purge: observations left out before a test, at least the longest hold; not negative.
        embargo: observations skipped at the beginning of each test; not negative.
        anchored: train from the first observation on (growing), or on a stretch of constant length that moves along.
        first_train: length of the first training stretch, purge included; by default that of a test.

    Returns:
        n_folds folds in time order; test stretches do not overlap.

    Raises:
        InvalidArgument: an argument lies outside its domain.
        SpanTooShort: a training or test stretch is not longer than the warm-up; the message says which folds would fit.
    """
    inputs.whole(n_obs, "n_obs", 2)
    inputs.whole(n_folds, "n_folds", 1)
    for name, value in (("warmup", warmup), ("purge", purge), ("embargo", embargo)):
        inputs.whole(value, name, 0)
    if first_train is not None:
        inputs.whole(first_train, "first_train", 1, n_obs - 1)
    plan = _Plan(n_obs=n_obs, warmup=warmup, purge=purge, embargo=embargo, anchored=anchored, first_train=first_train)
    if not plan.fits(n_folds):
        raise plan.refusal(n_folds)
    return plan.folds(n_folds)


def most_folds(n_obs: int, n_folds: int, *, warmup: int = 0, purge: int = 0) -> int:
    """The largest number of test stretches, at most n_folds, that `walk_forward_splits` can cut; 0 when not even one fits.

    Args:
        n_obs: number of observations in time order.
        n_folds: the most that are wanted, at least 1.
        warmup: as for `walk_forward_splits`.
        purge: likewise.

    Raises:
        InvalidArgument: an argument lies outside its domain.
    """
    for name, value, least in (("n_obs", n_obs, 2), ("n_folds", n_folds, 1), ("warmup", warmup, 0), ("purge", purge, 0)):
        inputs.whole(value, name, least)
    plan = _Plan(n_obs=n_obs, warmup=warmup, purge=purge, embargo=0, anchored=True, first_train=None)
    return plan.most(n_folds)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Plan:
    n_obs: int
    warmup: int
    purge: int
    embargo: int
    anchored: bool
    first_train: int | None

    def begin(self, n_folds: int) -> int:
        return self.first_train if self.first_train is not None else self.n_obs // (n_folds + 1)

    def lengths(self, n_folds: int) -> tuple[int, int]:
        """Usable observations of the shortest training stretch and the shortest test."""
        begin = self.begin(n_folds)
        return begin - self.purge, (self.n_obs - begin) // n_folds - self.embargo

    def fits(self, n_folds: int) -> bool:
        return min(self.lengths(n_folds)) > self.warmup

    def most(self, n_folds: int) -> int:
        """The largest number up to n_folds that fits; 0: none does."""
        return next((number for number in range(min(n_folds, self.n_obs), 0, -1) if self.fits(number)), 0)

    def folds(self, n_folds: int) -> list[WalkForwardFold]:
        begin = self.begin(n_folds)
        cuts = [begin + (self.n_obs - begin) * number // n_folds for number in range(n_folds + 1)]
        return [self._fold(begin, cut, end) for cut, end in itertools.pairwise(cuts)]

    def _fold(self, begin: int, cut: int, end: int) -> WalkForwardFold:
        start = cut + self.embargo
        return WalkForwardFold(
            train_start=0 if self.anchored else cut - begin,
            train_end=cut - self.purge,
            warm_start=max(0, start - self.warmup),
            test_start=start,
            test_end=end,
        )

    def refusal(self, n_folds: int) -> errors.SpanTooShort:
        train, test = self.lengths(n_folds)
        found = f"{n_folds} folds with {train} to train on and {test} to test on after purge and embargo"
        return errors.SpanTooShort(
            f"folds must be longer than the warm-up of {self.warmup} observations", found=found, hint=self._advice(n_folds)
        )

    def _advice(self, n_folds: int) -> str:
        most = self.most(n_folds - 1)
        if most:
            train, test = self.lengths(most)
            return f"{most} fold{'s' if most > 1 else ''} would fit, with {train} to train on and {test} to test on"
        need = self.warmup + 1
        least = (self.first_train or 0) + need + self.embargo if self.first_train else 2 * (need + max(self.purge, self.embargo))
        if self.first_train is not None and self.first_train - self.purge <= self.warmup:
            return f"first_train must be at least {need + self.purge}"
        return f"not even one fold fits: it takes {least} observations, there are {self.n_obs}"


def _require_folds(n_folds: int, n_test: int, n_obs: float = math.inf) -> None:
    inputs.whole(n_folds, "n_folds", 2, n_obs)
    inputs.whole(n_test, "n_test", 1, n_folds - 1)
    if math.comb(n_folds, n_test) > MAX_SPLITS:
        raise errors.InvalidArgument(
            f"there must be at most {MAX_SPLITS:,} splits", found=f"{math.comb(n_folds, n_test):,}", hint="use fewer folds"
        )


def _purged(folds: list[IntArray], chosen: tuple[int, ...], purge: int, embargo: int) -> PurgedSplit:
    n_obs = int(folds[-1][-1]) + 1
    free = np.ones(n_obs, dtype=np.bool_)
    for fold in chosen:
        first, last = int(folds[fold][0]), int(folds[fold][-1])
        free[max(0, first - purge) : last + 1 + purge + embargo] = False
    if not free.any():
        found = f"test folds {', '.join(map(str, chosen))} leave none"
        raise errors.SpanTooShort(
            "observations to train on must remain after purge and embargo", found=found, hint="use fewer folds or a smaller purge"
        )
    return PurgedSplit(train=np.flatnonzero(free).astype(np.int64), tests=tuple(folds[fold] for fold in chosen), folds=chosen)
