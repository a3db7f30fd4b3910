"""The fast path's manners: what it remembers, what it refuses, what it does with variants that cannot trade."""

from __future__ import annotations

import numpy as np
import pytest

from coinswarm import errors, fitness, play
from coinswarm.config import Costs
from coinswarm.market import synthetic
from coinswarm.market.timeframe import Timeframe
from coinswarm.metrics.figures import FIGURES, Status

BARS = synthetic.market("AAA/USDT", Timeframe.parse("5m"), 4000, seed=11)
PLAY = play.loads(
    """
name: crosses
features:
  fast: { indicator: sma, params: { length: [3, 5, 8] } }
  slow: { indicator: sma, params: { length: { min: 20, max: 200, step: 20 } } }
actions: { entry_long: [[fast, cross_above, slow]], exit_long: [[close, "<", slow]] }
risk: { stop_loss_pct: [1.0, 2.0], take_profit_pct: [2.0, 4.0] }
"""
)
GENOMES = PLAY.space.enumerate(1000)


def test_scoring_in_any_split_gives_the_same_figures() -> None:
    whole = fitness.score(PLAY, GENOMES, BARS)
    parts = np.concatenate([fitness.score(PLAY, GENOMES[k : k + 7], BARS) for k in range(0, len(GENOMES), 7)])
    assert whole.tobytes() == parts.tobytes()


def test_a_second_generation_finds_everything_in_memory() -> None:
    scorer = fitness.Scorer(PLAY, BARS)
    first = scorer.score(GENOMES)
    misses = scorer.cache_info.misses
    assert scorer.score(GENOMES).tobytes() == first.tobytes()
    assert scorer.cache_info.misses == misses
    assert 0 < scorer.outcomes_reused < 1


def test_the_memory_stays_within_its_bound() -> None:
    scorer = fitness.Scorer(PLAY, BARS, cache_bytes=200_000)
    scorer.score(GENOMES)
    assert scorer.cache_info.bytes <= 200_000


def test_variants_that_are_never_warm_are_invalid_not_bad() -> None:
    scores = fitness.score(PLAY, GENOMES, BARS[:60])
    slow = PLAY.space.values(GENOMES)[:, 1]
    assert set(scores["status"][slow >= 60]) == {Status.INVALID}
    assert np.isnan(scores["sharpe"][slow >= 60]).all()
    assert not (scores["status"][slow <= 40] == Status.INVALID).any()


def test_the_first_decision_waits_for_the_start_and_warm_up_bars_are_not_counted() -> None:
    start = int(BARS.ts[3000])
    scores = fitness.score(PLAY, GENOMES, BARS, start_ts=start)
    assert set(scores["n_obs"]) == {1000.0}


def test_bars_from_the_end_on_are_not_looked_at() -> None:
    cut = fitness.score(PLAY, GENOMES, BARS, end_ts=int(BARS.ts[2500]))
    assert cut.tobytes() == fitness.score(PLAY, GENOMES, BARS[:2500]).tobytes()


def test_sizes_in_money_take_the_path_that_knows_the_equity() -> None:
    plain = fitness.Scorer(PLAY, BARS, costs=Costs())
    stepped = fitness.Scorer(PLAY, BARS, costs=Costs(lot_step=1e-9))
    assert (plain.scale_free, stepped.scale_free) == (True, False)
    np.testing.assert_allclose(plain.score(GENOMES)["total_return"], stepped.score(GENOMES)["total_return"], rtol=1e-5, atol=1e-9)


def test_genomes_of_another_space_are_refused() -> None:
    with pytest.raises(errors.ShapeMismatch, match="4 dimensions, got 2"):
        fitness.score(PLAY, np.zeros((1, 2)), BARS)


def test_bars_of_another_length_than_the_play_says_are_refused() -> None:
    hourly = play.with_run(PLAY, timeframe="1h")
    with pytest.raises(errors.InvalidArgument, match="1h"):
        fitness.Scorer(hourly, BARS)


def test_every_figure_is_there() -> None:
    scores = fitness.score(PLAY, GENOMES[:1], BARS)
    assert scores.dtype.names == ("status", *FIGURES)
