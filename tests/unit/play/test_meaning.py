"""What each form of the language means once it is read."""

from __future__ import annotations

from types import ModuleType

import pytest

from coinswarm import play
from coinswarm.play.expressions import (
    All,
    AnyOf,
    Arithmetic,
    Between,
    Column,
    Compare,
    Condition,
    Cross,
    Literal,
    Member,
    Near,
    Not,
    Output,
    Shift,
    Slot,
    Window,
    WindowKind,
)
from coinswarm.play.model import Limit, SizingModel, StopKind, TargetKind, TimeInForce
from coinswarm.play.reader import plain
from coinswarm.play.reading.parsing import parse
from coinswarm.play.reading.problems import Problems

HEAD = """
timeframes: { low_tf: 5m, med_tf: 1h, exec: low_tf }
features:
  r: { indicator: rsi }
  m: { indicator: macd }
structures: { exec: [{ type: trend, key: t, params: { ema_length: 20 } }] }
"""
R, CLOSE = Output("r", "value"), Column("close")


def entry(condition: str) -> Condition | None:
    return play.loads(f"{HEAD}actions:\n  entry_long:\n    - {condition}\n").entry_long


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("[r, '<', 30]", Compare("<", R, Literal(30.0))),
        ("[r, lte, 30]", Compare("<=", R, Literal(30.0))),
        ("{ lhs: { feature_id: r }, op: gt, rhs: 30 }", Compare(">", R, Literal(30.0))),
        ("[r.value, '>', m.histogram]", Compare(">", R, Output("m", "histogram"))),
        ("[m, '>', 0]", Compare(">", Output("m", "macd"), Literal(0.0))),
        ("[{ feature_id: m, field: signal, offset: 2 }, '>', 0]", Compare(">", Shift(Output("m", "signal"), 2.0), Literal(0.0))),
        (
            "[[close, '-', open], '>', { '*': [hl2, 2] }]",
            Compare(">", Arithmetic("-", CLOSE, Column("open")), Arithmetic("*", Column("hl2"), Literal(2.0))),
        ),
        ("[r, between, [30, 70]]", Between(R, Literal(30.0), Literal(70.0))),
        ("{ lhs: r, op: between, rhs: { low: 30, high: 70 } }", Between(R, Literal(30.0), Literal(70.0))),
        ("[close, near_pct, r, 3]", Near(CLOSE, R, Literal(3.0), percent=True)),
        ("{ lhs: close, op: near_abs, rhs: r, tolerance: 5 }", Near(CLOSE, R, Literal(5.0), percent=False)),
        ("[r, crosses_below, 70]", Cross(R, Literal(70.0), up=False)),
        ("[t.state, '=', trending_up]", Compare("==", Output("t", "state"), Literal(1.0))),
        ("[trending_up, eq, t.state]", Compare("==", Output("t", "state"), Literal(1.0))),
        ("[t.state, in, [ranging, -1]]", Member(Output("t", "state"), (Literal(0.0), Literal(-1.0)))),
        ("{ not: [[r, '>', 1]] }", Not(Compare(">", R, Literal(1.0)))),
        ("{ any: [[r, '>', 1], [r, '<', 2]] }", AnyOf((Compare(">", R, Literal(1.0)), Compare("<", R, Literal(2.0))))),
        ("[[r, '>', 1], [r, '<', 2]]", All((Compare(">", R, Literal(1.0)), Compare("<", R, Literal(2.0))))),
        ("{ holds_for: { bars: 3, expr: [r, '>', 1] } }", Window(WindowKind.HOLDS_FOR, 3.0, Compare(">", R, Literal(1.0)))),
        (
            "{ count_true: { bars: 3, min_true: 2, anchor_tf: med_tf, expr: [r, '>', 1] } }",
            Window(WindowKind.COUNT_TRUE, 3.0, Compare(">", R, Literal(1.0)), 2.0, 3_600_000),
        ),
        (
            "{ occurred_within_duration: { duration: 4h, expr: [r, '>', 1] } }",
            Window(WindowKind.OCCURRED_WITHIN, 240.0, Compare(">", R, Literal(1.0)), 1.0, 60_000),
        ),
    ],
)
def test_every_spelling_of_a_condition_has_its_meaning(text: str, meaning: Condition) -> None:
    assert entry(text) == meaning


