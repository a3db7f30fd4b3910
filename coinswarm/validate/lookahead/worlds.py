"""All that a run may look at, and the ways to tamper with it: cut off, begin later, or replace the future with noise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from coinswarm.market.bars import COLUMNS, Bars
from coinswarm.market.timeframe import MINUTE_MS
from coinswarm.types import BoolArray, FloatArray, IntArray

TAIL = 1_000
"""Bars of noise after a cut, per market: what follows them is cut off, which is one more thing that must not matter."""

_MISSING = 0.1
_JITTER_MS = MINUTE_MS // 2


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class World:
    """The traded market's bars and those of other markets by canonical symbol; the traded market may be among them."""

    bars: Bars
    markets: Mapping[str, Bars]

    def until(self, t: int) -> World:
        """What is known at the close of bar `t - 1`: `bars[:t]`, and of every other market the bars closed and the funding paid by then."""
        known = int(self.bars.close_ts[t - 1])
        return self._with(self.bars[:t], {name: _until(bars, known) for name, bars in self.markets.items()})

    def since(self, s: int) -> World:
        """The same data as if it began with bar `s`."""
        begin = int(self.bars.ts[s])
        return self._with(self.bars[s:], {name: bars[bars.index_at(begin) :] for name, bars in self.markets.items()})

    def scrambled(self, t: int, rng: np.random.Generator, *, opened: bool = False, keep_volume: bool = False) -> World:
        """Everything after the close of bar `t - 1` replaced with noise: prices, volumes, funding, and which bars are missing.

        Args:
            t: first bar that is replaced, at least 1.
            rng: where the noise comes from.
            opened: keep the open of bar `t` and the funding due by then, which an order decided at `t - 1` is filled with.
            keep_volume: keep the volume of bar `t` too, where costs depend on it.
        """
        known = int(self.bars.close_ts[t - 1])
        own = _torn(self.bars, t, known, rng)
        if opened:
            own = _reopened(own, self.bars, t, keep_volume=keep_volume)
        return self._with(own, {name: _torn(bars, bars.closed_by(known), known, rng) for name, bars in self.markets.items()})

    def _with(self, bars: Bars, markets: dict[str, Bars]) -> World:
        """The traded market stays one and the same where it is also an operand."""
        same = {name: bars for name, old in self.markets.items() if old is self.bars}
        return World(bars=bars, markets=markets | same)


def _until(bars: Bars, known_ts: int) -> Bars:
    """The bars closed by a time; funding continues where the last of them is followed by a gap, and slow bars show it."""
    paid = int(np.searchsorted(bars.funding_ts, known_ts - _JITTER_MS))
    return replace(bars[: bars.closed_by(known_ts)], funding_ts=bars.funding_ts[:paid], funding_rate=bars.funding_rate[:paid])


def _torn(bars: Bars, t: int, known_ts: int, rng: np.random.Generator) -> Bars:
    """Bars before `t` as they are, noise from there on; bar `t` itself is never missing, later ones may be."""
    size = min(len(bars), t + TAIL)
    present = np.arange(size) < t + 1
    present |= rng.random(size) > _MISSING
    noise = rng.uniform(0.5, 2.0, (len(COLUMNS), size))
    noise[:, :t] = 1.0
    columns = {name: (getattr(bars, name)[:size] * noise[row])[present] for row, name in enumerate(COLUMNS)}
    ts, known = bars.ts[:size][present], bars[:size].known_of(present)
    times, rates = _torn_funding(bars, known_ts, rng)
    candles: dict[str, Any] = _candles(columns, t)
    return replace(bars, ts=ts, known_ts=known, **candles, funding_ts=times, funding_rate=rates)


def _candles(columns: dict[str, FloatArray], t: int) -> dict[str, FloatArray]:
    """Highs and lows of the noise that enclose its opens and closes; what comes before `t` is left alone."""
    every = np.stack([columns[name][t:] for name in ("open", "high", "low", "close")])
    high, low = columns["high"].copy(), columns["low"].copy()
    high[t:], low[t:] = every.max(axis=0), every.min(axis=0)
    return columns | {"high": high, "low": low}


def _torn_funding(bars: Bars, known_ts: int, rng: np.random.Generator) -> tuple[IntArray, FloatArray]:
    """Rates that were not known yet are noise, and some of them are missing."""
    later = bars.funding_ts >= known_ts - _JITTER_MS
    rates = np.where(later, rng.normal(0.0, 0.01, later.size), bars.funding_rate)
    kept: BoolArray = ~later | (rng.random(later.size) > _MISSING)
    return bars.funding_ts[kept], rates[kept]


def _reopened(torn: Bars, bars: Bars, t: int, *, keep_volume: bool) -> Bars:
    """Noise whose bar `t` opens where it did, with the funding that was due by then."""
    columns: dict[str, Any] = {name: getattr(torn, name).copy() for name in COLUMNS}
    opening = float(bars.open[t])
    columns["open"][t] = opening
    columns["high"][t], columns["low"][t] = max(columns["high"][t], opening), min(columns["low"][t], opening)
    if keep_volume:
        columns["volume"][t] = bars.volume[t]
    due, noise = bars.funding_ts < bars.ts[t] + _JITTER_MS, torn.funding_ts >= bars.ts[t] + _JITTER_MS
    times = np.concatenate([bars.funding_ts[due], torn.funding_ts[noise]])
    rates = np.concatenate([bars.funding_rate[due], torn.funding_rate[noise]])
    return replace(torn, **columns, funding_ts=times, funding_rate=rates)
