"""The gates: rules that a report card must keep, written in a file, each with its threshold, its reason and what would help.

Nothing else promotes. A verdict follows from the gates and the card alone, so it comes out the same on every machine and every day; it
carries the hashes of both, so that a file edited later is seen to be another one. What is missing or NaN fails.
"""

from __future__ import annotations

import dataclasses
import hashlib
import math
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from coinswarm import codec, errors, resources
from coinswarm.metrics.figures import refuse_threshold
from coinswarm.play.reading import parsing
from coinswarm.play.reading.problems import Place, Problems
from coinswarm.validate import card, names
from coinswarm.validate.card import ReportCard

VERSION = 1
COMPARISONS: Mapping[str, tuple[str, Callable[[float, float], bool]]] = {
    "at_least": (">=", operator.ge),
    "at_most": ("<=", operator.le),
    "above": (">", operator.gt),
    "below": ("<", operator.lt),
}
FIGURES = tuple(f"{section}.{figure}" for section, figures in names.FIGURES.items() for figure in figures)
"""Every figure a rule may ask for."""
_KEYS = ("version", "name", "description", "rules")
_RULE_KEYS = ("name", "figure", *COMPARISONS, "reason", "help")
_HINT = "Hint: "
"""What stands before the hint in the text of an error, and so in why a section was refused."""


@dataclass(frozen=True, kw_only=True, slots=True)
class GateRule:
    """One thing a card must show.

    Attributes:
        name: what the rule is called.
        figure: dotted name into the card.
        comparison: one of `COMPARISONS`.
        threshold: finite.
        reason: why, with where the number comes from.
        help: what would help a variant that breaks it, naming the command or option; empty: nothing is known.
    """

    name: str
    figure: str
    comparison: str
    threshold: float
    reason: str
    help: str = ""

    @property
    def text(self) -> str:
        """Such as `odds.dsr >= 0.95`."""
        return f"{self.figure} {COMPARISONS[self.comparison][0]} {self.threshold:g}"

    def passes(self, value: float) -> bool:
        """Whether a value keeps the rule; NaN never does."""
        return not math.isnan(value) and COMPARISONS[self.comparison][1](value, self.threshold)


@dataclass(frozen=True, kw_only=True)
class Gates:
    """A file of rules; `hash` is the SHA-256 of its `text`, comments and all."""

    name: str
    version: int
    rules: tuple[GateRule, ...]
    text: str
    file: str = ""

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the text."""
        return hashlib.sha256(self.text.encode()).hexdigest()


@dataclass(frozen=True, kw_only=True, slots=True)
class RuleResult:
    """One rule held against a card. `value` is NaN where the card has no such figure; `lacking` says why, where the card knows."""

    rule: GateRule
    value: float
    passed: bool
    lacking: str = ""

    @property
    def why(self) -> str:
        """Why it failed: what the card says of a missing figure, else the rule's reason; empty when it passed."""
        if self.passed:
            return ""
        if math.isnan(self.value):
            return self.lacking.partition(_HINT)[0].strip() or "It is not a number for this variant; the card's section says more."
        return self.rule.reason

    @property
    def help(self) -> str:
        """What would help: the hint of what is missing, else what the rule names; empty when it passed."""
        return "" if self.passed else self.lacking.partition(_HINT)[2].strip() or self.rule.help


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What the gates say of one card.

    Attributes:
        evaluation, campaign: whose card it is; empty for a card from a file.
        gates, gates_hash: name and SHA-256 of the gates.
        card_hash: SHA-256 of the card as JSON.
        results: every rule, in the order of the file.
    """

    evaluation: str
    campaign: str
    gates: str
    gates_hash: str
    card_hash: str
    results: tuple[RuleResult, ...]

    @property
    def passed(self) -> bool:
        """Whether there are rules and all are kept."""
        return bool(self.results) and all(result.passed for result in self.results)

    @property
    def failed(self) -> tuple[RuleResult, ...]:
        """The rules that are not kept."""
        return tuple(result for result in self.results if not result.passed)

    @property
    def ordered(self) -> tuple[RuleResult, ...]:
        """Every rule, those that failed first."""
        return tuple(sorted(self.results, key=lambda result: result.passed))

    @property
    def headline(self) -> str:
        """The verdict in one line, such as `9 of 16 rules failed`."""
        kept, n = len(self.results) - len(self.failed), len(self.results)
        return f"All {n} rules passed" if self.passed else f"{n - kept} of {n} rules failed" if n else "There are no rules"

    def summary(self) -> dict[str, Any]:
        """What is printed, sent and stored beside a card, as JSON values; a figure that is missing or NaN is None."""
        rows = [
            {
                "rule": one.rule.name, "figure": one.rule.figure, "label": names.label(one.rule.figure), "must_hold": one.rule.text,
                "comparison": COMPARISONS[one.rule.comparison][0], "threshold": one.rule.threshold,
                "value": None if math.isnan(one.value) else one.value, "passed": one.passed, "lacking": one.lacking, "why": one.why,
                "help": one.help,
            }
            for one in self.results
        ]  # fmt: skip
        return {
            "passed": self.passed, "headline": self.headline, "verdict": self.hash, "gates": self.gates, "gates_hash": self.gates_hash,
            "card_hash": self.card_hash, "evaluation": self.evaluation, "results": rows,
        }  # fmt: skip

    @cached_property
    def document(self) -> str:
        """The verdict as JSON, always the same text for the same verdict."""
        said = {name: getattr(self, name) for name in ("evaluation", "campaign", "gates", "gates_hash", "card_hash", "passed")}
        rows = [
            {**dataclasses.asdict(result.rule), "value": result.value, "passed": result.passed, "lacking": result.lacking}
            for result in self.results
        ]
        return codec.dumps({**said, "results": rows})

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the document."""
        return hashlib.sha256(self.document.encode()).hexdigest()


