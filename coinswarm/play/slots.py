"""Walking through a play's meaning: what varies in it, which features it depends on, and putting values in the place of slots."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any, TypeVar

from coinswarm.play.expressions import Output, Slot
from coinswarm.play.model import Feature, Play

T = TypeVar("T")
CONDITIONS = ("entry_long", "exit_long", "entry_short", "exit_short")


@lru_cache(maxsize=64)
def _names(kind: type) -> tuple[str, ...]:
    return tuple(field.name for field in dataclasses.fields(kind))


def parts(value: object) -> Iterator[object]:
    """The value itself and everything inside it, depth first, in the order of the fields."""
    yield value
    if isinstance(value, tuple):
        for item in value:
            yield from parts(item)
    elif dataclasses.is_dataclass(value) and not isinstance(value, (type, Slot)):
        for name in _names(type(value)):
            yield from parts(getattr(value, name))


def replaced(value: T, put: Callable[[Slot], object]) -> T:
    """The same value with every slot replaced by what `put` gives for it; what has no slot is kept as it is."""
    return _replaced(value, put)


def _replaced(value: Any, put: Callable[[Slot], object]) -> Any:
    if isinstance(value, Slot):
        return put(value)
    if isinstance(value, tuple):
        items = tuple(_replaced(item, put) for item in value)
        return value if all(a is b for a, b in zip(items, value, strict=True)) else items
    if not dataclasses.is_dataclass(value) or isinstance(value, type):
        return value
    changed = {name: new for name in _names(type(value)) if (new := _replaced(getattr(value, name), put)) is not getattr(value, name)}
    return dataclasses.replace(value, **changed) if changed else value


def chain(feature: Feature, features: Mapping[str, Feature]) -> Iterator[Feature]:
    """A feature, the one that it is computed of, and so on to the one that is computed of bars."""
    yield feature
    while isinstance(feature.source, Output):
        feature = features[feature.source.feature]
        yield feature


def features_of(features: Mapping[str, Feature], *values: object) -> tuple[str, ...]:
    """The ids of the features that conditions and risk lean on, those that others are computed of too, each once, in the order met."""
    named = (part.feature for value in values for part in parts(value) if isinstance(part, Output))
    return tuple(dict.fromkeys(link.id for name in named for link in chain(features[name], features)))


def slots_in(*values: object) -> frozenset[int]:
    """The dimensions that appear in these values."""
    return frozenset(part.index for value in values for part in parts(value) if isinstance(part, Slot))


def meaning(play: Play) -> tuple[object, ...]:
    """Everything of a play that decides its trades and may vary: conditions, risk and the features they lean on."""
    conditions = tuple(getattr(play, name) for name in CONDITIONS)
    return (*conditions, play.risk, tuple(play.features.values()))


def put(play: Play, value: Callable[[Slot], object]) -> Play:
    """The play with every slot of its conditions, risk and features replaced; its space is left for the caller to set."""
    changed: dict[str, Any] = {name: replaced(getattr(play, name), value) for name in CONDITIONS}
    features: dict[str, Feature] = {name: replaced(feature, value) for name, feature in play.features.items()}
    return dataclasses.replace(play, **changed, risk=replaced(play.risk, value), features=features)


def pruned(play: Play) -> Play:
    """The play without features nothing leans on and without dimensions that decide nothing; notes say which went."""
    used = features_of(play.features, *(getattr(play, name) for name in CONDITIONS), play.risk)
    idle = [name for name in play.features if name not in used]
    play = dataclasses.replace(
        play,
        features={name: play.features[name] for name in used},
        notes=(*play.notes, *(f"features.{name}: nothing uses this feature; it is left out" for name in idle)),
    )
    tied = frozenset().union(*(constraint.slots for constraint in play.space.constraints))
    left_open = sorted(slots_in(*meaning(play)) | tied)
    if len(left_open) == len(play.space.dimensions):
        return play
    places = {old: Slot(new) for new, old in enumerate(left_open)}
    dropped = [dimension.path for i, dimension in enumerate(play.space.dimensions) if i not in places]
    dimensions = tuple(play.space.dimensions[old] for old in left_open)
    constraints = replaced(play.space.constraints, lambda slot: places[slot.index])
    moved = put(play, lambda slot: places[slot.index])
    notes = (*play.notes, *(f"{path}: varies but decides nothing; it is left out of the space" for path in dropped))
    return dataclasses.replace(moved, space=dataclasses.replace(play.space, dimensions=dimensions, constraints=constraints), notes=notes)
