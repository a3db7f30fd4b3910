"""Features by name, in the catalogue's words: `rsi(14)`, `rsi(14)@1h`, `bbands(20).bandwidth`, `BTC/USDT:roc(5)`, `ema(20,source=hl2)`.

A name says indicator, parameters in the catalogue's order or as `name=value`, an output where there are several, the length of slower bars
and another market. There is no way to write a bar that is still to come: every feature of the catalogue is known at the close of its bar.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from coinswarm import errors
from coinswarm.indicators import features, sources
from coinswarm.indicators.catalog import Indicator
from coinswarm.market import symbols
from coinswarm.market.timeframe import Timeframe
from coinswarm.play.model import Feature

BASE = (
    "momentum(1)", "momentum(5)", "sma_distance(10)", "volume_ratio(20)", "volatility(20)", "hour_of_day", "day_of_week", "funding_rate",
)  # fmt: skip
"""What every chaos trade is described by, before the features that are named."""
VOLATILITY = BASE.index("volatility(20)")
FUNDING = BASE.index("funding_rate")
"""Spot markets have none: it is missing there and nothing waits for it."""

_FORM = re.compile(
    r"(?:(?P<market>[^()@]+):)?(?P<indicator>[A-Za-z_]\w*)(?:\((?P<params>[^()]*)\))?"
    r"(?:\.(?P<output>\w+))?(?:@(?P<tf>\w+))?(?:\.(?P<later>\w+))?"
)
_NO_LOOKING_AHEAD = "features are known at the close of their bar; there is no way to name one that looks ahead"
_SYNTAX = f"such as rsi(14), rsi(14)@1h, bbands(20).bandwidth or BTC/USDT:roc(5). {_NO_LOOKING_AHEAD}"


@dataclass(frozen=True, kw_only=True, slots=True)
class FeatureName:
    """One output of a feature.

    Attributes:
        indicator: name in the catalogue, `output` one of its outputs.
        params: every parameter, in the catalogue's order.
        source: column it is computed of.
        timeframe_ms: length of its bars; None: the traded bars.
        market: canonical symbol of another market; None: the traded one.
    """

    indicator: str
    params: tuple[tuple[str, float | str | bool], ...]
    output: str
    source: str = "close"
    timeframe_ms: int | None = None
    market: str | None = None

    def __str__(self) -> str:
        """The canonical name: equal features have equal names, and reading it gives this feature."""
        values = [_text(value) for _, value in self.params] + ([f"source={self.source}"] if self.source != "close" else [])
        outputs = features.find(self.indicator).outputs
        return "".join(
            (
                "" if self.market is None else f"{self.market}:",
                self.indicator,
                f"({','.join(values)})" if values else "",
                f".{self.output}" if len(outputs) > 1 else "",
                "" if self.timeframe_ms is None else f"@{Timeframe(self.timeframe_ms)}",
            )
        )

    def feature(self, name: str) -> Feature:
        """The same feature as a play declares it, under the id `name`; its value is the output `output` of that feature."""
        params = tuple(sorted((key, float(value) if _is_number(value) else value) for key, value in self.params))
        return Feature(
            id=name, indicator=self.indicator, params=params, timeframe_ms=self.timeframe_ms, source=self.source, market=self.market
        )


def read(text: str) -> FeatureName:
    """The feature that a name means.

    Raises:
        InvalidArgument: it is no such name, a parameter is unknown or out of bounds, or there is no such output or source.
        NotFound: the catalogue has no such indicator.
    """
    match = _FORM.fullmatch("".join(text.split()))
    if match is None or (match["output"] and match["later"]):
        raise errors.InvalidArgument("a feature is named by indicator, parameters, output and timeframe", found=repr(text), hint=_SYNTAX)
    entry = _indicator(match["indicator"].lower())
    given, source = _given(entry, match["params"] or "", text)
    return FeatureName(
        indicator=entry.name,
        params=tuple(_complete(entry, given).items()),
        output=_output(entry, match["output"] or match["later"]),
        source=source,
        timeframe_ms=None if match["tf"] is None else Timeframe.parse(match["tf"]).ms,
        market=None if match["market"] is None else symbols.canonical(match["market"]),
    )


def described_by(features: tuple[str, ...] | list[str]) -> tuple[FeatureName, ...]:
    """What trades are described by: the base features and those named, each once, in that order.

    Raises:
        InvalidArgument, NotFound: as `read`.
    """
    return tuple(dict.fromkeys(read(text) for text in (*BASE, *features)))


def _indicator(name: str) -> Indicator:
    try:
        return features.find(name)
    except errors.NotFound as unknown:
        raise errors.NotFound(unknown.rule, hint=f"{unknown.hint}; {_NO_LOOKING_AHEAD}") from None


def _given(entry: Indicator, text: str, name: str) -> tuple[dict[str, float | str | bool], str]:
    """Parameters by name, and the source column."""
    parameters = [parameter.name for parameter in entry.parameters]
    given: dict[str, float | str | bool] = {}
    source = "close"
    for place, word in enumerate(part for part in text.split(",") if part):
        key, equals, value = word.rpartition("=")
        if equals and key == "source" and entry.takes_source:
            source = _source(value)
            continue
        if not equals and place >= len(parameters):
            raise errors.InvalidArgument(f"{entry.name} takes {', '.join(parameters) or 'no parameters'}", found=repr(name))
        key = key if equals else parameters[place]
        if key in given:
            raise errors.InvalidArgument(f"{entry.name}.{key} is given once", found=repr(name))
        given[key] = _value(value)
    return given, source


def _complete(entry: Indicator, params: Mapping[str, float | str | bool]) -> dict[str, float | str | bool]:
    try:
        return features.complete(entry, params)
    except errors.InvalidArgument as problem:
        backwards = any(isinstance(value, float) and value < 0 for value in params.values())
        raise errors.InvalidArgument(problem.rule, found=problem.found, hint=_NO_LOOKING_AHEAD if backwards else "") from None


def _source(name: str) -> str:
    if name not in sources.SOURCES:
        raise errors.InvalidArgument(f"source must be one of {' '.join(sources.SOURCES)}", found=repr(name))
    return name


def _output(entry: Indicator, name: str | None) -> str:
    if name is None and len(entry.outputs) > 1:
        raise errors.InvalidArgument(
            f"{entry.name} has the outputs {', '.join(entry.outputs)}: name one", hint=f"such as {entry.name}.{entry.outputs[0]}"
        )
    if name is not None and name not in entry.outputs:
        hint = errors.near_hint(name, entry.outputs)
        raise errors.InvalidArgument(f"an output of {entry.name} is one of {', '.join(entry.outputs)}", found=repr(name), hint=hint)
    return name or entry.outputs[0]


def _value(word: str) -> float | str:
    try:
        return float(word)
    except ValueError:
        return word


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _text(value: float | str | bool) -> str:
    return f"{value:g}" if _is_number(value) and float(f"{value:g}") == value else str(value)
