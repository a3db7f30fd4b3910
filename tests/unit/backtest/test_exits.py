"""Leaving: the order of things within a bar, and what each exit fills at."""

from __future__ import annotations

import pytest

from coinswarm.config import Account, Costs
from coinswarm.play import expressions, model
from tests.unit.backtest.plays import ENTER_LONG, ENTER_SHORT, EXIT, flat, is_volume, play, run, stop, tape, target, trade

PROTECTED = model.Risk(stop=stop(value=2.0), target=target(value=4.0))
SLIPPY = Costs(taker_bps=0, maker_bps=0, slippage_bps=100)


def after_entry(*candles, signals=None, risk=PROTECTED, side=ENTER_LONG, costs=None, account=None, **fields):
    """The first trade of a position entered at 100 on bar 1; the candles are bars 2 and later."""
    bars = tape(flat(100), flat(100), *candles, signals={0: side, **(signals or {})})
    settings = {name: value for name, value in (("costs", costs), ("account", account)) if value is not None}
    return trade(run(play(risk, **fields), bars, **settings))


# --- stops and targets ----------------------------------------------------------------------------------------------------


def test_stop_fills_at_its_level_when_the_bar_touches_it():
    found = after_entry((100, 101, 98, 100))
    assert (found["exit_reason"], found["exit_price"], found["exit_bar"]) == ("stop", 98.0, 2)


def test_stop_fills_at_open_when_price_gaps_past_it():
    found = after_entry((95, 99, 94, 96), costs=SLIPPY, risk=model.Risk(stop=stop(value=2.0)))
    assert found["exit_price"] == pytest.approx(95 * 0.99)


def test_stop_pays_slippage_from_its_level():
    found = after_entry((101, 101, 90, 90), costs=SLIPPY)
    assert found["exit_price"] == pytest.approx(101 * 0.98 * 0.99)
    assert found["slippage"] == pytest.approx(found["qty"] * (1 + 101 * 0.98 * 0.01))


def test_stop_is_live_on_the_entry_bar():
    found = trade(run(play(PROTECTED), tape(flat(100), (100, 101, 97, 99), flat(99), signals={0: ENTER_LONG})))
    assert (found["exit_reason"], found["bars_held"], found["exit_price"]) == ("stop", 0, 98.0)


def test_stop_that_slippage_has_carried_above_the_open_fills_at_the_open():
    near = model.Risk(stop=stop(value=0.5))
    found = trade(run(play(near), tape(flat(100), (100, 101, 100, 101), flat(101), signals={0: ENTER_LONG}), costs=SLIPPY))
    assert (found["exit_reason"], found["exit_price"]) == ("stop", pytest.approx(99.0))


def test_target_fills_at_its_price_as_a_maker_without_slippage():
    found = after_entry((100, 105, 100, 105), costs=Costs(taker_bps=0, maker_bps=10, slippage_bps=0))
    assert (found["exit_reason"], found["exit_price"]) == ("target", 104.0)
    assert found["fees"] == pytest.approx(0.001 * 104 * found["qty"])


def test_target_fills_at_the_better_open_when_price_gaps_past_it():
    assert after_entry((106, 107, 105, 106))["exit_price"] == 106.0


def test_stop_is_what_happened_when_stop_and_target_lie_in_one_bar():
    assert after_entry((100, 105, 97, 104))["exit_reason"] == "stop"


def test_target_may_be_taken_on_the_entry_bar():
    found = trade(run(play(PROTECTED), tape(flat(100), (100, 105, 99, 104), flat(104), signals={0: ENTER_LONG})))
    assert (found["exit_reason"], found["bars_held"]) == ("target", 0)


def test_short_is_stopped_above_and_takes_its_target_below():
    assert after_entry((100, 103, 100, 102), side=ENTER_SHORT)["exit_price"] == 102.0
    assert after_entry((100, 101, 95, 96), side=ENTER_SHORT)["exit_price"] == 96.0
    assert after_entry((103, 104, 102, 103), side=ENTER_SHORT)["exit_price"] == 103.0
    assert after_entry((94, 95, 93, 94), side=ENTER_SHORT)["exit_price"] == 94.0


def test_percentages_are_of_margin():
    account = Account(starting_equity=1000, max_leverage=10, min_notional=0)
    found = after_entry((100, 100.1, 99.7, 100), account=account)
    assert (found["exit_reason"], found["exit_price"]) == ("stop", pytest.approx(99.8))


