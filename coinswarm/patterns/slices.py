"""A pattern's effect by holding time, market, side and time, which shows whether it is the same everywhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from coinswarm.patterns import bins
from coinswarm.patterns.conditions import Hold, Market, Pattern, Side
from coinswarm.patterns.figures import mean_by_blocks
from coinswarm.patterns.search import PatternSearch
from coinswarm.types import BoolArray, FloatArray, IntArray

HOLD_BANDS = 8
TIME_PARTS = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class Slice:
    """The effect of a pattern on a part of all trades: net beyond random trades like them, and net, with 95 % intervals by blocks.

    `kind` is hold, market, side or time; `start` is the least hold in bars or the time in ms; NaN where there is no trade.
    """

    kind: str
    name: str
    start: float
    trades: int
    effect: float
    effect_low: float
    effect_high: float
    expectancy: float


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class _Whole:
    """Both segments together: (n,) excess and net results, blocks of time, and the trades' own columns."""

    excess: FloatArray
    net: FloatArray
    blocks: IntArray
    hold: IntArray
    market: IntArray
    side: IntArray
    entry_ts: IntArray


def slices(search: PatternSearch, pattern: Pattern) -> tuple[Slice, ...]:
    """Slices of a pattern over discovery and confirmation together. Along hold, market or side its own condition on that is left out."""
    whole = _whole(search)
    bands = bins.hold_bands(search.discovery.trades, HOLD_BANDS)
    parts = [*_by_hold(whole, bands), *_by_market(whole, search.discovery.trades.markets), *_by_side(whole), *_by_time(search, whole)]
    leave = {"hold": Hold, "market": Market, "side": Side}
    masks = {kind: _mask(search, _without(pattern, leave.get(kind))) for kind in ("hold", "market", "side", "time")}
    return tuple(_slice(whole, kind, name, start, masks[kind] & chosen) for kind, name, start, chosen in parts)


Part = tuple[str, str, float, BoolArray]


def _whole(search: PatternSearch) -> _Whole:
    first, later = search.discovery, search.confirmation
    both = [(first, 0), (later, first.n_blocks)]
    return _Whole(
        excess=np.concatenate([part.excess for part, _ in both]),
        net=np.concatenate([part.trades.net for part, _ in both]),
        blocks=np.concatenate([part.blocks + shift for part, shift in both]),
        hold=np.concatenate([part.trades.hold for part, _ in both]),
        market=np.concatenate([part.trades.market for part, _ in both]),
        side=np.concatenate([part.trades.side.astype(np.int64) for part, _ in both]),
        entry_ts=np.concatenate([part.trades.entry_ts for part, _ in both]),
    )


def _mask(search: PatternSearch, pattern: Pattern) -> BoolArray:
    return np.concatenate([pattern.mask(search.discovery.trades), pattern.mask(search.confirmation.trades)])


def _without(pattern: Pattern, kind: type | None) -> Pattern:
    return pattern if kind is None else Pattern(tuple(one for one in pattern.conditions if not isinstance(one, kind)))


def _by_hold(whole: _Whole, bands: tuple[Hold, ...]) -> Iterator[Part]:
    for band in bands:
        yield "hold", str(band), float(band.low), (whole.hold >= band.low) & (whole.hold <= band.high)


def _by_market(whole: _Whole, markets: tuple[str, ...]) -> Iterator[Part]:
    for number, key in enumerate(markets):
        yield "market", key, float(number), whole.market == number


def _by_side(whole: _Whole) -> Iterator[Part]:
    for sign in np.unique(whole.side)[::-1].tolist():
        yield "side", "long" if sign > 0 else "short", float(sign), whole.side == sign


def _by_time(search: PatternSearch, whole: _Whole) -> Iterator[Part]:
    edges = np.linspace(search.segments.start_ts, search.segments.end_ts, TIME_PARTS + 1).astype(np.int64)
    for start, stop in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        name = str(np.datetime64(start, "ms").astype("datetime64[D]"))
        yield "time", name, float(start), (whole.entry_ts >= start) & (whole.entry_ts < stop)


def _slice(whole: _Whole, kind: str, name: str, start: float, chosen: BoolArray) -> Slice:
    n_blocks = int(whole.blocks.max()) + 1 if whole.blocks.size else 0
    effect, low, high = mean_by_blocks(whole.excess[chosen], whole.blocks[chosen], n_blocks)
    net = float(whole.net[chosen].mean()) if chosen.any() else float("nan")
    return Slice(
        kind=kind, name=name, start=start, trades=int(chosen.sum()), effect=effect, effect_low=low, effect_high=high, expectancy=net
    )  # fmt: skip
