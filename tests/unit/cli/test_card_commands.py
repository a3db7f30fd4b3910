"""What a person reads of a report card: figures in few digits, what the lint found, and that prices were made."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path

import pytest

from cluster.cli import app, vault
from cluster.jobs.report import Report
from cluster.jobs.validate import report
from cluster.queries.vaults import Candidate
from coinswarm import codec, errors
from coinswarm.ledger.campaigns import CampaignSplit, SplitMarket
from coinswarm.ledger.memory import MemoryCampaigns, MemoryStore
from coinswarm.market.splits import Span
from coinswarm.validate import card as cards
from coinswarm.validate import gates, names
from coinswarm.validate.card import ReportCard, Section
from tests.jobs_world import plan_context
from tests.laws.ledger_world import CREATED, queued
from tests.unit.validate.test_gates import graded

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
    assert report._brief(LINT) == "findings 1  gaps 3"


def test_figures_of_a_section_have_the_names_that_tiles_and_gates_give_them() -> None:
    section = Section(name="overfitting", title="Overfitting", figures={"pbo": 0.685, "pbo_trials": 0.054, "n_variants": 12.0})
    assert report._brief(section) == "PBO of the leaderboard 0.685  PBO of all trials 0.054  variants 12"


@pytest.mark.parametrize(
    ("name", "value", "word"),
    [
        ("capital_at_1pct", 7157.32, "7,157"), ("odds.sharpe", 1.2345, "1.23"), ("n_trades", 9620.0, "9,620"),
        ("total_return", 0.341, "34.1 %"),
        ("efficiency", float("nan"), "-"), ("capital_at_1pct", float("inf"), "inf"), ("stress.base_max_drawdown", 0.0079, "0.8 %"),
    ],
)  # fmt: skip
def test_figures_are_written_in_as_many_digits_as_say_something(name: str, value: float, word: str) -> None:
    assert names.worded(name, value) == word


def campaign_split(campaign: str) -> CampaignSplit:
    return CampaignSplit(
        campaign=campaign, markets=(SplitMarket(key="binance:BTC/USDT:5m", content_hash="b0"),), train=Span(start_ts=0, end_ts=6),
        validation=Span(start_ts=7, end_ts=8), vault=Span(start_ts=9, end_ts=10), validation_share=0.2, vault_share=0.2, purge_bars=1,
        embargo_bars=1, who="ann", when=CREATED,
    )  # fmt: skip


# --- the verdict at the end of a card --------------------------------------------------------------------------------


def carded(verdict: dict[str, float] | None = None, *, evaluation: str = "e1", vault: bool = True) -> Report:
    """The report of a job whose card is at every threshold, or has other figures; in a campaign with a vault, or without."""
    judged = graded(**(verdict or {}))
    store = MemoryStore()
    found = report.found(dataclasses.replace(judged, evaluation=evaluation, job="evolve-1", markets=("binance:BTC/USDT:5m",)))
    done = dataclasses.replace(queued(store, kind="validate"), status="done", result=found)
    kept = MemoryCampaigns(store)
    if vault:
        kept.declare(campaign_split("c"))
    return report.report(done, plan_context(Path("none.duckdb"), store=store, campaigns=kept))


def test_a_card_ends_with_the_verdict_in_lines_of_at_most_80_characters() -> None:
    said = str(carded({"validation__n_trades": 12.0, "plateau__score": 0.2}).parts[-1]).strip().splitlines()
    assert all(len(line) <= 80 for line in said[:-1])
    assert [line.split()[0] for line in said if line[:4] in ("FAIL", "ok  ")] == ["FAIL"] * 2 + ["ok"] * 14
    assert re.match(r"FAIL +enough unseen trades +12 +needs >= 30$", said[0])
    assert said[1].strip().startswith("why:")
    assert any(line.strip().startswith("help: Hold out more bars") for line in said)
    assert said[-1].startswith("NOT PASSED: 2 of 16 rules failed")


def test_json_page_and_job_hold_the_same_verdict() -> None:
    found = carded({"plateau__score": 0.2})
    verdict = found.data["verdict"]
    assert (verdict["passed"], verdict["headline"]) == (False, "1 of 16 rules failed")
    assert gates.card_of(json.dumps(codec.plain(found.data))).figure("plateau.score") == 0.2
    stored = report.found(graded(plateau__score=0.2))["verdict"]
    assert stored["results"] == verdict["results"]
    assert found.page is not None
    assert "1 of 16 rules failed" in found.page()


@pytest.mark.parametrize(
    ("verdict", "evaluation", "vault", "steps"),
    [
        (None, "e1", True, ["play vet e1", "vault open e1 --why"]),
        ({"plateau__score": 0.2}, "e1", True, ["validate evolve-1 --best 5"]),
        (None, "e1", False, ["vault declare --campaign NAME --symbol binance:BTC/USDT:5m"]),
        (
            {"plateau__score": 0.2},
            "e1",
            False,
            ["validate evolve-1 --best 5", "vault declare --campaign NAME --symbol binance:BTC/USDT:5m"],
        ),
        (None, "", True, ["evolve"]),
    ],
)
def test_the_next_step_follows_from_the_verdict(verdict: dict[str, float] | None, evaluation: str, vault: bool, steps: list[str]) -> None:
    found = carded(verdict, evaluation=evaluation, vault=vault).next_steps
    assert len(found) == len(steps)
    assert all(line.partition(":\n         coinswarm ")[2].startswith(step) for step, line in zip(steps, found, strict=True))


def test_the_rules_are_shown_with_what_would_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        app.main(["gates", "show"])
    said = capsys.readouterr().out.splitlines()
    assert all(len(line) <= 80 for line in said)
    assert sum(line.strip().startswith("help:") for line in said) == 16


# --- opening a vault -------------------------------------------------------------------------------------------------


def test_a_vault_is_not_opened_without_a_word_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    chosen = Candidate(evaluation="e1", split=campaign_split("c"), passed=False)
    with pytest.raises(errors.Refused, match="no terminal to ask on"):
        vault._ask(chosen, 2)
    said = " ".join(capsys.readouterr().err.split())
    assert "has been opened 2 times before. e1 has NOT passed its gates." in said
