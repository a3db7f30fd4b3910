"""What a run adds to a play, and what a play needs before it can run."""

from __future__ import annotations

from types import ModuleType

import pytest

from coinswarm import errors, play
from coinswarm.play.expressions import Window

SHORT = """
features: { r: { indicator: rsi } }
actions: { entry_long: [[r, '<', 30]], exit_long: [[r, '>', 70]] }
position_policy: { exit_mode: %s }
risk: %s
"""


def test_a_play_without_any_exit_cannot_run_until_the_run_supplies_one(dialect: ModuleType) -> None:
    regime = play.loads(dialect.REGIME)
    with pytest.raises(errors.BadPlay, match="max_hold_bars, in the play or from the run"):
        play.check_runnable(regime)
    for supplied in ({"max_hold_bars": 48}, {"stop_loss_pct": 2.0}, {"take_profit_pct": 4.0}):
        play.check_runnable(play.with_run(regime, **supplied))
    assert play.with_run(regime, max_hold_bars=48).space.size == 18


@pytest.mark.parametrize(
    ("mode", "risk", "closes"),
    [("first_hit", "{}", True), ("signal", "{}", True), ("sl_tp_only", "{}", False), ("sl_tp_only", "{stop_loss_pct: 1}", True)],
)
def test_an_exit_counts_only_where_the_policy_heeds_it(mode: str, risk: str, closes: bool) -> None:
    read = play.loads(SHORT % (mode, risk))
    if closes:
        play.check_runnable(read)
        assert read.exit_long is not None
    else:
        with pytest.raises(errors.BadPlay):
            play.check_runnable(read)


def test_a_run_overrides_market_timeframe_and_stops_and_drops_what_no_longer_varies() -> None:
    read = play.loads(SHORT % ("first_hit", "{stop_loss_pct: [1, 2]}") + "symbol: BTCUSDT\ntimeframe: 5m\n")
    run = play.with_run(read, symbol="ETH-USDT", timeframe="15m", stop_loss_pct=3)
    assert (run.symbols, run.timeframe_ms, run.space.size, read.space.size) == (("ETH/USDT",), 900_000, 1, 2)
    assert run.risk.stop is not None
    assert run.risk.stop.value == 3.0


def test_a_run_on_the_timeframe_of_a_feature_makes_it_an_exec_feature() -> None:
    text = "features: { r: { indicator: rsi, tf: 1h } }\n"
    text += "actions: { entry_long: { holds_for: { bars: 2, anchor_tf: 1h, expr: [r, '<', 30] } } }"
    run = play.with_run(play.loads(text), timeframe="1h")
    assert run.features["r"].timeframe_ms is None
    assert isinstance(run.entry_long, Window)
    assert run.entry_long.bar_ms is None


def test_a_run_on_bars_slower_than_a_feature_is_refused() -> None:
    read = play.loads("features: { r: { indicator: rsi, tf: 5m } }\nactions: { entry_long: [[r, '<', 30]] }")
    with pytest.raises(errors.BadPlay, match="multiple of the exec timeframe, 1h"):
        play.with_run(read, timeframe="1h")


@pytest.mark.parametrize(
    "bad",
    [
        {"max_hold_bars": 0},
        {"max_hold_bars": 1.5},
        {"stop_loss_pct": 0},
        {"stop_loss_pct": 101},
        {"take_profit_pct": float("nan")},
        {"timeframe": "soon"},
    ],
)
def test_values_outside_their_domain_are_refused(bad: dict[str, object], dialect: ModuleType) -> None:
    with pytest.raises(errors.InvalidArgument):
        play.with_run(play.loads(dialect.REGIME), **bad)