def check(gates: Gates, judged: ReportCard) -> Verdict:
    """Hold a card against the gates.

    Returns:
        A result for every rule; a figure that is missing or NaN fails.
    """
    return Verdict(
        evaluation=judged.evaluation,
        campaign=judged.campaign,
        gates=gates.name,
        gates_hash=gates.hash,
        card_hash=hashlib.sha256(card_text(judged).encode()).hexdigest(),
        results=tuple(_result(rule, judged) for rule in gates.rules),
    )


def looser(own: Gates, standard: Gates) -> tuple[GateRule, ...]:
    """The rules of the standard gates that `own` leaves out or holds less strictly; none: what passes `own` passes both."""
    return tuple(rule for rule in standard.rules if not any(_as_strict(other, rule) for other in own.rules))


def card_text(judged: ReportCard) -> str:
    """A card's JSON as it is stored and hashed: the same text for the same card."""
    return codec.dumps(card.to_json(judged))


def card_of(text: str, name: str = "card") -> ReportCard:
    """The card that `card_text`, or `coinswarm validate --json`, wrote.

    Raises:
        BadInput: it is no JSON, or no report card.
    """
    try:
        read = codec.loads(text)
    except ValueError as error:
        raise errors.BadInput(f"{name} must be a report card in JSON", found=str(error)) from error
    if not isinstance(read, dict):
        raise errors.BadInput(f"{name} must be a report card in JSON", found=type(read).__name__)
    return card.from_json(read)


def default_file() -> Path:
    """The gates that count unless others are named."""
    return resources.plays("gates") / "default.yml"


def load(path: Path | str | None = None) -> Gates:
    """The gates in a YAML file; the default ones unless a file is named.

    Raises:
        BadGates: with every problem, its line, rule and the nearest names; NotFound: there is no such file.
    """
    file = default_file() if path is None else Path(path)
    if not file.is_file():
        siblings = [entry.name for entry in file.parent.glob("*.y*ml")] if file.parent.is_dir() else []
        raise errors.no_file(file, siblings)
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        problem = errors.PlayProblem(path="gates", rule="gates must be readable text in UTF-8", found=str(error.reason), file=file.name)
        raise errors.BadGates([problem], name=file.name) from error
    return loads(text, file=file.name)