@pytest.mark.parametrize(
    ("protected", "level"),
    [
        (stop(model.StopKind.ATR, 1.5, level=expressions.Literal(2.0)), 97.0),
        (stop(model.StopKind.POINTS, 2.5), 97.5),
        (stop(model.StopKind.STRUCTURE, 1.0, level=expressions.Literal(98.0), level_short=expressions.Literal(102.0)), 98 * 0.99),
    ],
)
def test_stop_kinds_have_their_levels(protected, level):
    found = after_entry((100, 100, 90, 90), risk=model.Risk(stop=protected))
    assert found["exit_price"] == pytest.approx(level)


def test_levels_of_a_short_are_those_of_a_long_unless_it_has_its_own():
    risk = model.Risk(
        stop=stop(model.StopKind.ATR, 1.5, level=expressions.Literal(2.0)),
        target=target(model.TargetKind.ATR, 2.0, level=expressions.Literal(2.0)),
    )
    assert after_entry((100, 110, 100, 110), risk=risk, side=ENTER_SHORT)["exit_price"] == 103.0
    assert after_entry((100, 100, 90, 90), risk=risk, side=ENTER_SHORT)["exit_price"] == 96.0


def test_structure_stop_of_a_short_is_above_its_own_level():
    structure = stop(model.StopKind.STRUCTURE, 1.0, level=expressions.Literal(98.0), level_short=expressions.Literal(102.0))
    assert after_entry((100, 110, 100, 110), risk=model.Risk(stop=structure), side=ENTER_SHORT)["exit_price"] == pytest.approx(102 * 1.01)


@pytest.mark.parametrize(
    ("wanted", "level"),
    [
        (target(model.TargetKind.ATR, 1.5, level=expressions.Literal(2.0)), 103.0),
        (target(model.TargetKind.POINTS, 2.5), 102.5),
        (target(model.TargetKind.R_MULTIPLE, 3.0), 106.0),
    ],
)
def test_target_kinds_have_their_levels(wanted, level):
    found = after_entry((100, 110, 99, 110), risk=model.Risk(stop=stop(value=2.0), target=wanted))
    assert found["exit_price"] == pytest.approx(level)


# --- trailing and break-even ----------------------------------------------------------------------------------------------


TRAILING = model.Risk(stop=stop(model.StopKind.TRAILING_PERCENT, 2.0))


def test_trailing_stop_starts_behind_the_fill():
    assert after_entry((100, 100, 97, 97), risk=TRAILING)["exit_price"] == 98.0


def test_trailing_stop_follows_the_best_price_from_the_next_bar_on():
    found = after_entry((100, 110, 100, 109), (109, 109, 107, 107), risk=TRAILING)
    assert (found["exit_bar"], found["exit_price"]) == (3, 108.0)


def test_trailing_stop_never_loosens():
    by_volume = stop(
        model.StopKind.TRAILING_ATR, 1.0, level=expressions.Arithmetic("/", expressions.Column("volume"), expressions.Literal(1000.0))
    )
    bars = tape(flat(100), flat(100), flat(105), flat(106), flat(103), signals={0: 2000, 1: 2000, 2: 1000, 3: 5000})
    found = trade(run(play(model.Risk(stop=by_volume), entry_long=is_volume(2000.0)), bars))
    assert (found["exit_bar"], found["exit_reason"]) == (4, "stop")
    assert found["mfe"] == pytest.approx(0.06)


def test_trailing_stop_waits_for_its_activation():
    waiting = model.Risk(stop=stop(model.StopKind.TRAILING_PERCENT, 2.0, activation_pct=5.0))
    assert after_entry((100, 104.9, 50, 60), (60, 60, 60, 60), risk=waiting)["exit_reason"] == "open"
    found = after_entry((100, 105, 100, 104), (104, 104, 102, 102), risk=waiting)
    assert (found["exit_bar"], found["exit_price"]) == (3, 103.0)


def test_short_trailing_stop_follows_the_low():
    found = after_entry((100, 100, 90, 91), (91, 93, 91, 93), risk=TRAILING, side=ENTER_SHORT)
    assert (found["exit_bar"], found["exit_price"]) == (3, 92.0)


def test_high_of_a_bar_in_which_a_limit_filled_does_not_move_the_trail():
    risk = model.Risk(stop=stop(model.StopKind.TRAILING_PERCENT, 5.0), limit=model.Limit(offset_pct=2.0))
    bars = tape(flat(100), (99, 120, 98, 99), (99, 99, 96, 97), flat(97), signals={0: ENTER_LONG})
    assert trade(run(play(risk), bars))["exit_reason"] == "open"


