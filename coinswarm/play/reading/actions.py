"""Actions: when to enter and leave either side, as a mapping of conditions or as cases of which the first that holds acts."""

from __future__ import annotations

from dataclasses import dataclass

from coinswarm.play.expressions import All, AnyOf, Condition, Not
from coinswarm.play.reading.conditions import Conditions
from coinswarm.play.reading.problems import Place

ENTRIES = ("entry_long", "entry_short")
SIDES = ("entry_long", "exit_long", "entry_short", "exit_short")
NAMES = (*SIDES, "exit_all", "no_action")
BLOCK_KEYS = ("id", "cases", "else", "description")
CASE_KEYS = ("when", "emit", "id", "description")
EMIT_KEYS = ("action", "percent", "metadata")


@dataclass(frozen=True, slots=True)
class _Case:
    """A condition and what it emits; `when` is None for `else`."""

    when: Condition | None
    emits: tuple[str, ...]


def read_actions(root: Place, conditions: Conditions) -> dict[str, Condition]:
    """The condition of each side's entry and exit that the play acts on."""
    block = root.at("actions")
    if block is None:
        root.problems.add("actions", None, "a play needs actions with entry_long or entry_short", line=1)
        return {}
    if block.is_list():
        found = [_cases(item, conditions) for item in block.items()]
    elif block.check_map(NAMES, "actions"):
        found = [_plain(name, place, conditions) for name, place in block.entries() if name in NAMES]
    else:
        return {}
    merged: dict[str, list[Condition]] = {}
    for part in found:
        for name, condition in part.items():
            merged.setdefault(name, []).append(condition)
    return {name: _either(parts) for name, parts in merged.items()}


def names_entry(root: Place) -> bool:
    """Whether the text speaks of an entry at all, even a broken one."""
    block = root.at("actions")
    return block is not None and (block.is_list() or any(name in ENTRIES for name, _ in block.entries()))


def _plain(name: str, place: Place, conditions: Conditions) -> dict[str, Condition]:
    if name == "no_action" or place.node.value is None:
        return {}
    condition = conditions.read(place)
    return {} if condition is None else dict.fromkeys(_targets(name), condition)


def _targets(name: str) -> tuple[str, ...]:
    return ("exit_long", "exit_short") if name == "exit_all" else () if name == "no_action" else (name,)


def _cases(place: Place, conditions: Conditions) -> dict[str, Condition]:
    if not place.check_map(BLOCK_KEYS, "an action block"):
        return {}
    block = place.at("cases")
    if block is None or not block.items():
        place.refuse("an action block needs a list of cases")
        return {}
    cases = [_case(item, conditions) for item in block.items()]
    otherwise = place.at("else")
    if otherwise is not None and otherwise.check_map(("emit",), "else"):
        cases.append(_Case(None, _emitted(otherwise)))
    if any(case is None for case in cases):
        return {}
    return _first_match([case for case in cases if case is not None])


def _case(place: Place, conditions: Conditions) -> _Case | None:
    if not place.check_map(CASE_KEYS, "a case"):
        return None
    when = place.at("when")
    if when is None:
        place.refuse("a case needs a when")
    condition = conditions.read(when) if when else None
    emits = _emitted(place)
    return None if condition is None else _Case(condition, emits)


def _emitted(place: Place) -> tuple[str, ...]:
    block = place.at("emit")
    if block is None or not block.items():
        place.refuse("a case emits a list of actions", "nothing")
        return ()
    found: list[str] = []
    for item in block.items():
        if item.check_map(EMIT_KEYS, "an emitted action"):
            found += _emitted_action(item)
    return tuple(found)


def _emitted_action(place: Place) -> tuple[str, ...]:
    entry = place.at("action")
    if entry is None:
        place.refuse("an emitted action needs its action")
        return ()
    percent = place.at("percent")
    if percent is not None and percent.node.value != 100:
        percent.refuse("a position is closed whole; partial exits come later")
    if place.at("metadata") is not None:
        place.warn("metadata of an action is not kept")
    name = entry.one_of(NAMES, "an action")
    return _targets(name) if name else ()


def _first_match(cases: list[_Case]) -> dict[str, Condition]:
    """Each action's condition: one of its cases holds and no earlier case that does not emit it."""
    found: dict[str, Condition] = {}
    for name in dict.fromkeys(name for case in cases for name in case.emits):
        parts = []
        for i, case in enumerate(cases):
            if name not in case.emits:
                continue
            before = [Not(earlier.when) for earlier in cases[:i] if earlier.when is not None and name not in earlier.emits]
            own = [case.when] if case.when is not None else []
            parts.append(_both([*own, *before]))
        found[name] = _either(parts)
    return found


def _both(parts: list[Condition]) -> Condition:
    return parts[0] if len(parts) == 1 else All(tuple(parts))


def _either(parts: list[Condition]) -> Condition:
    return parts[0] if len(parts) == 1 else AnyOf(tuple(parts))
