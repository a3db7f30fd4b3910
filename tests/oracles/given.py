"""Given signals on real bars: the common ground on which this engine and its peers can be held against each other.

The signals reach the play as two other markets, whose price is 2 where there is a signal and 1 where there is none.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import talib

from coinswarm import backtest, fitness, play
from coinswarm.backtest.run import Backtest
from coinswarm.config import Account, Costs
from coinswarm.kernels.codes import Outcome, Reason
from coinswarm.market.bars import Bars
from coinswarm.types import BoolArray, FloatArray
from tests.oracles import candles

ACCOUNT = Account(min_notional=0.0)
"""The peers trade any amount."""

PLAY = """
version: "3.0.0"
name: given
symbol: BTCUSDT
timeframes: {{ low_tf: 5m, exec: low_tf }}
features:
  go: {{ indicator: ohlc4, market: ETHUSDT }}
  leave: {{ indicator: ohlc4, market: SOLUSDT }}
actions:
  entry_long: [[go, ">", 1.5]]
  exit_long: [[leave, ">", 1.5]]
risk: {{ {risk} }}
position_policy: {{ mode: long_only, exit_mode: first_hit }}
"""


@dataclass(frozen=True, kw_only=True)
class Given:
    """A case: where a long may be entered and left, decided at the close of a bar, and how it is protected.

    Attributes:
        bars: (n_bars) what is traded.
        entries, exits: (n_bars,) decisions; never both on one bar, for there every engine has its own idea.
        stop, target: distance from the fill as a fraction of it; None: there is none.
        fee, slippage: fractions of a fill's notional and price.
    """

    bars: Bars
    entries: BoolArray
    exits: BoolArray
    stop: float | None = None
    target: float | None = None
    fee: float = 0.0
    slippage: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Trades:
    """Closed trades, one an element; `result` is the profit after fees over the entry's notional."""

    entry_bar: np.ndarray
    exit_bar: np.ndarray
    entry_price: np.ndarray
    exit_price: np.ndarray
    result: np.ndarray

    def __len__(self) -> int:
        return self.entry_bar.size

    def first(self, n: int) -> Trades:
        """The first `n` of them."""
        return Trades(**{name: value[:n] for name, value in vars(self).items()})


def crossings(
    data_dir: Path, fast: int, slow: int, *, stop: float | None, target: float | None, signal_exits: bool,
    slippage: float = 0.0, n_bars: int | None = None,
) -> Given:  # fmt: skip
    """Longs where a fast average of real closes crosses a slow one; left where it crosses back, or by stop and target only."""
    bars = candles.read(data_dir / "spot5m_2024" / "binance_BTC-USDT_5m.parquet")[:n_bars]
    above = talib.EMA(bars.close, fast) > talib.EMA(bars.close, slow)
    entries = above & ~np.roll(above, 1)
    exits = ~above & np.roll(above, 1) & signal_exits
    entries[: slow + 1] = exits[: slow + 1] = False
    entries[-1] = exits[-1] = False
    return Given(bars=bars, entries=entries, exits=exits, stop=stop, target=target, fee=0.00055, slippage=slippage)


def play_of(given: Given) -> play.Play:
    """The case as a play; one without stop, target and exits cannot be."""
    risk = {"stop_loss_pct": given.stop, "take_profit_pct": given.target}
    return play.loads(PLAY.format(risk=", ".join(f"{name}: {100.0 * value!r}" for name, value in risk.items() if value is not None)))


def markets_of(given: Given) -> dict[str, Bars]:
    """The signals as bars of two other markets."""
    return {"ETH/USDT": _as_bars(given.bars, given.entries), "SOL/USDT": _as_bars(given.bars, given.exits)}


def _as_bars(bars: Bars, signal: BoolArray) -> Bars:
    price = 1.0 + signal.astype(np.float64)
    return replace(bars, open=price, high=price, low=price, close=price)


def costs_of(given: Given) -> Costs:
    """One fee for makers and takers, as the peers have it."""
    return Costs(taker_bps=1e4 * given.fee, maker_bps=1e4 * given.fee, slippage_bps=1e4 * given.slippage)


def reference(given: Given) -> Trades:
    """Trades of the readable simulator."""
    return closed(backtest(play_of(given), given.bars, costs=costs_of(given), account=ACCOUNT, markets=markets_of(given)))


def closed(run: Backtest) -> Trades:
    """The trades of a run that ended before its bars did."""
    trades = run.trades.drop_nulls("exit_bar")
    return Trades(
        entry_bar=trades["entry_bar"].to_numpy(), exit_bar=trades["exit_bar"].to_numpy(), entry_price=trades["entry_price"].to_numpy(),
        exit_price=trades["exit_price"].to_numpy(), result=trades["return"].to_numpy(),
    )  # fmt: skip


def outcomes(given: Given) -> FloatArray:
    """(n_closed, ...) records of the fast path's trades."""
    _, log = fitness.Scorer(play_of(given), given.bars, costs=costs_of(given), account=ACCOUNT, markets=markets_of(given)).replay(
        np.empty(0)
    )
    return log[log[:, Outcome.REASON] != Reason.OPEN]


def without(given: Given, unlike: Callable[[Given, FloatArray], BoolArray]) -> tuple[Given, int]:
    """The case without the entries that lead to a trade which the peer's rules leave differently, and how many entries went.

    Leaving one entry out makes room for others, so it is done until nothing is unlike.
    """
    dropped = 0
    while True:
        trades = outcomes(given)
        wrong = trades[unlike(given, trades), Outcome.ENTRY_BAR].astype(int)
        if wrong.size == 0:
            return given, dropped
        entries = given.entries.copy()
        entries[wrong - 1] = False
        given = replace(given, entries=entries)
        dropped += wrong.size


def fast_agrees(given: Given, trades: Trades) -> None:
    """The fast path has the same trades as the readable simulator."""
    log = outcomes(given)
    np.testing.assert_array_equal(log[:, Outcome.ENTRY_BAR], trades.entry_bar)
    np.testing.assert_array_equal(log[:, Outcome.EXIT_BAR], trades.exit_bar)
    np.testing.assert_allclose(log[:, Outcome.RETURN], trades.result, rtol=1e-9, atol=1e-12)


def assert_same(ours: Trades, theirs: Trades) -> None:
    """Every trade the same: bars exactly, prices and results to 1e-9."""
    np.testing.assert_array_equal(ours.entry_bar, theirs.entry_bar)
    np.testing.assert_array_equal(ours.exit_bar, theirs.exit_bar)
    np.testing.assert_allclose(ours.entry_price, theirs.entry_price, rtol=1e-9)
    np.testing.assert_allclose(ours.exit_price, theirs.exit_price, rtol=1e-9)
    np.testing.assert_allclose(ours.result, theirs.result, rtol=1e-9, atol=1e-9)
