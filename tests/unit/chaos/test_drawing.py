"""Which trades are drawn: the same for everybody, in every eligible place, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coinswarm import chaos, errors
from coinswarm.chaos import drawing, pricing
from coinswarm.chaos.settings import make
from coinswarm.config import Costs
from coinswarm.kernels import outcomes
from tests.unit.chaos.worlds import market, without

BARS = [market(900), market(400, "BBB/USDT", late=500)]
SAMPLER = drawing.sampler(BARS, make(hold="5m..2h", seed=11))


@given(st.integers(0, 5000), st.integers(0, 300))
@settings(max_examples=30)
def test_trade_k_is_the_same_in_every_batch(start: int, n: int) -> None:
    whole, part = drawing.draw(SAMPLER, 0, start + n), drawing.draw(SAMPLER, start, start + n)
    for name in ("number", "market", "decision", "hold", "side", "size"):
        assert np.array_equal(getattr(part, name), getattr(whole, name)[start:])


def test_another_seed_draws_other_trades() -> None:
    first, second = (drawing.draw(drawing.sampler(BARS, make(hold="5m..2h", seed=seed)), 0, 500) for seed in (1, 2))
    assert (first.decision != second.decision).mean() > 0.9


@given(st.sets(st.integers(0, 299), max_size=12), st.integers(1, 9), st.integers(0, 9))
@settings(max_examples=40)
def test_every_eligible_pair_of_market_and_bar_is_drawn_by_exactly_one_number(missing: set[int], low: int, more: int) -> None:
    bars = [without(market(300), *missing), market(120, "BBB/USDT")]
    sampler = drawing.sampler(bars, make(hold=(low * 300_000, (low + more) * 300_000)))
    for row, hold in enumerate(range(low, low + more + 1)):
        places = np.arange(sampler.pairs[row])
        run, decision = np.empty_like(places), np.empty_like(places)
        outcomes.settle(
            sampler.sums, sampler.starts, np.full_like(places, sampler.many[row]), np.full_like(places, hold), places, run, decision
        )
        assert sorted(zip(sampler.owners[run].tolist(), decision.tolist(), strict=True)) == naive_pairs(sampler, hold)


def naive_pairs(sampler: drawing.TradeSampler, hold: int) -> list[tuple[int, int]]:
    """Pairs of market and decision bar that allow a hold, by looking at each bar."""
    found = []
    for place, market_ in enumerate(sampler.markets):
        ts, tf = market_.bars.ts, market_.bars.timeframe.ms
        bars = range(market_.first, ts.size - 1 - hold)
        found += [(place, bar) for bar in bars if ts[bar + 1 + hold] - ts[bar] == (1 + hold) * tf]
    return found


def test_no_trade_is_cold_ends_after_the_data_or_crosses_a_gap() -> None:
    bars = without(market(1200), 400, 700, 701)
    drawn = drawing.draw(drawing.sampler([bars], make(hold="5m..4h", features=["rsi(14)"])), 0, 5000)
    leave = drawn.decision + 1 + drawn.hold
    assert drawn.decision.min() >= 20
    assert leave.max() < len(bars)
    assert np.array_equal(bars.ts[leave] - bars.ts[drawn.decision], (drawn.hold + 1) * bars.timeframe.ms)


def test_a_market_that_starts_late_has_fewer_trades_in_proportion() -> None:
    drawn = drawing.draw(SAMPLER, 0, 40_000)
    assert np.bincount(drawn.market) / 40_000 == pytest.approx(SAMPLER.shares(), abs=0.01)
    assert SAMPLER.shares()[1] < 0.35
    assert SAMPLER.shares().sum() == pytest.approx(1.0)


@pytest.mark.parametrize("law", ["log", "uniform"])
def test_holds_follow_their_law(law: str) -> None:
    drawn = drawing.draw(drawing.sampler(BARS, make(hold="5m..40m", hold_law=law)), 0, 60_000)
    weights = 1.0 / np.arange(1, 9) if law == "log" else np.ones(8)
    assert np.bincount(drawn.hold, minlength=9)[1:] / 60_000 == pytest.approx(weights / weights.sum(), abs=0.01)


@pytest.mark.parametrize(("side", "sides"), [("long", {1}), ("short", {-1}), ("both", {-1, 1})])
def test_sides_and_sizes_are_those_asked_for(side: str, sides: set[int]) -> None:
    drawn = drawing.draw(drawing.sampler(BARS, make(hold="5m..2h", side=side, size=(50.0, 150.0))), 0, 4000)
    assert set(drawn.side.tolist()) == sides
    assert 50 <= drawn.size.min() < 55 < 145 < drawn.size.max() < 150
    assert len(sides) == 1 or abs(drawn.side.mean()) < 0.06


def test_a_hold_is_counted_in_the_bars_that_lie_in_its_range() -> None:
    drawn = drawing.draw(drawing.sampler(BARS, make(hold="7m..16m")), 0, 2000)
    assert set(drawn.hold.tolist()) == {2, 3}


REFUSED = {
    "a reversed range": (lambda: make(hold="1h..5m"), "SHORTEST..LONGEST"),
    "no hold": (lambda: make(hold=(0, 5)), "SHORTEST..LONGEST"),
    "a hold longer than the data": (lambda: chaos(market(400), 5, hold="5m..2d"), "a hold of 576 bars needs 578 warm bars"),
    "a hold shorter than a bar": (lambda: chaos(market(400), 5, hold="1m..2m"), "at least one bar"),
    "no trades": (lambda: chaos(market(400), 0), "number of trades"),
    "no market": (lambda: chaos([], 5), "need a market"),
    "a market twice": (lambda: chaos([market(400), market(500)], 5), "named once"),
    "a cold market": (lambda: chaos([market(900), market(30, "BBB/USDT")], 5, hold="1h..2h"), "BBB/USDT:5m allows no trade"),
    "a market that is not here": (lambda: chaos(market(900), 5, features=["BTC/USDT:roc(5)"]), "BTC/USDT"),
    "a faster timeframe": (lambda: chaos(market(900), 5, features=["rsi(14)@1m"]), "must not be faster"),
    "reversed sizes": (lambda: make(size=(5.0, 1.0)), "the least before the largest"),
    "an unknown side": (lambda: make(side="up"), "side is one of"),
    "an unknown law": (lambda: make(hold_law="gauss"), "hold_law is one of"),
    "a negative seed": (lambda: make(seed=-1), "seed"),
    "fills in part": (lambda: make(costs=Costs(max_participation=0.1)), "filled whole"),
    "a range that ends before it starts": (lambda: pricing.trades(SAMPLER, 5, 4), "end of trades"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_drawn_is_refused(name: str) -> None:
    call, message = REFUSED[name]
    with pytest.raises(errors.BadInput if name != "a market that is not here" else errors.NotFound, match=message):
        call()


def test_a_market_too_short_for_the_longest_hold_still_takes_the_short_ones() -> None:
    trades = chaos([market(2000), market(100, "BBB/USDT")], 20_000, hold="5m..24h")
    assert 0 < trades.hold[trades.market == 1].max() < 80
    assert trades.hold[trades.market == 0].max() == 288


@pytest.mark.parametrize("hold", ["5x..3h", "", "nan", "3h..5m", "..", "5m..1h..2h"])
def test_a_hold_that_cannot_be_read_says_how_holds_read(hold: str) -> None:
    with pytest.raises(errors.InvalidArgument, match=r"hold reads SHORTEST..LONGEST, got .*Hint: such as 5m..24h"):
        make(hold=hold)