def test_break_even_lifts_the_stop_once_price_has_moved():
    even = model.Risk(stop=stop(value=5.0), break_even=model.BreakEven(activation_pct=3.0, offset_pct=1.0))
    found = after_entry((102, 103, 100.5, 102), (102, 102, 100, 100), risk=even)
    assert (found["exit_bar"], found["exit_price"]) == (3, 101.0)
    assert after_entry((102, 102.9, 100.5, 102), (102, 102, 100, 100), risk=even)["exit_reason"] == "open"


# --- market exits ---------------------------------------------------------------------------------------------------------


def test_exit_signal_closes_at_the_next_open():
    found = after_entry(flat(101), flat(103), signals={2: EXIT}, costs=SLIPPY, risk=model.Risk())
    assert (found["exit_reason"], found["exit_price"], found["exit_bar"]) == ("signal", pytest.approx(103 * 0.99), 3)


def test_exit_signal_at_the_close_of_the_entry_bar_closes_at_the_next_open():
    assert after_entry(flat(101), flat(103), signals={1: EXIT}, risk=model.Risk())["exit_bar"] == 2


def test_exit_signal_precedes_a_gap_through_the_stop():
    assert after_entry(flat(100), (90, 91, 90, 90), signals={2: EXIT})["exit_reason"] == "signal"


def test_max_hold_closes_at_the_open_of_its_bar():
    found = after_entry(flat(101), flat(102), flat(103), risk=model.Risk(max_hold_bars=2.0))
    assert (found["exit_reason"], found["exit_bar"], found["exit_price"], found["bars_held"]) == ("max_hold", 3, 102.0, 2)


def test_signal_names_the_reason_when_max_hold_falls_on_the_same_open():
    assert after_entry(flat(101), flat(102), signals={2: EXIT}, risk=model.Risk(max_hold_bars=2.0))["exit_reason"] == "signal"


def test_next_entry_is_decided_at_the_close_of_the_exit_bar():
    bars = tape(flat(100), flat(100), flat(97), flat(97), flat(97), signals={0: ENTER_LONG, 2: ENTER_LONG})
    assert run(play(PROTECTED), bars).trades["entry_bar"].to_list() == [1, 3]


def test_exit_modes_choose_what_closes_a_position():
    crash = ((100, 100, 90, 95), flat(95), flat(95))
    only_levels = after_entry(flat(100), *crash, signals={2: EXIT}, exit_mode=model.ExitMode.SL_TP_ONLY)
    only_signals = after_entry(*crash, signals={3: EXIT}, exit_mode=model.ExitMode.SIGNAL)
    assert (only_levels["exit_reason"], only_levels["exit_bar"]) == ("stop", 3)
    assert (only_signals["exit_reason"], only_signals["exit_bar"]) == ("signal", 4)


def test_break_even_is_ignored_when_only_signals_close():
    even = model.Risk(break_even=model.BreakEven(activation_pct=1.0))
    assert after_entry((100, 105, 100, 104), flat(90), risk=even, exit_mode=model.ExitMode.SIGNAL)["exit_reason"] == "open"


# --- reversal -------------------------------------------------------------------------------------------------------------


def test_reversal_closes_and_enters_the_other_side_at_the_same_open():
    bars = tape(flat(100), flat(100), flat(110), flat(110), signals={0: ENTER_LONG, 1: ENTER_SHORT})
    result = run(play(reverse=True), bars)
    assert result.trades["exit_reason"].to_list() == ["reverse", "open"]
    assert (trade(result, 0)["exit_bar"], trade(result, 1)["entry_bar"], trade(result, 1)["side"]) == (2, 2, "short")
    assert trade(result, 1)["qty"] == pytest.approx(10)


def test_reversal_enters_with_the_cash_that_the_exit_left():
    bars = tape(flat(100), flat(100), flat(80), flat(80), signals={0: ENTER_LONG, 1: ENTER_SHORT})
    assert trade(run(play(reverse=True), bars), 1)["qty"] == pytest.approx(800 / 80)


def test_opposite_entry_is_ignored_without_reversal():
    bars = tape(*[flat(100)] * 4, signals={0: ENTER_LONG, 1: ENTER_SHORT})
    assert run(play(), bars).trades.height == 1


def test_exit_signal_and_opposite_entry_on_one_bar_reverse_under_the_name_of_the_signal():
    bars = tape(*[flat(100)] * 4, signals={0: ENTER_LONG, 1: ENTER_SHORT + EXIT})
    result = run(play(reverse=True), bars)
    assert result.trades["exit_reason"].to_list() == ["signal", "open"]


