"""Whether the gates let a search's winner through: the report card section by section, and no further than the first rule that is broken.

Rules all have to hold, so the order in which they are asked changes the time and not the verdict. On a null world most winners fall at
the first of them, which is what lets hundreds of worlds be judged.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from coinswarm import errors
from coinswarm.validate import gates, judging, names
from coinswarm.validate.bench import Bench
from coinswarm.validate.card import Section
from coinswarm.validate.case import Case
from coinswarm.validate.gates import Gates

_CHEAP_FIRST = ("in_sample", "validation", "odds", "crash", "stress", "walk_forward", "lint", "plateau", "overfitting", "superiority")


@dataclass(frozen=True, kw_only=True)
class Promotion:
    """What the gates said.

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
    bench, sections = Bench(case), list[Section]()
    for name in sorted(asked, key=_cost):
        sections.append(judging.section(name, bench))
        own = replace(rules, rules=tuple(rule for rule in rules.rules if rule.figure.partition(".")[0] == name))
        verdict = gates.check(own, judging.assembled(case, sections))
        for result in verdict.results:
            if not result.passed:
                return Promotion(passed=False, broken=result.rule.name)
    return Promotion(passed=True)


def _cost(name: str) -> tuple[int, str]:
    return (_CHEAP_FIRST.index(name) if name in _CHEAP_FIRST else len(_CHEAP_FIRST), name)
