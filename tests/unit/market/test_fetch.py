from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coinswarm import errors
from coinswarm.market.catalog import Catalog
from coinswarm.market.fetch import fetch
from coinswarm.retry import RetryPolicy
from tests.bars_files import BarsFile
from tests.exchanges import ReplayExchange
from tests.unit.market.tapes import MINUTE, START, changed, rebuilt, reordered, tape

HOUR = 60 * MINUTE


class Clock:
    """Time that passes only by waiting."""

    def __init__(self) -> None:
        self.now = 0.0
        self.waits: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds

    def patience(self, give_up_s: float = 60.0) -> RetryPolicy:
        return RetryPolicy(limit_s=give_up_s, first_s=0.5, longest_s=30.0, sleep=self.sleep, clock=lambda: self.now)


@pytest.fixture
def catalog(tmp_path):
    return BarsFile(tmp_path / "bars.duckdb")


def run(exchange, catalog, *, since=START, **options):
    options = {"patience": Clock().patience(), **options}
    return fetch(exchange, catalog.path, exchange.bars.symbol, exchange.bars.timeframe, since_ms=since, **options)


def perpetual(n=200):
    ts = START + 8 * HOUR * np.arange(3) + np.array([0, 5, 11])
    return rebuilt(tape(n), symbol="BTC/USDT:USDT", funding_ts=ts, funding_rate=np.array([1e-4, -2e-4, 3e-4]))


def test_pages_join_to_the_whole_market(catalog):
    bars = tape(130)
    assert run(ReplayExchange(bars), catalog).added == 130
    assert catalog.read("BTC/USDT").content_hash == bars.content_hash


def test_the_candle_that_is_still_open_is_dropped(catalog):
    bars = tape(130)
    run(ReplayExchange(bars, now_ms=int(bars.close_ts[-1]) - 1), catalog)
    assert catalog.read("BTC/USDT").content_hash == bars[:129].content_hash


def test_fetching_again_asks_only_for_what_is_new(catalog):
    bars = tape(130)
    run(ReplayExchange(bars[:100]), catalog)
    later = ReplayExchange(bars)
    assert run(later, catalog).added == 30
    assert later.pages == [int(bars.ts[99]) + 1]
    assert catalog.read("BTC/USDT").content_hash == bars.content_hash


def test_older_bars_are_added_backwards(catalog):
    bars = tape(230)
    exchange = ReplayExchange(bars)
    run(exchange, catalog, since=int(bars.ts[150]))
    run(exchange, catalog)
    assert catalog.read("BTC/USDT").content_hash == bars.content_hash


