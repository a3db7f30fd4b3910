"""The law for blocks: what is scored on some of the bars is what the whole would be, had the play entered nowhere else."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coinswarm import errors, fitness
from coinswarm.kernels.bits import packed
from tests.laws import random_families as families
from tests.laws.test_fitness_batches import MAX_BARS, SEEDS, batch_of

OF = 6
ROUNDS = settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))


@ROUNDS
@given(rnd=SEEDS)
def test_all_blocks_together_are_the_whole(rnd: Random) -> None:
    bars, play = families.market(rnd, MAX_BARS), families.family(rnd)
    scorer = fitness.Scorer(play, bars, markets={families.OTHER: families.market(rnd, MAX_BARS, families.OTHER)})
    genomes = batch_of(play, rnd, 20)
    everywhere = fitness.blocks.entries(len(bars), range(OF), OF)
    assert scorer.score(genomes, entries=everywhere).tobytes() == scorer.score(genomes).tobytes()


@ROUNDS
@given(rnd=SEEDS, blocks=st.sets(st.integers(0, OF - 1), max_size=OF))
def test_a_batch_on_some_blocks_scores_as_each_of_its_variants_with_no_other_entries(rnd: Random, blocks: set[int]) -> None:
    bars, play = families.market(rnd, MAX_BARS), families.family(rnd)
    others = {families.OTHER: families.market(rnd, MAX_BARS, families.OTHER)}
    scorer, genomes = fitness.Scorer(play, bars, markets=others), batch_of(play, rnd, 12)
    allowed = fitness.blocks.entries(len(bars), sorted(blocks), OF)
    together = scorer.score(genomes, entries=allowed)
    for genome, score in zip(genomes, together, strict=True):
        assert fitness.Scorer(play, bars, markets=others).score(genome[np.newaxis], entries=allowed).tobytes() == score.tobytes()


@given(st.integers(1, 400), st.integers(1, 30), st.data())
def test_every_bar_is_in_one_block(n_bars: int, of: int, data: st.DataObject) -> None:
    chosen = data.draw(st.sets(st.integers(0, of - 1)))
    rest = sorted(set(range(of)) - chosen)
    one, other = (fitness.blocks.entries(n_bars, part, of) for part in (sorted(chosen), rest))
    assert not (one & other).any()
    assert np.array_equal(one | other, packed(np.ones(n_bars, dtype=np.bool_)))


def test_a_block_that_is_not_there_is_refused() -> None:
    with pytest.raises(errors.InvalidArgument, match="block"):
        fitness.blocks.entries(100, [4], 4)


@ROUNDS
@given(rnd=SEEDS)
def test_without_a_block_nothing_is_entered(rnd: Random) -> None:
    bars, play = families.market(rnd, MAX_BARS), families.family(rnd)
    scorer = fitness.Scorer(play, bars, markets={families.OTHER: families.market(rnd, MAX_BARS, families.OTHER)})
    genomes = batch_of(play, rnd, 8)
    traded = scorer.score(genomes, entries=fitness.blocks.entries(len(bars), [], OF))["n_trades"]
    assert not np.nan_to_num(traded).any()
