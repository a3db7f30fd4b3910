"""A verdict as lines of text for a terminal: the rules that failed first, each with why and what would help."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterator

from coinswarm.validate import names
from coinswarm.validate.gates import COMPARISONS, GateRule, Gates, RuleResult, Verdict

WIDTH = 80
_INDENT = " " * 6


def lines(verdict: Verdict, width: int = WIDTH) -> list[str]:
    """A line or more for each rule: whether it is kept, its value and threshold; below a rule that failed why, and what would help.

    Args:
        verdict: of the gates.
        width: most characters of a line, at least 40.
    """
    room = max((len(result.rule.name) for result in verdict.results), default=0)
    return [line for result in verdict.ordered for line in _rule(result, room, width)]


def rules(gates: Gates, width: int = WIDTH) -> list[str]:
    """The rules of a file of gates: what each asks for, and below it why and what would help."""
    return [line for rule in gates.rules for line in (f"{rule.name}: {rule.text}", *_remarks(rule.reason, rule.help, width))]


def ending(verdict: Verdict) -> str:
    """The verdict in one line, with what it was reached with."""
    word = "PASSED" if verdict.passed else "NOT PASSED"
    return f"{word}: {verdict.headline} (gates {verdict.gates} {verdict.gates_hash[:12]}, verdict {verdict.hash[:12]})"


def threshold(rule: GateRule) -> str:
    """What a rule asks for, such as `>= 0.95` or `<= 25.0 %`."""
    return f"{COMPARISONS[rule.comparison][0]} {names.worded(rule.figure, rule.threshold)}"


def value(result: RuleResult) -> str:
    """What a card shows for a rule; `missing` where it shows nothing."""
    return "missing" if math.isnan(result.value) else names.worded(result.rule.figure, result.value)


def _rule(result: RuleResult, room: int, width: int) -> Iterator[str]:
    head = f"{'ok' if result.passed else 'FAIL':<5} {result.rule.name:<{room}}  {value(result):>9}  needs {threshold(result.rule)}"
    yield from [head] if len(head) <= width else textwrap.wrap(head, width, subsequent_indent=_INDENT)
    yield from _remarks(result.why, result.help, width)


def _remarks(why: str, help_: str, width: int) -> Iterator[str]:
    for word, text in (("why:", why), ("help:", help_)):
        if text:
            yield from textwrap.wrap(text, width, initial_indent=f"{_INDENT}{word:<6}", subsequent_indent=_INDENT * 2)
