"""Every mistake of a play is reported at once, with its line, path and the nearest names."""

from __future__ import annotations

import pytest

from coinswarm import errors, play

FIVE = """name: five mistakes
features:
  fast: { indicator: emma, params: { length: 8 } }
  slow: { indicator: ema, params: { length: 0 } }
  bands: { indicator: bbands, params: { length: 20, width: 2 } }
actions:
  entry_long:
    all:
      - [close, ">", bands.uper]
      - [clos, ">", slow]
risk: { stop_loss_pct: { min: 3, max: 1 } }
"""

GOOD = """name: good
features:
  fast: { indicator: ema, params: { length: [8, 12] } }
  rsi: { indicator: rsi }
actions:
  entry_long: [[close, ">", fast]]
  exit_long: [[rsi, ">", 70]]
"""


def problems(text: str) -> tuple[errors.PlayProblem, ...]:
    with pytest.raises(errors.BadPlay) as caught:
        play.loads(text, file="some.yml")
    return caught.value.problems


def only(text: str) -> errors.PlayProblem:
    found = problems(text)
    assert len(found) == 1, [str(problem) for problem in found]
    return found[0]


def swapped(old: str, new: str) -> str:
    assert old in GOOD
    return GOOD.replace(old, new)


def test_different_mistakes_in_one_file_are_all_reported_with_their_lines() -> None:
    found = [(problem.line, problem.path) for problem in problems(FIVE)]
    assert found == [
        (3, "features.fast.indicator"),
        (4, "features.slow.params.length"),
        (5, "features.bands.params.width"),
        (9, "actions.entry_long.all[0][2]"),
        (10, "actions.entry_long.all[1][0]"),
        (11, "risk.stop_loss_pct"),
    ]


def test_a_problem_names_file_rule_finding_and_the_nearest_names() -> None:
    text = str(problems(FIVE)[3])
    assert text.startswith("some.yml:9: actions.entry_long.all[0][2]: bbands has the outputs lower")
    assert "got bands.uper; did you mean bands.upper" in text


def test_a_broken_feature_is_not_reported_again_where_it_is_used() -> None:
    assert only(swapped("indicator: ema", "indicator: emma")).suggestions[0] == "ema"


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ("name: good", "nome: good", "no such key"),
        ("[8, 12]", "[8, 8]", "listed once"),
        ("[8, 12]", "[]", "at least one"),
        ("[8, 12]", "{ min: 8, max: 4 }", "from min up to max"),
        ("[8, 12]", "{ min: 8, max: 40, step: 0 }", "step of a range is above 0"),
        ("[8, 12]", "{ min: 8, max: 40, step: 0.5 }", "whole step"),
        ("[8, 12]", "{ min: 8, max: 40, stap: 2 }", "no such key"),
        ("[8, 12]", "{ min: 8 }", "needs max"),
        ("[8, 12]", "8.5", "an integer"),
        ("[8, 12]", ".nan", "finite"),
        ("[8, 12]", "1e400", "finite"),
        ("[8, 12]", '"8"', "no quotes"),
        ("[8, 12]", "true", "a number"),
        ("70]", "{ min: 0, max: 9, log: true }]", "starts above 0"),
        ("70]", "seventy]", "features that are declared"),
        ('[close, ">", fast]', '[close, "=>", fast]', "operator in the middle"),
        ('[close, ">", fast]', '[close, "==", fast]', "near_pct, > or <"),
        ('[close, ">", fast]', '[rsi, "==", 30]', "real number"),
        ('[close, ">", fast]', "[close, between, [5]]", "[low, high]"),
        ('[close, ">", fast]', "[close, near_pct, fast]", "has 4 items"),
        ('[close, ">", fast]', "{ setup: uptrend }", "under setups"),
        ('[close, ">", fast]', "{ lhs: close, op: gt }", "lhs, op and rhs"),
        ('[close, ">", fast]', "{ holds_for: { bars: 0, expr: [[close, '>', 1]] } }", "an integer from 1"),
        ('[close, ">", fast]', "{ count_true: { bars: 3, min_true: 4, expr: [[close, '>', 1]] } }", "not be above bars"),
        ('[close, ">", fast]', "{ holds_for_duration: { duration: soon, expr: [[close, '>', 1]] } }", "30m, 4h or 1d"),
        ('[close, ">", fast]', "{ feature_id: fast, offset: 1 }", "no such key"),
        ("entry_long", "enter_long", "no such key"),
        ("exit_long: [[rsi", "entry_short: [[rsi", ""),
    ],
)
def test_each_kind_of_mistake_has_a_rule_of_its_own(old: str, new: str, rule: str) -> None:
    if not rule:
        assert play.loads(swapped(old, new)).policy.mode == "long_short"
    else:
        assert any(rule in problem.rule for problem in problems(swapped(old, new)))


def test_a_state_that_an_output_does_not_have_is_answered_with_those_it_has() -> None:
    text = "structures: {exec: [{type: trend, key: t, params: {ema_length: 20}}]}\nactions: {entry_long: [[t.state, '=', trending_upp]]}"
    assert "trending_up" in only(text).suggestions


def test_setups_that_go_round_in_a_circle_are_shown_as_the_circle() -> None:
    text = GOOD + "setups: { a: { setup: b }, b: { not: { setup: a } } }\n"
    assert only(text).found == "a -> b -> a"


