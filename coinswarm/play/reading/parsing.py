"""YAML text to a tree of values that know their line.

Built from events, so that no text, however deep or self-referring, can exhaust the reader.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml

from coinswarm.play.reading.nodes import Node, Scalar
from coinswarm.play.reading.problems import Problems

MAX_BYTES = 1_000_000
MAX_DEPTH = 48
MAX_NODES = 100_000
_INTEGER = re.compile(r"[-+]?\d{1,18}")
_FLOAT = re.compile(r"[-+]?(\d[\d_]*)?\.?\d+([eE][-+]?\d{1,4})?|[-+]?\d+\.([eE][-+]?\d{1,4})?")
_OFFSET_IN_LIST = re.compile(r"\[.*[\w.]\[\d+\]")
_SPECIAL = {".nan": float("nan"), ".inf": float("inf"), "+.inf": float("inf"), "-.inf": float("-inf")}
_TRUTH = {"true": True, "false": False}
_PLAIN_TAGS = {None, "!", "tag:yaml.org,2002:str", "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq"}
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Stop(Exception):  # noqa: N818 - control flow of this module only, never seen outside
    """The text cannot be read any further; the problem is already noted."""


def parse(text: str, problems: Problems) -> Node | None:
    """The tree of one YAML document, or None when it is no usable YAML (then a problem is noted).

    Guards: at most 1 MB of text, 48 levels, 100,000 values with aliases expanded; no tags, no repeated keys, no second document.
    """
    if len(text) > MAX_BYTES:
        problems.add("", None, f"a play has at most {MAX_BYTES} characters", str(len(text)))
        return None
    try:
        return _Builder(problems).document(yaml.parse(text, Loader=_LOADER))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problems.add("", None, _invalid(text, error), line=mark.line + 1 if mark else None)
    except (yaml.YAMLError, UnicodeError, ValueError) as error:
        problems.add("", None, "a play must be readable text in UTF-8", str(error).splitlines()[0] if str(error) else "")
    except _Stop:  # the problem that stopped the reading is on the list
        return None
    return None


def _invalid(text: str, error: yaml.MarkedYAMLError) -> str:
    """What is wrong with a YAML text; an offset that YAML takes for a list is the mistake that is made most."""
    lines = text.splitlines()
    mark = error.problem_mark
    if mark is not None and mark.line < len(lines) and _OFFSET_IN_LIST.search(lines[mark.line]):
        return 'within a list in brackets, an offset needs quotes: [close, ">", "dc.upper[1]"] or ["close > dc.upper[1]"]'
    return f"invalid YAML: {(error.problem or str(error.context)).removeprefix('did not find ').removeprefix('found ')}"


def scalar(text: str) -> Scalar:
    """What an unquoted word means: null, true or false, a number, or itself. Times and dates stay words."""
    if text in ("", "~", "null", "Null", "NULL"):
        return None
    lower = text.lower()
    if lower in _TRUTH:
        return _TRUTH[lower]
    if _INTEGER.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text.replace("_", ""))
    return _SPECIAL.get(lower, text)


class _Builder:
    """Turns a stream of events into nodes with a stack of its own."""

    def __init__(self, problems: Problems) -> None:
        self.problems = problems
        self.anchors: dict[str, Node] = {}
        self.count = 0

    def document(self, events: Iterator[Any]) -> Node | None:
        root = None
        for event in events:
            if isinstance(event, (yaml.ScalarEvent, yaml.CollectionStartEvent, yaml.AliasEvent)):
                if root is not None:
                    self.stop(event, "a file holds one play", found="a second document")
                root = self.node(event, events, 1)
        return root

    def stop(self, event: Any, rule: str, found: str = "") -> None:
        self.problems.add("", None, rule, found, line=event.start_mark.line + 1)
        raise _Stop

    def node(self, event: Any, events: Iterator[Any], depth: int) -> Node:
        if depth > MAX_DEPTH:
            self.stop(event, f"a play nests at most {MAX_DEPTH} levels")
        if isinstance(event, yaml.AliasEvent):
            return self.alias(event)
        if getattr(event, "tag", None) not in _PLAIN_TAGS:
            self.stop(event, "a play has no YAML tags", str(event.tag))
        self.spend(event, 1)
        built = self.build(event, events, depth)
        if event.anchor:
            self.anchors[event.anchor] = built
        return built

    def spend(self, event: Any, count: int) -> None:
        self.count += count
        if self.count > MAX_NODES:
            self.stop(event, f"a play has at most {MAX_NODES} values, aliases expanded")

    def alias(self, event: Any) -> Node:
        target = self.anchors.get(event.anchor)
        if target is None:
            self.stop(event, "an alias must stand for something complete above it", f"*{event.anchor}")
            raise _Stop
        self.spend(event, target.size)
        return target

    def build(self, event: Any, events: Iterator[Any], depth: int) -> Node:
        line = event.start_mark.line + 1
        if isinstance(event, yaml.ScalarEvent):
            return Node(scalar(event.value) if event.style in (None, "") and event.implicit[0] else event.value, line)
        if isinstance(event, yaml.SequenceStartEvent):
            items = tuple(self.node(inner, events, depth + 1) for inner in _inside(events))
            return Node(items, line, size=1 + sum(item.size for item in items))
        return self.mapping(events, line, depth)

    def mapping(self, events: Iterator[Any], line: int, depth: int) -> Node:
        entries: dict[str, Node] = {}
        lines: dict[str, int] = {}
        merged: list[Node] = []
        for event in _inside(events):
            key = self.key(event)
            value = self.node(next(events), events, depth + 1)
            if key == "<<" and event.style in (None, ""):
                merged.append(value)
            elif key in entries:
                self.problems.add(
                    key, None, "a key stands once in a mapping", f"{key} again (first on line {lines[key]})", line=event.start_mark.line + 1
                )
            else:
                entries[key], lines[key] = value, event.start_mark.line + 1
        for value in merged:
            self.merge(value, entries, lines)
        return Node(entries, line, lines, 1 + sum(node.size for node in entries.values()))

    def key(self, event: Any) -> str:
        if not isinstance(event, yaml.ScalarEvent):
            self.stop(event, "a key must be a word", "a list or mapping")
        self.spend(event, 1)
        return str(event.value)

    def merge(self, source: Node, entries: dict[str, Node], lines: dict[str, int]) -> None:
        """Fill in what `<<` points to: a mapping, or a list of mappings of which the first to name a key wins."""
        for part in source.value if isinstance(source.value, tuple) else (source,):
            if not isinstance(part.value, dict):
                self.problems.add("<<", part, "a merge takes a mapping")
                continue
            for key, value in part.value.items():
                if key not in entries:
                    entries[key], lines[key] = value, part.key_lines[key]


def _inside(events: Iterator[Any]) -> Iterator[Any]:
    """The events that open an entry of the current collection, up to its end."""
    for event in events:
        if isinstance(event, yaml.CollectionEndEvent):
            return
        yield event
