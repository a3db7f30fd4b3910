"""Entering: market and limit orders, sizes, caps, rejections, slippage."""

from __future__ import annotations

import math

import pytest

from coinswarm.config import Account, Costs
from coinswarm.play import expressions, model
from tests.unit.backtest.plays import ACCOUNT, ENTER_BOTH, ENTER_LONG, ENTER_SHORT, FREE, flat, play, run, stop, tape, target, trade

LIMIT = model.Limit(offset_pct=2.0)


def limit_play(**fields):
    return play(model.Risk(limit=model.Limit(**({"offset_pct": 2.0} | fields)), target=target(value=1.0), stop=stop(value=5.0)))


def test_signal_at_a_close_fills_at_the_next_open():
    found = trade(run(play(), tape(flat(100), (102, 103, 101, 102), flat(103), signals={0: ENTER_LONG})))
    assert (found["entry_bar"], found["entry_price"], found["side"]) == (1, 102.0, "long")


def test_buy_pays_slippage_above_the_open_and_the_taker_fee():
    costs = Costs(taker_bps=10, maker_bps=0, slippage_bps=50)
    found = trade(run(play(), tape(flat(100), flat(100), flat(100), signals={0: ENTER_LONG}), costs=costs))
    assert found["entry_price"] == pytest.approx(100.5)
    assert found["qty"] * 100.5 == pytest.approx(1000 / 1.001)
    assert found["fees"] == pytest.approx(0.001 * found["qty"] * 100.5)
    assert found["slippage"] == pytest.approx(0.5 * found["qty"])


def test_short_sells_below_the_open():
    costs = Costs(taker_bps=0, maker_bps=0, slippage_bps=50)
    assert trade(run(play(), tape(flat(100), flat(100), signals={0: ENTER_SHORT}), costs=costs))["entry_price"] == pytest.approx(99.5)


def test_signal_on_the_last_bar_is_not_taken():
    result = run(play(), tape(flat(100), flat(100), flat(100), signals={2: ENTER_LONG}))
    assert result.trades.height == 0
    assert result.status.name == "NO_TRADES"
    assert "no entry signal" in result.reason


def test_entries_of_both_sides_on_one_bar_cancel():
    assert run(play(), tape(flat(100), flat(100), flat(100), signals={0: ENTER_BOTH})).trades.height == 0


def test_side_the_mode_forbids_does_not_cancel_the_other():
    bars = tape(flat(100), flat(100), flat(100), signals={0: ENTER_BOTH})
    assert trade(run(play(mode=model.Mode.LONG_ONLY), bars))["side"] == "long"
    assert trade(run(play(mode=model.Mode.SHORT_ONLY), bars))["side"] == "short"


def test_entries_are_ignored_while_in_a_position():
    bars = tape(*[flat(100)] * 5, signals={0: ENTER_LONG, 1: ENTER_LONG, 2: ENTER_SHORT})
    assert run(play(), bars).trades.height == 1


# --- limit orders ---------------------------------------------------------------------------------------------------------


def test_limit_fills_at_its_price_as_a_maker_when_the_bar_touches_it():
    bars = tape(flat(100), (99, 99, 98, 98), flat(98), signals={0: ENTER_LONG})
    found = trade(run(limit_play(), bars, costs=Costs(taker_bps=50, maker_bps=10, slippage_bps=90)))
    assert (found["entry_bar"], found["entry_price"], found["slippage"]) == (1, 98.0, 0.0)
    assert found["fees"] == pytest.approx(0.001 * found["qty"] * 98)


def test_limit_below_which_the_bar_opens_fills_at_the_open_as_a_taker():
    bars = tape(flat(100), (97, 97.5, 96, 97), flat(97), signals={0: ENTER_LONG})
    found = trade(run(limit_play(), bars, costs=Costs(taker_bps=50, maker_bps=10, slippage_bps=90)))
    assert (found["entry_price"], found["slippage"]) == (97.0, 0.0)
    assert found["fees"] == pytest.approx(0.005 * found["qty"] * 97)


def test_short_limit_is_above_the_close():
    bars = tape(flat(100), (101, 102, 100, 101), flat(101), signals={0: ENTER_SHORT})
    assert trade(run(limit_play(), bars))["entry_price"] == 102.0


def test_limit_waits_until_filled_and_ignores_entries_meanwhile():
    bars = tape(*[flat(100)] * 4, (100, 100, 97, 98), flat(98), signals={0: ENTER_LONG, 2: ENTER_SHORT})
    result = run(limit_play(), bars)
    assert result.trades.height == 1
    assert trade(result)["entry_bar"] == 4


