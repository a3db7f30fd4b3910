"""Probability of backtest overfitting."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coinswarm import errors, stats


def test_on_noise_pbo_is_a_half_on_average() -> None:
    rng = np.random.default_rng(11)
    found = [stats.probability_of_backtest_overfitting(rng.standard_normal((160, 20)), 8).pbo for _ in range(300)]
    # the deviation of one matrix is about .2, so that of the mean of 300 is .012
    assert np.mean(found) == pytest.approx(0.5, abs=0.05)


def test_a_dominant_variant_is_never_overfit() -> None:
    returns = np.random.default_rng(1).standard_normal((400, 12))
    returns[:, 7] += 2
    got = stats.probability_of_backtest_overfitting(returns)
    assert (got.pbo, got.probability_of_loss) == (0, 0)
    assert got.logits.size == math.comb(16, 8)


@settings(max_examples=20)
@given(st.integers(0, 10**6), st.sampled_from(["sharpe", "mean"]))
def test_sums_of_blocks_give_what_a_plain_loop_gives(seed: int, metric: str) -> None:
    returns = np.random.default_rng(seed).standard_normal((27, 5)) + 1e3 * (metric == "sharpe")
    got = stats.probability_of_backtest_overfitting(returns, 6, metric)
    measure = {
        "sharpe": lambda r: r.mean(axis=0) / r.std(axis=0, ddof=1),
        "mean": lambda r: r.mean(axis=0),
    }[metric]
    blocks = np.array_split(np.arange(27), 6)
    for split, half in enumerate(itertools.combinations(range(6), 3)):
        train = np.concatenate([blocks[b] for b in half])
        inside, outside = measure(returns[train]), measure(np.delete(returns, train, axis=0))
        best = inside.argmax()
        share = (outside <= outside[best]).sum() / 6
        assert got.in_sample[split] == pytest.approx(inside[best], rel=1e-6)
        assert got.logits[split] == pytest.approx(np.log(share / (1 - share)))


def test_order_of_variants_and_scale_change_nothing() -> None:
    returns = np.random.default_rng(2).standard_normal((100, 6))
    one = stats.probability_of_backtest_overfitting(returns, 10)
    other = stats.probability_of_backtest_overfitting(returns[:, ::-1] * 1e-6, 10)
    assert (one.pbo, one.slope) == pytest.approx((other.pbo, other.slope))


def test_many_variants_are_ranked_a_part_at_a_time() -> None:
    returns = np.random.default_rng(2).standard_normal((40, 30_000)).astype(np.float32)
    assert stats.probability_of_backtest_overfitting(returns, 8).logits.size == 70


@pytest.mark.parametrize(
    ("returns", "n_blocks", "rule"),
    [
        (np.ones((40, 3)), 4, "vary"),
        (np.full((40, 3), np.nan), 4, "finite"),
        (np.eye(40)[:, :1], 4, "2 variants"),
        (np.eye(8), 8, "16 observations"),
        (np.eye(40), 5, "even"),
        (np.eye(40), 22, "n_blocks"),
        (np.zeros(5), 4, "two-dimensional"),
    ],
)
def test_a_leaderboard_without_evidence_is_refused(returns: np.ndarray, n_blocks: int, rule: str) -> None:
    with pytest.raises(errors.InvalidArgument, match=rule):
        stats.probability_of_backtest_overfitting(returns, n_blocks)
    with pytest.raises(errors.InvalidArgument, match="metric"):
        stats.probability_of_backtest_overfitting(np.eye(40), 4, "sharp")
