"""Does picking the best in sample help out of sample? Combinatorially symmetric cross-validation of a leaderboard."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from coinswarm import errors
from coinswarm.stats import inputs
from coinswarm.types import FloatArray

CELLS_AT_ONCE = 4_000_000
"""Splits times variants that are held in memory together: 32 MB an array."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Overfitting:
    """What became of the in-sample winner of each split.

    Attributes:
        pbo: share of splits whose winner ranks in the lower half out of sample, in [0, 1].
        logits: (n_splits,) log odds of the winner's relative rank out of sample; at most 0 means the lower half.
        probability_of_loss: share of splits whose winner's out-of-sample metric is below 0, in [0, 1].
        slope: of the winner's out-of-sample metric on its in-sample metric; NaN when the latter never varies.
        in_sample: (n_splits,) metric of the winner in sample, per period.
        out_of_sample: (n_splits,) metric of the same variant out of sample, per period.
    """

    pbo: float
    logits: FloatArray
    probability_of_loss: float
    slope: float
    in_sample: FloatArray
    out_of_sample: FloatArray


def probability_of_backtest_overfitting(returns: FloatArray, n_blocks: int = 16, metric: str = "sharpe") -> Overfitting:
    """Probability of backtest overfitting by combinatorially symmetric cross-validation (CSCV).

    Time is cut into blocks; every choice of half of them is a training set, the rest its test set. The best variant of the training
    set has rank r of n_variants in the test set (1 = worst, ties share their rank); its logit is log(w / (1 - w)) with
    w = r / (n_variants + 1). PBO is the share of logits at or below 0. One matrix of noise has a PBO of .5 with a standard deviation
    of about .2, so a single value near .5 decides nothing.

    Args:
        returns: (n_obs, n_variants) returns per period, fractions, the same periods for all variants; finite, no column flat, at least
            2 variants.
        n_blocks: even, 2 to 20; blocks differ by at most one observation, n_obs >= 2 n_blocks.
        metric: what ranks variants, per period: "sharpe" (ddof 1; 0 where flat) or "mean".

    Returns:
        An `Overfitting` of C(n_blocks, n_blocks / 2) splits.

    Raises:
        InvalidArgument: returns are missing, flat or too few, or an argument lies outside its domain.

    Source: Bailey, Borwein, Lopez de Prado & Zhu 2017 ("The probability of backtest overfitting").
    """
    values = inputs.varying_columns(returns, "returns")
    _require(values, n_blocks, metric)
    in_sample, out_of_sample, ranks = (np.concatenate(parts) for parts in zip(*_splits(values, n_blocks, METRICS[metric]), strict=True))
    share = ranks / (values.shape[1] + 1)
    logits = np.log(share / (1 - share))
    return Overfitting(
        pbo=float(np.mean(logits <= 1e-12)),
        logits=logits,
        probability_of_loss=float(np.mean(out_of_sample < 0)),
        slope=_slope(in_sample, out_of_sample),
        in_sample=in_sample,
        out_of_sample=out_of_sample,
    )


def _require(values: FloatArray, n_blocks: int, metric: str) -> None:
    n_obs, n_variants = values.shape
    inputs.one_of(metric, "metric", tuple(METRICS))
    inputs.whole(n_blocks, "n_blocks", 2, 20)
    if n_blocks % 2:
        raise errors.InvalidArgument("n_blocks must be even", found=n_blocks)
    if n_variants < 2:
        raise errors.ShapeMismatch("returns must have at least 2 variants (columns)", found=n_variants)
    if n_obs < 2 * n_blocks:
        raise errors.ShapeMismatch(f"returns must have at least {2 * n_blocks} observations for {n_blocks} blocks", found=n_obs)


def _splits(values: FloatArray, n_blocks: int, metric: _Metric) -> Iterator[tuple[FloatArray, FloatArray, FloatArray]]:
    halves = list(itertools.combinations(range(n_blocks), n_blocks // 2))
    chosen = np.zeros((len(halves), n_blocks))
    chosen[np.arange(len(halves))[:, None], np.array(halves)] = 1.0
    sums = _BlockSums.of(values, n_blocks)
    size = max(1, CELLS_AT_ONCE // values.shape[1])
    for start in range(0, len(halves), size):
        part = chosen[start : start + size]
        yield _winners(metric(sums, part), metric(sums, 1 - part))


def _winners(train: FloatArray, test: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    rows = np.arange(train.shape[0])
    best = train.argmax(axis=1)
    reached = test[rows, best]
    below = (test < reached[:, None]).sum(axis=1)
    ties = (test == reached[:, None]).sum(axis=1)
    return train[rows, best], reached, below + (ties + 1) / 2


def _slope(x: FloatArray, y: FloatArray) -> float:
    centred = x - x.mean()
    spread = float(centred @ centred)
    return float(centred @ (y - y.mean())) / spread if spread > 0 else math.nan


@dataclass(frozen=True, kw_only=True, slots=True)
class _BlockSums:
    """Sums over blocks of time, from which any union of blocks has its moments by a matrix product. Shapes (n_blocks, n_variants)."""

    count: FloatArray
    total: FloatArray
    squares: FloatArray
    centre: FloatArray

    @classmethod
    def of(cls, values: FloatArray, n_blocks: int) -> _BlockSums:
        # squares about each variant's own mean: squares about zero would cancel when the mean is large beside the deviation
        centre = values.mean(axis=0)
        blocks = np.array_split(values, n_blocks)
        return cls(
            count=np.array([[len(block)] for block in blocks], dtype=np.float64),
            total=np.array([(block - centre).sum(axis=0) for block in blocks]),
            squares=np.array([((block - centre) ** 2).sum(axis=0) for block in blocks]),
            centre=centre,
        )


_Metric = Callable[[_BlockSums, FloatArray], FloatArray]


def _mean(sums: _BlockSums, chosen: FloatArray) -> FloatArray:
    return np.asarray(sums.centre + chosen @ sums.total / (chosen @ sums.count))


def _sharpe(sums: _BlockSums, chosen: FloatArray) -> FloatArray:
    count, total, squares = chosen @ sums.count, chosen @ sums.total, chosen @ sums.squares
    variance = (squares - total**2 / count) / (count - 1)
    mean = sums.centre + total / count
    flat = variance <= (inputs.FLAT * np.maximum(np.abs(mean), np.sqrt(squares / count))) ** 2
    return np.where(flat, 0.0, mean / np.sqrt(np.where(flat, 1.0, variance)))


METRICS: dict[str, _Metric] = {"sharpe": _sharpe, "mean": _mean}
