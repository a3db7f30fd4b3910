"""The law for whole batches: variants that share features, conditions and outcomes score as each of them does by itself."""

from __future__ import annotations

from random import Random

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coinswarm import backtest, errors, fitness
from coinswarm.config import Account, Costs
from coinswarm.market.bars import Bars
from coinswarm.metrics.figures import Status
from coinswarm.play import model, variants
from coinswarm.types import FloatArray
from tests.laws import random_families as families
from tests.laws import random_plays
from tests.laws.test_fitness_equals_backtest import assert_figures

MAX_BARS = 250
ROUNDS = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
SEEDS = st.integers(0, 2**32).map(Random)


def batch_of(play: model.Play, rnd: Random, n: int) -> FloatArray:
    """(n, n_dims) variants, some of them twice."""
    rng = np.random.default_rng(rnd.randrange(2**32))
    genomes = play.space.sample(rng, n)
    return genomes[rng.integers(0, n, n)]


def assert_as_backtested(play: model.Play, genome: FloatArray, score: np.void, bars: Bars, **run: object) -> None:
    try:
        slow = backtest(variants.fix(play, genome), bars, **run)  # type: ignore[arg-type]
    except errors.SpanTooShort:
        assert score["status"] == Status.INVALID
        return
    assert score["status"] == slow.status
    assert_figures(score, slow)


@ROUNDS
@given(rnd=SEEDS, costs=random_plays.COSTS, account=random_plays.ACCOUNTS, size=st.sampled_from([2, 50, 300]))
def test_every_variant_of_a_batch_scores_as_the_readable_simulator_says(rnd: Random, costs: Costs, account: Account, size: int) -> None:
    bars, other = families.market(rnd, MAX_BARS), families.market(rnd, MAX_BARS, families.OTHER)
    play = families.family(rnd)
    genomes = batch_of(play, rnd, size)
    start, end = (rnd.choice([None, None, None, int(bars.ts[0]) + rnd.randrange(MAX_BARS) * families.TF.ms]) for _ in range(2))
    run = {"costs": costs, "account": account, "markets": {families.OTHER: other}, "start_ts": start, "end_ts": end}
    scores = fitness.score(play, genomes, bars, **run)  # type: ignore[arg-type]
    for k in range(min(size, 6)):
        assert_as_backtested(play, genomes[k], scores[k], bars, **run)


@ROUNDS
@given(rnd=SEEDS, costs=random_plays.COSTS, account=random_plays.ACCOUNTS)
def test_scores_depend_neither_on_the_company_nor_on_what_is_remembered(rnd: Random, costs: Costs, account: Account) -> None:
    bars, other = families.market(rnd, MAX_BARS), families.market(rnd, MAX_BARS, families.OTHER)
    play = families.family(rnd)
    genomes = batch_of(play, rnd, 40)
    run = {"costs": costs, "account": account, "markets": {families.OTHER: other}}
    scorer = fitness.Scorer(play, bars, **run)  # type: ignore[arg-type]
    scores = scorer.score(genomes)
    assert scorer.score(genomes[::-1])[::-1].tobytes() == scores.tobytes()
    assert scorer.score(genomes[7]).tobytes() == scores[7:8].tobytes()
    forgetful = fitness.Scorer(play, bars, cache_bytes=1, feature_bytes=1, **run)  # type: ignore[arg-type]
    assert forgetful.score(genomes).tobytes() == scores.tobytes()
