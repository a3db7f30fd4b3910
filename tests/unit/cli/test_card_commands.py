"""What a person reads of a report card: figures in few digits, what the lint found, and that prices were made."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from cluster.cli import app, vault
from cluster.jobs.validate import report
from coinswarm.validate import card as cards
from coinswarm.validate.card import ReportCard, Section

LINT = Section(name="lint", title="Sanity lint", figures={"n_findings": 1.0, "gaps": 3.0, "too_good": 0.0}, notes=("gaps: after a gap",))
ODDS = Section(name="odds", title="Odds", figures={"psr": 0.9}, withheld={"beyond_luck": "there is a hole"})


def test_a_card_held_against_the_gates_says_what_the_lint_found_and_that_prices_were_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    card = ReportCard(play="p", variant="v", synthetic=True, sections={"lint": LINT, "odds": ODDS})
    (tmp_path / "card.json").write_text(json.dumps(cards.to_json(card)))
    with pytest.raises(SystemExit) as ending:
        app.main(["gates", "check", str(tmp_path / "card.json")])
    said = capsys.readouterr().out
    assert ending.value.code == 1
    assert "[SYNTHETIC DATA]" in said
    assert "lint found gaps: after a gap" in said
    assert "there is a hole" in said


def test_rules_of_the_lint_that_are_broken_are_named() -> None:
    assert report._brief(LINT) == "n_findings 1  gaps 3"


@pytest.mark.parametrize(
    ("name", "value", "word"),
    [
        ("capital_at_1pct", 7157.32, "7,157"), ("sharpe", 1.2345, "1.23"), ("n_trades", 9620.0, "9,620"), ("total_return", 0.341, "34.1%"),
        ("efficiency", float("nan"), "-"), ("capital_at_1pct", float("inf"), "inf"),
    ],
)  # fmt: skip
def test_figures_are_written_in_as_many_digits_as_say_something(name: str, value: float, word: str) -> None:
    assert report._word(name, value) == word


@pytest.mark.parametrize(
    ("name", "value", "word"), [("total_return", -0.0079, "-0.8%"), ("n_trades", 1039.0, "1,039"), ("sharpe", float("nan"), "-")]
)
def test_the_vaults_figures_are_written_as_the_cards_are(name: str, value: float, word: str) -> None:
    assert vault._word(name, value) == word
