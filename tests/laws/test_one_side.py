"""One side of a play alone is the same in the readable simulator and on the fast path."""

from __future__ import annotations

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from coinswarm import errors
from coinswarm.config import Account, Costs
from coinswarm.market.bars import Bars
from coinswarm.play import model, one_side
from tests.laws import random_plays
from tests.laws.test_fitness_equals_backtest import assert_one


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(
    play=random_plays.plays(),
    bars=random_plays.markets(),
    costs=random_plays.COSTS,
    account=random_plays.ACCOUNTS,
    side=st.sampled_from(["long", "short"]),
)
def test_a_side_alone_gives_the_same_trades_and_figures(play: model.Play, bars: Bars, costs: Costs, account: Account, side: str) -> None:
    try:
        alone = one_side(play, side)
    except (errors.InvalidArgument, errors.BadPlay):
        assume(condition=False)
    assert_one(alone, bars, costs, account)
