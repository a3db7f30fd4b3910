"""Running a backtest: what is refused, and which bars count."""

from __future__ import annotations

import numpy as np
import pytest

from coinswarm import backtest, errors
from coinswarm.config import Account
from coinswarm.play import expressions, model
from coinswarm.play.dimension import Dimension
from coinswarm.play.space import Space
from tests.unit.backtest.plays import ENTER_LONG, MINUTE, flat, is_volume, play, run, stop, tape, target, trade

LATE = expressions.All(
    (is_volume(ENTER_LONG), expressions.Compare(">", expressions.Shift(expressions.Column("close"), 3.0), expressions.Literal(0.0)))
)


def test_decisions_begin_when_every_operand_is_warm():
    bars = tape(*[flat(100)] * 7, signals={1: ENTER_LONG, 3: ENTER_LONG})
    result = run(play(entry_long=LATE), bars)
    assert (result.start, trade(result)["entry_bar"], result.metrics["n_obs"]) == (3, 4, 4)


def test_span_shorter_than_the_warm_up_says_how_many_bars_are_needed():
    with pytest.raises(errors.SpanTooShort, match="at least 5 bars"):
        run(play(entry_long=LATE), tape(*[flat(100)] * 4))
    assert run(play(entry_long=LATE), tape(*[flat(100)] * 5)).start == 3


@pytest.mark.parametrize("n", [0, 1])
def test_no_bars_or_one_bar_is_too_short(n):
    with pytest.raises(errors.SpanTooShort):
        run(play(), tape(flat(100), flat(100))[:n])


def test_decisions_wait_for_the_start_time():
    bars = tape(*[flat(100)] * 6, signals={0: ENTER_LONG, 3: ENTER_LONG})
    result = run(play(), bars, start_ts=2 * MINUTE.ms - 1)
    assert (result.start, trade(result)["entry_bar"]) == (2, 4)


def test_bars_from_the_end_time_on_are_not_used():
    result = run(play(), tape(*[flat(100)] * 6, signals={0: ENTER_LONG}), end_ts=4 * MINUTE.ms)
    assert (len(result.bars), result.equity.size, result.metrics["n_obs"]) == (4, 4, 4)


def test_start_after_the_end_is_too_short():
    with pytest.raises(errors.SpanTooShort):
        run(play(), tape(*[flat(100)] * 6), start_ts=5 * MINUTE.ms, end_ts=3 * MINUTE.ms)


def test_bars_of_another_length_than_the_play_trades_are_refused():
    with pytest.raises(errors.InvalidArgument, match="trades on 5m bars, got 1m"):
        run(play(timeframe_ms=300_000), tape(*[flat(100)] * 6))


def test_play_speaks_of_costs_and_account_unless_the_run_does():
    written = play(account=Account(starting_equity=500.0))
    bars = tape(*[flat(100)] * 3)
    assert backtest(written, bars).equity[0] == 500.0
    assert backtest(written, bars, account=Account(starting_equity=70.0)).equity[0] == 70.0


def test_open_dimensions_are_refused_by_name():
    family = play(
        model.Risk(stop=stop(value=expressions.Slot(0))),
        space=Space(dimensions=(Dimension(path="risk.stop_loss_pct", kind="choice", choices=(1.0, 2.0)),)),
    )
    with pytest.raises(errors.InvalidArgument, match=r"risk\.stop_loss_pct"):
        run(family, tape(*[flat(100)] * 3))


def test_genome_and_parameters_together_are_refused():
    with pytest.raises(errors.InvalidArgument, match="not by both"):
        run(play(), tape(*[flat(100)] * 3), genome=np.zeros(1), params={"x": 1.0})


def test_slots_left_in_a_play_are_refused():
    with pytest.raises(errors.InvalidArgument, match="must be fixed"):
        run(play(model.Risk(stop=stop(value=expressions.Slot(0)))), tape(*[flat(100)] * 3))


@pytest.mark.parametrize(
    "risk",
    [model.Risk(sizing=model.Sizing(model=model.SizingModel.RISK_BASED)), model.Risk(target=target(model.TargetKind.R_MULTIPLE))],
)
def test_sizes_and_targets_measured_by_a_stop_need_one(risk):
    with pytest.raises(errors.InvalidArgument, match="measured by a stop"):
        run(play(risk), tape(*[flat(100)] * 3))


def test_missing_market_is_named():
    other = model.Feature(id="eth", indicator="sma", params=(("length", 2.0),), market="ETH/USDT")
    condition = expressions.Compare(">", expressions.Output("eth", "value"), expressions.Literal(0.0))
    with pytest.raises(errors.NotFound, match="ETH/USDT"):
        run(play(features={"eth": other}, entry_long=condition), tape(*[flat(100)] * 3))


def test_feature_warm_up_counts():
    average = model.Feature(id="slow", indicator="sma", params=(("length", 3.0),))
    condition = expressions.Compare(">=", expressions.Column("close"), expressions.Output("slow", "value"))
    result = run(play(features={"slow": average}, entry_long=condition), tape(*[flat(100)] * 8))
    assert (result.start, trade(result)["entry_bar"]) == (2, 3)
