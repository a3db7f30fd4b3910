"""The catalogue in words: what each indicator and structure takes, gives and waits for. Commands and pages are made of it."""

from __future__ import annotations

from dataclasses import dataclass

import coinswarm.indicators  # noqa: F401 - importing it fills the catalogue
from coinswarm import config
from coinswarm.indicators import catalog, features
from coinswarm.indicators.catalog import Indicator, Parameter


@dataclass(frozen=True, kw_only=True, slots=True)
class ParameterEntry:
    """A parameter: its default as a play writes it, `needed` where there is none, and what it may be."""

    name: str
    default: str
    may_be: str


@dataclass(frozen=True, kw_only=True, slots=True)
class OutputEntry:
    """An output: what a condition calls it for a feature that is called like its indicator, and what it holds."""

    name: str
    holds: str


@dataclass(frozen=True, kw_only=True, slots=True)
class CatalogEntry:
    """One indicator or structure.

    Attributes:
        name: as plays name it. summary: what it is, in a sentence. details: the rest of what is said of it; may be empty.
        warm_up: bars of its own until it may be used, at the defaults and the usual tolerance; None: it depends on what must be given.
        takes_source: it is computed of one column or of another feature.
        cite: where the definition comes from.
        example: a play in YAML that declares it and names its first output, without risk.
    """

    name: str
    structure: bool
    summary: str
    details: str
    parameters: tuple[ParameterEntry, ...]
    outputs: tuple[OutputEntry, ...]
    warm_up: int | None
    takes_source: bool
    cite: str
    example: str


def entries() -> tuple[CatalogEntry, ...]:
    """All of the catalogue: indicators, then structures, each by name."""
    ordered = sorted(catalog.CATALOG.values(), key=lambda indicator: (indicator.structure, indicator.name))
    return tuple(_entry(indicator) for indicator in ordered)


def entry(name: str) -> CatalogEntry:
    """One indicator or structure.

    Raises:
        NotFound: the catalogue has none of that name; the nearest are given.
    """
    return _entry(features.find(name.lower()))


def _entry(indicator: Indicator) -> CatalogEntry:
    summary, _, details = (indicator.compute.__doc__ or "").partition("\n")
    given = all(parameter.default is not None for parameter in indicator.parameters)
    return CatalogEntry(
        name=indicator.name,
        structure=indicator.structure,
        summary=summary.strip(),
        details=" ".join(details.split()),
        parameters=tuple(_parameter(parameter) for parameter in indicator.parameters),
        outputs=tuple(OutputEntry(name=_called(indicator, output), holds=_holds(indicator, output)) for output in indicator.outputs),
        warm_up=features.warm_up(indicator.name, {}, config.WARMUP_TOLERANCE) if given else None,
        takes_source=indicator.takes_source,
        cite=indicator.cite,
        example=_example(indicator),
    )


def _parameter(parameter: Parameter) -> ParameterEntry:
    if parameter.words:
        may_be = ", ".join(parameter.words)
    elif isinstance(parameter.default, bool):
        may_be = "true, false"
    else:
        may_be = f"{'whole' if parameter.integer else 'real'}, {parameter.low:.12g} to {parameter.high:.12g}"
    default = "needed" if parameter.default is None else _written(parameter.default)
    return ParameterEntry(name=parameter.name, default=default, may_be=may_be)


def _written(value: float | str | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else value if isinstance(value, str) else f"{value:.12g}"


def _called(indicator: Indicator, output: str) -> str:
    return indicator.name if output == indicator.default_output == "value" else f"{indicator.name}.{output}"


def _holds(indicator: Indicator, output: str) -> str:
    if output in indicator.states:
        return ", ".join(indicator.states[output])
    return "whole number" if output in indicator.discrete else "number"


def _example(indicator: Indicator) -> str:
    values = {each.name: each.words[0] if each.default is None else _written(each.default) for each in indicator.parameters}
    params = ", ".join(f"{name}: {value}" for name, value in values.items())
    given = f", params: {{ {params} }}" if params else ""
    name = indicator.name
    declared = (
        f"structures: {{ exec: [{{ type: {name}, key: {name}{given} }}] }}"
        if indicator.structure
        else f"features: {{ {name}: {{ indicator: {name}{given} }} }}"
    )
    output = indicator.outputs[0]
    states = indicator.states.get(output)
    right = next(iter(states)) if states else "1" if output in indicator.discrete else "0"
    operator = "==" if output in (*indicator.states, *indicator.discrete) else ">"
    return f'{declared}\nactions: {{ entry_long: [[{_called(indicator, output)}, "{operator}", {right}]] }}\n'
