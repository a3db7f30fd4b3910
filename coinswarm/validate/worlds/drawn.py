"""N0 and N1: markets drawn from a formula, with the times, first price, volatility and correlation of given ones.

A bar is made of moves that are each a fair game, so its high and low are what a path would have reached and no order, at whatever price
within the bar, has an expectation.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from coinswarm.kernels import garch
from coinswarm.market.bars import Bars
from coinswarm.types import FloatArray
from coinswarm.validate.worlds import grid
from coinswarm.validate.worlds.marking import marked

STEPS = 8
"""Moves within a bar."""
ARCH, PERSISTENCE = 0.08, 0.90
"""What a squared shock and the variance before it add to the variance of the next bar (usual values for intraday crypto)."""
FREEDOM = 5.0
"""Degrees of freedom of N1's Student t: the tails of five-minute returns."""
_LARGEST_MOVE = 0.1
"""No single move is larger; both directions alike, so that the price stays a martingale."""


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class Moves:
    """The inside of every bar before any drift.

    Attributes:
        moves: for each market (n_bars, STEPS) simple returns, each of expectation 0.
        scale: for each market (n_bars,) standard deviation of the bar's return, known before it.
    """

    moves: tuple[FloatArray, ...]
    scale: tuple[FloatArray, ...]


def random_walk(like: Sequence[Bars], rng: np.random.Generator, exchange: str) -> tuple[Bars, ...]:
    """N0: normal returns of constant volatility.

    Args:
        like: markets whose times, first price, volatility, correlation and (in another order) volumes are taken.
        rng: source of the returns.
        exchange: name of the world.

    Returns:
        As many markets with the same times, without funding.
    """
    return _world(like, draw(like, rng, clustered=False), rng, exchange)


def clustered(like: Sequence[Bars], rng: np.random.Generator, exchange: str) -> tuple[Bars, ...]:
    """N1: a GARCH(1,1) with Student t shocks, whose extremes meet all markets at once.

    Args:
        like: markets whose times, first price, volatility, correlation and (in another order) volumes are taken.
        rng: source of the returns.
        exchange: name of the world.

    Returns:
        As many markets with the same times, without funding.
    """
    return _world(like, draw(like, rng, clustered=True), rng, exchange)


def draw(like: Sequence[Bars], rng: np.random.Generator, *, clustered: bool) -> Moves:
    """The moves of every bar.

    Args:
        like: markets whose volatility and correlation are taken.
        rng: source of the moves.
        clustered: volatility clusters and tails are fat (N1), or neither (N0).
    """
    times = grid.of(like)
    n, together = times.ts.size, np.linalg.cholesky(grid.correlation(like, times))
    normals = rng.standard_normal((n, STEPS, len(like))) @ (together.T / math.sqrt(STEPS))
    usual = np.array([grid.returns(bars).std() for bars in like])
    if clustered:
        normals *= np.sqrt((FREEDOM - 2) / rng.chisquare(FREEDOM, n))[:, None, None]
        scale = usual * np.sqrt(garch.variances(normals.sum(axis=1), ARCH, PERSISTENCE))
    else:
        scale = np.broadcast_to(usual, (n, len(like)))
    moves = np.clip(normals * scale[:, None, :], -_LARGEST_MOVE, _LARGEST_MOVE)
    return Moves(
        moves=tuple(np.ascontiguousarray(moves[rows, :, market]) for market, rows in enumerate(times.rows)),
        scale=tuple(np.ascontiguousarray(scale[rows, market]) for market, rows in enumerate(times.rows)),
    )


def candles(bars: Bars, moves: FloatArray, exchange: str, *, volume: FloatArray, drift: FloatArray | None = None) -> Bars:
    """Bars of a path: each opens where the one before closed.

    Args:
        bars: (n_bars,) the market whose name, times and first price are taken.
        moves: (n_bars, STEPS) simple returns within each bar.
        exchange: name of the world.
        volume: (n_bars,) not negative.
        drift: (n_bars,) simple return added to each bar, spread over it; none: 0.
    """
    steps = 1 + moves if drift is None else 1 + moves + drift[:, None] / STEPS
    path = np.cumprod(np.concatenate([bars.open[:1], steps.ravel()]))
    after = path[1:].reshape(steps.shape)
    opens = np.concatenate([path[:1], after[:-1, -1]])
    high, low = np.maximum(after.max(axis=1), opens), np.minimum(after.min(axis=1), opens)
    return marked(bars, exchange, open=opens, high=high, low=low, close=after[:, -1].copy(), volume=volume)


def _world(like: Sequence[Bars], drawn: Moves, rng: np.random.Generator, exchange: str) -> tuple[Bars, ...]:
    return tuple(candles(bars, moves, exchange, volume=rng.permutation(bars.volume)) for bars, moves in zip(like, drawn.moves, strict=True))
