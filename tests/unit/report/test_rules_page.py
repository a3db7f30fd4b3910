"""The page of a test of rules says what each did, what a usual test would have said, and what could not be judged."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest

from coinswarm.patterns import rule_tests
from coinswarm.patterns.rule_tests import SideSummary
from coinswarm.report import rules
from coinswarm.report.wording import MISSING

CONFIG = {
    "source": "technical", "markets": [{"key": "x:BTC/USDT:5m"}],
    "test": {"segments": 30, "segment_bars": 2016, "alpha": 0.05, "flips": 999, "seed": 0},
}  # fmt: skip


def tried(rule: str, mean: float, n: int = 80) -> SideSummary:
    """A side of a rule with one trade in each of its blocks."""
    sums = mean + 0.01 * np.random.default_rng(len(rule)).standard_normal(n)
    average = float(sums.mean()) if n else float("nan")
    return SideSummary(
        rule=rule, side="long", n_trades=n, n_blocks=100 if n else 0, sums=tuple(sums.tolist()), net=average, random=0.0, win_rate=0.5,
        avg_hold=7.0, naive_p=0.001,
    )  # fmt: skip


def rendered(*, synthetic: bool = False, refused: dict[str, str] | None = None) -> str:
    found = rule_tests.judge(
        [tried("good", 0.02), tried("bad", -0.001), tried("rare", 0.0, 20), tried("never", 0.0, 0)], seed=1, n_flips=999
    )
    result = {"rulings": [asdict(entry) for entry in found], "refused": refused or {}}
    return rules.render(result, CONFIG, job="test-1", synthetic=synthetic)


def row(html: str, rule: str) -> str:
    return next(part for part in html.split("<tr>") if part.startswith(f'<th scope="row">{rule}</th>'))


def test_every_rule_stands_with_its_verdict_and_only_what_was_judged_has_a_p() -> None:
    html = rendered()
    assert "<td>better</td>" in row(html, "good")
    assert "<td>no better</td>" in row(html, "bad")
    assert f"<td>0.0010</td><td>{MISSING}</td><td>{MISSING}</td></tr>" in row(html, "rare")
    assert "<td>no trades</td>" in row(html, "never")


def test_what_a_usual_test_would_promote_stands_beside_what_survives() -> None:
    html = rendered()
    assert "t test of trades against nothing, each rule alone</th><td>2</td>" in html
    assert "made money net of costs</th><td>1</td>" in html
    assert html.count("<svg") == 1


def test_rules_that_were_not_tested_say_why() -> None:
    assert "no market &lt;b&gt;" in rendered(refused={"pairs": "no market <b>"})
    assert "Not tested" not in rendered()


@pytest.mark.parametrize("synthetic", [True, False])
def test_made_prices_are_said_to_be_made(synthetic: bool) -> None:
    assert ("SYNTHETIC" in rendered(synthetic=synthetic)) is synthetic
