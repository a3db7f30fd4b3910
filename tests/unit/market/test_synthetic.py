from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coinswarm import errors
from coinswarm.market import quality, synthetic
from coinswarm.market.timeframe import Timeframe

FIVE = Timeframe.parse("5m")


def returns(bars):
    return np.diff(np.log(bars.close))


def test_a_seed_gives_the_same_bars_on_every_machine():
    bars = synthetic.market("BTC/USDT", FIVE, 2_000, seed=1)
    assert bars.content_hash == "36d0378ef8cebf0f74f7f6ff452b2533d57f4756513bb7af39c2a04630e110d7"


@settings(max_examples=15)
@given(st.integers(0, 2**40), st.sampled_from(["1m", "5m", "1h", "1d"]), st.floats(1e-7, 1e6), st.floats(0.05, 3))
def test_synthetic_bars_are_sound_and_marked(seed, timeframe, price, volatility):
    bars = synthetic.market("eth-usdt", Timeframe.parse(timeframe), 300, seed=seed, price=price, volatility=volatility)
    assert quality.check(bars).broken == ()
    assert bars.synthetic
    assert bars.key == f"synthetic:ETH/USDT:{timeframe}"


def test_more_bars_begin_with_the_same_bars():
    long, short = (synthetic.market("BTC/USDT", FIVE, n, seed=3) for n in (900, 400))
    assert long[:400].content_hash == short.content_hash


def test_markets_and_seeds_differ():
    bars = [synthetic.market(symbol, FIVE, 100, seed=seed) for symbol in ("BTC/USDT", "ETH/USDT") for seed in (1, 2)]
    assert len({entry.content_hash for entry in bars}) == 4


def test_markets_of_one_seed_move_together_and_volatility_clusters():
    one, two = (returns(synthetic.market(symbol, FIVE, 20_000, seed=5)) for symbol in ("BTC/USDT", "ETH/USDT"))
    assert 0.3 < np.corrcoef(one, two)[0, 1] < 0.8
    assert np.corrcoef(np.abs(one[1:]), np.abs(one[:-1]))[0, 1] > 0.1
    assert abs(np.corrcoef(one[1:], one[:-1])[0, 1]) < 0.05


@pytest.mark.parametrize("changes", [{"n_bars": 0}, {"seed": -1}, {"price": 0.0}, {"volatility": 0.0}, {"volatility": float("nan")}])
def test_arguments_outside_their_domain_are_refused(changes):
    with pytest.raises(errors.InvalidArgument):
        synthetic.market("BTC/USDT", FIVE, **{"n_bars": 10, "seed": 1, **changes})
