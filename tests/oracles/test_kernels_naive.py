"""Kernels of blocks, of variances, of resampling and of random trades equal their slow, obvious twins."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from coinswarm.kernels import blocks, garch, outcomes, resampling
from coinswarm.kernels.codes import Reason
from tests.oracles import naive_blocks, naive_garch, naive_outcomes, naive_resampling

seeds = st.integers(0, 2**32)


@given(seeds, st.integers(1, 200), st.integers(1, 300))
def test_block_extremes_are_those_of_each_block(seed: int, n: int, size: int) -> None:
    values = np.random.default_rng(seed).normal(size=n)
    assert blocks.block_min(values, size).tolist() == naive_blocks.block_min(values.tolist(), size)
    assert blocks.block_max(values, size).tolist() == naive_blocks.block_max(values.tolist(), size)


@given(seeds, st.integers(1, 40), st.integers(1, 3), st.floats(0.0, 0.3), st.floats(0.0, 0.7))
def test_variances_follow_the_moves_before_them(seed: int, n: int, markets: int, arch: float, persistence: float) -> None:
    shocks = np.random.default_rng(seed).normal(size=(n, markets))
    expected = naive_garch.variances(shocks.tolist(), arch, persistence)
    np.testing.assert_allclose(garch.variances(shocks, arch, persistence), expected, rtol=1e-9)


@given(st.integers(1, 6), st.integers(1, 9), seeds)
def test_draws_that_reach_what_was_observed_are_counted(n_rows: int, n_draws: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    # few different values, so that some draws are equal to what was observed
    draws, observed, running = (random.integers(-3, 4, shape).astype(float) for shape in ((n_rows, n_draws), n_rows, n_draws))
    expected = naive_resampling.count_exceedances(draws.tolist(), observed.tolist(), running.tolist())
    alone, together = np.empty(n_rows, dtype=np.int64), np.empty(n_rows, dtype=np.int64)
    resampling.count_exceedances(draws, observed, running, alone, together)
    assert (alone.tolist(), together.tolist()) == expected


@given(st.integers(1, 20), st.data())
def test_uses_by_blocks_that_wrap_around_are_counted(n_obs: int, data: st.DataObject) -> None:
    drawn = data.draw(st.lists(st.tuples(st.integers(0, n_obs - 1), st.integers(1, n_obs)), min_size=1))
    starts, lengths = np.array(drawn, dtype=np.int64).T.copy()
    uses = np.zeros(n_obs)
    resampling.count_uses(starts, lengths, uses)
    assert uses.tolist() == naive_resampling.count_uses(starts.tolist(), lengths.tolist(), n_obs)


@given(seeds, st.integers(3, 60), st.sampled_from([0.01, 0.3]))
def test_random_trades_are_worth_what_their_cash_says(seed: int, n: int, noise: float) -> None:
    random = np.random.default_rng(seed)
    price = 100 * np.exp(np.cumsum(random.normal(0, noise, n)))
    tape = outcomes.OutcomeTape(
        open=price, high=price * (1 + random.random(n) * noise), volume=random.integers(0, 9, n).astype(float),
        volatility=np.where(random.random(n) < 0.1, np.nan, random.random(n) / 20), paid=np.cumsum(random.normal(0, 0.05, n)),
    )  # fmt: skip
    terms = outcomes.OutcomeTerms(fee=0.001, slip=0.0005, slip_volatility=0.2, slip_participation=0.02, maintenance=0.005)
    decision = random.integers(0, n - 2, 12)
    hold = random.integers(1, n - 1 - decision)
    side, size = random.choice([-1, 1], 12), random.random(12) * 1_000 + 1
    out, left, reason = np.empty((12, outcomes.N_FIGURES)), np.empty(12, np.int64), np.empty(12, np.int8)
    outcomes.outcomes(tape, terms, decision, hold, side, size, out, left, reason)
    for row in range(12):
        figures, x, why = naive_outcomes.outcomes(tape, terms, int(decision[row]), int(hold[row]), int(side[row]), float(size[row]))
        np.testing.assert_allclose(out[row], figures, rtol=1e-9, atol=1e-12)
        assert (left[row], Reason(int(reason[row]))) == (x, why)


@given(st.lists(st.integers(1, 12), min_size=1, max_size=8), st.integers(1, 9))
def test_every_decision_that_allows_a_hold_is_settled_once(lengths: list[int], hold: int) -> None:
    lengths = sorted(lengths, reverse=True)
    starts = [100 * run for run in range(len(lengths))]
    expected = naive_outcomes.settle(starts, lengths, hold)
    places = np.arange(len(expected))
    many = np.full(places.size, sum(length > hold + 1 for length in lengths))
    run, decision, sums = np.empty_like(places), np.empty_like(places), np.concatenate([[0], np.cumsum(lengths)])
    outcomes.settle(sums, np.array(starts), many, np.full(places.size, hold), places, run, decision)
    assert list(zip(run.tolist(), decision.tolist(), strict=True)) == expected
