"""The short way to a verdict is the verdict of the whole card."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from coinswarm.validate import gates, judging
from coinswarm.validate.calibration import promoting
from coinswarm.validate.case import Case, Splits
from tests.unit.validate import cards_world

RULES = """
version: 1
name: some
description: A few rules of several sections.
rules:
  - {{ name: trades, figure: in_sample.n_trades, at_least: 5, reason: r }}
  - {{ name: unseen, figure: odds.psr_validation, at_least: {psr}, reason: r }}
  - {{ name: luck, figure: odds.beyond_luck, at_least: {luck}, reason: r }}
  - {{ name: own deflation, figure: odds.dsr, at_least: {dsr}, reason: r }}
  - {{ name: lint, figure: lint.n_findings, {lint}, reason: r }}
"""
CLEAN, FOUL = "at_most: 9", "at_least: 1000"


def agree(case: Case, rules: gates.Gates) -> bool:
    """Whether both ways say the same; the answer is what they say."""
    short = promoting.promotion(case, rules)
    asked = sorted({rule.figure.partition(".")[0] for rule in rules.rules})
    whole = gates.check(rules, judging.card(case, sections=asked))
    assert short.passed == whole.passed
    assert short.passed or short.broken in {result.rule.name for result in whole.failed}
    return short.passed


@pytest.mark.parametrize("number", range(4))
@pytest.mark.parametrize(
    ("psr", "luck", "dsr", "lint"), [(0, 0, 0, CLEAN), (0.5, 0, 0, CLEAN), (0, 0.5, 0, CLEAN), (0, 0, 0.99, CLEAN), (0, 0, 0, FOUL)]
)
def test_the_first_broken_rule_decides_as_the_whole_card_does(number: int, psr: float, luck: float, dsr: float, lint: str) -> None:
    genome = cards_world.family().space.sample(np.random.default_rng(5), 4)[number]
    passed = agree(cards_world.case(genome=genome), gates.loads(RULES.format(psr=psr, luck=luck, dsr=dsr, lint=lint)))
    assert passed or psr or luck or dsr or lint == FOUL


def test_without_later_bars_or_with_a_hole_in_the_ledger_nothing_is_promoted() -> None:
    rules = gates.loads(RULES.format(psr=0, luck=0, dsr=0, lint=CLEAN))
    plain = cards_world.case()
    assert not agree(replace(plain, splits=Splits(train=plain.splits.train, validation=None)), rules)
    assert not agree(replace(plain, trials=replace(plain.trials, trials=None)), rules)
