"""Operands and conditions of a play over a batch of variants, each different one computed once.

Every method returns a `Distinct`: operands as arrays or numbers, conditions as packed bits. Results live in the scorer's cache under keys
that spell out what they are, so the next generation finds them again.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from coinswarm import errors
from coinswarm.fitness.cache import Cache
from coinswarm.fitness.distinct import Distinct, combinations
from coinswarm.indicators import features
from coinswarm.kernels import bits
from coinswarm.market.bars import Bars
from coinswarm.play import expressions, model
from coinswarm.types import Bits, FloatArray, IntArray

Value = FloatArray | float
_ENTRY_BYTES = 512
"""What remembering a result costs besides the result: its key, which spells out all that it was made of (about 420 bytes measured)."""
_COLUMNS: dict[str, Callable[[Bars], FloatArray]] = {
    "open": lambda bars: bars.open,
    "high": lambda bars: bars.high,
    "low": lambda bars: bars.low,
    "close": lambda bars: bars.close,
    "volume": lambda bars: bars.volume,
    "hl2": lambda bars: (bars.high + bars.low) / 2.0,
    "hlc3": lambda bars: (bars.high + bars.low + bars.close) / 3.0,
    "ohlc4": lambda bars: (bars.open + bars.high + bars.low + bars.close) / 4.0,
}
_COMPARE: dict[str, Callable[[Value, Value], Any]] = {
    ">": lambda left, right: left > right,
    "<": lambda left, right: left < right,
    ">=": lambda left, right: left >= right,
    "<=": lambda left, right: left <= right,
    "==": lambda left, right: left == right,
    "!=": lambda left, right: (left < right) | (left > right),
}


class Evaluation:
    """One batch of variants on one market's bars."""

    def __init__(self, play: model.Play, values: FloatArray, bars: Bars, markets: dict[str, Bars], cache: Cache) -> None:
        self.play = play
        self.values = values
        self.bars = bars
        self.markets = markets
        self.cache = cache
        self.n = len(bars)
        self.n_variants = values.shape[0]
        self._slots: dict[int, tuple[list[float], IntArray]] = {}
        self._features: dict[str, Distinct] = {}

    # --- what may vary ----------------------------------------------------------------------------------------------

    def number(self, number: expressions.Number) -> Distinct:
        """A number that is written out, or the different values its dimension takes in this batch."""
        if not isinstance(number, expressions.Slot):
            return self._constant(float(number))
        found, which = self._slot(number.index)
        return Distinct(found, found, np.zeros(len(found), dtype=np.int64), which)

    def setting(self, setting: expressions.Setting) -> Distinct:
        """Like `number`, for parameters that may also be words or truths: their genes are places in the list of choices."""
        if not isinstance(setting, expressions.Slot):
            return self._constant(setting)
        found, which = self._slot(setting.index)
        choices = self.play.space.dimensions[setting.index].choices
        if any(isinstance(choice, (str, bool)) for choice in choices):
            words = [choices[int(place)] for place in found]
            return Distinct(words, words, np.zeros(len(words), dtype=np.int64), which)
        return Distinct(found, found, np.zeros(len(found), dtype=np.int64), which)

    def _slot(self, index: int) -> tuple[list[float], IntArray]:
        if index not in self._slots:
            found, which = np.unique(self.values[:, index], return_inverse=True)
            self._slots[index] = (found.tolist(), which.reshape(-1).astype(np.int64))
        return self._slots[index]

    def _constant(self, value: Any) -> Distinct:
        return Distinct([value], [value], np.zeros(1, dtype=np.int64), np.zeros(self.n_variants, dtype=np.int64))

    def combine(
        self,
        name: Hashable,
        children: Sequence[Distinct],
        make: Callable[..., Any],
        reach: Callable[..., int] = lambda *_: 0,
    ) -> Distinct:
        """A node over its children: `make(*results)` once for each combination that occurs; `reach` adds to the first usable bar."""
        picks, which = combinations([child.index for child in children], [len(child.keys) for child in children], self.n_variants)
        keys, results, firsts = [], [], np.zeros(picks.shape[0], dtype=np.int64)
        for k, pick in enumerate(picks.tolist()):
            key = (name, *(child.keys[p] for child, p in zip(children, pick, strict=True)))
            arguments = [child.results[p] for child, p in zip(children, pick, strict=True)]
            results.append(self.cache.get(key, partial(make, *arguments), _size))
            keys.append(key)
            first = max((int(child.firsts[p]) for child, p in zip(children, pick, strict=True)), default=0)
            firsts[k] = first + reach(*arguments)
        return Distinct(keys, results, firsts, which)

    # --- operands ---------------------------------------------------------------------------------------------------

    def operand(self, node: expressions.Operand) -> Distinct:
        """The different values of an operand: (n_bars,) arrays or numbers."""
        match node:
            case expressions.Literal(value):
                return self.number(value)
            case expressions.Column(name):
                return self.combine(("column", name), [], lambda: _COLUMNS[name](self.bars))
            case expressions.Output(feature, output):
                return self._output(feature, output)
            case expressions.Shift(operand, count):
                return self.combine("shift", [self.operand(operand), self.number(count)], _shift, lambda _, bars: int(bars))
            case expressions.Arithmetic(operator, left, right):
                return self.combine(operator, [self.operand(left), self.operand(right)], lambda a, b: _arithmetic(operator, a, b))

    def _output(self, feature: str, output: str) -> Distinct:
        computed = self._feature(self.play.features[feature])
        return Distinct(
            [(key, output) for key in computed.keys],
            [result.outputs[output] for result in computed.results],
            computed.firsts,
            computed.index,
        )

    def feature_firsts(self, feature: str) -> IntArray:
        """(n_variants,) the first bar on which each variant's feature is warm; n_bars where it never is."""
        return self._feature(self.play.features[feature]).first_of_variants()

    def _feature(self, feature: model.Feature) -> Distinct:
        if feature.id not in self._features:
            names = [name for name, _ in feature.params]
            children = [self.setting(value) for _, value in feature.params]
            plain = self.combine(
                ("feature", feature.indicator, feature.timeframe_ms, feature.market, *names),
                [self._source(feature.source), *children],
                lambda source, *values: self._compute(feature, source, dict(zip(names, values, strict=True))),
            )
            firsts = np.array([result.first for result in plain.results], dtype=np.int64)
            self._features[feature.id] = Distinct(plain.keys, plain.results, firsts, plain.index)
        return self._features[feature.id]

    def _source(self, source: expressions.Setting | expressions.Output) -> Distinct:
        """The columns that a feature is computed of, or what the feature that is its source gives."""
        if not isinstance(source, expressions.Output):
            return self.setting(source)
        of = self._feature(self.play.features[source.feature])
        keys = [(key, source.output) for key in of.keys]
        return Distinct(keys, [result.series[source.output] for result in of.results], of.firsts, of.index)

    def _compute(self, feature: model.Feature, source: str | features.Series, params: dict[str, Any]) -> features.Computed:
        market = None
        if feature.market is not None and feature.market != self.bars.symbol:
            if feature.market not in self.markets:
                raise errors.not_found("market", feature.market, self.markets)
            market = self.markets[feature.market]
        found = features.compute(
            feature.indicator, params, self.bars, source=source, timeframe_ms=feature.timeframe_ms, market=market,
            warmup_tolerance=self.play.warmup_tolerance,
        )  # fmt: skip
        return replace(found, outputs={name: _finite(values) for name, values in found.outputs.items()})

    # --- conditions -------------------------------------------------------------------------------------------------

    def condition(self, node: expressions.Condition) -> Distinct:
        """The different truths of a condition: packed bits."""
        match node:
            case expressions.Compare(operator, left, right):
                return self.combine(("compare", operator), [self.operand(left), self.operand(right)], self._comparer(operator))
            case expressions.Between(operand, low, high):
                return self.combine("between", [self.operand(child) for child in (operand, low, high)], self._between)
            case expressions.Near(left, right, tolerance, percent):
                children = [self.operand(child) for child in (left, right, tolerance)]
                return self.combine(("near", percent), children, lambda a, b, t: self._pack(_near(a, b, t, percent=percent)))
            case expressions.Cross(left, right, up):
                return self.combine(("cross", up), [self.operand(left), self.operand(right)], self._crosser(up=up), lambda *_: 1)
            case expressions.Member(operand, values):
                return self.combine("member", [self.operand(operand), *(self.operand(value) for value in values)], self._member)
            case expressions.All(children):
                return self._joined("all", children)
            case expressions.AnyOf(children):
                return self._joined("any", children)
            case expressions.Not(child):
                return self.combine("not", [self.condition(child)], lambda words: bits.inverted(words, self.n))
            case expressions.Window():
                return self._window(node)

    def _pack(self, mask: Any) -> Bits:
        return bits.packed(np.broadcast_to(np.asarray(mask, dtype=np.bool_), (self.n,)))

    def _comparer(self, operator: str) -> Callable[[Value, Value], Bits]:
        return lambda left, right: self._pack(_COMPARE[operator](left, right))

    def _between(self, value: Value, low: Value, high: Value) -> Bits:
        return self._pack((value >= low) & (value <= high))

    def _member(self, value: Value, *values: Value) -> Bits:
        found: Any = np.zeros(self.n, dtype=np.bool_)
        for other in values:
            found = found | (value == other)
        return self._pack(found)

    def _crosser(self, *, up: bool) -> Callable[[Value, Value], Bits]:
        now, before = (">", "<=") if up else ("<", ">=")

        def cross(left: Value, right: Value) -> Bits:
            past = bits.shifted(self._pack(_COMPARE[before](left, right)), 1, self.n)
            return self._pack(_COMPARE[now](left, right)) & past

        return cross

    def _window(self, node: expressions.Window) -> Distinct:
        unit = (node.bar_ms or self.bars.timeframe.ms) / self.bars.timeframe.ms
        children = [self.condition(node.condition), self.number(node.bars), self.number(node.min_true)]

        def span(bars: float) -> int:
            return max(1, round(bars * unit))

        def make(words: Bits, bars: float, min_true: float) -> Bits:
            if node.kind is expressions.WindowKind.HOLDS_FOR:
                return bits.held_for(words, span(bars), self.n)
            if node.kind is expressions.WindowKind.OCCURRED_WITHIN:
                return bits.occurred_within(words, span(bars), self.n)
            return bits.count_true(words, span(bars), min_true, self.n)

        return self.combine(("window", node.kind, unit), children, make, lambda _, bars, __: span(bars) - 1)

    def _joined(self, name: str, nodes: Sequence[expressions.Condition]) -> Distinct:
        """AND or OR of several conditions; all missing combinations in one compiled call."""
        if not nodes:
            return self.combine(("empty", name), [], lambda: self._pack(name == "all"))
        children = [self.condition(node) for node in nodes]
        if len(children) == 1:
            return children[0]
        picks, which = combinations([child.index for child in children], [len(child.keys) for child in children], self.n_variants)
        firsts = np.max([child.firsts[picks[:, c]] for c, child in enumerate(children)], axis=0)
        keys = [(name, *(child.keys[p] for child, p in zip(children, pick, strict=True))) for pick in picks.tolist()]
        results = [self.cache.find(key) for key in keys]
        missing = [k for k, result in enumerate(results) if result is None]
        if missing:
            made = self._join_rows(children, picks[missing], conjunction=name == "all")
            for k, row in zip(missing, made, strict=True):
                results[k] = row
                self.cache.keep(keys[k], row, _size(row))
        return Distinct(keys, results, firsts, which)

    def _join_rows(self, children: Sequence[Distinct], picks: IntArray, *, conjunction: bool) -> list[Bits]:
        offsets = np.cumsum([0, *(len(child.keys) for child in children[:-1])])
        table = np.stack([row for child in children for row in child.results])
        out = np.empty((picks.shape[0], table.shape[1]), dtype=np.uint64)
        bits.combine_rows(table, picks + offsets, conjunction, out)
        return [row.copy() for row in out]