def test_a_window_anchored_to_the_exec_bars_counts_exec_bars() -> None:
    window = entry("{ holds_for: { bars: 3, anchor_tf: 5m, expr: [r, '>', 1] } }")
    assert isinstance(window, Window)
    assert window.bar_ms is None


def test_numbers_that_vary_are_named_after_their_place_and_what_they_are_compared_with() -> None:
    text = (
        HEAD
        + "actions: { entry_long: { all: [[r, '<', [20, 30]], [close, near_pct, r, { min: 1.0, max: 2.0 }], "
        + "[r, between, [[1, 2], [8, 9]]]] } }"
    )
    paths = [dimension.path for dimension in play.loads(text).space.dimensions]
    assert paths == ["entry_long.all[0].r", "entry_long.all[1].tolerance", "entry_long.all[2].r.low", "entry_long.all[2].r.high"]


def test_a_range_in_a_setup_is_one_dimension_however_often_it_is_used() -> None:
    text = HEAD + "setups: { low: [[r, '<', [20, 30]]] }\nactions: { entry_long: { setup: low }, exit_long: { not: { setup: low } } }"
    read = play.loads(text)
    assert read.space.size == 2
    assert read.exit_long == Not(Compare("<", R, Literal(Slot(0))))


def test_a_structure_takes_the_parameters_of_what_it_uses_and_varies_with_it() -> None:
    text = "structures: { exec: [{ type: swing, key: s, params: { left: [3, 5] } }, { type: trend, key: t, uses: s }] }\n"
    read = play.loads(text + "actions: { entry_long: [[t.direction, '==', 1], [close, '>', s.low_level]] }")
    assert dict(read.features["t"].params)["left"] == dict(read.features["s"].params)["left"] == Slot(0)


def test_the_first_case_that_holds_acts() -> None:
    text = f"""{HEAD}
actions:
  - cases:
      - {{ when: [r, '<', 10], emit: [{{ action: entry_long }}] }}
      - {{ when: [r, '<', 20], emit: [{{ action: entry_short }}] }}
      - {{ when: [r, '<', 30], emit: [{{ action: entry_long }}, {{ action: no_action }}] }}
    else: {{ emit: [{{ action: exit_all }}] }}
"""
    read = play.loads(text)
    first, second, third = (Compare("<", R, Literal(value)) for value in (10.0, 20.0, 30.0))
    assert read.entry_long == AnyOf((first, All((third, Not(second)))))
    assert read.entry_short == All((second, Not(first)))
    assert read.exit_short == All((Not(first), Not(second), Not(third)))


def test_a_slower_timeframe_is_kept_and_the_exec_timeframe_is_not() -> None:
    text = HEAD.replace("{ indicator: rsi }", "{ indicator: rsi, tf: 5m }").replace(
        "{ indicator: macd }", "{ indicator: macd, tf: med_tf, market: ETHUSDT }"
    )
    read = play.loads(text + "actions: { entry_long: [[r, '>', m]] }")
    assert read.features["r"].timeframe_ms is None
    assert (read.features["m"].timeframe_ms, read.features["m"].market) == (3_600_000, "ETH/USDT")


def test_a_word_can_be_chosen_too() -> None:
    read = play.loads("features: { e: { indicator: ema, source: [close, hlc3] } }\nactions: { entry_long: [[close, '>', e]] }")
    assert read.space.decode(read.space.encode({"e.source": "hlc3"})) == {"e.source": "hlc3"}
    assert play.fix(read, read.space.encode({"e.source": "hlc3"})).features["e"].source == "hlc3"


@pytest.mark.parametrize("word", ["D", "d", "W"])
def test_a_word_means_the_same_in_capitals(word: str) -> None:
    read = play.loads(
        f"features: {{ v: {{ indicator: vwap, params: {{ anchor: {word} }} }} }}\nactions: {{ entry_long: [[close, '>', v]] }}"
    )
    assert dict(read.features["v"].params)["anchor"] == word.upper()


def test_a_feature_nothing_uses_is_left_out_with_its_dimensions_and_a_note() -> None:
    read = play.loads("features: { e: { indicator: ema, params: { length: [5, 6] } } }\nactions: { entry_long: [[close, '>', open]] }")
    assert (dict(read.features), read.space.size) == ({}, 1)
    assert [note.split(":")[0] for note in read.notes] == ["features.e", "e.length"]


