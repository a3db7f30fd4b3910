"""From YAML to a `Play`, checked whole: every problem of the file is found and reported at once, or the play can run."""

from __future__ import annotations

import bisect
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from coinswarm import errors, resources
from coinswarm.indicators.catalog import Indicator
from coinswarm.play import slots
from coinswarm.play.dimension import Dimension
from coinswarm.play.expressions import Condition
from coinswarm.play.model import Mode, Play, Policy
from coinswarm.play.reading import account, actions, constraints, features, parsing, risk, sources, structures, timeframes
from coinswarm.play.reading.conditions import Conditions
from coinswarm.play.reading.nodes import Node
from coinswarm.play.reading.problems import Place, Problems
from coinswarm.play.reading.state import ReadingState
from coinswarm.play.space import Space

VERSION = "3.0.0"
MAX_DIMENSIONS, LONGEST_NAME = 500, 200
KEYS = (
    "version", "name", "description", "symbol", "symbols", "symbol_universe", "timeframes", *timeframes.EXEC_KEYS, "account", "features",
    "structures", "constraints", "setups", "actions", "risk", "risk_model", "entry", "position_policy", "provenance", "variables",
)  # fmt: skip
IGNORED = ("id", "validation", "synthetic", "date_range", "expected", "risk_limits", "backtest", "tags", "author", "metadata", "notes")
_ELSEWHERE = {
    **{name: f"actions.{name}" for name in actions.NAMES},
    **{name: f"risk.{name}" for name in risk.KEYS},
    **{name: f"position_policy.{name}" for name in account.POLICY_KEYS},
    "indicators": "features",
    "entry_conditions": "actions.entry_long",
}
"""Keys that are often written at the top, and where they stand."""
_TEMPLATE = re.compile(r"\{\{\s*([\w.\-]+)\s*\}\}")
_DROPPED = {Mode.LONG_ONLY: ("entry_short", "exit_short"), Mode.SHORT_ONLY: ("entry_long", "exit_long"), Mode.LONG_SHORT: ()}


def load(path: str | Path) -> Play:
    """The play in a YAML file, or one that comes with the program, by its path in the repository: `plays/examples/trend_pullback.yml`.

    Raises:
        BadPlay: with every problem, its file, line, path, rule, what was found and the nearest names.
        NotFound: there is no such file.
    """
    file = resources.play(path)
    if not file.is_file():
        raise errors.no_file(path, [entry.name for entry in resources.play(file.parent).glob("*.y*ml")])
    if file.stat().st_size > 4 * parsing.MAX_BYTES:
        raise errors.BadPlay(
            [errors.PlayProblem(path="play", rule=f"a play has at most {parsing.MAX_BYTES} characters", file=str(path))], name=file.name
        )
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        problem = errors.PlayProblem(path="play", rule="a play must be readable text in UTF-8", found=str(error.reason), file=str(path))
        raise errors.BadPlay([problem], name=file.name) from error
    return loads(text, file=str(path))


def loads(text: str, *, file: str | None = None, indicators: Mapping[str, Indicator] | None = None) -> Play:
    """The play in a YAML text.

    Args:
        text: the YAML.
        file: where it comes from, for messages.
        indicators: the catalogue to check names against; the project's own unless given.

    Raises:
        BadPlay: with every problem found. No text gives any other error.
    """
    problems = Problems(file)
    root = parsing.parse(text, problems)
    name = file or "play"
    if root is not None and not isinstance(root.value, dict):
        problems.add("", root, "a play is a mapping with features and actions", "nothing" if root.value is None else "something else")
    problems.raise_if_any(name)
    if root is None:
        raise errors.BadPlay(
            [errors.PlayProblem(path="play", rule="a play is a mapping with features and actions", found="an empty file", file=file)],
            name=name,
        )
    state = ReadingState(problems, catalogue() if indicators is None else indicators)
    play = _play(Place(_filled(root, problems), "", problems), text, state)
    problems.raise_if_any(play.name if play.name != "play" else name)
    return play


def varied(text: str) -> tuple[Node, list[tuple[Dimension, Node]]]:
    """The tree of a play that reads without a problem, templates filled, and the nodes that its dimensions stand on.

    Raises:
        BadPlay: it has problems.
    """
    loads(text)
    problems = Problems()
    root = parsing.parse(text, problems) or Node({}, 1)
    filled = _filled(root, problems)
    state = ReadingState(problems, catalogue())
    _play(Place(filled, "", problems), text, state)
    return filled, state.varied


def catalogue() -> Mapping[str, Indicator]:
    """The project's indicators by name."""
    import coinswarm.indicators  # noqa: F401 - importing it fills the catalogue
    from coinswarm.indicators.catalog import CATALOG

    return CATALOG


def _filled(root: Node, problems: Problems) -> Node:
    """The tree with `{{ name }}` replaced by what stands under `variables`."""
    block = Place(root, "", problems).at("variables")
    variables = {name: place.node for name, place in block.entries()} if block else {}
    return _fill(root, variables, problems)


def _fill(node: Node, variables: Mapping[str, Node], problems: Problems) -> Node:
    value = node.value
    if isinstance(value, tuple):
        return Node(tuple(_fill(item, variables, problems) for item in value), node.line)
    if isinstance(value, dict):
        return Node({key: _fill(item, variables, problems) for key, item in value.items()}, node.line, node.key_lines)
    match = _TEMPLATE.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        return node
    variable = variables.get(match[1])
    if variable is None or isinstance(variable.value, (tuple, dict)):
        problems.add(
            "variables", node, "a template names a variable that is one value", match[0], names=errors.nearest(match[1], variables)
        )
        return Node(1, node.line)
    return Node(variable.value, node.line)


