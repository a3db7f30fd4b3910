"""Sources of features: the columns of the bars an indicator may be computed of, or another feature, wherever in the file it stands."""

from __future__ import annotations

from dataclasses import replace

from coinswarm import errors
from coinswarm.market.timeframe import Timeframe
from coinswarm.play.expressions import Output, Shift
from coinswarm.play.model import Feature
from coinswarm.play.reading import operands
from coinswarm.play.reading.features import COLUMNS
from coinswarm.play.reading.problems import Place
from coinswarm.play.reading.state import Declared, ReadingState

MAX_CHAIN = 20


def link_sources(state: ReadingState) -> None:
    """Give every feature whose source is another one its source, and the timeframe and market of that one where it names none.

    All features and structures are declared by now.
    """
    for name in [name for name in state.sources if name in state.declared]:
        _link(name, state, [])


def _link(name: str, state: ReadingState, chain: list[str]) -> Declared:
    """The feature, its source read; each is read once, those that others are computed of first."""
    place = state.sources.pop(name, None)
    if place is None:
        return state.declared[name]
    chain.append(name)
    entry = place.at("source")
    output = _output(entry, state, chain) if entry is not None else None
    chain.pop()
    declared = state.declared[name]
    of = state.declared[output.feature].feature if output is not None else None
    if output is not None and of is not None and declared.feature is not None:
        state.declared[name] = replace(declared, feature=_computed_of(declared.feature, output, of, place, state))
    return state.declared[name]


def _output(place: Place, state: ReadingState, chain: list[str]) -> Output | None:
    """The output that a source names; None after a problem."""
    text = str(place.node.value)
    name = operands.looked_back(text)[0].partition(".")[0]
    if name in chain:
        place.refuse("features must not be sources of each other in a circle", " -> ".join((*chain[chain.index(name) :], name)))
        return None
    if len(chain) > MAX_CHAIN:
        _refuse_length(place)
        return None
    if name not in state.declared:
        _refuse_unknown(place, name, state, chain[-1])
        return None
    declared = _link(name, state, chain)
    indicator = declared.indicator
    if indicator is not None and indicator.structure:
        place.refuse("a source is a column of the bars or a feature, not a structure", text)
        return None
    found = operands.by_name(place, state, text)
    if isinstance(found, Shift):
        place.refuse("a source is known at its own bar; an offset stands in a condition", text)
    if not isinstance(found, Output):
        return None
    if indicator is not None and found.output in indicator.states:
        place.refuse(f"a source has numbers; {operands.label(found)} is a state", text)
        return None
    return found


def _refuse_unknown(place: Place, name: str, state: ReadingState, outer: str) -> None:
    known = [other for other in (*state.declared, *COLUMNS) if other != outer]
    own = [other for other, declared in state.declared.items() if declared.indicator is not None and declared.indicator.name == name]
    if name in state.indicators and not own:
        example = f"declare it first, such as fund: {{ indicator: {name} }}, then source: fund"
        place.refuse(f"a source names a feature of the play, and {name} is an indicator: {example}", name)
        return
    names = own or errors.nearest(name, known) or known[:6]
    place.refuse(f"a source is a column, {' '.join(COLUMNS)}, or a feature of the play", name, names=names)


def _computed_of(feature: Feature, output: Output, of: Feature, place: Place, state: ReadingState) -> Feature:
    """The feature on the bars of its source; another timeframe or market than the source's is refused."""
    timeframe, market = place.at("tf"), place.at("market")
    if timeframe is not None and feature.timeframe_ms != of.timeframe_ms:
        timeframe.refuse(f"a feature stands on the bars of its source, and {of.id} is on {_bars(of, state)}")
    if market is not None and feature.market != of.market:
        market.refuse(f"a feature stands on the market of its source, and {of.id} is of {of.market or 'the traded market'}")
    state.chained[feature.id] = state.chained.get(of.id, 0) + 1
    if state.chained[feature.id] > MAX_CHAIN:
        _refuse_length(place)
    return replace(feature, source=output, timeframe_ms=of.timeframe_ms, market=of.market)


def _refuse_length(place: Place) -> None:
    place.refuse(f"a feature is computed of at most {MAX_CHAIN} others in a row", "")


def _bars(feature: Feature, state: ReadingState) -> str:
    length_ms = feature.timeframe_ms or state.exec_ms
    return "the exec bars" if length_ms is None else str(Timeframe(length_ms))
