"""N2: the bars of real markets in random order, so that the past predicts nothing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from coinswarm.market.bars import Bars
from coinswarm.types import FloatArray, IntArray
from coinswarm.validate.worlds import grid
from coinswarm.validate.worlds.marking import marked


def permuted(like: Sequence[Bars], rng: np.random.Generator, exchange: str) -> tuple[Bars, ...]:
    """Gaps between bars and what happens within bars are shuffled apart; a bar's volume goes with its inside.

    Markets with the same times are shuffled alike and still move together. The first bar and the last close stay what they were: the
    drift of the whole span is that of the data.

    Args:
        like: real markets.
        rng: source of the order.
        exchange: name of the world.

    Returns:
        The markets with the same times, without funding.
    """
    times = grid.of(like)
    inside, gaps = rng.random(times.ts.size), rng.random(times.ts.size)
    return tuple(_shuffled(bars, _order(inside[rows]), _order(gaps[rows]), exchange) for bars, rows in zip(like, times.rows, strict=True))


def _order(keys: FloatArray) -> IntArray:
    """A permutation that leaves the first place alone."""
    return np.concatenate([np.zeros(1, dtype=np.int64), 1 + np.argsort(keys[1:])])


def _shuffled(bars: Bars, inside: IntArray, gaps: IntArray, exchange: str) -> Bars:
    gap = (bars.open / grid.before(bars))[gaps]
    parts = {name: (getattr(bars, name) / bars.open)[inside] for name in ("high", "low", "close")}
    steps = np.column_stack([gap, parts["close"]]).ravel()
    prices = np.cumprod(np.concatenate([bars.open[:1], steps]))
    opens, close = prices[1::2], prices[2::2]
    return marked(bars, exchange, open=opens, high=opens * parts["high"], low=opens * parts["low"], close=close, volume=bars.volume[inside])