def _play(root: Place, text: str, state: ReadingState) -> Play:
    problems = root.problems
    root.check_map((*KEYS, *IGNORED), "a play", elsewhere=_ELSEWHERE)
    timeframes.read_timeframes(root, state)
    features.read_features(root, state)
    structures.read_structures(root, state)
    sources.link_sources(state)
    sides = _conditions(root, state)
    money = risk.read_risk(root, state)
    policy = account.read_policy(root, tuple(name for name in actions.ENTRIES if name in sides))
    own_account, costs = account.read_account(root)
    space = _space(root, state)
    for key in IGNORED:
        if root.at(key) is not None:
            problems.warn(key, None, "understood, and without effect here")
    play = Play(
        name=_name(root),
        version=_version(root),
        description=(_text(root, "description") or "").strip(),
        symbols=timeframes.read_symbols(root),
        timeframe_ms=state.exec_ms,
        features={name: declared.feature for name, declared in state.declared.items() if declared.feature is not None},
        **_kept(sides, policy, problems),
        risk=money,
        policy=policy,
        space=space,
        account=own_account,
        costs=costs,
        provenance=_provenance(root),
        notes=tuple(problems.notes),
        text=text,
    )
    return play if problems.found else slots.pruned(play)


def _conditions(root: Place, state: ReadingState) -> dict[str, Condition]:
    """The conditions of all actions; setups nothing refers to are read too, so that their mistakes are found."""
    block = root.at("setups")
    if block is not None and not block.is_map():
        block.refuse("setups must be a mapping of names to conditions")
    state.setups = dict(block.entries()) if block else {}
    reader = Conditions(state)
    conditions = actions.read_actions(root, reader)
    for name, place in state.setups.items():
        if name not in state.read_setups:
            reader.size = 0
            reader.setup(name, place)
    if not any(name in conditions for name in actions.ENTRIES) and root.at("actions") is not None and not actions.names_entry(root):
        root.problems.add(
            "actions", root.node.value["actions"] if isinstance(root.node.value, dict) else None, "a play enters: entry_long or entry_short"
        )
    if not any(name in conditions for name in actions.ENTRIES) and not root.problems.found:
        root.problems.add("actions", None, "a play enters: entry_long or entry_short must be emitted")
    return conditions


def _kept(sides: dict[str, Condition], policy: Policy, problems: Problems) -> dict[str, Any]:
    kept: dict[str, Any] = dict.fromkeys(actions.SIDES)
    for name, condition in sides.items():
        entry = name.replace("exit", "entry")
        if name in _DROPPED[policy.mode]:
            problems.warn(f"actions.{name}", None, f"has no effect: the play is {policy.mode}")
        elif entry not in sides:
            problems.warn(f"actions.{name}", None, f"has no effect without {entry}")
        else:
            kept[name] = condition
    return kept


def _space(root: Place, state: ReadingState) -> Space:
    """The space, if it has a variant; when it has none, the first constraint that empties it is the problem."""
    ties = constraints.read_constraints(root, state)
    dimensions = tuple(state.dimensions)
    if len(dimensions) > MAX_DIMENSIONS:
        root.problems.add("", None, f"a play varies at most {MAX_DIMENSIONS} parameters", str(len(dimensions)))
    if root.problems.found:
        return Space()
    spaces = [Space(dimensions, tuple(constraint for _, constraint in ties[:count])) for count in range(len(ties) + 1)]
    if spaces[-1].is_empty:
        first = bisect.bisect_left(spaces, x=True, key=lambda space: space.is_empty)
        place, constraint = ties[first - 1]
        before = f" together with the {first - 1} above it" if first > 1 else ""
        place.refuse(f"constraints leave at least one variant; none keeps this one{before}", constraint.text)
        return Space()
    return spaces[-1]


def _text(root: Place, key: str) -> str | None:
    entry = root.at(key)
    return entry.word(key) if entry else None


def _name(root: Place) -> str:
    """What it is called, wherever plays and their jobs are listed."""
    name = _text(root, "name") or "play"
    entry = root.at("name")
    if entry is not None and len(name) > LONGEST_NAME:
        entry.refuse(f"a name has at most {LONGEST_NAME} characters", str(len(name)))
        return name[:LONGEST_NAME]
    return name


def _version(root: Place) -> str:
    text = _text(root, "version") or VERSION
    if not text.startswith("3"):
        entry = root.at("version")
        if entry is not None:
            entry.refuse("the format's version is 3", text, names=(VERSION,))
    return text


def _provenance(root: Place) -> dict[str, object]:
    entry = root.at("provenance")
    if entry is None:
        return {}
    if not entry.is_map():
        entry.refuse("provenance must be a mapping")
        return {}
    return {key: plain(place.node) for key, place in entry.entries()}


def plain(node: Node) -> object:
    """A node as ordinary lists, dicts and scalars."""
    if isinstance(node.value, tuple):
        return [plain(item) for item in node.value]
    if isinstance(node.value, dict):
        return {key: plain(item) for key, item in node.value.items()}
    return node.value