def test_reversal_with_limit_entries_closes_at_the_open_and_places_the_order():
    risk = model.Risk(limit=model.Limit(offset_pct=1.0))
    bars = tape(flat(100), (100, 100, 99, 100), flat(100), (100, 101, 100, 100), flat(100), signals={0: ENTER_LONG, 1: ENTER_SHORT})
    result = run(play(risk, reverse=True), bars)
    assert result.trades["entry_bar"].to_list() == [1, 3]
    assert trade(result, 0)["exit_bar"] == 2


# --- liquidation, account stop --------------------------------------------------------------------------------------------


LEVERED = Account(starting_equity=1000, max_leverage=10, min_notional=0, maintenance_margin_rate=0.01)


def test_liquidation_loses_the_margin_and_pays_no_fee():
    found = after_entry((100, 100, 90, 95), risk=model.Risk(), account=LEVERED)
    assert (found["exit_reason"], found["exit_price"]) == ("liquidation", pytest.approx(90 / 0.99))
    assert (found["pnl"], found["fees"]) == (pytest.approx(-1000), 0.0)


def test_short_is_liquidated_above():
    found = after_entry((100, 109, 100, 105), risk=model.Risk(), side=ENTER_SHORT, account=LEVERED)
    assert (found["exit_reason"], found["exit_price"]) == ("liquidation", pytest.approx(110 / 1.01))


def test_of_stop_and_liquidation_the_nearer_the_open_is_what_happened():
    far = model.Risk(stop=stop(model.StopKind.POINTS, 9.5))
    near = model.Risk(stop=stop(model.StopKind.POINTS, 5.0))
    assert after_entry((100, 100, 80, 80), risk=far, account=LEVERED)["exit_reason"] == "liquidation"
    assert after_entry((100, 100, 80, 80), risk=near, account=LEVERED)["exit_reason"] == "stop"


def test_gap_beyond_the_liquidation_price_is_a_liquidation():
    found = after_entry((80, 80, 80, 80), risk=model.Risk(stop=stop(model.StopKind.POINTS, 5.0)), account=LEVERED)
    assert (found["exit_reason"], found["pnl"]) == ("liquidation", pytest.approx(-1000))


def test_unlevered_long_is_never_liquidated():
    assert after_entry((100, 100, 0.001, 1), risk=model.Risk())["exit_reason"] == "open"


def test_account_stop_closes_at_the_next_open_for_good():
    account = Account(starting_equity=1000, min_notional=0, max_drawdown_pct=10)
    bars = tape(flat(100), flat(100), flat(90), flat(95), flat(95), flat(95), signals={0: ENTER_LONG, 3: ENTER_LONG, 4: ENTER_LONG})
    result = run(play(), bars, account=account)
    assert result.trades["exit_reason"].to_list() == ["account_stop"]
    assert trade(result)["exit_bar"] == 3


def test_account_stop_is_measured_from_the_highest_close():
    account = Account(starting_equity=1000, min_notional=0, max_drawdown_pct=10)
    bars = tape(flat(100), flat(100), flat(150), flat(135), flat(130), flat(130), signals={0: ENTER_LONG})
    found = trade(run(play(), bars, account=account))
    assert (found["exit_reason"], found["exit_bar"]) == ("account_stop", 4)


def test_account_stop_cancels_a_waiting_order():
    account = Account(starting_equity=1000, min_notional=0, max_drawdown_pct=10)
    risk = model.Risk(limit=model.Limit(offset_pct=1.0))
    bars = tape(
        flat(100), (100, 100, 99, 99), flat(80), (79, 79.5, 79, 79), (79, 101, 79, 79), flat(79), signals={0: ENTER_LONG, 1: ENTER_SHORT}
    )
    assert run(play(risk, reverse=True), bars, account=account).trades.height == 1


def test_drawdown_limit_of_100_never_stops_and_ruin_enters_nothing_any_more():
    bars = tape(
        *[flat(100)] * 2, flat(250), flat(100), flat(100), flat(100), signals={0: ENTER_SHORT, 2: EXIT, 3: ENTER_LONG, 4: ENTER_LONG}
    )
    account = Account(starting_equity=1000, min_notional=0, maintenance_margin_rate=0)
    result = run(play(), bars, account=account)
    assert result.trades["exit_reason"].to_list() == ["liquidation"]
    assert (result.metrics["n_rejected"], result.equity[-1]) == (0, 0.0)