def test_limit_expires_after_its_bars_and_the_next_order_may_follow_at_once():
    bars = tape(*[flat(100)] * 3, (100, 103, 97, 100), flat(100), signals={0: ENTER_LONG, 2: ENTER_SHORT})
    result = run(limit_play(expire_after_bars=2.0), bars)
    assert result.trades["side"].to_list() == ["short"]


def test_unfilled_limit_is_no_rejection():
    result = run(limit_play(expire_after_bars=1.0), tape(*[flat(100)] * 4, signals={0: ENTER_LONG}))
    assert result.metrics["n_rejected"] == 0
    assert result.reason == "no limit order was filled"


@pytest.mark.parametrize("force", [model.TimeInForce.IOC, model.TimeInForce.FOK])
def test_immediate_orders_live_for_one_open(force):
    touched = tape(flat(100), (100, 100, 97, 99), (97, 98, 96, 97), flat(97), signals={0: ENTER_LONG})
    opened = tape(flat(100), (97.5, 98, 97, 97.5), flat(97.5), signals={0: ENTER_LONG})
    assert run(limit_play(time_in_force=force), touched).trades.height == 0
    assert trade(run(limit_play(time_in_force=force), opened))["entry_price"] == 97.5


def test_post_only_is_cancelled_where_it_would_take():
    post_only = limit_play(time_in_force=model.TimeInForce.POST_ONLY)
    assert run(post_only, tape(flat(100), flat(97), flat(97), signals={0: ENTER_LONG})).trades.height == 0
    assert run(post_only, tape(flat(100), (99, 99, 97, 98), flat(98), signals={0: ENTER_LONG})).trades.height == 1


def test_limit_filled_inside_a_bar_may_be_stopped_but_not_take_its_target_in_it():
    stopped = trade(run(limit_play(), tape(flat(100), (99, 105, 90, 91), flat(91), signals={0: ENTER_LONG})))
    assert (stopped["exit_reason"], stopped["bars_held"], stopped["exit_price"]) == ("stop", 0, pytest.approx(98 * 0.95))
    later = trade(run(limit_play(), tape(flat(100), (99, 105, 98, 98), (98, 105, 98, 105), signals={0: ENTER_LONG})))
    assert (later["exit_reason"], later["exit_bar"]) == ("target", 2)


def test_limit_filled_at_the_open_may_take_its_target_in_that_bar():
    found = trade(run(limit_play(), tape(flat(100), (97, 105, 97, 104), flat(104), signals={0: ENTER_LONG})))
    assert (found["exit_reason"], found["bars_held"]) == ("target", 0)


# --- sizes ----------------------------------------------------------------------------------------------------------------


def sized(sizing, account=ACCOUNT, costs=FREE, risk=None, bars=None):
    bars = bars or tape(flat(100), flat(100), flat(100), signals={0: ENTER_LONG})
    risk = risk or model.Risk(stop=stop(value=2.0), sizing=sizing)
    return run(play(risk), bars, account=account, costs=costs)


def test_percent_of_equity_is_put_up_as_margin_and_levered():
    account = Account(starting_equity=1000, max_leverage=5, min_notional=0)
    assert trade(sized(model.Sizing(value=50.0, max_leverage=3.0), account))["qty"] == pytest.approx(15)


def test_leverage_is_the_smaller_of_play_and_account():
    account = Account(starting_equity=1000, max_leverage=2, min_notional=0)
    assert trade(sized(model.Sizing(max_leverage=10.0), account))["qty"] == pytest.approx(20)
    assert trade(sized(model.Sizing(), account))["qty"] == pytest.approx(20)


def test_risk_based_size_loses_its_percentage_at_the_stop():
    sizing = model.Sizing(model=model.SizingModel.RISK_BASED, value=1.0)
    assert trade(sized(sizing))["qty"] * 2.0 == pytest.approx(10)


def test_fixed_notional_is_capped_by_what_the_account_can_pay():
    sizing = model.Sizing(model=model.SizingModel.FIXED_NOTIONAL, value=300.0)
    assert trade(sized(sizing))["qty"] == 3.0
    rich = model.Sizing(model=model.SizingModel.FIXED_NOTIONAL, value=9000.0)
    assert trade(sized(rich, costs=Costs(taker_bps=100, maker_bps=0, slippage_bps=0)))["qty"] == pytest.approx(10 / 1.01)


def test_participation_caps_the_quantity_by_the_volume_of_the_entry_bar():
    bars = tape(flat(100), flat(100), flat(100), volume=tape(*[flat(1)] * 3, signals={0: ENTER_LONG, 1: 40}).volume)
    costs = Costs(taker_bps=0, maker_bps=0, slippage_bps=0, max_participation=0.1)
    assert trade(sized(model.Sizing(), costs=costs, bars=bars))["qty"] == 4.0


def test_lots_are_rounded_down():
    costs = Costs(taker_bps=0, maker_bps=0, slippage_bps=0, lot_step=3.0)
    assert trade(sized(model.Sizing(), costs=costs))["qty"] == 9.0


