"""The parts of a report card against what they should be by hand."""

from __future__ import annotations

import dataclasses
import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from coinswarm import backtest, errors, stats
from coinswarm.config import Costs
from coinswarm.validate import breakdown, capacity, crash, curves, lint, montecarlo, odds, paths, plateau, stress, walkforward
from coinswarm.validate.bench import Bench, different, stacked
from tests.unit.validate import cards_world

SMALL = st.lists(st.floats(-0.05, 0.05), min_size=2, max_size=60).map(np.array)


def bench(**changes: object) -> Bench:
    return Bench(cards_world.case(**changes))


def test_the_portfolio_is_the_mean_of_the_reference_simulator_on_each_market() -> None:
    case = cards_world.case()
    span = case.splits.validation
    found = bench().portfolio(span)
    by_hand = []
    for bars in case.markets:
        result = backtest(case.play, bars, genome=case.genome, start_ts=span.start_ts, end_ts=span.end_ts)
        equity = np.concatenate([[result.account.starting_equity], result.equity[result.start :]])
        by_hand.append(equity[1:] / equity[:-1] - 1)
    np.testing.assert_allclose(found.returns, np.mean(by_hand, axis=0), atol=1e-12)
    assert found.span_figures()["n_trades"] == sum(int(part.trades.closed.sum()) for part in found.markets)


