"""What chaos trades are drawn from and described by: one market's bars with every feature, and the runs of bars a trade may lie in."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from coinswarm import config, errors
from coinswarm.chaos import naming
from coinswarm.chaos.naming import FeatureName
from coinswarm.indicators import features
from coinswarm.kernels import outcomes
from coinswarm.market import funding
from coinswarm.market.bars import Bars
from coinswarm.types import FloatArray, IntArray

_KNOWN: OrderedDict[tuple[str, ...], DescribedMarket] = OrderedDict()
"""Markets that were described, the newest last: a worker computes features once, not once a batch."""
_KEPT = 64
"""More than a job has markets; a process that sees world after world forgets the oldest."""


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class DescribedMarket:
    """One market, ready to be traded at random.

    Attributes:
        bars: n_bars candles.
        names: what it is described by.
        state: (n_bars, n_features) known at the close of each bar, NaN where a feature has no value.
        first: first bar at whose close every feature is warm; n_bars when there is none.
        slowest: name of the feature that is warm last.
        starts, lengths: (n_runs,) runs of bars without a gap, cut to those from `first` on.
        tape: the bars as the kernel sees them.
    """

    bars: Bars
    names: tuple[FeatureName, ...]
    state: FloatArray
    first: int
    slowest: str
    starts: IntArray
    lengths: IntArray
    tape: outcomes.OutcomeTape


def describe(
    bars: Bars,
    names: Sequence[FeatureName],
    others: Mapping[str, Bars] | None = None,
    *,
    warmup_tolerance: float = config.WARMUP_TOLERANCE,
) -> DescribedMarket:
    """Compute what trades on a market are described by, or find it computed before.

    Args:
        bars: (n_bars,) candles.
        names: features; the first of them are `naming.BASE`.
        others: bars of other markets that features name, by canonical symbol.
        warmup_tolerance: how far the bars before the data may move a warm feature, in units of its own scale.

    Raises:
        NotFound: a market is missing. InvalidArgument: a feature's timeframe is faster than the bars, or no multiple of them.
    """
    others = others or {}
    needed = sorted({name.market for name in names if name.market is not None and name.market != bars.symbol})
    for symbol in needed:
        if symbol not in others:
            raise errors.not_found("market with bars here", symbol, others)
    key = (bars.content_hash, repr(warmup_tolerance), *map(str, names), *(f"{symbol}#{others[symbol].content_hash}" for symbol in needed))
    if key not in _KNOWN:
        _KNOWN[key] = _described(bars, tuple(names), others, warmup_tolerance)
    _KNOWN.move_to_end(key)
    while len(_KNOWN) > _KEPT:
        _KNOWN.popitem(last=False)
    return _KNOWN[key]


def _described(bars: Bars, names: tuple[FeatureName, ...], others: Mapping[str, Bars], warmup_tolerance: float) -> DescribedMarket:
    state = np.empty((len(bars), len(names)))
    first, slowest = 0, str(names[0])
    for place, name in enumerate(names):
        values, warm = _values(bars, name, others, warmup_tolerance)
        state[:, place] = values
        if place != naming.FUNDING and warm > first:
            first, slowest = warm, str(name)
    starts, lengths = _runs(bars, first)
    return DescribedMarket(
        bars=bars, names=names, state=state, first=first, slowest=slowest, starts=starts, lengths=lengths, tape=_tape(bars, state)
    )


def _values(bars: Bars, name: FeatureName, others: Mapping[str, Bars], warmup_tolerance: float) -> tuple[FloatArray, int]:
    market = None if name.market in (None, bars.symbol) else others[str(name.market)]
    computed = features.compute(
        name.indicator, dict(name.params), bars, source=name.source, timeframe_ms=name.timeframe_ms, market=market,
        warmup_tolerance=warmup_tolerance,
    )  # fmt: skip
    return computed.outputs[name.output], computed.first


def _runs(bars: Bars, first: int) -> tuple[IntArray, IntArray]:
    """Starts and lengths of the stretches without a missing bar, as far as they lie from `first` on."""
    breaks = np.flatnonzero(np.diff(bars.ts) != bars.timeframe.ms) + 1
    edges = np.r_[0, breaks, len(bars)].astype(np.int64)
    starts, ends = np.maximum(edges[:-1], first), edges[1:]
    there = ends > starts
    return starts[there], (ends - starts)[there]


def _tape(bars: Bars, state: FloatArray) -> outcomes.OutcomeTape:
    return outcomes.OutcomeTape(
        open=_frozen(bars.open),
        high=_frozen(bars.high),
        volume=_frozen(bars.volume),
        volatility=np.ascontiguousarray(state[:, naming.VOLATILITY]),
        paid=funding.paid(bars),
    )


def _frozen(column: FloatArray) -> FloatArray:
    """A read-only view: workers receive such, and compiled code must see one type everywhere."""
    view = np.ascontiguousarray(column, dtype=np.float64).view()
    view.flags.writeable = False
    return view