def test_entry_below_the_minimum_notional_is_rejected_and_counted():
    account = Account(starting_equity=1000, min_notional=500)
    result = sized(model.Sizing(value=10.0), account)
    assert (result.trades.height, result.metrics["n_rejected"]) == (0, 1)
    assert "rejected" in result.reason


def test_zero_volume_leaves_nothing_to_buy_under_a_participation_limit():
    bars = tape(flat(100), flat(100), flat(100), signals={0: ENTER_LONG, 1: 0})
    result = sized(model.Sizing(), costs=Costs(max_participation=0.5), bars=bars)
    assert (result.trades.height, result.metrics["n_rejected"]) == (0, 1)


def test_entry_whose_stop_is_on_the_wrong_side_is_rejected():
    risk = model.Risk(stop=stop(model.StopKind.STRUCTURE, 0.0, level=expressions.Literal(101.0), level_short=expressions.Literal(101.0)))
    rejected = sized(model.Sizing(), risk=risk)
    assert (rejected.trades.height, rejected.metrics["n_rejected"]) == (0, 1)


def test_entry_without_a_level_for_its_stop_or_target_is_rejected():
    missing = expressions.Arithmetic("/", expressions.Literal(1.0), expressions.Literal(0.0))
    for risk in (
        model.Risk(stop=stop(model.StopKind.ATR, 1.0, level=missing)),
        model.Risk(target=target(model.TargetKind.ATR, 1.0, level=missing)),
    ):
        assert sized(model.Sizing(), risk=risk).metrics["n_rejected"] == 1


def test_rejected_entry_may_be_tried_again_at_the_next_close():
    bars = tape(flat(100), flat(100), flat(100), signals={0: ENTER_LONG, 1: ENTER_LONG})
    result = sized(
        model.Sizing(),
        costs=Costs(taker_bps=0, maker_bps=0, slippage_bps=0, max_participation=0.01),
        bars=bars,
        account=Account(min_notional=500),
    )
    assert (result.trades.height, result.metrics["n_rejected"]) == (1, 1)


def test_risk_based_size_needs_a_stop_that_is_there_from_the_entry_on():
    waiting = stop(model.StopKind.TRAILING_PERCENT, 2.0, activation_pct=1.0)
    risk = model.Risk(stop=waiting, sizing=model.Sizing(model=model.SizingModel.RISK_BASED, value=1.0))
    assert sized(model.Sizing(), risk=risk).metrics["n_rejected"] == 1
    assert sized(model.Sizing(), risk=model.Risk(stop=waiting, target=target(model.TargetKind.R_MULTIPLE, 2.0))).metrics["n_rejected"] == 1


# --- slippage models ------------------------------------------------------------------------------------------------------


def test_slippage_grows_with_the_root_of_the_share_of_volume():
    costs = Costs(taker_bps=0, maker_bps=0, slippage_bps=0, slippage_participation=0.1)
    bars = tape(flat(100), flat(100), flat(100), signals={0: ENTER_LONG})
    assert trade(run(play(), bars, costs=costs))["entry_price"] == pytest.approx(100 * (1 + 0.1 * math.sqrt(10 / 1000)))


def test_slippage_where_nothing_was_traded_is_that_of_the_whole_volume():
    costs = Costs(taker_bps=0, maker_bps=0, slippage_bps=0, slippage_participation=0.1)
    bars = tape(flat(100), flat(100), flat(100), signals={0: ENTER_LONG, 1: 0})
    assert trade(run(play(), bars, costs=costs))["entry_price"] == pytest.approx(110)


def test_slippage_is_at_most_half_of_the_price():
    costs = Costs(taker_bps=0, maker_bps=0, slippage_bps=1000, slippage_participation=10)
    bars = tape(flat(100), flat(100), flat(100), signals={0: ENTER_SHORT, 1: 0})
    assert trade(run(play(), bars, costs=costs))["entry_price"] == 50.0


@pytest.mark.parametrize(("decided", "volatility"), [(19, 0.0), (20, 0.01 / math.sqrt(20)), (29, 0.01 / math.sqrt(20)), (30, 0.0)])
def test_volatility_slippage_uses_the_twenty_returns_up_to_the_bar_before_the_fill(decided, volatility):
    """A single return of 1 % at bar 10; the fill is in the bar after `decided`."""
    prices = [100.0] * 10 + [101.0] * 25
    costs = Costs(taker_bps=0, maker_bps=0, slippage_bps=0, slippage_volatility=1.0)
    bars = tape(*[flat(price) for price in prices], signals={decided: ENTER_LONG})
    assert trade(run(play(), bars, costs=costs))["entry_price"] == pytest.approx(101 * (1 + volatility))