def loads(text: str, *, file: str = "gates") -> Gates:
    """The gates in a YAML text.

    Raises:
        BadGates: with every problem found.
    """
    problems = Problems(file)
    root = parsing.parse(text, problems)
    place = Place(root, "gates", problems) if root is not None else None
    rules: tuple[GateRule, ...] = ()
    name = ""
    if place is None and not problems.found:
        problems.add("gates", None, "a file of gates is a mapping with version, name and rules", "nothing")
    elif place is not None and place.check_map(_KEYS, "a file of gates"):
        _require_version(place)
        name = _text(place, "name")
        rules = _rules(place)
    if problems.found:
        # the reader of YAML speaks of plays; here the file is one of gates
        said = [dataclasses.replace(problem, rule=problem.rule.replace("a play", "a file of gates")) for problem in problems.found]
        raise errors.BadGates(sorted(said, key=lambda problem: problem.line or 0), name=file)
    return Gates(name=name, version=VERSION, rules=rules, text=text, file=file)


def _as_strict(rule: GateRule, standard: GateRule) -> bool:
    if (rule.figure, rule.comparison) != (standard.figure, standard.comparison):
        return False
    return rule.threshold >= standard.threshold if rule.comparison in ("at_least", "above") else rule.threshold <= standard.threshold


def _result(rule: GateRule, judged: ReportCard) -> RuleResult:
    try:
        value, lacking = judged.figure(rule.figure), judged.refusal(rule.figure)
    except errors.NotFound as missing:
        value, lacking = math.nan, f"{missing.rule}. {_HINT}`coinswarm validate` makes a new card, which has it"
    return RuleResult(rule=rule, value=value, passed=rule.passes(value), lacking=lacking if math.isnan(value) else "")


def _require_version(root: Place) -> None:
    entry = root.at("version")
    if entry is None:
        root.refuse("a file of gates says its version", "none", names=(str(VERSION),))
    elif entry.node.value != VERSION or isinstance(entry.node.value, bool):
        entry.refuse(f"the version of a file of gates is {VERSION}")


def _text(place: Place, key: str) -> str:
    entry = place.at(key)
    if entry is None:
        place.refuse(f"{key} must be given", "nothing")
        return ""
    text = (entry.word(key) or "").strip()
    if not text and entry.node.value == "":
        entry.refuse(f"{key} must not be empty")
    return text


def _rules(root: Place) -> tuple[GateRule, ...]:
    block = root.at("rules")
    if block is None or not block.items():
        (block or root).refuse("rules must be a list with at least one rule", None if block else "nothing")
        return ()
    read = [(place, _rule(place)) for place in block.items()]
    _refuse_twice(read)
    return tuple(rule for _, rule in read if rule is not None)


def _rule(place: Place) -> GateRule | None:
    if not place.check_map(_RULE_KEYS, "a rule"):
        return None
    name, figure, reason = (_text(place, key) for key in ("name", "figure", "reason"))
    if figure and figure not in FIGURES:
        place.refuse("a report card has no such figure", figure, names=errors.nearest(figure, FIGURES))
    given = [key for key in COMPARISONS if place.at(key) is not None]
    if len(given) != 1:
        place.refuse(f"a rule has one of {', '.join(COMPARISONS)}", ", ".join(given) or "none")
        return None
    threshold = _threshold(place, given[0])
    if threshold is None:
        return None
    _refuse_impossible(place, figure, given[0], threshold)
    help_ = _text(place, "help") if place.at("help") is not None else ""
    return GateRule(name=name, figure=figure, comparison=given[0], threshold=threshold, reason=reason, help=help_)


def _threshold(place: Place, key: str) -> float | None:
    entry = place.at(key)
    value = None if entry is None else entry.node.value
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return float(value)
    (entry or place).refuse("a threshold must be a finite number")
    return None


def _refuse_impossible(place: Place, figure: str, comparison: str, threshold: float) -> None:
    """A limit beyond all values of its figure is kept by every card, or by none."""
    try:
        refuse_threshold(figure, threshold, f"{threshold:g}", names.bounds(figure))
    except errors.BadSetting as problem:
        (place.at(comparison) or place).refuse(f"{problem.rule} ({problem.hint})", str(problem.found))


def _refuse_twice(read: list[tuple[Place, GateRule | None]]) -> None:
    seen: dict[object, int] = {}
    for place, rule in read:
        for what, key in (("name", rule.name), ("figure and comparison", (rule.figure, rule.comparison))) if rule else ():
            if key in seen:
                place.refuse(f"each rule stands once; its {what} stands on line {seen[key]}", rule.name if rule else "")
            seen.setdefault(key, place.line)
