"""Indicators on the bars a play trades: of the same bars, of slower bars, or of another market, as known at the close of each."""

from __future__ import annotations

from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np

from coinswarm import config, errors
from coinswarm.indicators import align, catalog, sources
from coinswarm.indicators.align import Alignment
from coinswarm.indicators.catalog import Indicator, Parameter, Params
from coinswarm.market import resample
from coinswarm.market.bars import Bars
from coinswarm.market.timeframe import Timeframe
from coinswarm.types import FloatArray

_SLOW: WeakKeyDictionary[Bars, dict[int, Bars]] = WeakKeyDictionary()
_SHOWN: WeakKeyDictionary[Bars, WeakKeyDictionary[Bars, Alignment]] = WeakKeyDictionary()
"""Resampled bars and alignments, kept as long as the bars they belong to: a play's slow features share them (2 ms on 72k bars)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Series:
    """One output of an indicator on the bars it is computed on: what another indicator may be computed of.

    Attributes:
        values: (n_own,) float64, each known at the close of its bar; NaN or infinite where there is no value.
        first: the first that may be used; n_own when there is none.
    """

    values: FloatArray
    first: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Computed:
    """An indicator's values on the exec bars.

    Attributes:
        outputs: name of each output -> (n_exec,) float64, NaN where there is no value.
        first: first exec bar whose values do not depend on where the data began; n_exec when there is none.
        series: name of each output -> the same on the indicator's own bars.
    """

    outputs: dict[str, FloatArray]
    first: int
    series: dict[str, Series]


def compute(
    indicator: str,
    params: Params,
    bars: Bars,
    *,
    source: str | Series = "close",
    timeframe_ms: int | None = None,
    market: Bars | None = None,
    warmup_tolerance: float = config.WARMUP_TOLERANCE,
) -> Computed:
    """Compute one feature of a play on its exec bars.

    Args:
        indicator: name in the catalogue.
        params: its parameters; what is left out takes its default.
        bars: n_exec candles the play trades on.
        source: column the indicator is computed of, where it takes one; see `sources.SOURCES`. Or what another indicator gave on the same
            bars: of each stretch without a missing value, from the first that may be used, the indicator is computed alone, and its first
            `warmup` values there are missing.
        timeframe_ms: length of the bars the indicator is computed on, milliseconds; None: that of the exec bars.
        market: candles of another market to compute it on; None: `bars` themselves.
        warmup_tolerance: how far the bars before the data may move a value that is called warm, in units of an output's own scale.

    Returns:
        Values on the exec bars. Those of bar `i` are known at its close: on slower bars and other markets they are those of the
        last bar that is known by then (`Bars.close_ts`), NaN where there is none yet or the last one is older than
        `align.GREATEST_AGE` of its bars.

    Raises:
        NotFound: the catalogue has no such indicator.
        InvalidArgument: a parameter is unknown, missing or outside its bounds; the source is unknown; the timeframe is faster than the
            exec bars or than the other market's, or no multiple of them; another indicator is the source of one that takes none.
        ShapeMismatch: the source has values on other bars.
    """
    entry = find(indicator)
    settings = {**complete(entry, params), catalog.TOLERANCE: warmup_tolerance}
    origin = _origin(bars, market, timeframe_ms)
    if isinstance(source, Series):
        arrays, start = _of_series(entry, settings, origin, source), source.first
    elif len(origin) == 0:
        arrays, start = tuple(np.empty(0) for _ in entry.outputs), 0
    else:
        arrays, start = entry.compute(origin, settings, sources.column(origin, source)), 0
    first = _first(arrays, start + entry.warmup(settings))
    series = {name: Series(values=values, first=first) for name, values in zip(entry.outputs, arrays, strict=True)}
    if origin is bars:
        return Computed(outputs=dict(zip(entry.outputs, arrays, strict=True)), first=first, series=series)
    shown = _shown(bars, origin)
    spread = {name: align.spread(each.values, shown) for name, each in series.items()}
    return Computed(outputs=spread, first=int(np.searchsorted(shown.index, first)) if len(origin) else len(bars), series=series)


def _of_series(entry: Indicator, settings: Params, origin: Bars, source: Series) -> tuple[FloatArray, ...]:
    """(n_own,) an output: computed of each stretch of the source alone, NaN where it is not warm there."""
    if not entry.takes_source:
        raise errors.InvalidArgument(f"{entry.name} is computed of whole bars", found="another feature as its source")
    if source.values.size != len(origin):
        raise errors.ShapeMismatch(f"a source must have a value for each of {len(origin)} bars", found=source.values.size)
    warmup = entry.warmup(settings)
    outputs = tuple(np.full(len(origin), np.nan) for _ in entry.outputs)
    for start, end in _stretches(source):
        if end - start > warmup:
            part = np.ascontiguousarray(source.values[start:end])
            for whole, values in zip(outputs, entry.compute(origin[start:end], settings, part), strict=True):
                whole[start + warmup : end] = values[warmup:]
    return outputs


def _stretches(source: Series) -> list[tuple[int, int]]:
    """Start and end of each run of known values, from the first that may be used."""
    known = np.isfinite(source.values)
    known[: source.first] = False
    edges = np.flatnonzero(np.diff(known, prepend=False, append=False))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def find(indicator: str) -> Indicator:
    """The catalogue's entry of that name.

    Raises:
        NotFound: there is none; the nearest names are given.
    """
    if indicator not in catalog.CATALOG:
        raise errors.not_found("indicator", indicator, catalog.CATALOG)
    return catalog.CATALOG[indicator]


def warm_up(indicator: str, params: Params, warmup_tolerance: float) -> int:
    """Bars of its own that an indicator declares as its warm-up; see `compute` for the arguments and what is raised."""
    entry = find(indicator)
    return entry.warmup({**complete(entry, params), catalog.TOLERANCE: warmup_tolerance})


def complete(entry: Indicator, params: Params) -> dict[str, float | str | bool]:
    """Every parameter of an indicator: those given, checked, and the defaults of the others.

    Raises:
        InvalidArgument: a parameter is unknown, missing, or outside its bounds.
    """
    parameters = {parameter.name: parameter for parameter in entry.parameters}
    for name in params:
        if name not in parameters:
            raise errors.InvalidArgument(f"{entry.name} takes {', '.join(parameters) or 'no parameters'}", found=repr(name))
    return {name: _value(entry, parameter, params) for name, parameter in parameters.items()}


def _value(entry: Indicator, parameter: Parameter, params: Params) -> float | str | bool:
    value = params.get(parameter.name, parameter.default)
    if value is None:
        raise errors.InvalidArgument(f"{entry.name} needs {parameter.name}")
    if parameter.words:
        if value not in parameter.words:
            raise errors.InvalidArgument(f"{entry.name}.{parameter.name} must be one of {' '.join(parameter.words)}", found=repr(value))
        return value
    if isinstance(value, str) or not parameter.low <= value <= parameter.high:
        raise errors.InvalidArgument(f"{entry.name}.{parameter.name} must be in [{parameter.low:g}, {parameter.high:g}]", found=repr(value))
    if not parameter.integer:
        return float(value)
    if value != int(value):
        raise errors.InvalidArgument(f"{entry.name}.{parameter.name} must be a whole number", found=repr(value))
    return int(value)


def _origin(bars: Bars, market: Bars | None, timeframe_ms: int | None) -> Bars:
    """The bars the indicator is computed on; resampling leaves out a first slow bar of which only the end is there.

    It keeps a last one that this market's bars do not end: on our bars it shows when its time is over, and never before.
    """
    given = bars if market is None else market
    length_ms = bars.timeframe.ms if timeframe_ms is None else timeframe_ms
    if length_ms < bars.timeframe.ms:
        raise errors.InvalidArgument(
            "a feature's timeframe must not be faster than the exec bars", found=f"{Timeframe(length_ms)} on {bars.timeframe}"
        )
    if length_ms == given.timeframe.ms or len(given) == 0:
        return given
    slower = _SLOW.setdefault(given, {})
    if length_ms not in slower:
        slower[length_ms] = resample.resample(given, Timeframe(length_ms), unfinished=True)
    return slower[length_ms]


def _shown(bars: Bars, origin: Bars) -> Alignment:
    known = _SHOWN.setdefault(bars, WeakKeyDictionary())
    if origin not in known:
        known[origin] = align.align(bars.close_ts, origin.close_ts, origin.timeframe.ms)
    return known[origin]


def _first(arrays: tuple[FloatArray, ...], warmup: int) -> int:
    """First index from `warmup` on at which any output has a value: an indicator that waits for an event has none before it."""
    size = arrays[0].size
    if warmup >= size:
        return size
    if any(array[warmup] == array[warmup] for array in arrays):
        return warmup
    known = ~np.isnan(arrays[0][warmup:])
    for array in arrays[1:]:
        known |= ~np.isnan(array[warmup:])
    return warmup + int(known.argmax()) if known.any() else size
