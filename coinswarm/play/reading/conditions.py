"""Conditions: comparisons, all, any, not, windows over the last bars, and setups, which are conditions with a name."""

from __future__ import annotations

from dataclasses import replace

from coinswarm import errors
from coinswarm.play.expressions import All, AnyOf, Condition, Not
from coinswarm.play.reading import comparisons, infix, windows
from coinswarm.play.reading.problems import Place
from coinswarm.play.reading.state import ReadingState

MAX_DEPTH = 40
MAX_SIZE = 20_000
JUNCTIONS = ("all", "any", "not")
VERBOSE = ("lhs", "op", "rhs", "tolerance")
KEYS = (*JUNCTIONS, "setup", *windows.KEYS, *VERBOSE)


class Conditions:
    """Reads conditions of one play; remembers setups, so that a range in a setup is one dimension wherever it is used."""

    def __init__(self, state: ReadingState) -> None:
        self.state = state
        self.depth = 0
        self.deepest = 0
        self.size = 0
        self.chain: list[str] = []

    def read(self, place: Place) -> Condition | None:
        """The condition here, or None after a problem."""
        self.size += 1
        if self.depth >= MAX_DEPTH or self.size > MAX_SIZE:
            limit = f"{MAX_DEPTH} levels deep" if self.depth >= MAX_DEPTH else f"{MAX_SIZE} parts long"
            place.refuse(f"a condition, its setups written out, is at most {limit}", "")
            return None
        self.depth += 1
        self.deepest = max(self.deepest, self.depth)
        try:
            return self._read(place)
        finally:
            self.depth -= 1

    def _read(self, place: Place) -> Condition | None:
        if comparisons.is_comparison(place):
            return comparisons.listed(place, self.state)
        if place.is_list():
            return self._all(place)
        if place.is_map():
            return self._mapped(place)
        if isinstance(place.node.value, str):
            return self._line(place, place.node.value)
        place.refuse('expected a condition such as [close, ">", 100] or "close > 100", a list of them, or all, any, not, setup')
        return None

    def _line(self, place: Place, text: str) -> Condition | None:
        """A condition in one line."""
        if text in self.state.setups:
            place.refuse("a setup is referred to by a mapping", text, names=(f"{{ setup: {text} }}",))
            return None
        try:
            node = infix.condition(text, place.line)
        except infix.NotInfix as error:
            place.refuse(f'a condition in one line reads like "close > dc.upper[1] and rsi < 30"; {error}', text[:80])
            return None
        return self.read(replace(place, node=node))

    def _mapped(self, place: Place) -> Condition | None:
        keys = [key for key, _ in place.entries()]
        if not set(keys).isdisjoint(VERBOSE):
            return comparisons.verbose(place, self.state) if place.check_map(VERBOSE, "a condition") else None
        if not place.check_map(KEYS, "a condition") or not set(keys) <= set(KEYS):
            return None
        if len(keys) != 1:
            place.refuse("a condition has one of all, any, not, setup or a window", ", ".join(keys) or "nothing")
            return None
        return self._keyed(place, keys[0])

    def _keyed(self, place: Place, key: str) -> Condition | None:
        inner = place.at(key)
        if inner is None:
            place.refuse(f"{key} needs something to hold for", "nothing")
            return None
        if key == "setup":
            return self._setup(inner)
        if key == "all":
            return self._all(inner)
        if key == "any":
            return self._any(inner)
        if key == "not":
            condition = self.read(inner)
            return None if condition is None else Not(condition)
        return windows.read(inner, key, self.state, self.read)

    def _parts(self, place: Place) -> tuple[Condition, ...] | None:
        items = [place] if place.is_map() or comparisons.is_comparison(place) else place.items()
        if not items:
            place.refuse("expected a list of at least one condition")
            return None
        read_conditions = [self.read(item) for item in items]
        conditions = tuple(condition for condition in read_conditions if condition is not None)
        return conditions if len(conditions) == len(read_conditions) else None

    def _all(self, place: Place) -> Condition | None:
        parts = self._parts(place)
        return parts if parts is None else parts[0] if len(parts) == 1 else All(parts)

    def _any(self, place: Place) -> Condition | None:
        parts = self._parts(place)
        return parts if parts is None else parts[0] if len(parts) == 1 else AnyOf(parts)

    def _setup(self, place: Place) -> Condition | None:
        name = place.word("a setup")
        if name is None:
            return None
        if name in self.chain:
            cycle = " -> ".join((*self.chain[self.chain.index(name) :], name))
            place.refuse("setups must not go round in a circle", cycle)
            return None
        if name not in self.state.setups:
            place.refuse(
                "a setup must stand under setups", name, names=errors.nearest(name, self.state.setups) or tuple(self.state.setups)[:6]
            )
            return None
        return self.setup(name, place)

    def setup(self, name: str, place: Place) -> Condition | None:
        """The condition of a setup, read once; its size and depth count wherever it is used."""
        if name not in self.state.read_setups:
            self.chain.append(name)
            outer, self.deepest, before = self.deepest, self.depth, self.size
            condition = self.read(self.state.setups[name])
            self.state.read_setups[name] = (condition, self.size - before, self.deepest - self.depth)
            self.deepest = max(outer, self.deepest)
            self.chain.pop()
            return condition
        condition, size, depth = self.state.read_setups[name]
        self.size += size
        self.deepest = max(self.deepest, self.depth + depth)
        if condition is not None and (self.depth + depth > MAX_DEPTH or self.size > MAX_SIZE):
            place.refuse(f"a condition, its setups written out, is at most {MAX_DEPTH} levels deep and {MAX_SIZE} parts long", name)
            return None
        return condition