@settings(max_examples=10)
@given(st.sets(st.integers(1, 30), max_size=20), st.integers(0, 229))
def test_failures_and_stops_anywhere_leave_the_same_bars(tmp_path_factory, failing, first):
    bars = tape(230)
    catalog = BarsFile(tmp_path_factory.mktemp("fetch") / "bars.duckdb")
    for since in (int(bars.ts[first]), START, START):
        try:
            run(ReplayExchange(bars, failing=failing.__contains__), catalog, since=since, patience=Clock().patience(1.0))
        except errors.Unavailable:
            assert all(entry.n_bars == (entry.last_ts - entry.first_ts) // bars.timeframe.ms + 1 for entry in catalog.list())
    run(ReplayExchange(bars), catalog)
    assert catalog.read("BTC/USDT").content_hash == bars.content_hash


def test_an_exchange_that_fails_is_asked_again_after_growing_pauses(catalog):
    clock = Clock()
    run(ReplayExchange(tape(10), failing=lambda call: call <= 4), catalog, patience=clock.patience())
    assert clock.waits == [0.5, 1.0, *[1.0] * 2, *[1.0] * 4]  # 0.5, 1, 2 and 4 s, in naps of a second, so that a cancel is heard
    assert len(catalog.read("BTC/USDT")) == 10


def test_an_exchange_that_never_answers_is_given_up(catalog):
    clock = Clock()
    with pytest.raises(errors.Unavailable, match="does not answer"):
        run(ReplayExchange(tape(10), failing=lambda _: True), catalog, patience=clock.patience(10.0))
    assert sum(clock.waits) <= 10
    assert catalog.list() == ()


def test_a_cancelled_fetch_keeps_its_pages_and_goes_on_later(catalog):
    bars, asked = tape(130), []
    with pytest.raises(errors.Cancelled, match="continues from there"):
        run(ReplayExchange(bars), catalog, cancelled=lambda: bool(asked.append(1) or len(asked) > 2))
    assert len(catalog.read("BTC/USDT")) == 100
    assert run(ReplayExchange(bars), catalog).added == 30


def test_a_hole_in_the_market_is_stepped_over(catalog):
    bars = reordered(tape(400), [*range(60), *range(320, 400)])
    run(ReplayExchange(bars), catalog)
    assert catalog.read("BTC/USDT").content_hash == bars.content_hash


def test_a_market_listed_after_the_start_is_fetched_from_its_listing(catalog):
    bars = tape(60, start=START + 400 * 5 * MINUTE)
    assert run(ReplayExchange(bars), catalog, since=START).added == 60


def test_time_before_a_listing_is_asked_for_only_once_a_fetch(catalog):
    exchange = ReplayExchange(tape(60, start=START + 4_000 * 5 * MINUTE))
    run(exchange, catalog, since=START)
    asked = len(exchange.pages)
    run(exchange, catalog, since=START)
    assert len(exchange.pages) - asked == 1


def test_progress_rises_to_the_end(catalog):
    told = []
    run(ReplayExchange(tape(130)), catalog, on_progress=told.append)
    assert [entry.done for entry in told] == sorted(entry.done for entry in told)
    assert (told[-1].done, told[-1].added) == (1.0, 130)


def test_funding_of_a_perpetual_comes_along_and_goes_on(catalog):
    bars = perpetual()
    first = run(ReplayExchange(rebuilt(bars, funding_ts=bars.funding_ts[:2], funding_rate=bars.funding_rate[:2])), catalog)
    assert (first.funding_added, first.has_funding) == (2, True)
    assert run(ReplayExchange(bars), catalog).funding_added == int(bars.funding_ts[2] <= bars.close_ts[-1])
    assert catalog.read("BTC/USDT:USDT").content_hash == bars[:].content_hash


class Watched(ReplayExchange):
    """An exchange that looks, each time it is asked for something, at what it is asked beside."""

    def __init__(self, bars, watch, **options):
        super().__init__(bars, **options)
        self.watch = watch

    def _answer(self):
        super()._answer()
        self.watch(self.calls)


def test_nothing_holds_the_bars_while_an_exchange_is_asked(catalog):
    def write(_call):
        Catalog.open(catalog.path, patience=RetryPolicy(limit_s=0.0, first_s=0.0, longest_s=0.0)).close()

    bars = perpetual()
    run(Watched(bars, write), catalog)
    assert catalog.read("BTC/USDT:USDT").content_hash == bars[:].content_hash


@pytest.mark.parametrize("call", range(1, 8))
def test_two_fetches_of_one_market_leave_no_hole_wherever_the_second_comes_in(catalog, call):
    bars = tape(230)

    def begin_another(number):
        if number == call:
            run(ReplayExchange(bars), catalog, since=int(bars.ts[150]))
        assert all(entry.n_bars == (entry.last_ts - entry.first_ts) // bars.timeframe.ms + 1 for entry in catalog.list())

    run(Watched(bars, begin_another), catalog)
    assert catalog.read("BTC/USDT").content_hash == bars.content_hash


def test_a_stop_among_pages_of_funding_leaves_no_hole(catalog):
    ts = START + 60 * MINUTE * np.arange(1_100)
    bars = rebuilt(tape(1_100, timeframe="1h"), symbol="BTC/USDT:USDT", funding_ts=ts, funding_rate=1e-5 * np.arange(1_100))
    run(ReplayExchange(bars, page_size=1_000), catalog, since=int(bars.ts[900]))
    exchange = ReplayExchange(bars, page_size=1_000, failing=lambda call: call > 7)
    with pytest.raises(errors.Unavailable):
        run(exchange, catalog, patience=Clock().patience(0.0))
    run(ReplayExchange(bars, page_size=1_000), catalog)
    assert catalog.read("BTC/USDT:USDT").content_hash == bars[:].content_hash


def test_broken_candles_of_an_exchange_are_refused(catalog):
    with pytest.raises(errors.BadBars, match="zero close"):
        run(ReplayExchange(changed(tape(30), "close", 4, 0.0)), catalog)
    assert catalog.list() == ()


def test_an_unknown_market_is_told_at_once(catalog):
    exchange = ReplayExchange(tape(30))
    with pytest.raises(errors.NotFound, match="BTC/USDT"):
        fetch(exchange, catalog.path, "BTX/USDT", exchange.bars.timeframe, since_ms=START, patience=Clock().patience())
    assert exchange.calls == 1