def test_the_full_risk_model_is_read() -> None:
    text = f"""{HEAD}
actions: {{ entry_long: [[r, '>', 1]] }}
risk_model:
  stop_loss: {{ type: trailing_atr, value: [2.0, 3.0], atr_feature_id: r, activation_pct: 1.0 }}
  take_profit: {{ type: atr_multiple, value: 4 }}
  break_even: {{ activation_pct: 1.0 }}
  sizing: {{ model: fixed_usdt, value: 500, max_leverage: 3 }}
  max_hold_bars: 12
entry: {{ order_type: limit, limit_offset_pct: 0.1, time_in_force: postonly, expire_after_bars: 3 }}
"""
    risk = play.loads(text).risk
    assert risk.stop is not None
    assert risk.target is not None
    assert (risk.stop.kind, risk.stop.value, risk.stop.level, risk.stop.activation_pct) == (StopKind.TRAILING_ATR, Slot(0), R, 1.0)
    assert (risk.target.kind, risk.target.level) == (TargetKind.ATR, R)
    assert (risk.sizing.model, risk.sizing.max_leverage, risk.max_hold_bars) == (SizingModel.FIXED_NOTIONAL, 3.0, 12.0)
    assert risk.limit == Limit(offset_pct=0.1, time_in_force=TimeInForce.POST_ONLY, expire_after_bars=3.0)


def test_a_structure_stop_stands_behind_the_one_swing() -> None:
    text = "structures: { exec: [{ type: swing, key: s }] }\nactions: { entry_long: [[close, '>', 1]] }\n"
    text += "risk_model: { stop_loss: { type: structure, buffer_pct: 0.5 } }"
    stop = play.loads(text).risk.stop
    assert stop is not None
    assert (stop.value, stop.level, stop.level_short) == (0.5, Output("s", "low_level"), Output("s", "high_level"))


def test_whole_numbers_make_a_range_of_whole_numbers_and_points_one_of_real_numbers() -> None:
    text = (
        HEAD
        + "actions: { entry_long: [[r, '>', { min: 1, max: 9, step: 3 }], [r, '<', { min: 1.0, max: 9 }], "
        + "[r, '<', { min: 0.1, max: 0.4, step: 0.1 }]] }"
    )
    whole, real, grid = play.loads(text).space.dimensions
    assert (whole.kind, whole.size, whole.high) == ("int", 3, 7.0)
    assert (real.kind, real.step) == ("float", 0.0)
    assert grid.grid(grid.numbers[:0]).size == 0
    assert [grid.decode(gene) for gene in (0.1, 0.2, 0.3, 0.4)] == [0.1, 0.2, 0.3, 0.4]


@pytest.mark.parametrize("name", ["cases", "windows", "listed", "regime", "design"])
def test_plays_of_the_existing_format_load_as_they_are(dialect: ModuleType, name: str) -> None:
    read = play.loads(dialect.ALL[name])
    assert read.entry_long is not None or read.entry_short is not None


def test_blocks_without_effect_are_named_in_the_notes(dialect: ModuleType) -> None:
    notes = "\n".join(play.loads(dialect.WINDOWS).notes)
    assert all(f"{name}: understood" in notes for name in ("synthetic", "date_range", "risk_limits"))


def test_templates_take_the_value_of_their_variable(dialect: ModuleType) -> None:
    assert dict(play.loads(dialect.WINDOWS).features["ema_fast"].params) == {"length": 9.0}


def test_account_and_costs_are_read(dialect: ModuleType) -> None:
    read = play.loads(dialect.CASES)
    assert (read.account.max_leverage, read.account.max_drawdown_pct, read.costs.taker_bps, read.symbols) == (3.0, 30.0, 5.5, ("BTC/USDT",))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: 1:30", "1:30"),
        ("a: 2024-01-01", "2024-01-01"),
        ("a: on", "on"),
        ("a: 1e3", 1000.0),
        ("a: '7'", "7"),
        ("a: ~", None),
        ("<<: { a: 3 }", 3),
    ],
)
def test_words_of_a_file_mean_what_they_look_like(text: str, value: object) -> None:
    node = parse(text, Problems())
    assert node is not None
    assert plain(node) == {"a": value}
