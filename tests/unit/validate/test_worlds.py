"""Null worlds: what is taken from the real market, and what is left to chance."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coinswarm import errors
from coinswarm.market import files, quality, synthetic
from coinswarm.market.bars import COLUMNS
from coinswarm.market.timeframe import DAY_MS, Timeframe
from coinswarm.validate import worlds
from coinswarm.validate.worlds import grid
from tests.unit.market.tapes import rebuilt, tape

M5 = Timeframe.parse("5m")
LIKE = tuple(synthetic.market(symbol, M5, 6000, seed=3) for symbol in ("BTC/USDT", "ETH/USDT"))


def whole(bars):
    """Whether every candle is possible."""
    prices = np.stack([bars.open, bars.high, bars.low, bars.close])
    return bool(
        np.isfinite(prices).all()
        and (prices > 0).all()
        and (bars.high == prices.max(axis=0)).all()
        and (bars.low == prices.min(axis=0)).all()
    )


@pytest.mark.parametrize("name", list(worlds.FAMILIES))
def test_every_family_makes_possible_candles_of_the_same_markets_and_times(name):
    made = worlds.make(name, LIKE, seed=1)
    assert [bars.symbol for bars in made] == [bars.symbol for bars in LIKE]
    for bars, like in zip(made, LIKE, strict=True):
        assert whole(bars)
        assert bars.synthetic
        assert bars.exchange == f"world-{name.lower()}-1"
        np.testing.assert_array_equal(bars.ts, like.ts)
        assert not quality.check(bars).broken


@pytest.mark.parametrize("name", list(worlds.FAMILIES))
def test_equal_seeds_give_equal_worlds_and_other_seeds_others(name):
    first, again, other = (worlds.make(name, LIKE, seed=seed)[1] for seed in (5, 5, 6))
    assert first.content_hash == again.content_hash
    assert not np.array_equal(first.close, other.close)


def test_a_world_is_the_same_whatever_was_made_before_it():
    alone = worlds.make("N1", LIKE, seed=2)
    worlds.make("planted", LIKE, seed=9)
    assert worlds.make("N1", LIKE, seed=2)[0].content_hash == alone[0].content_hash


@settings(max_examples=40)
@given(st.integers(2, 400), st.integers(0, 2**31), st.floats(0.0001, 0.4))
def test_mirroring_keeps_every_absolute_return_volume_and_valid_candles(n, seed, spread):
    rng = np.random.default_rng(seed)
    close = 100 * np.cumprod(1 + np.clip(rng.normal(0, spread, n), -0.8, 0.85))
    opened = np.r_[100.0, close[:-1]]
    like = tape(n, open=opened, close=close, high=np.maximum(opened, close), low=np.minimum(opened, close))
    (made,) = worlds.make("N3", [like], seed=seed)
    assert whole(made)
    np.testing.assert_allclose(np.abs(grid.returns(made)), np.abs(grid.returns(like)), rtol=1e-9, atol=1e-13)
    np.testing.assert_array_equal(made.volume, like.volume)


def test_a_mirrored_candle_reaches_as_far_down_as_it_reached_up():
    like = tape(500)
    (made,) = worlds.make("N3", [like], seed=1)
    turned = np.sign(grid.returns(made)) != np.sign(grid.returns(like))
    assert 150 < turned.sum() < 350
    up, down = like.high / grid.before(like) - 1, like.low / grid.before(like) - 1
    np.testing.assert_allclose((made.low / grid.before(made) - 1)[turned], -up[turned], atol=1e-12)
    np.testing.assert_allclose((made.high / grid.before(made) - 1)[turned], -down[turned], atol=1e-12)


def test_a_bar_that_doubles_is_shrunk_so_that_its_mirror_image_keeps_a_price():
    close = np.array([100.0, 100.0, 350.0, 340.0, 339.0])
    like = tape(5, open=np.r_[100.0, close[:-1]], close=close, high=close + 1000.0, low=np.minimum(np.r_[100.0, close[:-1]], close) - 1)
    for seed in range(20):
        assert whole(worlds.make("N3", [like], seed=seed)[0])


@pytest.mark.parametrize("name", ["N0", "N1", "N3", "N3d"])
def test_prices_are_a_martingale_over_many_worlds(name):
    like = [bars[:600] for bars in LIKE]
    ends = np.array([worlds.make(name, like, seed=seed)[0].close[-1] / like[0].open[0] for seed in range(300)])
    assert abs(ends.mean() - 1) < 4 * ends.std() / np.sqrt(ends.size)


@pytest.mark.parametrize("name", ["N0", "N1", "N2", "N3"])
def test_the_past_says_nothing_of_the_next_return(name):
    made = worlds.make(name, LIKE, seed=4)
    moves = grid.returns(made[0])
    for past in (np.sign(moves[:-1]), made[0].volume[:-1] - made[0].volume.mean(), made[0].close[:-1] / made[0].high[:-1] - 1):
        score = (past - past.mean()) * (moves[1:] - moves[1:].mean())
        assert abs(score.sum() / np.sqrt((score**2).sum())) < 4


@pytest.mark.parametrize("name", ["N0", "N1", "N2", "N3", "N3d"])
def test_markets_keep_their_volatility_and_go_on_moving_together(name):
    made = worlds.make(name, LIKE, seed=4)
    was, now = ([grid.returns(bars) for bars in several] for several in (LIKE, made))
    assert now[0].std() == pytest.approx(was[0].std(), rel=0.25)
    assert np.corrcoef(*now)[0, 1] == pytest.approx(np.corrcoef(*was)[0, 1], abs=0.1)


def clustering(bars):
    size = np.abs(grid.returns(bars))
    return np.corrcoef(size[1:], size[:-1])[0, 1]


def test_volatility_clusters_in_n1_and_n3_and_not_in_n0_and_n2():
    by_family = {name: clustering(worlds.make(name, LIKE, seed=4)[0]) for name in ("N0", "N1", "N2", "N3")}
    assert by_family["N3"] == pytest.approx(clustering(LIKE[0]), abs=1e-9)
    assert by_family["N1"] > 0.07
    assert abs(by_family["N0"]) < 0.05
    assert abs(by_family["N2"]) < 0.05


def test_shuffling_keeps_all_gaps_and_all_insides_and_the_last_close():
    made, like = worlds.make("N2", LIKE, seed=4)[0], LIKE[0]
    for values in (lambda bars: bars.close / bars.open, lambda bars: bars.high / bars.open, lambda bars: bars.volume):
        np.testing.assert_allclose(np.sort(values(made)), np.sort(values(like)), rtol=1e-9)
    assert made.close[-1] == pytest.approx(like.close[-1], rel=1e-6)


def test_whole_days_are_mirrored_or_not():
    made, like = worlds.make("N3d", LIKE, seed=4)[0], LIKE[0]
    moving = np.abs(grid.returns(like)) > 1e-6
    same = (np.sign(grid.returns(made)) == np.sign(grid.returns(like)))[moving]
    days = (like.ts // DAY_MS)[moving]
    shares = [same[days == day].mean() for day in np.unique(days)]
    assert set(shares) == {0.0, 1.0}


def test_markets_that_begin_at_different_times_meet_the_same_coin_at_the_same_time():
    late = LIKE[1][2500:]
    made = worlds.make("N3", [LIKE[0], late], seed=4)
    together = worlds.make("N3", LIKE, seed=4)
    signs = [np.sign(grid.returns(a) * grid.returns(b)) for a, b in ((made[1], late), (together[1][2500:], late))]
    np.testing.assert_array_equal(signs[0][1:], signs[1][1:])


def test_real_candles_keep_their_moments_when_mirrored(data_dir):
    like = [files.read(data_dir / "spot5m_2024" / f"binance_{coin}-USDT_5m.parquet")[:20_000] for coin in ("BTC", "WIF", "JUV")]
    for made, bars in zip(worlds.make("N3", like, seed=1), like, strict=True):
        assert whole(made)
        np.testing.assert_allclose(np.abs(grid.returns(made)), np.abs(grid.returns(bars)), rtol=1e-7, atol=1e-13)


def test_funding_is_left_out_because_a_rate_known_beforehand_is_an_edge():
    like = rebuilt(tape(50), funding_ts=tape(50).ts[::8].copy(), funding_rate=np.full(7, 0.0001))
    assert worlds.make("N3", [like], seed=1)[0].funding_ts.size == 0


def test_a_market_that_never_moves_or_trades_stays_still():
    flat = tape(100, **{name: np.full(100, 5.0) for name in ("open", "high", "low", "close")}, volume=np.zeros(100))
    for name in worlds.FAMILIES:
        made = worlds.make(name, [flat, rebuilt(tape(100), symbol="ETH/USDT")], seed=1)
        assert all(np.isfinite(getattr(made[0], column)).all() for column in COLUMNS)


def test_what_cannot_be_made_is_refused():
    with pytest.raises(errors.NotFound, match="N3d"):
        worlds.make("n3e", LIKE, seed=1)
    with pytest.raises(errors.InvalidArgument, match="at least one market"):
        worlds.make("N0", [], seed=1)
    with pytest.raises(errors.SpanTooShort, match="at least 2 bars"):
        worlds.make("N0", [tape(1)], seed=1)
    with pytest.raises(errors.InvalidArgument, match="one timeframe"):
        worlds.make("N0", [tape(9), tape(9, "1h", symbol="ETH/USDT")], seed=1)
    with pytest.raises(errors.InvalidArgument, match="named once"):
        worlds.make("N0", [tape(9), tape(9)], seed=1)
    with pytest.raises(errors.InvalidArgument, match="seed"):
        worlds.make("N0", [tape(9)], seed=-1)
    with pytest.raises(errors.InvalidArgument, match="hides nothing"):
        worlds.make("N0", [tape(9)], seed=1, plant=worlds.Plant())
