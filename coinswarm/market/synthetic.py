"""A made-up market for machines without a network: seeded, plausible, and marked as synthetic wherever it goes.

Volatility clusters (GARCH) and switches regimes, drifts come and go, markets of one seed move together, and volume follows the hour and the
size of the move. Only additions, multiplications, divisions and square roots are used, which every machine rounds alike: exp, log and
vectorised sums differ in the last digit between processors, and equal seeds must give equal bars everywhere.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass

import numpy as np

from coinswarm import check
from coinswarm.market import symbols
from coinswarm.market.bars import Bars
from coinswarm.market.timeframe import DAY_MS, YEAR_MS, Timeframe
from coinswarm.types import FloatArray, IntArray

EXCHANGE = "synthetic"
START_TS = 1_672_531_200_000
"""2023-01-01 00:00 UTC, the first bar unless stated otherwise."""

_STEPS = 8  # moves within a bar, from which its high and low come
_UNIFORMS = 12  # a sum of twelve uniform numbers has variance 1 and looks normal up to 6 deviations
_PIECE = 1 << 17
_ARCH, _PERSISTENCE = 0.08, 0.90
_TOGETHER = 0.55  # correlation of two markets of one seed
_DAILY_TURNOVER = 4e8
_HOURS = (
    0.95,
    0.90,
    0.85,
    0.80,
    0.75,
    0.75,
    0.80,
    0.90,
    1.00,
    1.00,
    0.95,
    0.95,
    1.05,
    1.30,
    1.55,
    1.60,
    1.45,
    1.25,
    1.10,
    1.05,
    1.00,
    0.95,
    0.95,
    1.00,
)
_PRICES = {"BTC": 16_500.0, "ETH": 1_200.0, "SOL": 10.0, "BNB": 245.0, "XRP": 0.34, "DOGE": 0.07}


@dataclass(frozen=True, kw_only=True, slots=True)
class _Regime:
    """A state of the market: how volatile against the usual, its drift a year, and how long it lasts on average."""

    volatility: float
    drift: float
    days: float


_REGIMES = (
    _Regime(volatility=0.6, drift=0.0, days=6.0),
    _Regime(volatility=0.9, drift=1.2, days=5.0),
    _Regime(volatility=1.1, drift=-1.0, days=4.0),
    _Regime(volatility=2.2, drift=-0.5, days=1.0),
)


def market(
    symbol: str,
    timeframe: Timeframe,
    n_bars: int,
    *,
    seed: int,
    start_ts: int = START_TS,
    price: float | None = None,
    volatility: float = 0.6,
) -> Bars:
    """A synthetic market. The same arguments give the same bars on any machine, and more bars begin with the same ones.

    Args:
        symbol: market, in any spelling; each has its own path.
        timeframe: length of a bar.
        n_bars: how many, at least 1.
        seed: at least 0; markets of one seed move together.
        start_ts: open time of the first bar, milliseconds since 1970 UTC.
        price: first open, above 0; a usual one for the coin unless given.
        volatility: standard deviation of a year's return in an ordinary regime, in (0, 5].

    Returns:
        (n_bars,) bars of exchange `synthetic`, marked as such, without gaps.

    Raises:
        InvalidArgument: an argument lies outside its domain.
    """
    check.at_least(n_bars, "n_bars", 1)
    check.at_least(seed, "seed", 0)
    check.within(volatility, "volatility", 1e-6, 5)
    name = symbols.canonical(symbol)
    first = _PRICES.get(name.partition("/")[0], 25.0) if price is None else price
    check.positive(first, "price")
    ts = start_ts + timeframe.ms * np.arange(n_bars, dtype=np.int64)
    return _bars(name, timeframe, ts, seed, first, volatility)


def _bars(symbol: str, timeframe: Timeframe, ts: IntArray, seed: int, first: float, volatility: float) -> Bars:
    own = int.from_bytes(hashlib.sha256(symbol.encode()).digest()[:8], "big")
    shared_moves = _normals(np.random.Generator(np.random.PCG64([seed])), ts.size * _STEPS)
    own_moves = _normals(np.random.Generator(np.random.PCG64([seed, own, 1])), ts.size * _STEPS)
    moves = (math.sqrt(_TOGETHER) * shared_moves + math.sqrt(1 - _TOGETHER) * own_moves).reshape(ts.size, _STEPS)
    chances = np.random.Generator(np.random.PCG64([seed, 2])).random((ts.size, 3))
    scale, drift = _scales(moves, chances, timeframe, volatility)
    prices = _path(moves, scale, drift, first)
    volume = _volumes(ts, timeframe, prices, scale, np.random.Generator(np.random.PCG64([seed, own, 3])))
    columns = {"open": prices[:, 0], "high": _extreme(np.maximum, prices), "low": _extreme(np.minimum, prices), "close": prices[:, -1]}
    rounded = {name: _to_ticks(column, first) for name, column in columns.items()}
    rounded["open"][1:] = rounded["close"][:-1]
    return Bars(
        symbol=symbol, timeframe=timeframe, exchange=EXCHANGE, synthetic=True, ts=ts, volume=volume,
        open=rounded["open"], high=rounded["high"], low=rounded["low"], close=rounded["close"],
    )  # fmt: skip


def _normals(generator: np.random.Generator, n: int) -> FloatArray:
    """(n,) nearly normal numbers, the first ones the same for any n."""
    # in pieces: all uniforms of a year of minutes at once would take 400 MB
    pieces = [_row_sums(generator.random((min(_PIECE, n - start), _UNIFORMS))) for start in range(0, n, _PIECE)]
    return np.concatenate(pieces) - _UNIFORMS / 2


def _scales(moves: FloatArray, chances: FloatArray, timeframe: Timeframe, volatility: float) -> tuple[FloatArray, FloatArray]:
    """Standard deviation and drift of each bar: a GARCH(1,1) within regimes that switch at random."""
    usual, years = volatility * math.sqrt(timeframe.ms / YEAR_MS), timeframe.ms / YEAR_MS
    totals = _row_sums(moves) / math.sqrt(_STEPS)
    scale, drift = np.empty(totals.size), np.empty(totals.size)
    regime, variance = _REGIMES[0], 1.0
    for bar, (shock, (leave, choose, jump)) in enumerate(zip(totals.tolist(), chances.tolist(), strict=True)):
        if leave < timeframe.ms / (regime.days * DAY_MS):
            regime = _REGIMES[int(choose * len(_REGIMES))]
        scale[bar] = usual * regime.volatility * math.sqrt(variance) * (5.0 if jump < 0.0004 else 1.0)
        drift[bar] = regime.drift * years
        variance = 1 - _ARCH - _PERSISTENCE + (_ARCH * shock * shock + _PERSISTENCE) * variance
    return np.minimum(scale, 0.1), drift


def _row_sums(table: FloatArray) -> FloatArray:
    total = table[:, 0].copy()
    for place in range(1, table.shape[1]):
        total += table[:, place]
    return total


def _path(moves: FloatArray, scale: FloatArray, drift: FloatArray, first: float) -> FloatArray:
    """(n_bars, steps + 1) prices: the open of each bar and the price after each move."""
    factors = 1 + (scale[:, None] * moves) / math.sqrt(_STEPS) + drift[:, None] / _STEPS
    after = first * np.cumprod(np.maximum(factors, 0.5).ravel()).reshape(moves.shape)
    opens = np.r_[first, after[:-1, -1]]
    return np.column_stack([opens, after])


def _extreme(pick: np.ufunc, prices: FloatArray) -> FloatArray:
    return np.asarray(pick.reduce(prices, axis=1), dtype=np.float64)


def _to_ticks(column: FloatArray, first: float) -> FloatArray:
    """Prices on a grid of seven digits of the first price, never below one tick."""
    tick = 1.0
    while tick * 1e6 > first:
        tick /= 10
    while tick * 1e7 <= first:
        tick *= 10
    places = round(1 / tick) if tick < 1 else 1
    return np.maximum(np.rint(column * places), 1.0) / places


def _volumes(ts: IntArray, timeframe: Timeframe, prices: FloatArray, scale: FloatArray, generator: np.random.Generator) -> FloatArray:
    hours = np.array(_HOURS)[(ts // 3_600_000) % 24] if timeframe.ms < DAY_MS else np.ones(ts.size)
    weekend = np.where((ts // DAY_MS + 3) % 7 >= 5, 0.7, 1.0)
    move = np.abs(prices[:, -1] / prices[:, 0] - 1) / scale
    noise = generator.random((ts.size, 2)) + 0.5
    turnover = _DAILY_TURNOVER * timeframe.ms / DAY_MS * hours * weekend * (0.5 + 0.6 * move) * noise[:, 0] * noise[:, 1]
    return np.maximum(np.rint(turnover / prices[:, -1] * 1e4), 1.0) / 1e4
