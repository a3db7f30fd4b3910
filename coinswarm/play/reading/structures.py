"""Structures of a play: swings, trends and the like, grouped by timeframe role, one built on another.

A structure that `uses` another takes that one's parameters over (`left`, `right` of a swing), so that every structure stands on its own
once it is read.
"""

from __future__ import annotations

from collections.abc import Iterator

from coinswarm import errors
from coinswarm.play.expressions import Setting
from coinswarm.play.reading import features
from coinswarm.play.reading.nodes import Node
from coinswarm.play.reading.problems import Place
from coinswarm.play.reading.state import ROLES, Declared, ReadingState

LATER = (
    "fibonacci", "zone", "derived_zone", "displacement", "fair_value_gap", "order_block", "liquidity_zones", "premium_discount",
    "breaker_block",
)  # fmt: skip
KEYS = ("type", "key", "params", "uses", "depends_on", "tf", "market")


def read_structures(root: Place, state: ReadingState) -> None:
    """Declare every structure in the state, in the order of the file."""
    block = root.at("structures")
    if block is None:
        return
    for timeframe_ms, place in _grouped(block, state):
        _structure(place, timeframe_ms, state)


def _grouped(block: Place, state: ReadingState) -> Iterator[tuple[int | None, Place]]:
    if block.is_list():
        yield from ((None, item) for item in block.items())
    elif block.is_map():
        for role, group in block.entries():
            yield from _group(block, role, group, state)
    else:
        block.refuse("structures must be lists under exec, low_tf, med_tf or high_tf")


def _group(block: Place, role: str, group: Place, state: ReadingState) -> Iterator[tuple[int | None, Place]]:
    if group.node.value is None:
        return
    if group.is_map():
        for text, inner in group.entries():
            yield from _group(group, text, inner, state)
        return
    if not group.is_list():
        group.refuse("expected a list of structures")
        return
    timeframe_ms = None
    if role not in ("exec", "exec_tf"):
        if role not in ROLES and not role[:1].isdigit() and role not in ("D", "W"):
            block.unknown_key(role, ("exec", *ROLES), "structures")
            return
        timeframe_ms = state.slower(_word_at(group, role))
    yield from ((timeframe_ms, item) for item in group.items())


def _word_at(group: Place, text: str) -> Place:
    return Place(Node(text, group.line), group.path, group.problems)


def _structure(place: Place, timeframe_ms: int | None, state: ReadingState) -> None:
    if not place.check_map(KEYS, "a structure"):
        return
    kind = place.at("type")
    if kind is None:
        place.refuse("a structure needs a type")
        return
    name = kind.word("the type of a structure")
    key = place.at("key")
    own = key.word("the key of a structure") if key else name
    if name is None or own is None:
        return
    tf = place.at("tf")
    timeframe_ms = state.slower(tf) if tf else timeframe_ms
    inherited = _inherited(place, timeframe_ms, state)
    features.declare(own, place, state, _declared(own, name.lower(), place, kind, timeframe_ms, inherited, state))


def _declared(
    own: str, name: str, place: Place, kind: Place, timeframe_ms: int | None, inherited: dict[str, Setting] | None, state: ReadingState
) -> Declared:
    params = place.at("params")
    if name == "trend" and params is not None and params.at("ema_length") is not None:
        name = "trend_ema"
    known = [other for other, indicator in state.indicators.items() if indicator.structure]
    if name in LATER and name not in state.indicators:
        kind.refuse(f"structures must be one of {', '.join(known)}; {name} comes later", name)
        return Declared(None, None)
    if name not in known:
        kind.refuse("a structure must be one of the catalogue's", name, names=errors.nearest(name, (*known, *LATER)) or tuple(known))
        return Declared(None, None)
    if inherited is None:
        return Declared(None, None)
    return features.build(features.Declaration(own, place, name, timeframe_ms, inherited), state, kind)


def _inherited(place: Place, timeframe_ms: int | None, state: ReadingState) -> dict[str, Setting] | None:
    """The parameters of every structure it uses; None when one of them cannot be used."""
    taken: dict[str, Setting] = {}
    for used in _used(place):
        name = used.word("the key of a structure")
        if name is None:
            return None
        if name not in state.declared:
            used.refuse("a structure uses structures declared above it", name, names=errors.nearest(name, state.declared))
            return None
        feature = state.declared[name].feature
        if feature is None:
            return None
        if feature.timeframe_ms != timeframe_ms:
            used.refuse("a structure uses structures of its own timeframe", name)
            return None
        taken.update(feature.params)
    return taken


def _used(place: Place) -> list[Place]:
    found: list[Place] = []
    for key in ("uses", "depends_on"):
        entry = place.at(key)
        if entry is not None:
            found += entry.items() if entry.is_list() else [inner for _, inner in entry.entries()] if entry.is_map() else [entry]
    return found
