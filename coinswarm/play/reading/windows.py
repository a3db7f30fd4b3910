"""Windows: a condition over the last bars or a length of time."""

from __future__ import annotations

from collections.abc import Callable

from coinswarm import errors
from coinswarm.market.timeframe import MINUTE_MS, Timeframe
from coinswarm.play.dimension import Dimension
from coinswarm.play.expressions import Condition, Number, Window, WindowKind
from coinswarm.play.reading import numbers
from coinswarm.play.reading.problems import Place
from coinswarm.play.reading.state import ReadingState

KEYS = tuple(f"{kind}{suffix}" for suffix in ("", "_duration") for kind in WindowKind)
_MAX_MINUTES = 525_600


def read(place: Place, key: str, state: ReadingState, condition: Callable[[Place], Condition | None]) -> Condition | None:
    """The window under `key`, such as `holds_for` or `holds_for_duration`; None after a problem."""
    timed = key.endswith("_duration")
    kind = WindowKind(key.removesuffix("_duration"))
    counted = kind is WindowKind.COUNT_TRUE
    if not place.check_map(keys_of(key), key):
        return None
    inner = place.at("expr")
    if inner is None:
        place.refuse(f"{key} needs an expr")
    expr = condition(inner) if inner else None
    bars, bar_ms = _duration(place, key, state) if timed else _bars(place, key, state)
    min_true = _min_true(place, state, bars if bar_ms is None else None) if counted else 1.0
    if expr is None or bars is None or min_true is None:
        return None
    return Window(kind=kind, bars=bars, condition=expr, min_true=min_true, bar_ms=bar_ms)


def keys_of(key: str) -> tuple[str, ...]:
    """What a window says."""
    counted = ("min_true",) if key.startswith(WindowKind.COUNT_TRUE) else ()
    return ("duration" if key.endswith("_duration") else "bars", "expr", "anchor_tf", *counted)


def _bars(place: Place, key: str, state: ReadingState) -> tuple[Number | None, int | None]:
    entry, anchor = place.at("bars"), place.at("anchor_tf")
    bar_ms = _anchor_ms(anchor, state) if anchor else None
    if entry is None:
        place.refuse(f"{key} needs bars")
        return None, bar_ms
    return numbers.number(entry, state, numbers.COUNT), bar_ms


def _anchor_ms(anchor: Place, state: ReadingState) -> int | None:
    timeframe = state.timeframe(anchor)
    return None if timeframe is None or timeframe.ms == state.exec_ms else timeframe.ms


def _duration(place: Place, key: str, state: ReadingState) -> tuple[Number | None, int]:
    """A length of time is counted in minutes, so that 60m and 1h are one thing."""
    entry = place.at("duration")
    if entry is None:
        place.refuse(f"{key} needs a duration")
        return None, MINUTE_MS
    if not entry.is_list():
        return _minutes(entry), MINUTE_MS
    found = [_minutes(item) for item in entry.items()]
    lengths = tuple(minutes for minutes in found if minutes is not None)
    if not lengths or len(set(lengths)) != len(found):
        entry.refuse("a list of durations names each once")
        return None, MINUTE_MS
    if len(lengths) == 1:
        return lengths[0], MINUTE_MS
    name = state.free_name(f"{entry.path}_minutes".removeprefix("actions."))
    slot = state.vary(Dimension.choice(name, lengths), entry.node)
    state.settings[name] = slot
    return slot, MINUTE_MS


def _minutes(place: Place) -> float | None:
    text = place.word("a duration")
    try:
        length = Timeframe.parse(text) if text is not None else None
    except errors.InvalidArgument:
        length = None
    if length is None or length.ms % MINUTE_MS or length.ms > _MAX_MINUTES * MINUTE_MS:
        place.refuse("a duration reads like 30m, 4h or 1d, whole minutes up to a year")
        return None
    return float(length.ms // MINUTE_MS)


def _min_true(place: Place, state: ReadingState, bars: Number | None) -> Number | None:
    entry = place.at("min_true")
    if entry is None:
        place.refuse("count_true needs min_true")
        return None
    least = numbers.number(entry, state, numbers.COUNT)
    if isinstance(least, float) and isinstance(bars, float) and least > bars:
        entry.refuse(f"min_true must not be above bars, {bars:g}")
    return least