def test_mistakes_in_setups_that_nothing_uses_are_found() -> None:
    assert only(GOOD + "setups: { idle: [[nothing, '>', 1]] }\n").path == "setups.idle[0][0]"


def test_constraints_that_leave_no_variant_are_reported_at_the_one_that_empties_the_space() -> None:
    text = GOOD + 'constraints:\n  - [fast.length, ">", 5]\n  - [fast.length, ">", 12]\n'
    assert (only(text).line, only(text).found) == (10, "fast.length > 12")


def test_a_constraint_between_numbers_that_cannot_hold_is_a_space_without_a_variant() -> None:
    assert "at least one variant" in only(GOOD + "constraints: [[2, '<', 1]]\n").rule


def test_a_constraint_on_an_unknown_parameter_names_the_nearest() -> None:
    assert only(GOOD + "constraints: [[fast.lenght, '<', 9]]\n").suggestions[0] == "fast.length"


@pytest.mark.parametrize(
    ("extra", "rule"),
    [
        ("position_policy: { mode: short_only }", "cannot be short_only"),
        ("position_policy: { max_positions_per_symbol: 3 }", "at most 1 position"),
        ("position_policy: { allow_scale_in: true }", "opened and closed whole"),
        ("timeframes: { low_tf: 1h, med_tf: 5m }", "must not be faster"),
        ("timeframes: { low_tf: 5m, exec: high_tf }", "a role that has a timeframe"),
        ("timeframe: soon", "a timeframe must read like"),
        ("symbol: X", "a market must read like"),
        ("version: 4.0", "version is 3"),
        ("account: { max_leverage: 0 }", "greater than or equal to 1"),
        ("account: { starting_equity_usdt: [1, 2] }", "do not vary"),
        ("risk: { stop_loss_pct: 0 }", "a number above 0 up to 100"),
        ("risk_model: { take_profit: { type: rr_ratio, value: 2 } }", "needs a stop_loss"),
        ("risk_model: { stop_loss: { type: atr_multiple, value: 2 } }", "needs atr_feature_id"),
        ("risk_model: { stop_loss: { type: structure } }", "the one swing"),
        ("risk_model: { sizing: { model: risk_based, value: 1 } }", "risk_based sizing needs"),
        ("risk_model: { stop_loss: { type: percent, value: 1, activation_pct: 1 } }", "no such key"),
        ("risk_model: { take_profit_levels: [] }", "come later"),
        ("risk: { max_hold_bars: 1.5 }", "an integer"),
        ("entry: { order_type: LIMIT, time_in_force: NOW }", "GTC, IOC, FOK, PostOnly"),
        ("structures: { exec: [{ type: fibonacci, key: fib }] }", "comes later"),
        ("structures: { exec: [{ type: trend, key: t, uses: swing }] }", "declared above"),
        ("structures: { slow: [{ type: swing }] }", "no such key"),
        ("provenance: hearsay", "must be a mapping"),
    ],
)
def test_each_block_is_checked(extra: str, rule: str) -> None:
    assert rule in only(GOOD + extra + "\n").rule


def test_a_feature_faster_than_the_exec_bars_is_refused() -> None:
    text = swapped("indicator: rsi", "indicator: rsi, tf: low_tf") + "timeframes: { low_tf: 5m, med_tf: 1h, exec: med_tf }\n"
    assert "multiple of the exec timeframe, 1h" in only(text).rule


def test_a_play_that_never_enters_is_refused() -> None:
    assert "a play enters" in only("features: { r: { indicator: rsi } }\nactions: { exit_long: [[r, '>', 1]] }").rule


def test_a_percentage_that_was_surely_a_fraction_is_noted() -> None:
    noted = play.loads(GOOD + "risk: { stop_loss_pct: 0.02 }\n").notes
    assert any("2 % is written 2" in note for note in noted)


@pytest.mark.parametrize(
    "text",
    ["", "- 1", "a: [", "a: 1\n---\nb: 2", "a: &a [*a]", "x: !!python/object:os.system {}", "a: \x00", "[" * 100_000, "{a: 1, a: 2}"],
)
def test_text_that_is_no_play_is_a_bad_play_and_nothing_else(text: str) -> None:
    assert problems(text)


def test_aliases_that_multiply_are_stopped_before_they_grow() -> None:
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    lines += [f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]" for before, name in zip("abcdefgh", "bcdefghi", strict=True)]
    assert "aliases expanded" in only("\n".join(lines)).rule


def test_setups_that_double_at_every_step_are_stopped_before_they_grow() -> None:
    steps = "".join(f"  s{i}: {{ all: [{{ setup: s{i - 1} }}, {{ setup: s{i - 1} }}] }}\n" for i in range(1, 40))
    assert any("parts long" in problem.rule for problem in problems(f"{GOOD}setups:\n  s0: [[close, '>', 1]]\n{steps}"))


def test_a_file_that_is_not_there_is_answered_with_its_neighbours(tmp_path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "trend.yml").write_text(GOOD)
    with pytest.raises(errors.NotFound, match=r"trend\.yml"):
        play.load(tmp_path / "trand.yml")


def test_a_file_that_is_no_text_is_a_bad_play(tmp_path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "play.yml").write_bytes(b"\xff\xfe\x00\x81")
    with pytest.raises(errors.BadPlay, match="UTF-8"):
        play.load(tmp_path / "play.yml")
