"""N3 and N3d: real bars whose direction is drawn at random and whose rest is unchanged.

The sign of a bar's simple return is flipped, not of its log return: only then is the price a martingale, because the mean of
`1 + r` and `1 - r` is 1. Volatility and its clustering, volume, seasonality and the way markets move together stay as they are.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from coinswarm.market.bars import Bars
from coinswarm.market.timeframe import DAY_MS
from coinswarm.types import FloatArray
from coinswarm.validate.worlds import grid
from coinswarm.validate.worlds.marking import marked

_LARGEST = 0.9
"""A bar that reaches further from the close before it is shrunk to this: the mirror image of a doubling is a price of 0."""


def by_bar(like: Sequence[Bars], rng: np.random.Generator, exchange: str) -> tuple[Bars, ...]:
    """N3: each bar is mirrored or not, by a coin of its own; the same coin for all markets.

    Args:
        like: real markets; they may begin and end at different times.
        rng: source of the coins.
        exchange: name of the world.

    Returns:
        The markets with the same times and volumes, without funding: a rate that is known beforehand would be an edge.
    """
    times = grid.of(like)
    signs = _coins(rng, times.ts.size)
    return tuple(mirrored(bars, signs[rows], exchange) for bars, rows in zip(like, times.rows, strict=True))


def by_day(like: Sequence[Bars], rng: np.random.Generator, exchange: str) -> tuple[Bars, ...]:
    """N3d: whole UTC days are mirrored or not; what is linear within a day stays, so it is a null only for holds well beyond a day.

    Args:
        like: real markets.
        rng: source of the coins.
        exchange: name of the world.

    Returns:
        The markets with the same times and volumes, without funding.
    """
    times = grid.of(like)
    day = times.ts // DAY_MS - times.ts[0] // DAY_MS
    signs = _coins(rng, int(day[-1]) + 1)[day]
    return tuple(mirrored(bars, signs[rows], exchange) for bars, rows in zip(like, times.rows, strict=True))


def mirrored(bars: Bars, signs: FloatArray, exchange: str) -> Bars:
    """Bars of which some are turned upside down around the close before them, high and low exchanged.

    Args:
        bars: (n_bars,) at least one.
        signs: (n_bars,) 1 keeps a bar, -1 mirrors it.
        exchange: name of the result's exchange.

    Returns:
        (n_bars,) bars with the same first open, times, volumes and absolute simple returns.
    """
    anchor = grid.before(bars)
    parts = {name: getattr(bars, name) / anchor - 1 for name in ("open", "high", "low", "close")}
    # high and low are the furthest: one factor for all four keeps the candle's shape
    shrink = np.minimum(1.0, _LARGEST / np.maximum(np.maximum(parts["high"], -parts["low"]), _LARGEST))
    turned = {name: 1 + signs * (part * shrink) for name, part in parts.items()}
    close = np.cumprod(np.concatenate([bars.open[:1], turned["close"]]))
    price = {name: close[:-1] * turned[name] for name in ("open", "high", "low")}
    return marked(
        bars, exchange, open=price["open"], close=close[1:],
        high=np.where(signs > 0, price["high"], price["low"]), low=np.where(signs > 0, price["low"], price["high"]),
    )  # fmt: skip


def _coins(rng: np.random.Generator, n: int) -> FloatArray:
    return np.where(rng.integers(0, 2, n) > 0, 1.0, -1.0)
