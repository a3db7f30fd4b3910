"""Why a decision differs: the comparisons of a play that came out differently, and whether their operands are as good as equal.

Single comparisons and operands are asked of the engine's own `decide`, as the entry and the stop of a play that has nothing else.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from coinswarm.play import describe, expressions, model, slots
from coinswarm.play.expressions import Operand
from coinswarm.types import BoolArray, FloatArray
from coinswarm.validate.lookahead.engine import Engine
from coinswarm.validate.lookahead.findings import usual
from coinswarm.validate.lookahead.worlds import World

Leaf = expressions.Compare | expressions.Between | expressions.Near | expressions.Cross | expressions.Member
Operands = tuple[Operand, Operand]

TIE = 1e-9
"""Operands closer than this part of the largest number that went into them are as good as equal where both worlds begin alike."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Flip:
    """A comparison that is true in one world and false in the other."""

    bar: int
    text: str
    left: float
    right: float
    tie: bool


def leaves(play: model.Play) -> tuple[Leaf, ...]:
    """Every comparison of a play's conditions, each once."""
    nodes = [node for name in slots.CONDITIONS for node in slots.parts(getattr(play, name))]
    return tuple(dict.fromkeys(node for node in nodes if isinstance(node, Leaf)))


def memory(play: model.Play, exec_ms: int) -> int:
    """Bars for which a comparison may matter through windows and crosses, at most."""
    nodes = [node for name in slots.CONDITIONS for node in slots.parts(getattr(play, name))]
    return 1 + sum(_span(window, exec_ms) for window in nodes if isinstance(window, expressions.Window))


def _span(window: expressions.Window, exec_ms: int) -> int:
    bars = window.bars if isinstance(window.bars, float | int) else 1
    return int(np.ceil(bars * (window.bar_ms or exec_ms) / exec_ms))


def pairs(leaf: Leaf) -> Iterator[Operands]:
    """The operands whose order decides a comparison."""
    match leaf:
        case expressions.Compare(_, left, right) | expressions.Cross(left, right, _):
            yield left, right
        case expressions.Between(operand, low, high):
            yield from ((operand, low), (operand, high))
        case expressions.Member(operand, values):
            yield from ((operand, value) for value in values)
        case expressions.Near(left, right, tolerance, percent):
            hundred = expressions.Literal(100.0)
            allowed = expressions.Arithmetic("/", expressions.Arithmetic("*", tolerance, right), hundred) if percent else tolerance
            yield from ((expressions.Arithmetic("-", left, right), allowed), (expressions.Arithmetic("-", right, left), allowed))


@dataclass(frozen=True, kw_only=True, eq=False)
class Flips:
    """Comparisons that differ between all bars and tampered ones, whose bar `i` is bar `i + shift` of all.

    Operands that differ by less than `near`, relative to the largest number that went into them, are as good as equal.
    """

    engine: Engine
    play: model.Play
    whole: World
    part: World
    shift: int
    near: float = TIE

    @cached_property
    def every(self) -> tuple[Flip, ...]:
        """All of them, on the bars that both worlds have, by bar of the whole."""
        return tuple(sorted((flip for leaf in leaves(self.play) for flip in self._of(leaf)), key=lambda flip: flip.bar))

    def behind(self, bar: int) -> tuple[Flip, ...]:
        """Those that a decision on `bar` may come from."""
        low, high = (bisect.bisect_right(self.every, at, key=lambda flip: flip.bar) for at in (bar - self._reach, bar))
        return self.every[low:high]

    @cached_property
    def _reach(self) -> int:
        return memory(self.play, self.whole.bars.timeframe.ms)

    def _of(self, leaf: Leaf) -> Iterator[Flip]:
        asked = list(pairs(leaf))
        whole, part = (self._truth(leaf, world) for world in (self.whole, self.part))
        size = min(whole.size - self.shift, part.size)
        turned = np.flatnonzero(whole[self.shift : self.shift + size] != part[:size]) + self.shift
        if not turned.size:
            return
        values = [self._values(pair) for pair in asked]
        text = describe.condition(leaf)
        back = 2 if isinstance(leaf, expressions.Cross) else 1
        for bar in turned.tolist():
            near = any(self._tie(left, right, scale, bar, back) for left, right, scale in values)
            yield Flip(bar=bar, text=text, left=float(values[0][0][bar]), right=float(values[0][1][bar]), tie=near)

    def _truth(self, leaf: Leaf, world: World) -> BoolArray:
        return self.engine.decide(self._asking(leaf, None), world.bars, world.markets).entry_long

    def _values(self, pair: Operands) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Both operands on all bars, and the size of the largest number that goes into either."""
        left, right = self._read(pair)
        sizes = [np.abs(left), np.abs(right)]
        inner = [
            part
            for operand in pair
            for part in slots.parts(operand)
            if isinstance(part, expressions.Output | expressions.Column | expressions.Shift)
        ]
        for part in dict.fromkeys(inner):
            values = self._read((part, part))[0]
            sizes.append(np.fmax(np.abs(values), usual(values)))
        return left, right, np.fmax.reduce(sizes)

    def _read(self, pair: Operands) -> tuple[FloatArray, FloatArray]:
        levels = self.engine.decide(self._asking(None, pair), self.whole.bars, self.whole.markets).levels
        return levels.stop_long, levels.stop_short

    def _asking(self, leaf: Leaf | None, pair: Operands | None) -> model.Play:
        stop = None
        if pair is not None:
            stop = model.Stop(kind=model.StopKind.STRUCTURE, value=0.0, level=pair[0], level_short=pair[1])
        return replace(
            self.play, entry_long=leaf, exit_long=None, entry_short=None, exit_short=None, risk=model.Risk(stop=stop), policy=model.Policy()
        )

    def _tie(self, left: FloatArray, right: FloatArray, scale: FloatArray, bar: int, back: int) -> bool:
        there = slice(max(0, bar + 1 - back), bar + 1)
        with np.errstate(invalid="ignore"):
            return bool((np.abs(left[there] - right[there]) <= self.near * scale[there]).any())
