"""The canonical form of a variant: one text for one meaning, whatever its features are called and however its numbers are written.

Defaults are filled, parameters sorted, features written out where they are used; names, descriptions, markets, the exec timeframe, the
account and the costs are not part of it (the bars and the run's settings have hashes of their own). Between slots the text of all
variants of a play is the same, so it is made once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from enum import StrEnum
from functools import lru_cache

from coinswarm.play.expressions import Output, Slot
from coinswarm.play.model import Feature, Play

_VERSION = "play/1"
_Piece = str | Slot


@lru_cache(maxsize=32)
def template(play: Play) -> tuple[str, tuple[int, ...]]:
    """The canonical text with `%s` at each slot (and `%%` for a percent sign), and the dimension that belongs to each."""
    pieces = list(_play(play))
    text = "".join("%s" if isinstance(piece, Slot) else piece.replace("%", "%%") for piece in pieces)
    return text, tuple(piece.index for piece in pieces if isinstance(piece, Slot))


def digest(text: str) -> str:
    """SHA-256 of a canonical text, in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def scalar(value: object) -> str:
    """One text a value: whole numbers without a point, words in quotes, absent values as a dash."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(float(value))
    return f"'{value}'"


def _play(play: Play) -> Iterator[_Piece]:
    yield _VERSION
    for name in ("entry_long", "exit_long", "entry_short", "exit_short", "risk", "policy"):
        yield f";{name}="
        yield from _value(getattr(play, name), play)


def _value(value: object, play: Play) -> Iterator[_Piece]:
    if isinstance(value, Slot):
        yield value
    elif isinstance(value, Output):
        yield from _feature(play.features[value.feature], play)
        yield f".{value.output}"
    elif isinstance(value, tuple):
        yield from _joined("[", value, play)
        yield "]"
    elif is_dataclass(value) and not isinstance(value, type):
        yield from _joined(f"{type(value).__name__}(", tuple(getattr(value, field.name) for field in fields(value)), play)
        yield ")"
    else:
        yield str(value) if isinstance(value, StrEnum) else scalar(value)


def _joined(opening: str, values: tuple[object, ...], play: Play) -> Iterator[_Piece]:
    yield opening
    for i, value in enumerate(values):
        if i:
            yield ","
        yield from _value(value, play)


def _feature(feature: Feature, play: Play) -> Iterator[_Piece]:
    yield f"{feature.indicator}("
    for name, setting in sorted(feature.params):
        yield f"{name}="
        yield from _value(setting, play)
        yield ","
    yield "source="
    yield from _value(feature.source, play)
    yield f")@{feature.timeframe_ms or 'exec'}@{feature.market or 'own'}"
