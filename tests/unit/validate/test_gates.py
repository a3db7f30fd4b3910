"""Gates: what passes, what fails, and what is no file of gates."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coinswarm import errors
from coinswarm.ledger import lifecycle
from coinswarm.ledger.memory import MemoryCampaigns, MemoryStore
from coinswarm.validate import card, gates, names, verdict_text
from coinswarm.validate import lifecycle as steps
from coinswarm.validate.card import ReportCard, Section

RULE = "{name: n, figure: odds.dsr, at_least: 0.95, reason: r}"
HEAD = "version: 1\nname: g\nrules:\n"
numbers = st.floats(allow_nan=False)


def graded(**figures: float) -> ReportCard:
    """A card of a passing play, with some figures changed: `odds__dsr=0.1`."""
    values = {
        rule.figure: rule.threshold + {"at_least": 0, "at_most": 0, "above": 1, "below": -0.01}[rule.comparison]
        for rule in gates.load().rules
    }
    values |= {name.replace("__", "."): value for name, value in figures.items()}
    parts = {name.partition(".")[0] for name in values}
    sections = {
        part: Section(
            name=part, title=part, figures={name.partition(".")[2]: value for name, value in values.items() if name.startswith(f"{part}.")}
        )
        for part in parts
    }
    return ReportCard(play="p", variant="v", evaluation="e", campaign="c", sections=sections)


def one(comparison: str, threshold: float) -> gates.GateRule:
    return gates.GateRule(name="n", figure="odds.dsr", comparison=comparison, threshold=threshold, reason="r")


def test_the_default_gates_read_and_ask_for_figures_that_exist() -> None:
    found = gates.load()
    assert {rule.figure for rule in found.rules} <= set(gates.FIGURES)
    assert {rule.figure.partition(".")[0] for rule in found.rules} <= set(names.SECTIONS)
    assert all(rule.reason.endswith(".") and rule.help.endswith(".") for rule in found.rules)


def test_a_card_at_every_threshold_passes_and_one_figure_short_fails_by_name() -> None:
    assert gates.check(gates.load(), graded()).passed
    verdict = gates.check(gates.load(), graded(odds__beyond_luck=0.9499, validation__n_trades=29))
    assert not verdict.passed
    assert [result.rule.figure for result in verdict.failed] == ["validation.n_trades", "odds.beyond_luck"]


@pytest.mark.parametrize("rule", gates.load().rules, ids=lambda rule: rule.name)
def test_a_figure_that_is_nan_withheld_refused_or_missing_never_passes(rule: gates.GateRule) -> None:
    whole = graded()
    part, _, figure = rule.figure.partition(".")
    section = whole.sections[part]
    lacking = (
        dataclasses.replace(section, figures={**section.figures, figure: math.nan}),
        dataclasses.replace(section, withheld={figure: "the ledger has holes"}),
        dataclasses.replace(section, refused="too few bars"),
        dataclasses.replace(section, figures={name: value for name, value in section.figures.items() if name != figure}),
        None,
    )
    for changed in lacking:
        sections = {name: entry for name, entry in {**whole.sections, part: changed}.items() if entry is not None}
        verdict = gates.check(gates.load(), dataclasses.replace(whole, sections=sections))
        failed = {result.rule.figure: result for result in verdict.failed}
        assert rule.figure in failed
        assert math.isnan(failed[rule.figure].value)


def test_what_would_help_is_the_hint_of_what_is_missing_else_what_the_rule_names() -> None:
    rule = dataclasses.replace(one("at_least", 0.95), help="Try less.")
    short = dataclasses.replace(gates.load(), rules=(rule,))
    low = gates.check(short, graded(odds__dsr=0.4)).results[0]
    assert (low.why, low.help) == ("r", "Try less.")
    refused = Section(name="odds", title="Odds", refused="too few trades, was one. Hint: a longer history")
    missing = gates.check(short, ReportCard(play="p", variant="v", sections={"odds": refused})).results[0]
    assert (missing.why, missing.help) == ("too few trades, was one.", "a longer history")
    kept = gates.check(short, graded(odds__dsr=0.96)).results[0]
    assert (kept.why, kept.help) == ("", "")


def test_a_verdict_is_said_in_one_line_and_lists_what_failed_first() -> None:
    verdict = gates.check(gates.load(), graded(validation__n_trades=29, lint__n_findings=1))
    assert verdict.headline == "2 of 16 rules failed"
    assert [one.passed for one in verdict.ordered] == [False] * 2 + [True] * 14
    assert gates.check(gates.load(), graded()).headline == "All 16 rules passed"


@given(st.integers(40, 200), st.integers(0, 16))
def test_no_line_of_a_verdict_is_wider_than_asked(width: int, n_failed: int) -> None:
    figures = [rule.figure for rule in gates.load().rules][:n_failed]
    verdict = gates.check(gates.load(), graded(**{name.replace(".", "__"): math.nan for name in figures}))
    lines = verdict_text.lines(verdict, width)
    assert max(map(len, lines)) <= width
    said = " ".join(" ".join(lines).split())
    assert all(result.rule.name in said for result in verdict.results)
    assert said.count("FAIL ") == n_failed


@given(numbers, numbers)
def test_a_rule_compares_as_it_says(value: float, threshold: float) -> None:
    assert one("at_least", threshold).passes(value) == (value >= threshold) == (not one("below", threshold).passes(value))
    assert one("at_most", threshold).passes(value) == (value <= threshold) == (not one("above", threshold).passes(value))
    assert not any(one(comparison, threshold).passes(math.nan) for comparison in gates.COMPARISONS)


def test_no_rules_is_no_verdict_that_passes() -> None:
    empty = dataclasses.replace(gates.load(), rules=())
    assert not gates.check(empty, graded()).passed


def test_a_verdict_is_the_same_on_a_card_that_went_to_json_and_back() -> None:
    whole = graded(odds__dsr=math.inf, plateau__score=math.nan)
    first = gates.check(gates.load(), whole)
    again = gates.check(gates.load(), gates.card_of(gates.card_text(whole)))
    plain = gates.check(gates.load(), gates.card_of(json.dumps(card.to_json(whole), indent=2)))
    assert first.document == again.document == plain.document
    assert json.loads(first.document)["gates_hash"] == gates.load().hash


def test_an_edited_file_has_another_hash_even_when_only_a_word_changed() -> None:
    one_file, other = gates.loads(HEAD + f"  - {RULE}\n"), gates.loads(HEAD + f"  - {RULE}\n# softer\n")
    assert one_file.rules == other.rules
    assert one_file.hash != other.hash


def test_looser_gates_are_told_from_stricter_ones() -> None:
    standard = gates.load()
    stricter = dataclasses.replace(
        standard, rules=(*standard.rules[:-1], dataclasses.replace(standard.rules[-1], threshold=-1.0), one("above", 0.0))
    )
    assert gates.looser(stricter, standard) == ()
    softer = dataclasses.replace(standard, rules=(dataclasses.replace(standard.rules[0], threshold=99.0), *standard.rules[2:]))
    assert gates.looser(softer, standard) == standard.rules[:2]


@pytest.mark.parametrize(
    ("text", "rules"),
    [
        ("", ["is a mapping with version, name and rules"]),
        ("- 1", ["a file of gates must be a mapping"]),
        ("version: 1\nname: g\nrules: []", ["at least one rule"]),
        ("version: 2\nname: g\nrules: [" + RULE + "]", ["version of a file of gates is 1"]),
        ("name: g\nrulez: 1\nrules: [" + RULE + "]", ["says its version", "no such key, got rulez; did you mean rules"]),
        (HEAD + "  - 7", ["a rule must be a mapping"]),
        (HEAD + "  - {name: n, figure: odds.drs, at_least: 1, reason: r}", ["no such figure, got odds.drs; did you mean odds.dsr"]),
        (HEAD + "  - {name: n, figure: odds.dsr, at_least: .nan, reason: r}", ["threshold must be a finite number"]),
        (HEAD + "  - {name: n, figure: odds.dsr, at_least: .inf, reason: r}", ["threshold must be a finite number"]),
        (HEAD + "  - {name: n, figure: odds.dsr, at_least: '1', reason: r}", ["threshold must be a finite number"]),
        (HEAD + "  - {name: n, figure: odds.dsr, at_least: true, reason: r}", ["threshold must be a finite number"]),
        (HEAD + "  - {name: n, figure: odds.dsr, at_least: 1, below: 2, reason: r}", ["a rule has one of"]),
        (HEAD + "  - {name: n, figure: odds.dsr, reason: r}", ["a rule has one of"]),
        (HEAD + "  - {figure: odds.dsr, at_least: 1}", ["name must be given", "reason must be given"]),
        (HEAD + f"  - {RULE}\n  - {RULE}", ["its name stands on line 4", "its figure and comparison stands on line 4"]),
        (HEAD + "  - [", ["invalid YAML: expected"]),
        ("version: 1\nversion: 1\nname: g\nrules: [" + RULE + "]", ["a key stands once"]),
    ],
)
def test_every_problem_of_a_file_of_gates_is_listed(text: str, rules: list[str]) -> None:
    with pytest.raises(errors.BadGates) as caught:
        gates.loads(text, file="mine.yml")
    assert len(caught.value.problems) == len(rules)
    for rule in rules:
        assert rule in str(caught.value)


@given(st.text(max_size=80))
def test_no_text_gives_anything_but_gates_or_bad_gates(text: str) -> None:
    with pytest.raises(errors.BadGates) as caught:
        gates.loads(f"{text}\nrules: []")
    assert caught.value.problems


def test_a_file_that_is_not_there_is_not_found_and_bytes_are_no_gates(tmp_path: Path) -> None:
    (tmp_path / "strict.yml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(errors.NotFound, match="strict"):
        gates.load(tmp_path / "strikt.yml")
    with pytest.raises(errors.BadGates, match="UTF-8"):
        gates.load(tmp_path / "strict.yml")


@pytest.mark.parametrize("text", ["", "{", "[]", "3", '{"version": 7}', '{"version": 1}', '{"version": 1, "sections": [{}], "spans": {}}'])
def test_what_is_no_card_is_refused(text: str) -> None:
    with pytest.raises(errors.BadInput, match="report card"):
        gates.card_of(text)


def test_a_verdict_is_recorded_once_with_what_it_was_reached_on() -> None:
    kept, judged, wanted = MemoryCampaigns(MemoryStore()), graded(), gates.load()
    verdict = gates.check(wanted, judged)
    first = steps.record(kept, verdict, wanted, judged, who="ann")
    assert steps.record(kept, verdict, wanted, judged, who="bob") == first
    assert kept.evidence(verdict.gates_hash) == wanted.text
    edited = dataclasses.replace(wanted, text=wanted.text + "#")
    with pytest.raises(errors.Refused, match="agree with the evidence"):
        steps.record(kept, verdict, edited, judged, who="ann")
    with pytest.raises(errors.Refused, match="has no vault"):
        steps.promote(kept, first, who="ann", why="passed")
    assert steps.state(kept, "e") == lifecycle.CANDIDATE


def test_a_candidate_is_set_aside_for_a_reason_and_comes_back() -> None:
    kept = MemoryCampaigns(MemoryStore())
    with pytest.raises(errors.Refused, match="who takes it and why"):
        steps.move(kept, "e", "disabled", who="ann", why="")
    for target in ("rework", "candidate", "disabled"):
        steps.move(kept, "e", lifecycle.parse_state(target), who="ann", why="looked again")
    assert [step.target for step in kept.steps("e")] == ["rework", "candidate", "disabled"]
    with pytest.raises(errors.NotFound, match="disabled"):
        lifecycle.parse_state("disable")
