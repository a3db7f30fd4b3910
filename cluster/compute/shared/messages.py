"""What an executor's server and its clients say to each other, and how a call travels.

A call is packed by the client and unpacked where it is computed: the server, which has to be quick and small, imports nothing of what is
computed.
"""

from __future__ import annotations

import pickle
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from cluster.compute.evaluator import BarSource, TimeSegment
from cluster.compute.executor import Loss
from coinswarm import errors


@dataclass(frozen=True, kw_only=True, slots=True)
class Submit:
    """Make a call; `bars` are numbers of `Load`."""

    number: int
    name: str
    packed: bytes
    bars: tuple[int, ...]
    limit_s: float | None
    attempts: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Drop:
    """Give up calls."""

    numbers: tuple[int, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Load:
    """Hold bars under a number; `packed` says which, see `pack_bars`."""

    number: int
    packed: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Release:
    """Let go of all bars of this client."""


Request = Submit | Drop | Load | Release


@dataclass(frozen=True, kw_only=True, slots=True)
class Capacity:
    """How many processes compute, and how many calls keep them busy."""

    workers: int
    slots: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Note:
    """Something that a person should know."""

    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Ended:
    """A call is over: what came back, packed, or why nothing did."""

    number: int
    packed: bytes = b""
    error: Exception | None = None
    loss: Loss | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Loaded:
    """Bars are held, or why they are not."""

    number: int
    error: Exception | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Failed:
    """The server ends, and why."""

    error: errors.CoinswarmError


Reply = Capacity | Note | Ended | Loaded | Failed


def pack(function: Callable[..., Any], item: Any) -> bytes:
    """A call without its bars, as bytes."""
    return pickle.dumps((function, item), protocol=pickle.HIGHEST_PROTOCOL)


def pack_bars(source: BarSource, segment: TimeSegment) -> bytes:
    """Which bars to load: equal bytes are the same bars under the same fence of a vault."""
    return pickle.dumps((source, segment), protocol=pickle.HIGHEST_PROTOCOL)


def unpack_bars(packed: bytes) -> tuple[BarSource, TimeSegment]:
    """Which bars to load."""
    source, segment = pickle.loads(packed)  # noqa: S301 - our own bytes
    return source, segment


def compute(packed: bytes, *markets: Any) -> tuple[bytes, float]:
    """Make a packed call; the answer is what it gave or raised, packed, and the seconds it took."""
    began = time.perf_counter()
    function, item = pickle.loads(packed)  # noqa: S301 - our own bytes
    outcome: tuple[Any, Exception | None]
    try:
        outcome = (function(item, *markets), None)
    except Exception as error:  # noqa: BLE001 - raised again where the answer is read
        if not isinstance(error, errors.CoinswarmError):
            error.add_note(f"In a worker process:\n{traceback.format_exc()}")
        outcome = (None, error)
    return pickle.dumps(outcome, protocol=pickle.HIGHEST_PROTOCOL), time.perf_counter() - began


def unpack(packed: bytes) -> tuple[Any, Exception | None]:
    """What a packed call gave, or what it raised."""
    answer, error = pickle.loads(packed)  # noqa: S301 - our own bytes
    return answer, error