def _size(result: Any) -> int:
    if isinstance(result, np.ndarray):
        return _ENTRY_BYTES + int(result.nbytes)
    if isinstance(result, features.Computed):
        return _ENTRY_BYTES + sum(array.nbytes for array in _arrays(result))
    return _ENTRY_BYTES


def _arrays(result: features.Computed) -> Iterable[FloatArray]:
    """The different arrays of a feature; on the bars that are traded, its own values are those that are shown."""
    own = [series.values for series in result.series.values()]
    return {id(array): array for array in (*result.outputs.values(), *own)}.values()


def _finite(values: FloatArray) -> FloatArray:
    """The same values, missing where they are infinite."""
    infinite = np.isinf(values)
    return np.where(infinite, np.nan, values) if infinite.any() else values


def _shift(value: Value, bars: float) -> Value:
    if not isinstance(value, np.ndarray):
        return value
    back = int(bars)
    out = np.full_like(value, np.nan)
    if back < value.size:
        out[back:] = value[: value.size - back]
    return out


def _arithmetic(operator: str, left: Value, right: Value) -> Value:
    with np.errstate(all="ignore"):
        a, b = np.asarray(left, dtype=np.float64), np.asarray(right, dtype=np.float64)
        match operator:
            case "+":
                out = a + b
            case "-":
                out = a - b
            case "*":
                out = a * b
            case "/":
                out = a / b
            case _:
                out = np.mod(a, b)
    out = np.where(np.isfinite(out), out, np.nan)
    return out if out.ndim else float(out)


def _near(left: Value, right: Value, tolerance: Value, *, percent: bool) -> Any:
    allowed = tolerance / 100.0 * np.abs(right) if percent else tolerance
    return np.abs(np.subtract(left, right)) <= allowed
