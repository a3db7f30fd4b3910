"""Patterns as data, as plays, under review, and what a search could find at all."""

from __future__ import annotations

import functools
import math
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from coinswarm import backtest, errors, patterns, play
from coinswarm.chaos import drawing, naming, pricing
from coinswarm.chaos.drawing import Drawn
from coinswarm.chaos.settings import make
from coinswarm.ledger.chaos import ChaosTrades, concatenate
from coinswarm.market.bars import Bars
from coinswarm.market.timeframe import Timeframe
from coinswarm.patterns import Band, DiscoverSettings, Hold, Market, Pattern, Side, export, figures, power, results, review
from tests.unit.patterns.made_trades import FREE, drawn, rising, walk, with_edge

CONFIRMED = {"confirmation": {"effect": 0.1, "blocks": 90}, "slices": [{"kind": "market", "name": name} for name in "xy"]}
EVIDENCE = {"segments": {"end_ts": 0, "block_ms": 2}, "shrunk_effect": 0.1}
EVERY = Pattern((Side(sign=-1), Band(feature="rsi(14)@1h", low=0.1, high=math.inf), Hold(low=2, high=9), Market(key="x:BTC-USDT:5m")))


def test_conditions_come_back_from_json_in_any_order_with_one_identity() -> None:
    stored = patterns.to_json(EVERY)
    assert set(patterns.from_json(stored).conditions) == set(EVERY.conditions)
    assert patterns.identity(Pattern(EVERY.conditions[::-1])) == patterns.identity(EVERY)
    assert stored == patterns.to_json(patterns.from_json(reversed(stored)))


@pytest.mark.parametrize("broken", [{"kind": "moon"}, {"kind": "state"}, {}, {"kind": "side", "is": "up"}])
def test_conditions_that_are_none_are_refused(broken: dict[str, str]) -> None:
    with pytest.raises(errors.InvalidArgument, match="conditions must be"):
        patterns.from_json([broken])


# --- as a play --------------------------------------------------------------------------------------------------------


def outcomes(bars: Bars, features: tuple[str, ...], hold: int, side: int) -> tuple[ChaosTrades, int]:
    """The chaos trade of every bar with one hold and side, and the first bar at which one may be drawn."""
    sampler = drawing.sampler([bars], make(hold="5m..3h", features=features))
    n = len(bars) - hold - 2
    same = {"market": np.zeros(n, np.int64), "hold": np.full(n, hold), "side": np.full(n, side, np.int8), "size": np.full(n, 1e3)}
    return pricing.price(sampler, Drawn(number=np.arange(n), decision=np.arange(n), **same)), sampler.markets[0].first


def agrees(bars: Bars, pattern: Pattern, hold: int, side: int) -> int:
    """Hold an exported play against chaos trades at the same decision bars; the answer is how many there were."""
    costs = make().costs
    text = export.to_play(pattern, name="exported", bar_ms=bars.timeframe.ms, hold_bars=hold, side=side, costs=costs)
    done = backtest(play.loads(text), bars)
    trades, first = outcomes(bars, tuple(name for name in pattern.features if name not in naming.BASE), hold, side)
    assert done.start <= first
    expected, free = [], done.start
    for bar in np.flatnonzero(pattern.mask(trades)).tolist():
        if bar >= free:
            expected.append(bar)
            free = bar + hold + 1
    decided = done.trades["entry_bar"].to_numpy() - 1
    known = decided < len(trades)
    assert decided[known].tolist() == expected
    np.testing.assert_allclose(done.trades["return"].to_numpy()[known], trades.net[expected], atol=1e-12)
    return len(expected)


def test_an_exported_play_makes_the_chaos_trades_that_do_not_overlap() -> None:
    bars = walk(3, n=4_000)
    pattern = Pattern((Band(feature="momentum(5)", low=0.0005), Band(feature="bbands(20,2).upper", low=80.0, high=130.0), Side(sign=1)))
    assert agrees(bars, pattern, 7, 1) > 50


