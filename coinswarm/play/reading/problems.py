"""Where problems of a play gather, and the places of the file they are found at."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from coinswarm import errors
from coinswarm.play.reading.nodes import Node

MAX_PROBLEMS = 200


class Problems:
    """Everything found wrong with one play, in the order of reading, and what is only worth a note."""

    def __init__(self, file: str | None = None) -> None:
        self.file = file
        self.found: list[errors.PlayProblem] = []
        self.notes: list[str] = []

    def add(self, path: str, node: Node | None, rule: str, found: str = "", *, names: Iterable[str] = (), line: int | None = None) -> None:
        """Note a mistake. `names` are suggestions, best first; `line` overrides that of the node."""
        where = line if line is not None else (node.line if node is not None else None)
        problem = errors.PlayProblem(path=path or "play", rule=rule, found=found, line=where, file=self.file, suggestions=tuple(names))
        if problem not in self.found and len(self.found) < MAX_PROBLEMS:
            self.found.append(problem)

    def warn(self, path: str, node: Node | None, text: str) -> None:
        """Note something that is allowed and probably not meant, or that has no effect."""
        note = f"line {node.line}: {path}: {text}" if node is not None else f"{path}: {text}"
        if note not in self.notes:
            self.notes.append(note)

    def raise_if_any(self, name: str) -> None:
        """Raise `BadPlay` with every problem, by line, unless there is none."""
        if self.found:
            raise errors.BadPlay(sorted(self.found, key=lambda problem: problem.line or 0), name=name)


@dataclass(frozen=True, slots=True)
class Place:
    """A node of the file with its path in the play, such as `actions.entry_long.all[2]`."""

    node: Node
    path: str
    problems: Problems

    @property
    def line(self) -> int:
        """The line the value starts on."""
        return self.node.line

    def at(self, key: str) -> Place | None:
        """The entry `key` of a mapping; None where there is none or it is null."""
        value = self.node.value
        entry = value.get(key) if isinstance(value, dict) else None
        if entry is None or entry.value is None:
            return None
        return replace(self, node=entry, path=f"{self.path}.{key}" if self.path else key)

    def entries(self) -> Iterator[tuple[str, Place]]:
        """Key and place of every entry of a mapping, null entries too."""
        if isinstance(self.node.value, dict):
            for key, entry in self.node.value.items():
                yield key, replace(self, node=entry, path=f"{self.path}.{key}" if self.path else key)

    def items(self) -> list[Place]:
        """The places of a list's items."""
        value = self.node.value
        return [replace(self, node=item, path=f"{self.path}[{i}]") for i, item in enumerate(value)] if isinstance(value, tuple) else []

    def refuse(self, rule: str, found: str | None = None, *, names: Iterable[str] = ()) -> None:
        """Note a mistake here; `found` defaults to what stands here."""
        self.problems.add(self.path, self.node, rule, shown(self.node) if found is None else found, names=names)

    def warn(self, text: str) -> None:
        """Note something odd here."""
        self.problems.warn(self.path, self.node, text)

    def is_map(self) -> bool:
        """Whether a mapping stands here."""
        return isinstance(self.node.value, dict)

    def is_list(self) -> bool:
        """Whether a list stands here."""
        return isinstance(self.node.value, tuple)

    def check_map(self, keys: Iterable[str], what: str, *, elsewhere: Mapping[str, str] = MappingProxyType({})) -> bool:
        """Whether a mapping stands here; notes a problem if not, and one for each key that is not among `keys`.

        `elsewhere` has keys that stand somewhere else, with their path there.
        """
        if not isinstance(self.node.value, dict):
            self.refuse(f"{what} must be a mapping")
            return False
        known = list(keys)
        for key in self.node.value:
            if key not in known:
                self.unknown_key(key, known, what, elsewhere=elsewhere)
        return True

    def unknown_key(self, key: str, known: Iterable[str], what: str, *, elsewhere: Mapping[str, str] = MappingProxyType({})) -> None:
        """Note a key that means nothing here, with where it stands or the nearest that do."""
        names = list(known)
        path = f"{self.path}.{key}" if self.path else key
        nearest = tuple(elsewhere.get(name, name) for name in errors.nearest(key, (*names, *elsewhere)))
        near = (elsewhere[key],) if key in elsewhere else nearest or (tuple(names) if len(names) <= 6 else ())
        self.problems.add(path, None, f"{what} has no such key", key, names=near, line=self.node.key_lines.get(key, self.line))

    def word(self, what: str) -> str | None:
        """The text of a scalar here (numbers as they read); notes a problem and gives None for anything else."""
        value = self.node.value
        if isinstance(value, str):
            return value
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return str(value)
        self.refuse(f"{what} must be a word")
        return None

    def one_of(self, words: Iterable[str], what: str) -> str | None:
        """The word here if it is one of `words`, whatever its case; otherwise a problem and None."""
        text = self.word(what)
        if text is None:
            return None
        table = {word.lower(): word for word in words}
        if text.lower() not in table:
            self.refuse(f"{what} must be one of {', '.join(table.values())}", text, names=errors.nearest(text, table.values()))
            return None
        return table[text.lower()]

    def truth(self, what: str) -> bool | None:
        """The yes or no here; otherwise a problem and None."""
        value = self.node.value
        word = str(value).lower()
        if isinstance(value, (bool, str)) and word in ("true", "yes", "on", "false", "no", "off"):
            return word in ("true", "yes", "on")
        self.refuse(f"{what} must be true or false")
        return None


def shown(node: Node) -> str:
    """A short text of what stands at a node."""
    return _shown(node)[:80]


def _shown(node: Node) -> str:
    value = node.value
    if isinstance(value, tuple):
        return "[" + ", ".join(_shown(item) for item in value[:5]) + (", …" if len(value) > 5 else "") + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_shown(item)}" for key, item in list(value.items())[:4]) + (", …" if len(value) > 4 else "") + "}"
    return (
        "nothing"
        if value is None
        else (repr(value) if isinstance(value, str) else str(value).lower() if isinstance(value, bool) else str(value))
    )
