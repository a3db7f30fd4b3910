"""A small simulated variant that every test of a report may start from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import polars as pl
import pytest

from coinswarm import play
from coinswarm.config import Account, Costs
from coinswarm.market.bars import Bars
from coinswarm.market.timeframe import Timeframe
from coinswarm.metrics.figures import FIGURES, Status
from coinswarm.play.model import Play
from coinswarm.play.warmth import WarmUp
from coinswarm.types import FloatArray

NUMBERS = ("qty", "entry_price", "exit_price", "pnl", "return", "fees", "slippage", "funding", "bars_held", "mae", "mfe")
NAMES = ("entry_time", "exit_time", "side", *NUMBERS[:3], "exit_reason", *NUMBERS[3:])


_PLAY = """
version: "3.0.0"
name: follow
timeframes: { low_tf: 5m, exec: low_tf }
features: { slow: { indicator: sma, params: { length: 31 } } }
actions: { entry_long: [close, ">", slow] }
risk_model: { sizing: { model: percent_equity, value: 100 } }
"""
PLAY = replace(play.loads(_PLAY), name="Follow the trend", description="Holds what rises.")


@dataclass(frozen=True)
class PlainBacktest:
    """The port a report reads, filled with numbers that are easy to predict."""

    play: Play
    bars: Bars
    start: int
    trades: pl.DataFrame
    equity: FloatArray
    position: FloatArray
    metrics: Mapping[str, float]
    status: Status = Status.OK
    reason: str = ""
    costs: Costs = field(default_factory=Costs)
    account: Account = field(default_factory=Account)
    warm_up: WarmUp = field(default_factory=lambda: WarmUp(bars=30, feature="slow: sma(31)"))

    def but(self, **changes: object) -> PlainBacktest:
        return replace(self, **changes)


def _bars(n: int, *, symbol: str, synthetic: bool) -> Bars:
    rng = np.random.default_rng(n)
    close = 100 * np.exp(np.cumsum(rng.normal(0, 0.002, n)))
    opened = np.concatenate([[100.0], close[:-1]])
    high, low = np.maximum(opened, close) * 1.001, np.minimum(opened, close) * 0.999
    ts = 1_704_067_200_000 + 300_000 * np.arange(n)
    columns = {"ts": ts, "open": opened, "high": high, "low": low, "close": close, "volume": np.ones(n)}
    return Bars(symbol=symbol, timeframe=Timeframe.parse("5m"), exchange="test", synthetic=synthetic, **columns)


def _trades(bars: Bars, start: int, n: int) -> pl.DataFrame:
    rows = []
    for i in range(n):
        entry, side = start + i * 10, 1 if i % 2 == 0 else -1
        left, right = bars.open[entry], bars.open[entry + 5]
        gain = side * (right / left - 1)
        reason = ("stop", "target", "signal")[i % 3]
        times = (int(bars.ts[entry]), int(bars.ts[entry + 5]))
        rows.append((*times, side, 2.0, left, right, reason, gain * 2 * left, gain, 0.1, 0.02, 0.0, 5, -0.01, 0.02))
    schema = dict.fromkeys(NUMBERS, pl.Float64) | {
        "entry_time": pl.Int64,
        "exit_time": pl.Int64,
        "side": pl.Int64,
        "exit_reason": pl.String,
    }
    frame = pl.DataFrame(rows, schema={name: schema[name] for name in NAMES}, orient="row", strict=False)
    return frame.with_columns(pl.col("entry_time", "exit_time").cast(pl.Datetime("ms")))


@pytest.fixture(scope="session")
def simulate() -> Callable[..., PlainBacktest]:
    """Make a backtest of `n` bars and `n_trades` trades."""

    def made(n: int = 600, n_trades: int = 20, *, start: int = 50, symbol: str = "BTC/USDT", synthetic: bool = False) -> PlainBacktest:
        bars = _bars(n, symbol=symbol, synthetic=synthetic)
        equity = np.concatenate([np.full(start, 10_000.0), 10_000 * bars.close[start:] / bars.open[start]])
        metrics = {**dict.fromkeys(FIGURES, 0.5), "sharpe": 1.25, "n_obs": float(n - start), "total_return": equity[-1] / 10_000 - 1}
        return PlainBacktest(PLAY, bars, start, _trades(bars, start, n_trades), equity, np.ones(n), metrics)

    return made