def test_an_exported_play_agrees_with_chaos_on_real_bars(data_dir: Path) -> None:
    frame = pl.read_parquet(data_dir / "spot5m_2024" / "binance_BTC-USDT_5m.parquet")[:20_000]
    columns = {name: frame[name].to_numpy() for name in ("open", "high", "low", "close", "volume")}
    bars = Bars(symbol="BTC/USDT", timeframe=Timeframe.parse("5m"), ts=frame["ts"].dt.epoch("ms").to_numpy(), exchange="binance", **columns)
    pattern = Pattern((Band(feature="volume_ratio(20)", low=1.7), Band(feature="hour_of_day", low=6.0, high=19.0), Hold(low=3, high=30)))
    assert agrees(bars, pattern, 12, -1) > 100


def test_a_pattern_without_features_is_entered_always() -> None:
    assert agrees(walk(4, n=1_000), Pattern((Side(sign=-1),)), 5, -1) > 100


@pytest.mark.parametrize(("hold", "side", "words"), [(1, -1, "hold_bars"), (10, -1, "hold_bars"), (5, 1, "pattern's own")])
def test_a_play_keeps_to_the_pattern(hold: int, side: int, words: str) -> None:
    with pytest.raises(errors.InvalidArgument, match=words):
        export.to_play(EVERY, name="x", bar_ms=300_000, hold_bars=hold, side=side)


def test_a_play_needs_a_side() -> None:
    with pytest.raises(errors.InvalidArgument, match="which"):
        export.to_play(Pattern(()), name="x", bar_ms=300_000, hold_bars=3)


# --- review -----------------------------------------------------------------------------------------------------------


@functools.cache
def believed() -> tuple[review.Belief, ChaosTrades]:
    """A pattern that was confirmed on the first half of a long history, and all trades of it."""
    trades = drawn(21, n=48_000, trades=48_000)
    edged = with_edge(trades, rising(trades), 0.4)
    middle = int(np.median(trades.entry_ts))
    found = patterns.discover(edged.select(edged.exit_ts < middle), DiscoverSettings(flips=199, depth=1))
    when = datetime(2025, 1, 1, tzinfo=UTC)
    record = results.records(found, job="discover-1", synthetic=True, found_at=when, made_of={})[0]
    assert found.findings[0].status == "confirmed"
    return review.belief(found.findings[0].pattern, record.figures, record.evidence), edged


def test_an_edge_that_lives_is_kept_through_many_reviews() -> None:
    known, trades = believed()
    last = int(trades.entry_ts.max())
    for number, until in enumerate(np.linspace(known.end_ts + (last - known.end_ts) / 2, last, 6).astype(np.int64)):
        seen = review.review(replace(known, reviews=number), trades.select(trades.entry_ts <= until))
        assert seen.verdict == "alive"
        assert seen.number == number + 1


def test_an_edge_that_died_is_retired() -> None:
    known, trades = believed()
    died = replace(
        trades, net=np.where(trades.entry_ts >= known.end_ts, trades.gross - with_edge(trades, rising(trades), 0.4).gross, 0) + trades.net
    )
    seen = review.review(known, died)
    assert (seen.verdict, seen.p_value <= seen.level) == ("dead", True)
    assert seen.figures is not None
    assert seen.figures.effect < known.effect / 2


def test_a_review_without_later_bars_is_none_and_with_too_few_is_undecided() -> None:
    known, trades = believed()
    assert review.review(known, trades.select(trades.entry_ts < known.end_ts)).verdict == "nothing new"
    short = trades.select(trades.entry_ts < known.end_ts + 20 * 24 * 600_000)
    assert review.review(known, short).verdict == "undecided"
    assert review.review(replace(known, reviewed_ts=int(trades.entry_ts.max())), trades).verdict == "nothing new"


def test_the_levels_of_all_reviews_together_are_alpha() -> None:
    known, trades = believed()
    levels = [review.review(replace(known, reviews=number), trades).level for number in (0, 1, 4)]
    assert levels == pytest.approx([0.05 * 6 / math.pi**2 / number**2 for number in (1, 2, 5)])


