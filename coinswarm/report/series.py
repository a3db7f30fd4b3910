"""Curves thinned for drawing: buckets of bars keep their extremes, so that no spike is lost however few points remain."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from coinswarm.market.bars import Bars
from coinswarm.types import FloatArray, IntArray

if TYPE_CHECKING:
    from coinswarm.backtest.run import Backtest


@dataclass(frozen=True, kw_only=True, eq=False, slots=True)
class Curves:
    """What is drawn of one market, from the first bar on which a decision was possible.

    Attributes:
        bars: those bars.
        equity: (n_obs,) account value in quote currency at bar close.
        drawdown: (n_obs,) fall from the running peak as a fraction of it; 0 at a peak.
        hold: (n_obs,) account value had everything been in the market since the first of these bars, without costs.
        starting_equity: account value before the first bar.
    """

    bars: Bars
    equity: FloatArray
    drawdown: FloatArray
    hold: FloatArray
    starting_equity: float

    @property
    def years(self) -> float:
        """Length of the span in years of 365.25 days."""
        return len(self.bars) / self.bars.periods_per_year


def of(backtest: Backtest) -> Curves | None:
    """The curves of a backtest; None when nothing was simulated."""
    equity = np.asarray(backtest.equity, dtype=np.float64)[backtest.start :]
    bars = backtest.bars[backtest.start : backtest.start + equity.size]
    if equity.size == 0 or len(bars) != equity.size or not np.isfinite(equity).all():
        return None
    start = backtest.account.starting_equity
    return Curves(bars=bars, equity=equity, drawdown=drawdown(equity, start), hold=start * bars.close / bars.open[0], starting_equity=start)


def drawdown(equity: FloatArray, starting_equity: float) -> FloatArray:
    """Fall from the running peak, the starting equity included.

    Args:
        equity: (n_bars,) account value at bar close.
        starting_equity: account value before the first bar; above 0.

    Returns:
        (n_bars,) as a fraction of the peak; 0 at a peak.
    """
    peak = np.maximum(np.maximum.accumulate(equity), starting_equity)
    return 1 - equity / peak


def bucket_starts(n: int, limit: int) -> IntArray:
    """Where to cut `n` bars into at most `limit` buckets of equal size; the first index of each."""
    return np.arange(0, n, max(1, -(-n // limit)))


def packed(curves: Curves, limit: int) -> dict[str, object]:
    """Times, candles and curves in at most `limit` buckets, as base64 of little-endian columns for the page's script.

    A bucket keeps the first open, the highest high, the lowest low, the last close, the last account value and the deepest drawdown.
    """
    bars, starts = curves.bars, bucket_starts(len(curves.bars), limit)
    last = np.append(starts[1:], len(bars)) - 1
    columns = {
        "open": bars.open[starts],
        "high": np.maximum.reduceat(bars.high, starts),
        "low": np.minimum.reduceat(bars.low, starts),
        "close": bars.close[last],
        "equity": curves.equity[last],
        "hold": curves.hold[last],
        "drawdown": np.maximum.reduceat(curves.drawdown, starts),
    }
    step = int(starts[1] - starts[0]) if starts.size > 1 else 1
    packed: dict[str, object] = {name: floats(values) for name, values in columns.items()}
    return {**packed, "time": seconds(bars.ts[starts]), "step": step * bars.timeframe.ms // 1000, "thinned": step}


def floats(values: FloatArray) -> str:
    """(n,) numbers as base64 of 32-bit floats: seven digits, enough for a screen."""
    return base64.b64encode(np.ascontiguousarray(values, dtype="<f4").tobytes()).decode("ascii")


def seconds(ms: IntArray) -> str:
    """(n,) milliseconds since 1970 as base64 of 64-bit floats of seconds; -1 stays -1."""
    return base64.b64encode(np.where(ms < 0, -1.0, ms / 1000).astype("<f8").tobytes()).decode("ascii")