@given(values=SMALL, bars=st.integers(1, 9))
def test_periods_compound_to_the_same_growth(values, bars) -> None:
    assert np.prod(1 + curves.by_period(values, bars)) == pytest.approx(np.prod(1 + values))
    assert len(curves.by_period(values, bars)) == -(-len(values) // bars)


def test_a_market_without_a_bar_adds_nothing_there() -> None:
    times = np.array([1, 2, 3])
    mean = curves.mean_over([(np.array([1, 3]), np.array([0.2, 0.4])), (times, np.array([0.0, 0.2, 0.0]))], times)
    np.testing.assert_allclose(mean, [0.1, 0.1, 0.2])


def test_equal_variants_are_one_and_flat_ones_none() -> None:
    rng = np.random.default_rng(0)
    one, two = rng.normal(size=(2, 50))
    assert different(np.column_stack([one, two, one, np.zeros(50)])).tolist() == [0, 1]
    rows = stacked(np.array([1.0, 2.0]), np.array([[3.0, 4.0], [1.0, 2.0]]), 5)
    assert rows.tolist() == [[1.0, 2.0], [3.0, 4.0]]


def test_a_delayed_play_enters_a_bar_later_and_is_otherwise_the_same() -> None:
    case = cards_world.case()
    on_time = bench().portfolio(case.splits.train).markets[0].trades
    late = bench().portfolio(case.splits.train, play=stress.delayed(case.play)).markets[0].trades
    assert late.entry[0] == on_time.entry[0] + 1


def test_costs_double_and_stop_at_what_settings_allow() -> None:
    doubled = stress.multiplied(Costs(taker_bps=5, maker_bps=2, slippage_bps=900), 2.0)
    assert (doubled.taker_bps, doubled.maker_bps, doubled.slippage_bps) == (10, 4, 1000)


def test_the_gain_is_gone_where_the_line_crosses() -> None:
    assert stress.crossing((0.0, 1.0, 2.0), [0.2, 0.1, -0.1]) == pytest.approx(1.5)
    assert stress.crossing((0.0, 1.0), [-0.1, -0.2]) == 0
    assert stress.crossing((0.0, 1.0), [0.2, 0.1]) == math.inf


def test_stress_costs_more_and_missing_entries_trades_less() -> None:
    figures = stress.section(bench()).figures
    assert figures["costs_x2_total_return"] < figures["base_total_return"]
    assert figures["missed_n_trades"] < figures["base_n_trades"]


@pytest.mark.parametrize("side", [1, -1])
@pytest.mark.parametrize(("length", "gap"), [(1, False), (10, False), (1, True)])
def test_a_crash_moves_the_price_by_a_fifth_and_leaves_the_past_alone(side, length, gap) -> None:
    bars = cards_world.market("BTC/USDT")
    fallen = crash.crashed(bars, 100, length, side=side, gap=gap)
    np.testing.assert_array_equal(fallen.close[:100], bars.close[:100])
    assert fallen.close[99 + length] == pytest.approx(bars.close[99] * (1 - 0.2 * side))
    assert fallen.open[100] == pytest.approx(bars.close[99] * ((1 - 0.2 * side) if gap else 1))
    assert lint.impossible(fallen) == 0


def test_a_stop_bounds_a_fall_it_can_fill_in_and_no_gap() -> None:
    figures = crash.section(bench()).figures
    assert figures["drawdown_one_bar"] < 0.15 < figures["drawdown_gap"]
    assert figures["stop_fired_one_bar"] == 1


def test_without_a_stop_the_crash_takes_what_was_at_stake() -> None:
    text = cards_world.TEXT.replace("stop_loss_pct: [1.0, 2.0, 3.0], take_profit_pct: { min: 2, max: 6 }", "max_hold_bars: [200, 300]")
    figures = crash.section(Bench(cards_world.case(text=text))).figures
    assert figures["drawdown_one_bar"] > 0.18
    assert figures["stop_rate"] == 0


def test_paths_on_noise_and_on_one_dominant_variant() -> None:
    rng = np.random.default_rng(1)
    noise = rng.normal(0, 0.01, (600, 8))
    found = paths.combine(noise, year=365.0)
    assert found.paths.size == stats.combinatorial_paths(paths.N_FOLDS, paths.N_TEST).shape[0]
    strong = noise.copy()
    strong[:, 0] += 0.01
    assert (paths.combine(strong, year=365.0).paths > 5).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_returns_that_are_missing_are_refused_everywhere(bad) -> None:
    broken = np.random.default_rng(0).normal(0, 0.01, (100, 3))
    broken[5, 1] = bad
    with pytest.raises(errors.InvalidArgument, match="finite"):
        paths.combine(broken, year=365.0)
    with pytest.raises(errors.InvalidArgument, match="finite"):
        odds.varying(broken)
    with pytest.raises(errors.InvalidArgument, match="finite"):
        odds.sharpe_sample(broken[:, 1])
    with pytest.raises(errors.InvalidArgument, match="finite"):
        montecarlo.redrawn_trades(broken[:, 1], 99, np.random.default_rng(0))


def test_returns_without_variance_have_no_odds() -> None:
    with pytest.raises(errors.InvalidArgument, match="vary"):
        odds.sharpe_sample(np.zeros(50))


def test_one_trial_is_not_deflated() -> None:
    sample = odds.sharpe_sample(np.random.default_rng(0).normal(0.001, 0.01, 500))
    with pytest.raises(errors.InvalidArgument, match="n_trials"):
        odds.deflated(sample, 1, odds.Spread(variance=0.001, effective=1.0), 365.0)


def test_the_deflated_ratio_is_that_of_the_published_formula() -> None:
    sample = odds.sharpe_sample(np.random.default_rng(0).normal(0.001, 0.01, 500))
    found = odds.deflated(sample, 200, odds.Spread(variance=0.002, effective=40.0), 365.0)
    benchmark = stats.expected_maximum_sharpe(200, 0.002)
    wanted = stats.probabilistic_sharpe_ratio(
        sample.sharpe, 500, sample.skew, sample.kurtosis, benchmark, autocorrelation=sample.autocorrelation
    )
    assert found["dsr"] == pytest.approx(wanted)
    assert found["dsr"] < found["dsr_effective"] < odds.probabilities(sample)["psr"]


@given(sizes=st.lists(st.integers(1, 5), min_size=1, max_size=20), more=st.integers(0, 1000))
def test_clusters_in_all_are_at_least_those_seen_and_at_most_the_trials(sizes, more) -> None:
    clusters = np.repeat(np.arange(len(sizes)), sizes)
    assert len(sizes) <= odds.distinct_in_all(clusters, float(clusters.size + more)) <= clusters.size + more


@given(gains=SMALL)
def test_resampled_trades_lie_between_the_worst_and_the_best_of_them(gains) -> None:
    drawn = montecarlo.redrawn_trades(gains, 99, np.random.default_rng(0))
    assert (drawn[:, 0] >= (1 + gains.min()) ** gains.size - 1 - 1e-9).all()
    assert (drawn[:, 0] <= (1 + gains.max()) ** gains.size - 1 + 1e-9).all()
    assert ((drawn[:, 1] >= 0) & (drawn[:, 1] <= 1)).all()


@given(values=SMALL, block=st.integers(1, 10))
def test_resampled_blocks_hold_only_what_was_there_and_runs_of_it(values, block) -> None:
    drawn = montecarlo.redrawn_blocks(values, block, 99, np.random.default_rng(0))
    assert set(drawn.ravel()) <= set(values)
    whole = montecarlo.redrawn_blocks(np.arange(50.0), 50, 200, np.random.default_rng(0))
    assert ((np.diff(whole, axis=1) % 50) == 1).mean() > 0.95


def test_resampled_markets_are_possible_bars_that_still_move_together() -> None:
    markets = cards_world.case().markets
    made = montecarlo.resampled(markets, 96, np.random.default_rng(0))
    before, after = (np.corrcoef(*(np.diff(np.log(bars.close)) for bars in pair))[0, 1] for pair in (markets, made))
    assert after == pytest.approx(before, abs=0.1)
    assert all(lint.impossible(bars) == 0 for bars in made)


def test_walking_forward_hands_each_fold_its_warm_up_and_no_fold_overlaps() -> None:
    folds = walkforward.walk(bench(), 4)
    assert [fold.number for fold in folds] == [1, 2, 3, 4]
    assert all(a.span.end_ts == b.span.start_ts for a, b in itertools.pairwise(folds))
    assert all(int(fold.portfolio.ts[0]) >= fold.span.start_ts for fold in folds)


def test_a_walk_forward_takes_the_most_folds_that_fit_and_notes_it() -> None:
    slow = cards_world.TEXT.replace("{ min: 16, max: 40, step: 4 }", "{ min: 900, max: 908, step: 4 }")
    asked = dataclasses.replace(cards_world.QUICK, folds=12)
    found = bench(text=slow, effort=asked)
    section = walkforward.section(found)
    taken = int(section.figures["n_folds"])
    assert 1 < taken < 12
    assert f"12 folds were asked for and {taken} taken" in section.notes[0]
    with pytest.raises(errors.SpanTooShort):
        stats.walk_forward_splits(6000, taken + 1, warmup=found.warm_up, purge=walkforward.longest_hold(found))
    assert "asked for" not in walkforward.section(bench()).notes[0]


def test_a_walk_forward_that_not_even_one_fold_fits_says_what_would_help() -> None:
    slow = cards_world.TEXT.replace("{ min: 16, max: 40, step: 4 }", "{ min: 3600, max: 3608, step: 4 }")
    with pytest.raises(errors.SpanTooShort, match=r"walk forward takes 7,\d+ bars.*got 6,000.*Hint: search on a longer history"):
        walkforward.walk(bench(text=slow), 6)


def test_the_best_of_the_past_is_traded_on_what_follows() -> None:
    matrix = np.zeros((100, 2))
    matrix[:, 0], matrix[:, 1] = np.tile([0.02, 0.0], 50), np.tile([-0.01, 0.0], 50)
    sharpe, gain, share = walkforward.pick_figures(matrix, 4, purge=0, year=365.0, anchored=True)
    assert sharpe > 0
    assert gain == pytest.approx(1.02**40 - 1)
    assert share == 1


def test_a_plateau_keeps_its_score_and_a_spike_does_not() -> None:
    flat = plateau.neighbourhood(2.0, np.full(20, 1.9), np.full(4, 2.0))
    spike = plateau.neighbourhood(2.0, np.full(20, -1.0), np.full(4, -1.0))
    assert flat["score"] > 0.9 > 0.1 > spike["score"]
    assert spike["worst_ratio"] == -0.5
    assert plateau.neighbourhood(-1.0, np.ones(3), np.ones(2))["score"] == 0


def test_neighbours_are_valid_different_and_near() -> None:
    found = bench()
    around = plateau.neighbours(found)
    space, genome = found.case.play.space, found.case.genome
    assert space.valid(around).all()
    assert len(np.unique(around, axis=0)) == len(around) > 0
    reach = [max(plateau.REACH * (d.high - d.low), d.step) for d in space.dimensions]
    assert (np.abs(around - genome) <= np.array(reach) + 1e-9).all()


def test_gains_of_one_are_concentrated() -> None:
    assert breakdown.concentration(np.array([1.0, 1.0, -5.0])) == 0.5
    assert breakdown.concentration(np.array([-1.0])) == 1


def test_regimes_are_known_when_the_bar_opens() -> None:
    bars = cards_world.market("BTC/USDT")
    changed = dataclasses.replace(bars, close=np.where(np.arange(len(bars)) >= 5999, bars.close * 3, bars.close))
    for before, after in zip(breakdown.states(bars, 0), breakdown.states(changed, 0), strict=True):
        np.testing.assert_array_equal(before, after)
        assert set(before.tolist()) == {-1, 0, 1, 2}


def test_participation_is_the_quantity_over_the_volume_of_the_bar() -> None:
    part = bench().portfolio(cards_world.case().splits.train).markets[0]
    shares = capacity.participation(part)
    entry, notional = part.trades.entry[0], part.trades.notional[0]
    assert shares[0] == pytest.approx(notional * part.start / part.bars.open[entry] / part.bars.volume[entry])
    dry = dataclasses.replace(part, bars=dataclasses.replace(part.bars, volume=np.zeros(len(part.bars))))
    assert (capacity.participation(dry) == 1).all()


def test_the_lint_finds_free_trading_and_prices_that_cannot_be() -> None:
    case = cards_world.case()
    free = dataclasses.replace(case, play=dataclasses.replace(case.play, costs=Costs(taker_bps=0, maker_bps=0, slippage_bps=0)))
    assert lint.section(Bench(free)).figures["zero_cost"] == 1
    bars = case.markets[0]
    broken = dataclasses.replace(bars, high=np.where(np.arange(len(bars)) == 7, bars.low * 0.9, bars.high))
    assert lint.impossible(broken) == 1
    assert lint.section(bench()).figures["simulators_differ"] == 0
