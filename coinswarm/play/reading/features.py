"""Features of a play: named indicators with parameters, as a mapping or as a list."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from coinswarm import errors
from coinswarm.indicators.catalog import Indicator
from coinswarm.play.expressions import Setting
from coinswarm.play.model import Feature
from coinswarm.play.reading import numbers, timeframes
from coinswarm.play.reading.problems import Place
from coinswarm.play.reading.state import Declared, ReadingState

COLUMNS = ("open", "high", "low", "close", "volume", "hl2", "hlc3", "ohlc4")
_NAME = re.compile(r"[A-Za-z_][\w\-]*")
_LENGTHS = ("period", "periods", "window", "timeperiod")
IDLE = ("atr_key",)  # names the range that `min_atr_move` would count in; means nothing alone
KEYS = ("indicator", "indicator_type", "type", "params", "tf", "source", "market", "id")


@dataclass(frozen=True, slots=True)
class Declaration:
    """One feature or structure as it stands in the file.

    Attributes:
        id: its name.
        place: its mapping.
        indicator: name of the indicator, not looked up yet.
        timeframe_ms: None for the exec bars.
        inherited: parameters taken over from structures it uses.
    """

    id: str
    place: Place
    indicator: str
    timeframe_ms: int | None = None
    inherited: Mapping[str, Setting] | None = None


def read_features(root: Place, state: ReadingState) -> None:
    """Declare every entry of `features` in the state; broken ones too, so that uses of them are not reported again."""
    block = root.at("features")
    if block is None:
        return
    if not (block.is_list() or block.is_map()):
        block.refuse("features must be a mapping of names, or a list with an id each")
        return
    for name, place in _entries(block):
        declare(name, place, state, _feature(name, place, state))


def _entries(block: Place) -> list[tuple[str, Place]]:
    if block.is_map():
        return list(block.entries())
    found = []
    for place in block.items():
        entry = place.at("id")
        name = entry.word("the id of a feature") if entry else None
        if name is None and (entry is None or not place.is_map()):
            place.refuse("a feature in a list needs an id")
        if name is not None:
            found.append((name, place))
    return found


def declare(name: str, place: Place, state: ReadingState, declared: Declared) -> None:
    """Enter a feature under its name, after checking the name."""
    if not _NAME.fullmatch(name):
        place.refuse("the name of a feature has letters, digits, _ and - only", name)
    elif name in COLUMNS and not (declared.feature and declared.feature.indicator == name):
        place.refuse("a feature cannot be called like a column of the bars", name)
    elif name in state.declared:
        place.refuse("a feature's name stands once among features and structures", name)
    else:
        state.declared[name] = declared


def _feature(name: str, place: Place, state: ReadingState) -> Declared:
    if not place.check_map(KEYS, "a feature", elsewhere=_parameters(place, state)):
        return Declared(None, None)
    kind = place.at("type")
    if kind is not None and (kind.one_of(("indicator",), "the type of a feature (structures stand under structures)") is None):
        return Declared(None, None)
    entry = place.at("indicator") or place.at("indicator_type")
    text = entry.word("an indicator") if entry else None
    if entry is None:
        place.refuse("a feature needs an indicator")
    tf = place.at("tf")
    timeframe_ms = state.slower(tf) if tf else None
    if entry is None or text is None:
        return Declared(None, None)
    return build(Declaration(name, place, text.lower(), timeframe_ms), state, entry)


def _parameters(place: Place, state: ReadingState) -> dict[str, str]:
    """Where each parameter of the feature's indicator stands, and a length by the names that others have for it."""
    named = place.at("indicator") or place.at("indicator_type")
    indicator = state.indicators.get(str(named.node.value).lower()) if named else None
    names = {spec.name: spec.name for spec in indicator.parameters} if indicator else {}
    names |= dict.fromkeys(_LENGTHS, "length") if "length" in names else {}
    return {key: f"{place.path}.params.{name}" for key, name in names.items()}


def build(declaration: Declaration, state: ReadingState, named_at: Place) -> Declared:
    """Look the indicator up and read its parameters; a problem that leaves it unusable gives an empty declaration."""
    indicator = state.indicators.get(declaration.indicator)
    if indicator is None:
        named_at.refuse(
            "an indicator must be one of the catalogue's",
            declaration.indicator,
            names=errors.nearest(declaration.indicator, state.indicators),
        )
        return Declared(None, None)
    params = _params(declaration, indicator, state)
    feature = Feature(
        id=declaration.id,
        indicator=indicator.name,
        params=tuple(sorted(params.items())),
        timeframe_ms=declaration.timeframe_ms,
        source=_source(declaration, indicator, state),
        market=_market(declaration.place),
    )
    return Declared(feature, indicator)


def _params(declaration: Declaration, indicator: Indicator, state: ReadingState) -> dict[str, Setting]:
    specs = {spec.name: spec for spec in indicator.parameters}
    given = _given(declaration, indicator, tuple(specs))
    params: dict[str, Setting] = {}
    for name, spec in specs.items():
        if name in given and given[name].node.value is not None:
            params[name] = numbers.parameter(given[name], state, spec, f"{declaration.id}.{name}")
        elif declaration.inherited is not None and name in declaration.inherited:
            params[name] = declaration.inherited[name]
        elif spec.default is not None:
            params[name] = float(spec.default) if isinstance(spec.default, int) and not isinstance(spec.default, bool) else spec.default
            state.settings.setdefault(f"{declaration.id}.{name}", params[name])
        else:
            declaration.place.refuse(f"{indicator.name} needs the parameter {name}", f"params of {declaration.id}")
    return params


def _given(declaration: Declaration, indicator: Indicator, known: tuple[str, ...]) -> dict[str, Place]:
    block = declaration.place.at("params")
    if block is None:
        return {}
    idle = tuple(key for key in IDLE if indicator.structure and key not in known and block.at(key) is not None)
    for key in idle:
        block.warn(f"{key} has no effect on {indicator.name}")
    return dict(block.entries()) if block.check_map((*known, *idle), f"params of {indicator.name}") else {}


def _source(declaration: Declaration, indicator: Indicator, state: ReadingState) -> Setting:
    entry = declaration.place.at("source")
    if entry is None:
        return "close"
    if not indicator.takes_source:
        entry.warn(f"{indicator.name} is computed of whole bars; source has no effect")
        return "close"
    if entry.is_list() and not all(_is_column(item) for item in entry.items()):
        entry.refuse("a list of sources has columns to choose from; another feature as source stands alone")
        return "close"
    if isinstance(entry.node.value, str) and not _is_column(entry):
        state.sources[declaration.id] = declaration.place
        return "close"
    return numbers.word(entry, state, COLUMNS, f"{declaration.id}.source")


def _is_column(place: Place) -> bool:
    return str(place.node.value).lower() in COLUMNS


def _market(place: Place) -> str | None:
    entry = place.at("market")
    return timeframes.read_market(entry) if entry else None
