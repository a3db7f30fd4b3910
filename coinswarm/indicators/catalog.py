"""The catalogue of features: every indicator and structure by name, with parameters, outputs and warm-up.

The one table that the play language checks names against and that both simulators compute from.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from coinswarm import config, errors
from coinswarm.market.bars import Bars
from coinswarm.types import FloatArray

Params = Mapping[str, float | str | bool]
TOLERANCE = "warmup_tolerance"
"""Where the parameters of an indicator carry the run's warm-up tolerance: it is no parameter of the indicator, and no play may name it."""
Compute = Callable[[Bars, Params, FloatArray], tuple[FloatArray, ...]]
"""(bars, every parameter, (n_bars,) source column) -> one (n_bars,) array an output; NaN where there is no value yet."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Parameter:
    """A parameter of an indicator.

    Attributes:
        default: its value when a play leaves it out; None: it must be given.
        low, high: bounds of a number, both allowed.
        integer: only whole numbers.
        words: what a word parameter may say; empty for numbers.
    """

    name: str
    default: float | str | bool | None
    low: float = 1.0
    high: float = 100_000.0
    integer: bool = True
    words: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Indicator:
    """A named function of bars.

    Attributes:
        outputs: names in the order `compute` returns them; an indicator of one output calls it `value`.
        states: for outputs that are states, the words and the number each is stored as; such an output may be compared with `==`.
        discrete: outputs that hold whole numbers and may be compared with `==`.
        takes_source: it is computed of one column, which a play may name.
        warmup: bars after which where the data began moves a value by no more than the run's warm-up tolerance, of the value or of the
            output's own scale; an output that switches is then wrong with a chance below it. The value at index `warmup(params)` is the
            first that may be used. `tolerance(params)` is the tolerance.
        compute: see `Compute`. Values at `i` use bars `0..i` only.
        cite: where the definition comes from.
    """

    name: str
    outputs: tuple[str, ...] = ("value",)
    parameters: tuple[Parameter, ...] = ()
    states: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    discrete: tuple[str, ...] = ()
    takes_source: bool = False
    structure: bool = False
    warmup: Callable[[Params], int]
    compute: Compute
    cite: str

    @property
    def default_output(self) -> str | None:
        """What a feature's bare name means: its only output, `value`, or the output called like the indicator; None: one must be named."""
        if len(self.outputs) == 1:
            return self.outputs[0]
        return next((name for name in ("value", self.name) if name in self.outputs), None)


CATALOG: dict[str, Indicator] = {}
"""Filled by the family modules when `coinswarm.indicators` is imported."""


def register(indicator: Indicator) -> None:
    """Add an indicator to the catalogue; a name is taken once."""
    if indicator.name in CATALOG:
        raise errors.InvalidArgument("an indicator's name must be new", found=indicator.name)
    CATALOG[indicator.name] = indicator


def define(
    name: str,
    *parameters: Parameter,
    warmup: Callable[[Params], int],
    cite: str,
    outputs: tuple[str, ...] = ("value",),
    takes_source: bool = False,
    structure: bool = False,
    discrete: tuple[str, ...] = (),
    states: Mapping[str, Mapping[str, float]] | None = None,
) -> Callable[[Compute], Compute]:
    """Enter the decorated function in the catalogue; see `Indicator` for what each argument says."""

    def enter(compute: Compute) -> Compute:
        register(
            Indicator(
                name=name,
                outputs=outputs,
                parameters=parameters,
                states=states or {},
                discrete=discrete,
                takes_source=takes_source,
                structure=structure,
                warmup=warmup,
                compute=compute,
                cite=cite,
            )
        )
        return compute

    return enter


def whole(params: Params, name: str) -> int:
    """A parameter that is a whole number."""
    return int(params[name])


def number(params: Params, name: str) -> float:
    """A parameter that is a number."""
    return float(params[name])


def tolerance(params: Params) -> float:
    """The run's warm-up tolerance, in units of an output's own scale; the default's where the parameters do not carry one."""
    return float(params.get(TOLERANCE, config.WARMUP_TOLERANCE))


def bars_of(name: str, default: int, *, low: int = 2) -> Parameter:
    """A parameter that counts bars."""
    return Parameter(name=name, default=default, low=low, high=10_000)


def length(default: int, *, low: int = 2) -> Parameter:
    """The parameter most indicators have: how many bars they look at."""
    return bars_of("length", default, low=low)