def test_a_review_looks_at_the_patterns_own_markets_and_at_no_others() -> None:
    known, trades = believed()
    beside = replace(trades, markets=("walk:SOL/USDT:5m",), net=trades.net - 0.01)
    both = concatenate(
        [replace(part, markets=(*trades.markets, *beside.markets)) for part in (trades, replace(beside, market=trades.market + 1))]
    )
    assert known.markets == trades.markets
    assert review.review(known, both) == review.review(known, trades)
    with pytest.raises(errors.NotFound, match=r"own markets, .*got trades of walk:SOL"):
        review.review(known, beside)


def test_a_pattern_of_one_market_is_reviewed_there_only() -> None:
    known = review.belief(EVERY, CONFIRMED, EVIDENCE)
    assert known.markets == ("x:BTC-USDT:5m",)


def test_a_review_on_trades_that_know_the_future_is_refused() -> None:
    known, trades = believed()
    state = trades.state.copy()
    state[:, trades.features.index("momentum(5)")] = trades.side * trades.gross
    with pytest.raises(errors.Refused, match=r"LOOK-AHEAD: momentum\(5\)"):
        review.review(known, replace(trades, state=state), first_moves=trades.side * trades.gross)


def test_what_was_never_confirmed_is_not_reviewed() -> None:
    with pytest.raises(errors.InvalidArgument, match="confirmed"):
        review.belief(EVERY, {"confirmation": None}, {})


# --- figures and power ------------------------------------------------------------------------------------------------


def test_selection_takes_most_from_what_barely_passed() -> None:
    kept = [figures.shrunk(1.0, t, 4.0) for t in (3.9, 4.01, 4.5, 6.0, 9.0)]
    assert kept == sorted(kept)
    assert kept[0] == 0.0
    assert kept[1] < 0.2
    assert kept[-1] == pytest.approx(1.0, abs=0.01)


def test_shrinking_removes_the_bias_of_selection() -> None:
    seen = np.random.default_rng(0).standard_normal(200_000) + 4.0
    passed = seen[seen > 4.5][:800]
    assert passed.mean() > 4.8
    assert np.mean([figures.shrunk(t, t, 4.5) for t in passed]) < passed.mean() - 0.8


def test_an_interval_over_blocks_covers_the_mean_as_often_as_it_says() -> None:
    random, hits = np.random.default_rng(1), 0
    blocks = np.repeat(np.arange(40), 25)
    for _ in range(300):
        values = np.repeat(random.standard_normal(40), 25) + 0.1 * random.standard_normal(1000)
        _, low, high = figures.mean_by_blocks(values, blocks, 40)
        hits += low <= 0 <= high
    assert 0.90 < hits / 300 < 0.99


def test_trades_one_position_at_a_time_do_not_overlap() -> None:
    trades = drawn(9)
    order = np.argsort(trades.entry_ts, kind="stable")
    kept = figures.apart(trades, order)
    assert (trades.entry_ts[kept][1:] >= trades.exit_ts[kept][:-1]).all()
    assert kept.size > 100


def test_more_bars_show_smaller_effects_and_too_few_say_how_many_are_needed() -> None:
    some, more = (power.minimum_effect(n, 36, 0.06) for n in (100_000, 315_000))
    assert more.sigmas < some.sigmas
    assert more.win_rate < 0.5
    few = power.minimum_effect(4_000, 36, 0.06)
    assert (few.enough, power.minimum_effect(few.bars_needed, 36, 0.06).enough) == (False, True)


def test_markets_that_move_together_count_as_one() -> None:
    bars = walk(1, n=2_000)
    assert power.independent_markets([bars, bars]) == pytest.approx(1.0)
    assert power.independent_markets([bars, walk(2, n=2_000)]) == pytest.approx(2.0, abs=0.1)


def test_a_summary_is_plain_json() -> None:
    from coinswarm import codec

    trades = drawn(1, costs=FREE)
    found = patterns.discover(with_edge(trades, rising(trades), 0.35), DiscoverSettings(flips=199, depth=1))
    told = results.summary(found)
    assert codec.copy(told)["findings"][0]["conditions"] == patterns.to_json(found.findings[0].pattern)
    assert {part.kind for part in found.findings[0].slices} == {"hold", "market", "side", "time"}
    assert asdict(found.findings[0].discovery)["trades"] > 0
