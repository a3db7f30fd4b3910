"""Whether the gates let a search's winner through: the report card section by section, and no further than the first rule that is broken.

Rules all have to hold, so the order in which they are asked changes the time and not the verdict. On a null world most winners fall at
the first of them, which is what lets hundreds of worlds be judged.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from coinswarm import errors
from coinswarm.validate import gates, judging, names, odds
from coinswarm.validate.bench import Bench
from coinswarm.validate.card import Section, assembled, rounded
from coinswarm.validate.case import Case
from coinswarm.validate.gates import GateRule, Gates

_AHEAD: Mapping[str, Callable[[Bench], dict[str, float]]] = {"odds": odds.ahead}
"""Figures that say no long before their section is done: what nine in ten null worlds fall at."""
_CHEAP_FIRST = ("in_sample", "validation", "odds", "crash", "stress", "walk_forward", "lint", "plateau", "overfitting", "superiority")


@dataclass(frozen=True, kw_only=True, slots=True)
class Promotion:
    """The verdict of the gates.

    Attributes:
        passed: every rule was kept.
        broken: the first rule that was not, by name; empty when none.
    """

    passed: bool
    broken: str = ""


def promotion(case: Case, rules: Gates) -> Promotion:
    """Hold a case against gates; the same verdict as on its whole card.

    Args:
        case: the winner of a search.
        rules: the gates.

    Raises:
        NotFound: a gate asks for a section that no card has.
    """
    asked = {rule.figure.partition(".")[0] for rule in rules.rules}
    unknown = asked - set(names.SECTIONS)
    if unknown:
        raise errors.not_found("section of a report card", min(unknown), names.SECTIONS)
    bench, broken = Bench(case), ""
    for name in sorted(asked, key=_cost):
        own = [rule for rule in rules.rules if rule.figure.partition(".")[0] == name]
        early = _early(name, bench)
        broken = _broken(case, early, [rule for rule in own if rule.figure.partition(".")[2] in early.figures], rules)
        broken = broken or _broken(case, judging.section(name, bench), own, rules)
        if broken:
            break
    return Promotion(passed=not broken, broken=broken)


def _early(name: str, bench: Bench) -> Section:
    try:
        figures = _AHEAD[name](bench) if name in _AHEAD else {}
    except errors.BadInput:
        figures = {}  # the section itself will say so
    return rounded(Section(name=name, title=names.TITLES[name], figures=figures))


def _broken(case: Case, section: Section, own: Sequence[GateRule], rules: Gates) -> str:
    """The first of these rules that a section breaks, by name; empty when none."""
    if not own:
        return ""
    verdict = gates.check(replace(rules, rules=tuple(own)), assembled([section], play=case.play.name, variant=""))
    return next((result.rule.name for result in verdict.results if not result.passed), "")


def _cost(name: str) -> tuple[int, str]:
    return (_CHEAP_FIRST.index(name) if name in _CHEAP_FIRST else len(_CHEAP_FIRST), name)
