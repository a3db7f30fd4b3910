"""Markets and timeframes of a play: symbols, the roles low, med and high, and which of them is executed on."""

from __future__ import annotations

from itertools import pairwise

from coinswarm import errors
from coinswarm.market import symbols
from coinswarm.play.reading.problems import Place
from coinswarm.play.reading.state import ROLES, ReadingState, length

EXEC_KEYS = ("execution_tf", "exec_tf", "timeframe", "tf")
SYMBOL_KEYS = ("symbol", "symbols", "symbol_universe")


def read_timeframes(root: Place, state: ReadingState) -> None:
    """Fill `state.timeframes` and `state.exec_ms` from `timeframes` and its plain forms. Without either the run says."""
    block = root.at("timeframes")
    if block is not None and block.check_map((*ROLES, "exec"), "timeframes"):
        _roles(block, state)
    for key in EXEC_KEYS:
        entry = root.at(key)
        if entry is None:
            continue
        timeframe = length(entry, entry.word("a timeframe") or "5m")
        if timeframe is not None and state.exec_ms not in (None, timeframe.ms):
            entry.refuse("a play has one exec timeframe", str(timeframe))
        elif timeframe is not None:
            state.exec_ms = timeframe.ms


def _roles(block: Place, state: ReadingState) -> None:
    for role in ROLES:
        entry = block.at(role)
        text = entry.word("a timeframe") if entry else None
        timeframe = length(entry, text) if entry and text else None
        if timeframe is not None:
            state.timeframes[role] = timeframe
    known = [(role, state.timeframes[role]) for role in ROLES if role in state.timeframes]
    for (role, faster), (slower_role, slower) in pairwise(known):
        if faster > slower:
            block.refuse(f"{slower_role} must not be faster than {role}", f"{slower_role} {slower}, {role} {faster}")
    _exec(block, state)


def _exec(block: Place, state: ReadingState) -> None:
    entry = block.at("exec")
    if entry is None:
        state.exec_ms = state.timeframes["low_tf"].ms if "low_tf" in state.timeframes else None
        return
    text = entry.word("exec")
    if text in state.timeframes:
        state.exec_ms = state.timeframes[text].ms
    elif text in ROLES or (text is not None and not text[:1].isdigit()):
        entry.refuse(
            "exec names a role that has a timeframe", text, names=errors.nearest(text, state.timeframes) or tuple(state.timeframes)
        )
    elif text is not None:
        timeframe = length(entry, text)
        state.exec_ms = timeframe.ms if timeframe else None


def read_symbols(root: Place) -> tuple[str, ...]:
    """The canonical markets a play names, none when the run says."""
    found: list[str] = []
    for key in SYMBOL_KEYS:
        entry = root.at(key)
        for place in (entry.items() if entry.is_list() else [entry]) if entry else []:
            market = read_market(place)
            if market is not None and market not in found:
                found.append(market)
    return tuple(found)


def read_market(place: Place) -> str | None:
    """The canonical spelling of a market, or None and a problem."""
    text = place.word("a market")
    try:
        return symbols.canonical(text) if text is not None else None
    except errors.InvalidArgument as error:
        place.refuse(error.rule, text)
        return None
